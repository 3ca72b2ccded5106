//! The mode of the predicted belief times the likelihood.

use super::NonlinearFilter;
use super::natural_gradient::HALVINGS;
use crate::math::square::{add_transposed, apply, cholesky, dot, invert_lower, quadratic_form};
use crate::nonlinear::StateSpace;
use crate::nonlinear::kernel::Tie;

impl<M: StateSpace> NonlinearFilter<M> {
    /// Newton's method on ln g(y|x) − ½(x − μ̂)ᵀΠ(x − μ̂), with steps halved until it rises.
    pub(super) fn climb_to_mode(&mut self, y: &[f64]) -> bool {
        let (n, model, work) = (self.model.dim(), &self.model, &mut self.work);
        let joint = &mut work.joint;
        work.predicted.copy_from_slice(&joint.mean);
        work.precision.copy_from_slice(&joint.precision);
        let (mut height, mut drop) = (f64::NAN, 0.0);
        for _ in 0..=self.config.mode_steps {
            let likelihood =
                model.log_likelihood_slopes(y, &joint.mean, &mut work.gradient, &mut work.hessian);
            height = likelihood - drop;
            if !height.is_finite() {
                return false;
            }
            for ((x, m), p) in work.x.iter_mut().zip(&joint.mean).zip(&work.predicted) {
                *x = m - p;
            }
            apply(&work.precision, &work.x, &mut work.y);
            for (g, y) in work.gradient.iter_mut().zip(&work.y) {
                *g -= y;
            }
            for ((f, p), h) in work
                .factor
                .iter_mut()
                .zip(&work.precision)
                .zip(&work.hessian)
            {
                *f = p - h;
            }
            // Where ln g curves upward too much, the curvature of the prediction stands in.
            if cholesky(&mut work.factor, n).is_err() {
                work.hessian.fill(0.0);
                work.factor.copy_from_slice(&work.precision);
                if cholesky(&mut work.factor, n).is_err() {
                    return false;
                }
            }
            invert_lower(&work.factor, &mut work.inverse, n);
            apply(&work.inverse, &work.gradient, &mut work.y);
            work.step.fill(0.0);
            add_transposed(&work.inverse, &work.y, &mut work.step);
            let promised = 0.5 * dot(&work.step, &work.gradient);
            // Far finer than needed: the mode is only where improving starts.
            if promised < 1e-10 {
                break;
            }
            let mut rate = 1.0;
            let risen = (0..HALVINGS).any(|_| {
                for i in 0..n {
                    work.y[i] = joint.mean[i] + rate * work.step[i];
                    work.x[i] = work.y[i] - work.predicted[i];
                }
                drop = 0.5 * quadratic_form(&work.precision, &work.x);
                rate *= 0.5;
                model.log_likelihood(y, &work.y) - drop >= height
            });
            if !risen {
                break;
            }
            joint.mean.copy_from_slice(&work.y);
        }
        // x' moves along with x; the observation's curvature joins that of the prediction.
        for ((x, m), p) in work.x.iter_mut().zip(&joint.mean).zip(&work.predicted) {
            *x = m - p;
        }
        if joint.tie == Tie::Free {
            apply(&joint.slope, &work.x, &mut work.y);
            for (m, y) in joint.previous_mean.iter_mut().zip(&work.y) {
                *m += y;
            }
        }
        for (d, h) in joint.d.iter_mut().zip(&work.hessian) {
            *d -= h;
        }
        height.is_finite()
    }
}
