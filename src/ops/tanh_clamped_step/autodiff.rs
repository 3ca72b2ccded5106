//! Backward of the symmetric step: two products with the slopes of the forward pass.

use super::TanhClampedStep;
use crate::ops::two_slopes::two_slopes;

two_slopes!(
    TanhClampedStep,
    tanh_clamped_step,
    tanh_clamped_step_with_slopes(state, drive, drive_bound, bound)
);
