//! The first guess at q_t and b_t: the linearised prediction, moved to the mode under it.

use super::NonlinearFilter;
use crate::math::square::{log_determinant, transposed_product};
use crate::nonlinear::kernel::Tie;
use crate::nonlinear::{ElboKind, Linearisation, StateSpace};

impl<M: StateSpace> NonlinearFilter<M> {
    /// The linearised prediction, moved to the mode under it, with the curvature there. Where the bound of that is
    /// not finite, the prediction alone.
    pub(super) fn first_guess(&mut self, observation: Option<&[f64]>) -> f64 {
        if !self.predict_joint() {
            return f64::NAN;
        }
        if let Some(y) = observation {
            if self.climb_to_mode(y) && self.work.joint.finish() {
                let bound = self.evaluate(observation, false);
                if bound.is_finite() {
                    return bound;
                }
            }
            if !self.predict_joint() {
                return f64::NAN;
            }
        }
        if !self.work.joint.finish() {
            return f64::NAN;
        }
        self.evaluate(observation, false)
    }

    /// The kernel and the marginal precision of the pair before y_t: A = P⁻¹ + FᵀQ⁻¹F, B = −FᵀQ⁻¹, D = Q⁻¹ (eq. F36).
    pub(super) fn predict_joint(&mut self) -> bool {
        let (n, work) = (self.model.dim(), &mut self.work);
        let joint = &mut work.joint;
        if self.state.time == 0 {
            joint.tie = Tie::First;
            joint.mean.copy_from_slice(self.model.initial_mean());
            joint.d.copy_from_slice(&self.prior.precision);
            return joint.condition();
        }
        if !self.linearise() {
            return false;
        }
        let (state, noise, work) = (&self.state, &self.noise, &mut self.work);
        let joint = &mut work.joint;
        joint.previous_mean.copy_from_slice(&state.mean);
        joint.d.copy_from_slice(&noise.precision);
        if self.config.elbo == ElboKind::Vjf {
            joint.tie = Tie::Frozen;
            joint.slope.fill(0.0);
            joint.cross.fill(0.0);
            joint.conditional.copy_from_slice(&state.covariance);
            joint.previous_covariance.copy_from_slice(&state.covariance);
            if !work.root.take(&state.covariance) {
                return false;
            }
            joint.log_conditional = log_determinant(&work.root.lower, n);
            return joint.condition();
        }
        joint.tie = Tie::Free;
        joint.predict(&work.slope, &noise.precision, &state.precision);
        joint.condition()
    }

    /// f(x') ≈ m + F (x' − m'): m into the pair's mean, F into `slope`.
    pub(super) fn linearise(&mut self) -> bool {
        let (n, state, work) = (self.model.dim(), &self.state, &mut self.work);
        let joint = &mut work.joint;
        if self.config.linearisation == Linearisation::Tangent {
            self.model.mean(&state.mean, &mut joint.mean);
            self.model.mean_slope(&state.mean, &mut work.slope);
            return true;
        }
        if !work.root.take(&state.covariance) {
            return false;
        }
        work.root.invert();
        joint.mean.fill(0.0);
        work.hessian.fill(0.0);
        for (z, w) in work.bound.points.iter() {
            work.root.point(z, &state.mean, &mut work.x);
            self.model.mean(&work.x, &mut work.y);
            for (m, y) in joint.mean.iter_mut().zip(&work.y) {
                *m += w * y;
            }
            // E[z fᵀ], in rows.
            let rows = work.hessian.chunks_exact_mut(n).zip(z);
            for (row, z) in rows.filter(|(_, z)| **z != 0.0) {
                for (into, y) in row.iter_mut().zip(&work.y) {
                    *into += w * y * z;
                }
            }
        }
        transposed_product(&work.hessian, &work.root.inverse, &mut work.slope, n);
        true
    }
}
