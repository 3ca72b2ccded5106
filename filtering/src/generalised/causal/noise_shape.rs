//! Noise processes: Markov processes whose state is the noise in generalised coordinates.

use nalgebra::Complex;
use serde::{Deserialize, Serialize};

use super::noise_process::{NoiseProcess, shaped, taylor_denominator};
use super::sampled_noise::sampled;
use crate::generalised::noise::Autocorrelation;
use crate::{Error, Result};

/// What is assumed of one noise (w, v or the noise between levels), of unit variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum NoiseShape {
    /// White in continuous time. The inverse of the precision is then a spectral density (variance × bin),
    /// and the filter is the exact discretisation of Kalman and Bucy's.
    White,
    /// Samples of white noise convolved with a Gaussian kernel of standard deviation `smoothness` bins,
    /// drawn at the bins, and taken as Markov of order `order` + 1. In between, the polynomial of degree
    /// `order` nearest to the path that the generator's noise is expected to take, given the `order` + 1
    /// samples nearest; from degree [`GENERATED`](super::GENERATED) on the polynomial through them.
    Sampled {
        /// s in bins; 0 for samples that are independent.
        smoothness: f64,
        /// The degree N of the polynomial.
        order: usize,
    },
    /// A continuous process with spectral density ∝ 1 / Σ_{k ≤ order} (s²ω²)^k / k!, which tends to that of
    /// the autocorrelation exp(−h²/4s²) as the order grows; `order` − 1 derivatives exist.
    Gaussian {
        /// s in bins, above 0.
        smoothness: f64,
        /// The number of state variables, at least 1.
        order: usize,
    },
    /// A Matérn process of ν = `order` − ½ and the given length scale; `order` − 1 derivatives exist.
    Matern {
        /// The length scale ℓ in bins, above 0.
        length: f64,
        /// The number of state variables, ν + ½, at least 1.
        order: usize,
    },
}

/// The highest order that numbers of 64 bits carry through the Taylor matrices.
const HIGHEST: usize = 12;

