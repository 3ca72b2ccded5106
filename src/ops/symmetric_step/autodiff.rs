//! Backward of the symmetric step: two products with the slopes of the forward pass.

use super::SymmetricStep;
use crate::ops::two_slopes::two_slopes;

two_slopes!(
    SymmetricStep,
    symmetric_step,
    symmetric_step_with_slopes(state, drive, drive_bound, bound)
);
