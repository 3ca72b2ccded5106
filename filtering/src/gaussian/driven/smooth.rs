//! The evidence and the smoothed beliefs of a whole sequence.

use super::filter::DrivenFilter;
use super::model::DrivenGaussian;
use crate::gaussian::diffuse;
use crate::gaussian::{Gaussian, Smoothed};
use crate::{Result, Sequence};

impl DrivenGaussian {
    /// ln p(y_1 … y_T | u_1 … u_T), in nats; rows (y_t, u_t).
    ///
    /// # Errors
    /// As [`DrivenFilter::update`].
    pub fn log_evidence(&self, rows: &Sequence) -> Result<f64> {
        let mut filter = DrivenFilter::new(self.clone())?;
        for row in rows.iter() {
            filter.update(row)?;
        }
        Ok(filter.elbo())
    }

    /// Filters and smooths, by square roots: no matrix is inverted, Q may be singular, and the start may
    /// be diffuse: a state that no row determines has an infinite variance, and its mean says nothing. There are no kernels.
    ///
    /// # Errors
    /// As [`DrivenFilter::update`].
    pub fn smooth(&self, rows: &Sequence) -> Result<Smoothed> {
        let mut filter = DrivenFilter::new(self.clone())?;
        let mut filtered = Vec::with_capacity(rows.len());
        let mut cumulative = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            cumulative.push(filter.update(row)?.elbo);
            filtered.push(Gaussian::from_flat(filter.mean(), filter.covariance()));
        }
        Ok(Smoothed {
            smoothed: diffuse::smoothed(&self.base, &self.rows(rows)?)?,
            filtered,
            kernels: Vec::new(),
            cumulative,
        })
    }
}
