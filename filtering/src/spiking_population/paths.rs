//! The reversed bound by paths drawn backwards, for any number of neurons (eqs. T17, T21).

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, Poisson};

use super::{SpikingPopulation, frozen};
use crate::{Error, Result};

/// q = Pois(z_T; e^{u_T}) ∏_t Pois(z_{t−1}; e^{v_t + B_t z_t}): tied kernels of a film of T frames, K neurons.
#[derive(Debug, Clone, PartialEq)]
pub struct TiedKernels {
    /// u_T, `[K]`.
    pub last: Vec<f64>,
    /// v_t of frames 1 … T − 1, `[T − 1][K]`: log-rates of z_t where the next frame is silent.
    pub silent: Vec<Vec<f64>>,
    /// B_t of frames 1 … T − 1, `[T − 1][K·K]` row by row: entry `j·K + k` is what a spike of neuron k says of neuron j a
    /// frame before.
    pub weights: Vec<Vec<f64>>,
}

/// A mean over paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledBound {
    /// Unbiased estimate of L_T, in nats.
    pub bound: f64,
    /// Its standard error, in nats.
    pub standard_error: f64,
}

impl TiedKernels {
    /// B = 0: q is ∏_t Pois(e^{u_t}) with u `[T][K]`, T at least 1.
    ///
    /// # Errors
    /// If there is no frame.
    pub fn frozen(log_rates: &[Vec<f64>]) -> Result<Self> {
        let Some((last, before)) = log_rates.split_last() else {
            return Err(Error::size("log_rates", 0, "one frame or more"));
        };
        let k = last.len();
        Ok(Self {
            last: last.clone(),
            silent: before.to_vec(),
            weights: vec![vec![0.0; k * k]; before.len()],
        })
    }

    /// The kernels to first order in what z_t says of z_{t−1}, from the frozen beliefs u `[T][K]`.
    ///
    /// ```text
    /// S = diag ∂E s(z_j)/∂λ_j,   R = diag E e^{a_k},   Λ = diag λ   (beliefs of the frame before)
    /// B = (I + S Wᵀ R W S Λ)⁻¹ S Wᵀ,     v(z) = u_{t−1} + B (z_t − E e^a)                                   (T21)
    /// ```
    ///
    /// With v the kernel's own rates predict e^a, so that what several neurons explain together is not taken by each of
    /// them: S Wᵀ(z − E_b e^a) = v − u to first order in v − u.
    ///
    /// # Errors
    /// If the model or the beliefs do not fit, or leave the range of numbers.
    pub fn linearised(model: &SpikingPopulation, log_rates: &[Vec<f64>]) -> Result<Self> {
        model.validate()?;
        let mut kernels = Self::frozen(log_rates)?;
        let k = model.neurons();
        kernels.check(model, log_rates.len())?;
        let weights = DMatrix::from_row_slice(k, k, &model.weights);
        for (t, silent) in kernels.silent.iter_mut().enumerate() {
            let predicted = DVector::from_vec(frozen::predict(model, Some(&log_rates[t])).rate);
            let rates = DVector::from_iterator(k, log_rates[t].iter().map(|u| u.exp()));
            let mut slopes = weights.transpose();
            for (j, mut row) in slopes.row_iter_mut().enumerate() {
                row *= model.drive.mean_slope(rates[j]);
            }
            // The inverse by the symmetric I + √Λ S Wᵀ R W S √Λ.
            let root = rates.map(f64::sqrt);
            let spread = DMatrix::from_fn(k, k, |j, to| {
                root[j] * slopes[(j, to)] * predicted[to].sqrt()
            });
            let together = DMatrix::identity(k, k) + &spread * spread.transpose();
            let rows = DMatrix::from_fn(k, k, |j, to| root[j] * slopes[(j, to)]);
            let Some(factor) = together.cholesky() else {
                return Err(Error::not_finite(t as u64, "a rate", predicted.max()));
            };
            let solved = factor.solve(&rows);
            for j in 0..k {
                for to in 0..k {
                    // Where a neuron is silent for certain the division by √λ is undone.
                    let weight = match root[j] > f64::MIN_POSITIVE {
                        true => solved[(j, to)] / root[j],
                        false => slopes[(j, to)],
                    };
                    kernels.weights[t][j * k + to] = weight;
                    silent[j] -= weight * predicted[to];
                }
            }
        }
        Ok(kernels)
    }