impl NoiseShape {
    /// Checks orders and times.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self, field: &'static str) -> Result<()> {
        let (time, lowest, order) = match *self {
            NoiseShape::White => return Ok(()),
            NoiseShape::Sampled { smoothness, order } => (smoothness, 0, order),
            NoiseShape::Gaussian { smoothness, order } => (smoothness, 1, order),
            NoiseShape::Matern { length, order } => (length, 1, order),
        };
        let from_zero = matches!(self, NoiseShape::Sampled { .. });
        if !(time.is_finite() && (time > 0.0 || from_zero && time == 0.0)) {
            return Err(Error::setting(field, time, "a time in bins, positive"));
        }
        if !(lowest..=HIGHEST).contains(&order) {
            let expected = format!("an order from {lowest} to {HIGHEST}");
            return Err(Error::setting(field, order, expected));
        }
        Ok(())
    }

    /// The number of state variables of one channel.
    pub fn size(&self) -> usize {
        match *self {
            NoiseShape::White => 0,
            NoiseShape::Sampled { order, .. } => order + 1,
            NoiseShape::Gaussian { order, .. } | NoiseShape::Matern { order, .. } => order,
        }
    }

    /// The autocorrelation at whole numbers of bins, for noise of the same kind on the observations.
    pub fn autocorrelation(&self) -> Autocorrelation {
        match *self {
            NoiseShape::White => Autocorrelation::White,
            NoiseShape::Sampled { smoothness, .. } => {
                Autocorrelation::SampledGaussian { smoothness }
            }
            NoiseShape::Gaussian { smoothness, .. } => Autocorrelation::Gaussian { smoothness },
            NoiseShape::Matern { length, order } => Autocorrelation::Matern { length, order },
        }
    }

    /// The state-space form of one channel.
    pub(super) fn process(&self, field: &'static str) -> Result<NoiseProcess> {
        self.check(field)?;
        match *self {
            NoiseShape::White => Ok(NoiseProcess::empty()),
            NoiseShape::Sampled { smoothness, order } => sampled(smoothness, order),
            NoiseShape::Gaussian { smoothness, order } => {
                shaped(&taylor_denominator(smoothness, order), field)
            }
            NoiseShape::Matern { length, order } => {
                let rate = libm::sqrt(2.0 * order as f64 - 1.0) / length;
                shaped(&vec![Complex::new(-rate, 0.0); order], field)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generalised::noise::sampled_kernel;
    use crate::math::in_place::Discretisation;

    /// Rounding through Taylor matrices of order 6, whose entries reach 3^6.
    const ROUNDING: f64 = 1e-7;

    fn shapes() -> Vec<NoiseShape> {
        let mut all = Vec::new();
        for order in 1..=6 {
            for time in [0.5, 1.0] {
                let smoothness = time;
                all.push(NoiseShape::Sampled { smoothness, order });
                all.push(NoiseShape::Gaussian { smoothness, order });
                let length = time;
                all.push(NoiseShape::Matern { length, order });
            }
        }
        all
    }

    #[test]
    fn every_process_is_stationary_with_unit_variance() {
        for shape in shapes() {
            let process = shape.process("noise").unwrap();
            let k = process.size();
            let mut within = Discretisation::new(k);
            assert!(within.compute(&process.flow, &process.diffusion, 1.0));
            let entering = &process.fresh + &within.noise;
            let after = &process.step * &process.stationary * process.step.transpose() + entering;
            let scale = process.stationary.amax();
            let change = (after - &process.stationary).amax() / scale;
            assert!(change < ROUNDING, "{shape:?}: {change:e}");
            assert!(
                (process.stationary[(0, 0)] - 1.0).abs() < ROUNDING,
                "{shape:?}"
            );
        }
    }

    #[test]
    fn windows_have_the_correlation_of_the_samples() {
        for order in 0..=6 {
            let process = sampled(0.5, order).unwrap();
            let rho = sampled_kernel(0.5, 1);
            // Cov(c_{t+1}, c_t) is the first entry of step P.
            let found = (&process.step * &process.stationary)[(0, 0)];
            assert!((found - rho[1]).abs() < ROUNDING, "order {order}: {found}");
        }
    }

    #[test]
    fn shaped_noise_tends_to_the_gaussian_autocorrelation() {
        // The error at lags 1 to 3 falls with the order (eqs. G38, G39 as far as they can be tested).
        let errors: Vec<f64> = [1, 3, 6, 10]
            .into_iter()
            .map(|order| {
                let smoothness = 1.0;
                let shape = NoiseShape::Gaussian { smoothness, order };
                let process = shape.process("noise").unwrap();
                let rho = shape.autocorrelation().at_lags(3);
                let mut lagged = process.stationary.clone();
                (1..=3)
                    .map(|lag| {
                        lagged = &process.step * &lagged;
                        (lagged[(0, 0)] - rho[lag]).abs()
                    })
                    .fold(0.0, f64::max)
            })
            .collect();
        assert!(
            errors.windows(2).all(|pair| pair[1] < pair[0]),
            "{errors:?}"
        );
        assert!(errors[3] < 0.01, "{errors:?}");
    }

    #[test]
    fn shaped_noise_has_the_derivative_variances_of_the_table() {
        // V of eq. G4 at s = ½: 1, 2, 12 on the diagonal, −2 between orders 0 and 2.
        let smoothness = 0.5;
        let order = 12;
        let process = NoiseShape::Gaussian { smoothness, order }
            .process("noise")
            .unwrap();
        let v = &process.stationary;
        // What twelve terms of the series of e^{s²ω²} leave.
        let tolerance = 0.02;
        for (i, j, expected) in [(0, 0, 1.0), (1, 1, 2.0), (0, 2, -2.0), (2, 2, 12.0)] {
            let found = v[(i, j)];
            assert!(
                (found / expected - 1.0).abs() < tolerance,
                "({i}, {j}): {found}"
            );
        }
    }
}
