//! Backward of the clamped step: two products with the slopes of the forward pass.

use super::ClampedStep;
use crate::ops::two_slopes::two_slopes;

two_slopes!(
    ClampedStep,
    clamped_step,
    clamped_step_with_slopes(potential, drive, drive_ceiling, ceiling)
);
