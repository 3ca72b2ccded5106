//! A sequence row by row, each with the model that holds at it.

use std::borrow::Cow;

use super::model::LinearGaussian;
use crate::Sequence;

/// One row: x_t = F_t x_{t−1} + b_t + N(0, Q_t), y_t = H_t x_t + d_t + N(0, R).
pub(super) struct Row<'a> {
    pub model: Cow<'a, LinearGaussian>,
    /// y_t `[m]` with NaN for missing entries; none where nothing is seen.
    pub y: Option<&'a [f64]>,
}

impl LinearGaussian {
    /// The rows of observations `[m]`, all of one model.
    pub(super) fn rows<'a>(&'a self, observations: &'a Sequence) -> Vec<Row<'a>> {
        let model = || Cow::Borrowed(self);
        let rows = observations.iter();
        rows.map(|y| Row { model: model(), y }).collect()
    }
}
