//! Backward of the implicit step: two products with the slopes of the forward pass.

use super::ImplicitStep;
use crate::ops::two_slopes::two_slopes;

two_slopes!(
    ImplicitStep,
    implicit_step,
    implicit_step_with_slopes(explicit, gain)
);
