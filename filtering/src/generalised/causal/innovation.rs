//! The best prediction of observation noise from its own past, with gaps.

use crate::generalised::noise::Autocorrelation;
use crate::{Error, Result};

use super::noise_process::NUGGET;

/// Predicts z_t = Σ_i a_i z_{t−i} + σ ε_t from those of the last `memory` bins that were observed.
///
/// With the correlations ρ of the samples the weights solve R a = r, R_ij = ρ(i − j), r_i = ρ(i), over the
/// observed lags i, and σ² = ρ(0) − r·a. At the start and after gaps the set of lags is smaller; the
/// weights are those of that set, so that nothing is assumed of what was not seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Innovation {
    memory: usize,
    rho: Vec<f64>,
    /// a for all lags 1 … memory, zero where nothing was observed, and σ².
    pub weights: Vec<f64>,
    pub variance: f64,
    full: Vec<f64>,
    full_variance: f64,
    lags: Vec<usize>,
    factor: Vec<f64>,
    right: Vec<f64>,
}

impl Innovation {
    pub(super) fn new(output: Autocorrelation, memory: usize) -> Result<Self> {
        Self::of(output.at_lags(memory)).ok_or_else(|| {
            let expected = "fewer bins: z predicts itself";
            Error::setting("noise_lags", memory, expected)
        })
    }

    /// The same from ρ(0) … ρ(memory), covariances of any variance ρ(0); none if they predict themselves.
    pub(super) fn of(rho: Vec<f64>) -> Option<Self> {
        let memory = rho.len().checked_sub(1)?;
        let mut new = Self {
            memory,
            variance: rho[0],
            full_variance: rho[0],
            rho,
            weights: vec![0.0; memory],
            full: vec![0.0; memory],
            lags: Vec::with_capacity(memory),
            factor: vec![0.0; memory * memory],
            right: vec![0.0; memory],
        };
        if !new.solve(|_| true) {
            return None;
        }
        new.full.copy_from_slice(&new.weights);
        new.full_variance = new.variance;
        Some(new)
    }

    /// Computes the weights for the observed ones of the lags 1 … memory (`seen[0]` is lag 1).
    pub(super) fn prepare(&mut self, seen: &[bool]) -> bool {
        if seen.iter().all(|&s| s) {
            self.weights.copy_from_slice(&self.full);
            self.variance = self.full_variance;
            return true;
        }
        self.solve(|lag| seen.get(lag - 1).copied().unwrap_or(false))
    }

    fn solve(&mut self, seen: impl Fn(usize) -> bool) -> bool {
        self.lags.clear();
        self.lags.extend((1..=self.memory).filter(|&lag| seen(lag)));
        let n = self.lags.len();
        self.weights.fill(0.0);
        // R = L L'; L b = r gives σ² = ρ(0) − b·b without cancellation of a·r, then L' a = b.
        for i in 0..n {
            for j in 0..=i {
                let mut sum = self.rho[self.lags[i] - self.lags[j]];
                if i == j {
                    sum += NUGGET;
                }
                for k in 0..j {
                    sum -= self.factor[i * n + k] * self.factor[j * n + k];
                }
                if i > j {
                    self.factor[i * n + j] = sum / self.factor[j * n + j];
                } else if sum > 0.0 {
                    self.factor[i * n + i] = libm::sqrt(sum);
                } else {
                    return false;
                }
            }
            let mut sum = self.rho[self.lags[i]];
            for k in 0..i {
                sum -= self.factor[i * n + k] * self.right[k];
            }
            self.right[i] = sum / self.factor[i * n + i];
        }
        let explained: f64 = self.right[..n].iter().map(|b| b * b).sum();
        self.variance = (self.rho[0] + NUGGET - explained).max(NUGGET);
        for i in (0..n).rev() {
            let mut sum = self.right[i];
            for k in i + 1..n {
                sum -= self.factor[k * n + i] * self.weights[self.lags[k] - 1];
            }
            self.weights[self.lags[i] - 1] = sum / self.factor[i * n + i];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_correlation_needs_only_the_last_sample() {
        let output = Autocorrelation::Matern {
            length: 2.0,
            order: 1,
        };
        let mut z = Innovation::new(output, 3).unwrap();
        let decay = libm::exp(-0.5);
        // The nugget of 1e-10 is what separates the weights from the closed form.
        assert!((z.weights[0] - decay).abs() < 1e-8 && z.weights[1].abs() < 1e-8);
        assert!(z.prepare(&[false, true, true]));
        assert!((z.weights[1] - decay * decay).abs() < 1e-8 && z.weights[0] == 0.0);
        assert!((z.variance - 1.0 + decay.powi(4)).abs() < 1e-8);
        assert!(z.prepare(&[false, false, false]));
        assert!((z.variance - 1.0).abs() < 1e-8);
    }
}
