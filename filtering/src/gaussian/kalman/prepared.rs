//! What a filter continues with, checked.

use crate::gaussian::flat::Plan;
use crate::gaussian::model::LinearGaussian;
use crate::{Error, Result};

/// A model that a filter can continue with: everything that can fail has been done.
pub(crate) struct Prepared {
    pub(super) model: LinearGaussian,
    pub(super) plan: Plan,
}

impl Prepared {
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for an R that cannot be factored.
    pub fn new(model: LinearGaussian) -> Result<Self> {
        let plan = Plan::new(&model)?;
        Ok(Self { model, plan })
    }
}

/// Beliefs that a filter may keep: a misprint must not take all memory, and no filter needs as much.
const MOST_KEPT: usize = 100_000;

/// Fails unless so many beliefs of a model can be kept.
pub(in crate::gaussian) fn check_kept(
    field: &'static str,
    value: usize,
    least: usize,
    model: &LinearGaussian,
) -> Result<()> {
    if (least..=MOST_KEPT).contains(&value) {
        return Ok(());
    }
    let n = model.states();
    let each = n * (n + 1);
    let expected = format!("from {least} to {MOST_KEPT}: each takes {each} numbers of memory");
    Err(Error::setting(field, value, expected))
}
