//! W_t after an update: as a quadratic by its derivatives, or node by node.

use crate::math::square::{add_transposed, product, symmetrise, transposed_product};
use crate::nonlinear::bound::{Past, Slopes};
use crate::nonlinear::kernel::{Joint, Tie};
use crate::nonlinear::noise::Noise;
use crate::nonlinear::sigma::Points;
use crate::nonlinear::state::State;
use crate::nonlinear::{Quadratic, StateSpace};

/// The quadratic under q_t with the slopes of W_t(x) = E[T(Ex + f + ε, x)]:
/// E[∇W] = E[∇_x T] + Eᵀ E[∇_{x'} T], and E[∇²W] alike.
pub(super) fn fit_quadratic(
    joint: &Joint,
    slopes: &Slopes,
    w: &mut Quadratic,
    a: &mut [f64],
    b: &mut [f64],
) {
    let n = joint.n;
    w.slope.copy_from_slice(&slopes.gradient);
    for (c, h) in w.curvature.iter_mut().zip(&slopes.hessian) {
        *c = -h;
    }
    if joint.tie != Tie::Free {
        return;
    }
    add_transposed(&joint.slope, &slopes.previous_gradient, &mut w.slope);
    // a = H_{x'x'}E + 2H_{x'x}, then Eᵀa symmetrised: EᵀH_{x'x'}E + EᵀH_{x'x} + H_{xx'}E.
    product(&slopes.previous_hessian, &joint.slope, a, n);
    for (a, h) in a.iter_mut().zip(&slopes.mixed_hessian) {
        *a += 2.0 * h;
    }
    transposed_product(&joint.slope, a, b, n);
    symmetrise(b, n);
    for (c, b) in w.curvature.iter_mut().zip(b.iter()) {
        *c -= b;
    }
}

/// What W_t(x) − L_t of one dimension is made of.
pub(super) struct Tabulated<'a, M> {
    pub model: &'a M,
    pub noise: &'a Noise,
    pub state: &'a State,
    pub past: Past<'a>,
    pub observation: Option<&'a [f64]>,
    pub points: &'a Points,
    pub joint: &'a Joint,
    pub bound: f64,
}

impl<M: StateSpace> Tabulated<'_, M> {
    pub fn at(&self, x: f64) -> f64 {
        let (model, joint) = (self.model, self.joint);
        let normal =
            |noise: &Noise, r: f64| -0.5 * (noise.precision[0] * r * r + noise.log_determinant);
        let likelihood = self
            .observation
            .map_or(0.0, |y| model.log_likelihood(y, &[x]));
        if let Past::First(mean, prior) = self.past {
            return normal(prior, x - mean[0]) + likelihood - self.bound;
        }
        let spread = joint.conditional[0].sqrt();
        let centre = joint.previous_mean[0] + joint.slope[0] * (x - joint.mean[0]);
        let unit = (std::f64::consts::TAU * std::f64::consts::E).ln();
        let mut sum = likelihood + 0.5 * (unit + joint.log_conditional) - self.bound;
        for (z, w) in self.points.iter() {
            let previous = [centre + spread * z[0]];
            let mut mean = [0.0];
            model.mean(&previous, &mut mean);
            sum += w * (self.state.value.at(&previous) + normal(self.noise, x - mean[0]));
        }
        sum
    }
}
