//! Observations of which some entries are missing: the density of the others, and what they say of those that are missing.

use std::borrow::Cow;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::Autoregression;
use crate::Result;
use crate::math::cholesky::cholesky;

/// E[x | the entries that are there], and the covariance of those that are not.
pub(super) struct Completed<'a> {
    pub(super) mean: Cow<'a, [f64]>,
    /// `[D, D]`; none where nothing is missing.
    covariance: Option<DMatrix<f64>>,
}

impl Completed<'_> {
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance.as_ref().map_or(0.0, |c| c[(i, j)])
    }
}

/// The entries of x − E x that are there.
struct Seen {
    /// Which.
    places: Vec<usize>,
    /// What they are.
    there: DVector<f64>,
    /// Σ_oo.
    factor: Cholesky<f64, Dyn>,
}

impl Autoregression {
    fn seen(&self, k: usize, e: &[f64]) -> Result<Seen> {
        let d = self.width;
        let covariance = &self.covariances[k * d * d..(k + 1) * d * d];
        let places: Vec<usize> = (0..d).filter(|&i| !e[i].is_nan()).collect();
        let n = places.len();
        let among = DMatrix::from_fn(n, n, |i, j| covariance[places[i] * d + places[j]]);
        let there = DVector::from_fn(n, |i, _| e[places[i]]);
        let factor = cholesky(&format!("covariances[{k}]"), &among)?;
        Ok(Seen {
            places,
            there,
            factor,
        })
    }

    /// ln N(e_o; 0, Σ_oo) of the entries o of x − E x that are there, in the units.
    #[cold]
    pub(super) fn marginal(&self, k: usize, e: &[f64]) -> Result<f64> {
        let Seen {
            places,
            there,
            factor,
        } = self.seen(k, e)?;
        let pivots = factor.l_dirty();
        let log_det: f64 = (places.iter().enumerate())
            .map(|(i, &place)| self.units.scale(place, pivots[(i, i)]).ln())
            .sum();
        let square = there.dot(&factor.solve(&there));
        let constant = places.len() as f64 * std::f64::consts::TAU.ln();
        Ok(-0.5 * (square + constant) - log_det)
    }

    /// With m the entries that are missing and μ the prediction of the lags:
    ///
    /// ```text
    /// E[x_m] = μ_m + Σ_mo Σ_oo⁻¹ (x_o − μ_o),   Cov[x_m] = Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om
    /// ```
    pub(super) fn completed_outputs<'a>(
        &self,
        k: usize,
        x: &'a [f64],
        lags: &[f64],
    ) -> Completed<'a> {
        if x.iter().all(|x| !x.is_nan()) {
            return Completed {
                mean: Cow::Borrowed(x),
                covariance: None,
            };
        }
        let d = self.width;
        let mean: Vec<f64> = (0..d).map(|i| self.mean(k, i, lags)).collect();
        let e: Vec<f64> = x.iter().zip(&mean).map(|(x, m)| x - m).collect();
        let mut filled = x.to_vec();
        // A block of a covariance whose factor exists has one: an error cannot come here, and leaves no number if it does.
        let Ok(Seen {
            places,
            there,
            factor,
        }) = self.seen(k, &e)
        else {
            return Completed {
                mean: Cow::Owned(filled),
                covariance: None,
            };
        };
        let covariance = &self.covariances[k * d * d..(k + 1) * d * d];
        let missing: Vec<usize> = (0..d).filter(|&i| x[i].is_nan()).collect();
        let across = DMatrix::from_fn(places.len(), missing.len(), |o, m| {
            covariance[places[o] * d + missing[m]]
        });
        let gain = factor.solve(&across);
        let moved = gain.tr_mul(&there);
        let explained = across.tr_mul(&gain);
        let mut left = DMatrix::zeros(d, d);
        for (m, &i) in missing.iter().enumerate() {
            filled[i] = mean[i] + moved[m];
            for (n, &j) in missing.iter().enumerate() {
                left[(i, j)] = covariance[i * d + j] - explained[(m, n)];
            }
        }
        Completed {
            mean: Cow::Owned(filled),
            covariance: Some(left),
        }
    }
}
