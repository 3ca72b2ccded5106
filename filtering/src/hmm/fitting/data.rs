//! What is fitted to.

use super::progress::SearchProgress;
use crate::hmm::equal_rows::EqualRows;
use crate::hmm::{Expectations, Hmm, Learnable};
use crate::{Result, Sequence};

/// The sequences of a fit, and which of their rows are equal.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub(super) sequences: &'a [Sequence],
    pub(super) equal: Option<&'a EqualRows>,
    /// What hears of every evaluation.
    pub(super) progress: Option<&'a SearchProgress>,
}

impl Data<'_> {
    /// As [`Hmm::expectations`].
    pub(super) fn expectations<E: Learnable>(&self, model: &Hmm<E>) -> Result<Expectations> {
        if let Some(progress) = self.progress {
            progress.evaluated();
        }
        model.expectations_by(self.sequences, self.equal)
    }
}