    /// The same with a share of B, from 0, the frozen beliefs, to 1: v moves with it so that what is expected of z_t stays.
    ///
    /// ```text
    /// v(z) = u_{t−1} + share · B (z_t − E e^a)
    /// ```
    ///
    /// # Errors
    /// If the beliefs u `[T][K]`, from which the kernels were made, do not fit.
    pub fn scaled(&self, log_rates: &[Vec<f64>], share: f64) -> Result<Self> {
        let frozen = Self::frozen(log_rates)?;
        if frozen.silent.len() != self.silent.len() || frozen.last.len() != self.last.len() {
            return Err(Error::size(
                "log_rates",
                log_rates.len(),
                self.silent.len() + 1,
            ));
        }
        let mut scaled = self.clone();
        for (rows, beliefs) in scaled.silent.iter_mut().zip(&frozen.silent) {
            for (v, u) in rows.iter_mut().zip(beliefs) {
                *v = u + share * (*v - u);
            }
        }
        scaled
            .weights
            .iter_mut()
            .flatten()
            .for_each(|b| *b *= share);
        Ok(scaled)
    }

    /// L_T from `paths` independent paths.
    ///
    /// ```text
    /// z_T ~ q_T,   z_{t−1} ~ b_t(·|z_t),
    /// L_T = E[ln p(z_1) + Σ_t ln p(x_t|z_t) + Σ_{t>1} (ln p(z_t|z_{t−1}) − ln b_t(z_{t−1}|z_t)) − ln q_T(z_T)]
    /// ```
    ///
    /// # Errors
    /// If sizes do not fit, fewer than two paths are asked for, or a rate leaves the range of counts.
    ///
    /// ```
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// use scotopic_filtering::spiking_population::{Drive, SpikingPopulation, frozen, paths::TiedKernels};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = SpikingPopulation {
    ///     weights: vec![-0.5], bias: vec![-1.0], first: vec![-1.0],
    ///     drive: Drive::Count, atoms: vec![1.0], sigma: vec![0.5],
    /// };
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    /// let (_, film) = model.sample(6, &mut rng)?;
    /// let beliefs = frozen::filter(&model, &film)?;
    /// let seen = TiedKernels::frozen(&beliefs.log_rates)?.bound(&model, &film, 4000, &mut rng)?;
    /// assert!((seen.bound - beliefs.bound).abs() < 5.0 * seen.standard_error);
    /// # Ok(()) }
    /// ```
    pub fn bound<R: Rng>(
        &self,
        model: &SpikingPopulation,
        film: &[Vec<f64>],
        paths: usize,
        rng: &mut R,
    ) -> Result<SampledBound> {
        model.check_film(film)?;
        self.check(model, film.len())?;
        if paths < 2 {
            return Err(Error::setting("paths", paths, "two or more"));
        }
        let (mut mean, mut squares) = (0.0, 0.0);
        for n in 0..paths {
            let value = self.path(model, film, rng)?;
            let off = value - mean;
            mean += off / (n + 1) as f64;
            squares += off * (value - mean);
        }
        let variance = squares / (paths - 1) as f64;
        Ok(SampledBound {
            bound: mean,
            standard_error: (variance / paths as f64).sqrt(),
        })
    }

