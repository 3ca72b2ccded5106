//! Backward of the clamped step: two products with the slopes of the forward pass.

use super::SoftplusClampedStep;
use crate::ops::two_slopes::two_slopes;

two_slopes!(
    SoftplusClampedStep,
    softplus_clamped_step,
    softplus_clamped_step_with_slopes(potential, drive, drive_ceiling, ceiling)
);
