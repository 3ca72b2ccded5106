//! What the searches of a maximum have in common: where they end, and pseudo-observations that keep R from shrinking to nothing.

use nalgebra::DMatrix;

use super::model::LinearGaussian;
use crate::math::cholesky::{cholesky, inverse, log_det, trace_of_product};

/// The largest change of a coordinate in one step; coordinates are of order 1.
pub(super) const STEP: f64 = 1.0;
/// Converged where no entry of the gradient is larger, in nats per unit of a coordinate.
pub(super) const GRADIENT: f64 = 1e-4;

/// −½ c (ln|R| + tr R⁻¹R₀).
pub(super) struct Prior<'a> {
    pub count: f64,
    pub noise: &'a DMatrix<f64>,
}

impl Prior<'_> {
    /// Its value, and its gradient added to that of R.
    pub fn value(&self, model: &LinearGaussian, by: &mut DMatrix<f64>) -> Option<f64> {
        if self.count == 0.0 {
            return Some(0.0);
        }
        let factor = cholesky("R", model.observation_noise()).ok()?;
        let precision = inverse(&factor);
        let bent = &precision * self.noise;
        *by -= 0.5 * self.count * (&precision - &bent * &precision);
        let size = log_det(&factor) + trace_of_product(&precision, self.noise);
        Some(-0.5 * self.count * size)
    }
}