    /// ln p(path, film) − ln q(path) of one path.
    fn path<R: Rng>(
        &self,
        model: &SpikingPopulation,
        film: &[Vec<f64>],
        rng: &mut R,
    ) -> Result<f64> {
        let k = model.neurons();
        let (mut z, mut value) = (Vec::new(), 0.0);
        for (t, frame) in film.iter().enumerate().rev() {
            let log_rates = match self.weights.get(t) {
                None => self.last.clone(),
                Some(weights) => {
                    let rows = weights.chunks_exact(k).zip(&self.silent[t]);
                    rows.map(|(row, v)| v + dot(row, &z)).collect()
                }
            };
            let before = drawn(&log_rates, t, rng)?;
            value -= log_law(&log_rates, &before);
            if t + 1 < film.len() {
                let drives: Vec<f64> = before.iter().map(|&n| model.drive.of(n as u32)).collect();
                value += log_law(&model.driven(&drives), &z);
            }
            value += model.log_likelihood(frame, &model.decoded(&before));
            z = before;
        }
        Ok(value + log_law(&model.first, &z))
    }

    fn check(&self, model: &SpikingPopulation, frames: usize) -> Result<()> {
        let k = model.neurons();
        let inner = frames.saturating_sub(1);
        for (name, found, expected) in [
            ("last", self.last.len(), k),
            ("silent", self.silent.len(), inner),
            ("weights", self.weights.len(), inner),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        let wrong = |rows: &[Vec<f64>], size| rows.iter().position(|row| row.len() != size);
        for (name, rows, size) in [
            ("silent", &self.silent, k),
            ("weights", &self.weights, k * k),
        ] {
            if let Some(t) = wrong(rows, size) {
                return Err(Error::size(name, rows[t].len(), size));
            }
        }
        Ok(())
    }
}

/// A count above this is an explosion; counts up to it are exact.
const LARGEST_RATE: f64 = 1e9;

fn drawn<R: Rng>(log_rates: &[f64], t: usize, rng: &mut R) -> Result<Vec<f64>> {
    let one = |u: &f64| {
        let rate = u.exp();
        // Also for NaN, which compares as false.
        let law = match rate <= LARGEST_RATE {
            true => Poisson::new(rate.max(f64::MIN_POSITIVE)).ok(),
            false => None,
        };
        law.map(|law| law.sample(&mut *rng))
            .ok_or_else(|| Error::not_finite(t as u64, "a rate", rate))
    };
    log_rates.iter().map(one).collect()
}

/// Σ_k ln Pois(z_k; e^{u_k}).
fn log_law(log_rates: &[f64], z: &[f64]) -> f64 {
    let term = |(u, z): (&f64, &f64)| u * z - u.exp() - libm::lgamma(z + 1.0);
    log_rates.iter().zip(z).map(term).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::super::{Drive, exact, reversed::Recursion};
    use super::*;

    /// A mean of thousands of paths is off by more standard errors than this once in 10⁸ runs.
    const STANDARD_ERRORS: f64 = 5.7;

    fn population(k: usize, drive: Drive, seed: u64) -> (SpikingPopulation, Vec<Vec<f64>>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let strength = 1.6 / (k as f64).sqrt();
        let mut between = |low: f64, high: f64| rng.random_range(low..high);
        let model = SpikingPopulation {
            weights: (0..k * k)
                .map(|_| between(-strength, 0.2 * strength))
                .collect(),
            bias: (0..k).map(|_| between(-1.5, -0.5)).collect(),
            first: (0..k).map(|_| between(-1.5, -0.5)).collect(),
            drive,
            atoms: (0..4 * k).map(|_| between(-1.0, 1.0)).collect(),
            sigma: vec![0.8; 4],
        };
        let film = model.sample(6, &mut rng).unwrap().1;
        (model, film)
    }

    /// The same bound by enumeration; counts above 24 have probability below 1e-15 at these rates.
    #[test]
    fn paths_and_enumeration_agree() {
        for (seed, drive) in [
            (1, Drive::Capped(1)),
            (2, Drive::Capped(2)),
            (3, Drive::Count),
        ] {
            let (mut model, _) = population(2, drive, seed);
            model.weights.iter_mut().for_each(|w| *w = w.min(0.2));
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(40 + seed);
            let film = model.sample(6, &mut rng).unwrap().1;
            let beliefs = frozen::filter(&model, &film).unwrap();
            let kernels = TiedKernels::linearised(&model, &beliefs.log_rates).unwrap();
            let mut recursion = Recursion::new(&model, 24).unwrap();
            recursion.start(&film[0]);
            for (t, frame) in film.iter().enumerate().skip(1) {
                let (v, b) = (&kernels.silent[t - 1], &kernels.weights[t - 1]);
                recursion.advance(frame, |z| {
                    let z: Vec<f64> = z.iter().map(|&n| f64::from(n)).collect();
                    (0..2)
                        .map(|j| v[j] + dot(&b[j * 2..(j + 1) * 2], &z))
                        .collect()
                });
            }
            let expected = recursion.bound(&kernels.last);
            let seen = kernels.bound(&model, &film, 20_000, &mut rng).unwrap();
            let off = (seen.bound - expected).abs();
            assert!(
                off < STANDARD_ERRORS * seen.standard_error,
                "{off} {seen:?}"
            );
            assert!(expected <= exact::filter(&model, &film, 40).unwrap().log_evidence);
        }
    }

    /// Forty neurons, which cannot be enumerated: without B the estimate is the frozen bound.
    #[test]
    fn without_weights_it_is_the_frozen_bound() {
        let (model, film) = population(40, Drive::Capped(1), 5);
        let beliefs = frozen::filter(&model, &film).unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let kernels = TiedKernels::frozen(&beliefs.log_rates).unwrap();
        let seen = kernels.bound(&model, &film, 10_000, &mut rng).unwrap();
        let off = (seen.bound - beliefs.bound).abs();
        assert!(
            off < STANDARD_ERRORS * seen.standard_error,
            "{off} {seen:?}"
        );
    }

    /// The whole step of first order overshoots; a quarter of it raises the bound of a population on average. How often either
    /// is above the frozen bound is printed.
    #[test]
    fn a_share_of_the_first_order_gains_on_average() {
        for (share, gains) in [(1.0, false), (0.25, true)] {
            let (mut sum, mut better) = (0.0, 0);
            for seed in 0..20 {
                let (model, film) = population(40, Drive::Capped(1), 100 + seed);
                let beliefs = frozen::filter(&model, &film).unwrap().log_rates;
                let kernels = TiedKernels::linearised(&model, &beliefs).unwrap();
                let both = [
                    kernels.scaled(&beliefs, share),
                    TiedKernels::frozen(&beliefs),
                ];
                // The same numbers for both.
                let bounds = both.map(|kernels| {
                    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                    let seen = kernels.unwrap().bound(&model, &film, 4000, &mut rng);
                    seen.unwrap().bound
                });
                sum += bounds[0] - bounds[1];
                better += usize::from(bounds[0] > bounds[1]);
            }
            let mean = sum / 20.0;
            println!(
                "{share} of B: mean gain {mean:.3} nats, above frozen in {better} of 20 films"
            );
            assert!((mean > 0.0) == gains, "{share}: {mean}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (model, film) = population(2, Drive::Count, 1);
        let beliefs = frozen::filter(&model, &film).unwrap();
        let kernels = TiedKernels::frozen(&beliefs.log_rates).unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let error = kernels.bound(&model, &film[1..], 10, &mut rng).unwrap_err();
        assert!(error.to_string().contains("silent"), "{error}");
        let error = kernels.bound(&model, &film, 1, &mut rng).unwrap_err();
        assert!(error.to_string().contains("paths"), "{error}");
        assert!(TiedKernels::frozen(&[]).is_err());
    }
}
