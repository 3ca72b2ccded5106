//! The model, its checks and its samples (eq. T7).

use rand::Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

use super::Drive;
use crate::error::check_finite;
use crate::{Error, Result};

/// A rate above this is an explosion, not a count to be drawn.
const LARGEST_RATE: f64 = 1e12;

/// Poisson counts with a log-linear transition and a linear Gaussian emission; K neurons, M pixels.
///
/// An example is on the page of the [module](super).
#[derive(Debug, Clone, PartialEq)]
pub struct SpikingPopulation {
    /// W, `[K, K]` row by row: entry `k·K + j` from neuron j to neuron k.
    pub weights: Vec<f64>,
    /// b, `[K]`, log-rates without drive.
    pub bias: Vec<f64>,
    /// u₀, `[K]`, log-rates of the first frame.
    pub first: Vec<f64>,
    /// s.
    pub drive: Drive,
    /// Φ, `[M, K]` row by row.
    pub atoms: Vec<f64>,
    /// σ, `[M]`.
    pub sigma: Vec<f64>,
}

impl SpikingPopulation {
    /// K.
    pub fn neurons(&self) -> usize {
        self.bias.len()
    }

    /// M.
    pub fn pixels(&self) -> usize {
        self.sigma.len()
    }

    /// Checks sizes and values.
    ///
    /// # Errors
    /// Names the first array that does not fit.
    pub fn validate(&self) -> Result<()> {
        let (k, m) = (self.neurons(), self.pixels());
        if k == 0 || m == 0 {
            return Err(Error::size(
                "bias and sigma",
                "an empty array",
                "one entry or more",
            ));
        }
        for (name, values, columns, size) in [
            ("weights", &self.weights, k, k * k),
            ("bias", &self.bias, k, k),
            ("first", &self.first, k, k),
            ("atoms", &self.atoms, k, m * k),
            ("sigma", &self.sigma, m, m),
        ] {
            if values.len() != size {
                return Err(Error::size(name, values.len(), size));
            }
            check_finite(name, columns, values)?;
        }
        if let Some(at) = self.sigma.iter().position(|&s| s <= 0.0) {
            return Err(Error::entry(
                "sigma",
                &[at],
                self.sigma[at],
                "a number above 0",
            ));
        }
        self.drive.validate()
    }

    /// Checks a film: frames of M finite numbers.
    ///
    /// # Errors
    /// Names frame and entry.
    pub fn check_film(&self, film: &[Vec<f64>]) -> Result<()> {
        self.validate()?;
        for (t, frame) in film.iter().enumerate() {
            if frame.len() != self.pixels() {
                let found = format!("{} pixels", frame.len());
                let wrong = Error::observation(0, found, format!("{} pixels", self.pixels()));
                return Err(wrong.at_observation(t as u64));
            }
            if let Some(at) = frame.iter().position(|v| !v.is_finite()) {
                let wrong = Error::observation(at, frame[at], "a finite number");
                return Err(wrong.at_observation(t as u64));
            }
        }
        Ok(())
    }

    /// The least upper bound of each rate after the first frame (eq. T13), `[K]`; infinite where a positive weight meets a
    /// drive without bound.
    pub fn largest_rates(&self) -> Vec<f64> {
        let of = |(k, bias): (usize, &f64)| {
            let excitation: f64 = self.row(k).iter().map(|w| w.max(0.0)).sum();
            match self.drive.most() {
                _ if excitation == 0.0 => bias.exp(),
                Some(most) => (bias + most * excitation).exp(),
                None => f64::INFINITY,
            }
        };
        self.bias.iter().enumerate().map(of).collect()
    }

    /// a = W s(z) + b, `[K]`, after counts z.
    pub fn log_rates(&self, counts: &[u32]) -> Vec<f64> {
        let drives: Vec<f64> = counts.iter().map(|&n| self.drive.of(n)).collect();
        self.driven(&drives)
    }

    /// W s + b, `[K]`, for drives s.
    pub(super) fn driven(&self, drives: &[f64]) -> Vec<f64> {
        let of = |(k, bias): (usize, &f64)| {
            bias + self
                .row(k)
                .iter()
                .zip(drives)
                .map(|(w, s)| w * s)
                .sum::<f64>()
        };
        self.bias.iter().enumerate().map(of).collect()
    }

    /// Weights onto neuron k.
    pub(super) fn row(&self, k: usize) -> &[f64] {
        let n = self.neurons();
        &self.weights[k * n..(k + 1) * n]
    }

    /// ln p(x|z) of a frame, with the decoded mean Φz given.
    pub(super) fn log_likelihood(&self, frame: &[f64], mean: &[f64]) -> f64 {
        let term = |((x, mean), sigma): ((&f64, &f64), &f64)| {
            let e = (x - mean) / sigma;
            -0.5 * e * e - sigma.ln() - 0.5 * std::f64::consts::TAU.ln()
        };
        frame.iter().zip(mean).zip(&self.sigma).map(term).sum()
    }

    /// Φz, `[M]`.
    pub(super) fn decoded(&self, z: &[f64]) -> Vec<f64> {
        let rows = self.atoms.chunks_exact(self.neurons());
        rows.map(|row| row.iter().zip(z).map(|(a, z)| a * z).sum())
            .collect()
    }

    /// diag ΦᵀΣ⁻¹Φ, `[K]`.
    pub(super) fn curvature(&self) -> Vec<f64> {
        let mut h = vec![0.0; self.neurons()];
        for (row, sigma) in self.atoms.chunks_exact(self.neurons()).zip(&self.sigma) {
            for (h, atom) in h.iter_mut().zip(row) {
                *h += (atom / sigma).powi(2);
            }
        }
        h
    }

    /// `length` counts `[K]` and their frames `[M]`.
    ///
    /// # Errors
    /// Where the model is not valid, or a rate explodes: with a positive weight and [`Drive::Count`] it does sooner or later.
    #[allow(clippy::type_complexity)] // states and frames
    pub fn sample<R: Rng>(
        &self,
        length: usize,
        rng: &mut R,
    ) -> Result<(Vec<Vec<u32>>, Vec<Vec<f64>>)> {
        self.validate()?;
        let (mut states, mut film): (Vec<Vec<u32>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for t in 0..length {
            let log_rates = match states.last() {
                None => self.first.clone(),
                Some(before) => self.log_rates(before),
            };
            let mut counts = Vec::with_capacity(self.neurons());
            for rate in log_rates.iter().map(|a| a.exp()) {
                // Also for NaN, which compares as false.
                let drawn = match rate <= LARGEST_RATE {
                    true => Poisson::new(rate.max(f64::MIN_POSITIVE)).ok(),
                    false => None,
                };
                let Some(law) = drawn else {
                    return Err(Error::not_finite(t as u64, "a rate", rate));
                };
                counts.push(law.sample(rng).min(f64::from(u32::MAX)) as u32);
            }
            let z: Vec<f64> = counts.iter().map(|&n| f64::from(n)).collect();
            let noisy = |(mean, sigma): (f64, &f64)| {
                let e: f64 = StandardNormal.sample(rng);
                mean + sigma * e
            };
            film.push(
                self.decoded(&z)
                    .into_iter()
                    .zip(&self.sigma)
                    .map(noisy)
                    .collect(),
            );
            states.push(counts);
        }
        Ok((states, film))
    }
}
