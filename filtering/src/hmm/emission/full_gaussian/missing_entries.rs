//! Rows of which some entries are missing: the density of the others, and what they say of those that are missing.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::FullGaussian;
use crate::Result;
use crate::hmm::{Emission, Learnable};
use crate::math::cholesky::cholesky;

/// The entries of a row that are there, and one state's normal distribution of them.
struct Seen {
    /// Which.
    places: Vec<usize>,
    /// y − μ of them.
    deviations: DVector<f64>,
    /// Σ_oo.
    factor: Cholesky<f64, Dyn>,
}

impl FullGaussian {
    fn seen(&self, state: usize, observation: &[f64]) -> Result<Seen> {
        let d = self.width;
        let mean = &self.means[state * d..(state + 1) * d];
        let covariance = &self.covariances[state * d * d..(state + 1) * d * d];
        let places: Vec<usize> = (0..d).filter(|&i| !observation[i].is_nan()).collect();
        let n = places.len();
        let among = DMatrix::from_fn(n, n, |i, j| covariance[places[i] * d + places[j]]);
        let deviation = |i: usize| observation[places[i]] - mean[places[i]];
        Ok(Seen {
            deviations: DVector::from_fn(n, |i, _| deviation(i)),
            factor: cholesky(&format!("covariances[{state}]"), &among)?,
            places,
        })
    }

    /// ln p(y_o|s) = ln N(y_o; μ_o, Σ_oo) for the entries o that are there, in the units.
    #[cold]
    pub(super) fn marginal(&self, state: usize, observation: &[f64]) -> Result<f64> {
        let seen = self.seen(state, observation)?;
        let factor = seen.factor.l_dirty();
        let pivots = seen.places.iter().enumerate();
        let log_det: f64 = pivots
            .map(|(i, &place)| self.units.scale(place, factor[(i, i)]).ln())
            .sum();
        let square = seen.deviations.dot(&seen.factor.solve(&seen.deviations));
        let constant = seen.places.len() as f64 * std::f64::consts::TAU.ln();
        Ok(-0.5 * (square + constant) - log_det)
    }

    /// E[φ(y)|y_o, s] for every s: with m the entries that are missing,
    ///
    /// ```text
    /// E[y_m] = μ_m + Σ_mo Σ_oo⁻¹ (y_o − μ_o),   Cov[y_m] = Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om
    /// ```
    pub(super) fn complete(&self, observation: &[f64], into: &mut [f64]) {
        let (d, p) = (self.width, self.statistic_len());
        let missing: Vec<usize> = (0..d).filter(|&i| observation[i].is_nan()).collect();
        let mut filled = observation.to_vec();
        for (s, row) in into.chunks_exact_mut(p).enumerate().take(self.states()) {
            let covariance = &self.covariances[s * d * d..(s + 1) * d * d];
            // A block of a covariance whose factor exists has one: an error cannot come here, and is not a number if it does.
            let Ok(seen) = self.seen(s, observation) else {
                row.fill(f64::NAN);
                continue;
            };
            let across = DMatrix::from_fn(seen.places.len(), missing.len(), |o, m| {
                covariance[seen.places[o] * d + missing[m]]
            });
            let gain = seen.factor.solve(&across);
            let moved = gain.tr_mul(&seen.deviations);
            for (m, &place) in missing.iter().enumerate() {
                filled[place] = self.means[s * d + place] + moved[m];
            }
            self.statistic(&filled, row);
            let explained = across.tr_mul(&gain);
            for (m, &i) in missing.iter().enumerate() {
                for (n, &j) in missing.iter().enumerate() {
                    row[1 + d + i * d + j] += covariance[i * d + j] - explained[(m, n)];
                }
            }
        }
    }
}
