//! The joint belief about consecutive past bins.

use std::ops::RangeInclusive;

use nalgebra::DMatrix;

use super::CausalGeneralisedFilter;
use crate::generalised::model::Equations;
use crate::{Error, Result};

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// The belief after y_t about u = (x, v) `[states + causes]` at the bins t − lag for all `lags`, which begin
    /// at 1 or later: the joint mean `[lags · (states + causes)]` and covariance, newest bin first. Beliefs about
    /// past bins are smoothed: they know all that was seen since.
    ///
    /// # Errors
    /// [`Error::Setting`] for lags that the filter does not keep (`keep`, `lag` and `noise_lags` say how many it does);
    /// [`Error::Size`] for an output of another size; [`Error::Unsupported`] for a model with causes in a filter that
    /// does not keep them.
    pub fn past(
        &self,
        lags: RangeInclusive<usize>,
        mean: &mut [f64],
        covariance: &mut DMatrix<f64>,
    ) -> Result<()> {
        let layout = &self.layout;
        let (newest, oldest) = (*lags.start(), *lags.end());
        let kept = layout.past.min(self.bins.saturating_sub(1) as usize);
        if newest == 0 || oldest < newest || oldest > kept {
            let expected =
                format!("lags from 1 to {kept}, as many as the filter keeps and has seen");
            return Err(Error::setting("lags", format!("{lags:?}"), expected));
        }
        if layout.kept_causes != self.stack.causes {
            return Err(Error::Unsupported {
                what: "this causal filter".to_owned(),
                asked: "tell past causes",
                why: "it does not keep them; set `keep`",
            });
        }
        let place = layout.at_lag(newest)..layout.at_lag(oldest + 1);
        let size = place.len();
        if mean.len() != size || covariance.shape() != (size, size) {
            let found = format!("{} and {:?}", mean.len(), covariance.shape());
            return Err(Error::size("room for the past", found, size));
        }
        mean.copy_from_slice(&self.belief.mean[place.clone()]);
        covariance.copy_from(
            &self
                .belief
                .covariance
                .view((place.start, place.start), (size, size)),
        );
        Ok(())
    }
}
