//! A missing observation where f is linear as far as the belief reaches.

use super::NonlinearFilter;
use crate::math::square::{
    apply, cholesky, invert_lower, log_determinant, lower_gram, product, symmetrise, transpose,
};
use crate::nonlinear::kernel::Tie;
use crate::nonlinear::{ElboKind, StateSpace};
use crate::{Error, Result};

/// f is linear where it differs from its linearisation by no more than this, relative to what it is made of: the
/// rounding of a linear f in a state of any sensible dimension.
const LINEAR: f64 = 1e-9;

impl<M: StateSpace> NonlinearFilter<M> {
    /// The pair of a missing observation where f is linear as far as q_{t−1} reaches: then q_t = N(m, FPFᵀ + Q) and
    /// b_t are exact and nothing is lost. From moments, because the precisions of the pair cancel where P is many
    /// times Q. `false` where f bends, and where q_{t−1} is not a part of the pair.
    pub(super) fn predict_exactly(&mut self) -> Result<bool> {
        let free = self.state.time > 0 && self.config.elbo != ElboKind::Vjf;
        if !free || !self.linearise() {
            return Ok(false);
        }
        let (n, state, noise, work) = (self.model.dim(), &self.state, &self.noise, &mut self.work);
        let joint = &mut work.joint;
        if !work.root.take(&state.covariance) {
            return Ok(false);
        }
        for (z, _) in work.bound.points.iter() {
            apply(&work.root.lower, z, &mut work.x);
            for ((point, x), m) in work.step.iter_mut().zip(&work.x).zip(&state.mean) {
                *point = m + x;
            }
            self.model.mean(&work.step, &mut work.y);
            for ((f, m), row) in (work.y.iter().zip(&joint.mean)).zip(work.slope.chunks_exact(n)) {
                let (mut line, mut size) = (*m, m.abs() + f.abs());
                for (slope, x) in row.iter().zip(&work.x) {
                    line += slope * x;
                    size += (slope * x).abs();
                }
                let within = (f - line).abs() <= LINEAR * size;
                if !within {
                    return Ok(false);
                }
            }
        }
        joint.tie = Tie::Free;
        joint.previous_mean.copy_from_slice(&state.mean);
        joint.previous_covariance.copy_from_slice(&state.covariance);
        product(&work.slope, &state.covariance, &mut work.hessian, n);
        transpose(&work.slope, &mut work.inverse, n);
        product(&work.hessian, &work.inverse, &mut joint.covariance, n);
        for (s, q) in joint.covariance.iter_mut().zip(self.model.noise()) {
            *s += q;
        }
        symmetrise(&mut joint.covariance, n);
        let spread = joint.covariance.iter().chain(&joint.mean);
        if let Some(found) = spread.copied().find(|s| !s.is_finite()) {
            return Err(Error::not_finite(
                state.time,
                "the belief of a state",
                found,
            ));
        }
        for i in 0..n {
            for j in 0..n {
                joint.cross[i * n + j] = work.hessian[j * n + i];
            }
        }
        work.factor.copy_from_slice(&joint.covariance);
        if cholesky(&mut work.factor, n).is_err() {
            return Ok(false);
        }
        joint.log_covariance = log_determinant(&work.factor, n);
        invert_lower(&work.factor, &mut work.inverse, n);
        lower_gram(&work.inverse, &mut joint.precision, n);
        joint.predict(&work.slope, &noise.precision, &state.precision);
        if !joint.make_kernel() {
            return Ok(false);
        }
        Ok(joint.log_conditional.is_finite() && joint.log_covariance.is_finite())
    }
}
