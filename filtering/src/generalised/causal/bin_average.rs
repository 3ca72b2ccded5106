//! Correlations of bin averages of the noise.

use nalgebra::DVector;

use super::noise_shape::NoiseShape;
use crate::Result;
use crate::generalised::noise::sampled_kernel;

/// Panels of Simpson's rule on a bin: errors below 1e-9 for lengths of a tenth of a bin.
const PANELS: usize = 256;

impl NoiseShape {
    /// γ(h) = cov(c̄_t, c̄_{t+h}), c̄_t = ∫₀¹ c(t + r) dr, for h = 0 … `lags`. Noise that is white in continuous time has
    /// γ(0) = 1; sampled noise moves along its polynomials, c̄ = Σ_k c^(k)/(k+1)! = ℓ'(samples), so that
    /// γ(h) = Σ_jk ℓ_j ℓ_k ρ(h + k − j); for the others γ(h) = ∫ (1 − |r|) ρ(h + r) dr over −1 … 1.
    pub(super) fn bin_average(&self, lags: usize) -> Result<Vec<f64>> {
        match *self {
            NoiseShape::White => {
                let mut gamma = vec![0.0; lags + 1];
                gamma[0] = 1.0;
                Ok(gamma)
            }
            NoiseShape::Sampled { smoothness, order } => {
                let embedding = self.process("motion")?.embedding;
                let mut over = 1.0;
                let weights = DVector::from_fn(order + 1, |k, _| {
                    over /= (k + 1) as f64;
                    over
                });
                let weights = embedding.tr_mul(&weights);
                let rho = sampled_kernel(smoothness, lags + order);
                let at = |h: usize| -> f64 {
                    let pairs = (0..=order).flat_map(|j| (0..=order).map(move |k| (j, k)));
                    pairs
                        .map(|(j, k)| weights[j] * weights[k] * rho[(h + k).abs_diff(j)])
                        .sum()
                };
                Ok((0..=lags).map(at).collect())
            }
            NoiseShape::Gaussian { .. } | NoiseShape::Matern { .. } => {
                let process = self.process("motion")?;
                let (flow, start) = (&process.flow, &process.stationary);
                // ρ on a grid, by steps of the process itself.
                let step = (flow / PANELS as f64).exp();
                let mut now = start.clone();
                let mut rho = Vec::with_capacity((lags + 1) * PANELS + 1);
                for _ in 0..=(lags + 1) * PANELS {
                    rho.push(now[(0, 0)]);
                    now = &step * now;
                }
                let at = |h: usize| -> f64 {
                    let simpson = |i: usize| match i {
                        0 | PANELS => 1.0,
                        i if i % 2 == 1 => 4.0,
                        _ => 2.0,
                    };
                    let sum: f64 = (0..=PANELS)
                        .map(|i| {
                            let weight = simpson(i) * (1.0 - i as f64 / PANELS as f64);
                            weight * (rho[h * PANELS + i] + rho[(h * PANELS).abs_diff(i)])
                        })
                        .sum();
                    sum / (3 * PANELS) as f64
                };
                Ok((0..=lags).map(at).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding through Taylor matrices, and the nugget of correlation matrices.
    const ROUNDING: f64 = 1e-7;

    #[test]
    fn averages_of_an_exponential_are_known() {
        // ρ = e^{−h/ℓ}: γ(0) = 2ℓ − 2ℓ²(1 − e^{−1/ℓ}), γ(h) = ℓ² e^{−h/ℓ} (e^{1/ℓ} − 2 + e^{−1/ℓ}).
        let length: f64 = 0.7;
        let shape = NoiseShape::Matern { length, order: 1 };
        let gamma = shape.bin_average(2).unwrap();
        let decay = (-1.0 / length).exp();
        let first = 2.0 * length - 2.0 * length * length * (1.0 - decay);
        assert!((gamma[0] - first).abs() < 1e-9);
        for (h, found) in gamma.iter().enumerate().skip(1) {
            let even = (1.0 / length).exp() - 2.0 + decay;
            let expected = length * length * (-(h as f64) / length).exp() * even;
            assert!((found - expected).abs() < 1e-9, "{h}: {found} {expected}");
        }
    }

    #[test]
    fn samples_that_stand_still_average_to_themselves() {
        let smoothness = 0.5;
        let still = NoiseShape::Sampled {
            smoothness,
            order: 0,
        };
        let rho = sampled_kernel(smoothness, 3);
        for (found, rho) in still.bin_average(3).unwrap().iter().zip(&rho) {
            assert!((found - rho).abs() < ROUNDING, "{found} {rho}");
        }
    }

    #[test]
    fn averages_of_samples_are_those_of_their_process() {
        for order in 1..=7 {
            let shape = NoiseShape::Sampled {
                smoothness: 0.5,
                order,
            };
            let process = shape.process("motion").unwrap();
            let mut over = 1.0;
            let average = DVector::from_fn(order + 1, |k, _| {
                over /= (k + 1) as f64;
                over
            });
            // Its covariance now, and one bin later, which the process predicts without loss.
            let apart = [
                &process.stationary * &average,
                &process.step * &process.stationary * &average,
            ];
            let gamma = shape.bin_average(1).unwrap();
            for (found, covariance) in gamma.iter().zip(&apart) {
                let expected = average.dot(covariance);
                assert!(
                    (found - expected).abs() < ROUNDING,
                    "{order}: {found} {expected}"
                );
            }
        }
    }
}
