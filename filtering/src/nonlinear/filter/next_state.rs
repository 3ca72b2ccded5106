//! The state that replaces the present one, from the pair that was reached.

use super::NonlinearFilter;
use super::value_fit::{Tabulated, fit_quadratic};
use crate::math::square::{add_transposed, product, transposed_product};
use crate::nonlinear::kernel::Tie;
use crate::nonlinear::{ElboKind, Representation, StateSpace, Value};

impl<M: StateSpace> NonlinearFilter<M> {
    /// The next state from the pair that was reached; `exact` for one of [`NonlinearFilter::predict_exactly`].
    pub(super) fn write(&mut self, observation: Option<&[f64]>, bound: f64, exact: bool) {
        let (work, next) = (&mut self.work, &mut self.next);
        let (joint, slopes) = (&work.joint, &work.slopes);
        next.time = self.state.time + 1;
        let reached = self.state.owed + bound;
        (next.increment, next.owed) = match observation {
            Some(_) => (reached, 0.0),
            // The prior is its own best Gaussian.
            None if self.state.time == 0 => (0.0, 0.0),
            None => (0.0, reached),
        };
        next.elbo = self.state.elbo.plus(next.increment);
        next.mean.copy_from_slice(&joint.mean);
        next.covariance.copy_from_slice(&joint.covariance);
        next.precision.copy_from_slice(&joint.precision);
        if joint.tie != Tie::First {
            next.kernel.slope.copy_from_slice(&joint.slope);
            next.kernel.covariance.copy_from_slice(&joint.conditional);
            joint.offset(&mut next.kernel.offset);
        }
        // E_q[W_t] = L_t − H[q_t], and W is kept less L_t.
        let unit = joint.n as f64 * (std::f64::consts::TAU * std::f64::consts::E).ln();
        let expected = -0.5 * (unit + joint.log_covariance);
        let one_step = self.config.elbo != ElboKind::Reversed;
        match (&mut next.value, self.config.representation) {
            (Value::Quadratic(w), _) => {
                w.centre.copy_from_slice(&joint.mean);
                if exact && let (Value::Quadratic(past), false) = (&self.state.value, one_step) {
                    // W_t = ln q_t + E_b[W_{t−1} − ln q_{t−1}], the second a quadratic with what W_{t−1} has beyond
                    // ln q_{t−1}: its slope, and the difference of the curvatures.
                    w.slope.fill(0.0);
                    add_transposed(&joint.slope, &past.slope, &mut w.slope);
                    let beyond = past.curvature.iter().zip(&self.state.precision);
                    for (b, (c, p)) in work.factor.iter_mut().zip(beyond) {
                        *b = c - p;
                    }
                    product(&work.factor, &joint.slope, &mut work.inverse, joint.n);
                    transposed_product(&joint.slope, &work.inverse, &mut w.curvature, joint.n);
                    for (c, p) in w.curvature.iter_mut().zip(&joint.precision) {
                        *c += p;
                    }
                } else if one_step {
                    w.slope.fill(0.0);
                    w.curvature.copy_from_slice(&joint.precision);
                } else {
                    let (a, b) = (&mut work.factor, &mut work.inverse);
                    fit_quadratic(joint, slopes, w, a, b);
                }
                w.set_expectation(expected, &joint.covariance);
            }
            (Value::Table(w), Representation::Table { reach, .. }) => {
                let (centre, spread) = (joint.mean[0], joint.covariance[0].sqrt());
                let from = Tabulated {
                    model: &self.model,
                    noise: &self.noise,
                    state: &self.state,
                    past: Self::past(&self.model, &self.prior, &self.state),
                    observation,
                    points: &work.bound.points,
                    joint,
                    bound,
                };
                w.fill(centre, spread, reach * spread, |x| from.at(x));
            }
            (Value::Table(_), Representation::Quadratic) => {}
        }
    }
}
