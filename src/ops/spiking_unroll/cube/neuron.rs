//! What one neuron does: its spikes, its step, its divergence. The arithmetic of [`crate::spiking`] on a CPU.

use cubecl::prelude::*;

use crate::ops::cube_numbers::{exp_of, ln_of};
use crate::ops::implicit_step::ITERATIONS;
use crate::ops::relaxed_poisson::cube::{Drawn, Draws, draw};

/// Keeps the logarithm of a gain of 0 finite.
const SMALLEST: f32 = crate::ops::implicit_step::SMALLEST as f32;

/// e^d is not followed beyond this d.
const MOST: f32 = crate::ops::implicit_step::LARGEST as f32;

/// Below it a softly bounded number is this one.
const FLOOR: f32 = crate::ops::softplus_clamped_step::FLOOR as f32;

/// Constants of a step.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Rule {
    /// β_in.
    pub(super) leak: f32,
    pub(super) step_ceiling: f32,
    pub(super) ceiling: f32,
    pub(super) rate_floor: f32,
    /// What the reconstruction and KL of one datum and step weigh.
    pub(super) weight: f32,
    pub(super) kl_weight: f32,
}

/// Spikes at log-rate ln(e^u + floor), and their slope by u.
#[cube]
pub(super) fn spikes(
    u: f32,
    element: u32,
    stream: u32,
    draws: &Draws,
    rate_floor: f32,
    #[comptime] kind: u32,
    #[comptime] raised: bool,
) -> Drawn {
    if comptime!(raised) {
        let rate = exp_of(u);
        let log = select(u.is_nan(), u, ln_of(rate + rate_floor));
        let drawn = draw(log, element, stream, draws, kind);
        Drawn {
            z: drawn.z,
            slope: drawn.slope * (rate / (rate + rate_floor)),
        }
    } else {
        draw(u, element, stream, draws, kind)
    }
}

/// A softly bounded number and its slope.
#[derive(CubeType, Clone, Copy)]
struct Bounded {
    value: f32,
    slope: f32,
}

#[cube]
fn bounded(x: f32, ceiling: f32) -> Bounded {
    let m = max(x, FLOOR);
    let over = m - ceiling;
    let e = exp_of(-f32::abs(over));
    let below = select(over > 0.0f32, ceiling, m);
    let inverse = 1.0f32 / (1.0f32 + e);
    let slope = select(over > 0.0f32, e * inverse, inverse);
    Bounded {
        value: below - ln_of(1.0f32 + e),
        slope: select(x <= FLOOR, 0.0f32, slope),
    }
}

/// The d of d + a(e^d − 1) = s.
#[cube]
fn implicit(s: f32, a: f32) -> f32 {
    let log_gain = ln_of(a + SMALLEST);
    let sum = a + s;
    let y = max(log_gain + sum, 1.0f32);
    let near = ln_of(y - ln_of(y)) - log_gain;
    let mut d = min(min(near, sum), max(s, 0.0f32));
    #[unroll]
    for _ in 0..ITERATIONS {
        let pull = a * exp_of(min(d, MOST));
        d -= (d + (pull - a) - s) / (1.0f32 + pull);
    }
    d
}

/// A refined potential u', the step s it took, and the slopes of u'.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Refined {
    pub(super) next: f32,
    pub(super) step: f32,
    pub(super) by_u: f32,
    pub(super) by_step: f32,
    pub(super) by_curvature: f32,
}

/// One refinement of a potential u towards its prior; `pulled` is (Φᵀe)_k.
#[cube]
pub(super) fn refine(
    u: f32,
    prior: f32,
    pulled: f32,
    cost: f32,
    curvature: f32,
    step_size: f32,
    rule: &Rule,
    #[comptime] proximal: bool,
    #[comptime] clamped: bool,
) -> Refined {
    let s = (cost - pulled + (u - prior) * rule.leak) * -step_size;
    let mut d = s;
    let mut by_s = 1.0f32;
    let mut by_gain = 0.0f32;
    if comptime!(proximal) {
        let rate = exp_of(u);
        let gain = rate * curvature;
        d = implicit(s, gain);
        let e = exp_of(min(d, MOST));
        by_s = 1.0f32 / (1.0f32 + gain * e);
        by_gain = -(e - 1.0f32) * by_s * rate;
    }
    let mut next = u + d;
    let mut by_u = 1.0f32;
    if comptime!(clamped) {
        let step = bounded(d, rule.step_ceiling);
        let state = bounded(u + step.value, rule.ceiling);
        next = state.value;
        by_u = state.slope;
        by_s *= state.slope * step.slope;
        by_gain *= state.slope * step.slope;
    }
    // Bounds would take what is not a number for one.
    let unknown = u + s;
    Refined {
        next: select(unknown.is_nan(), unknown, next),
        step: s,
        by_u,
        by_step: by_s,
        by_curvature: by_gain,
    }
}

/// KL of a potential from its prior.
#[cube]
pub(super) fn divergence(u: f32, prior: f32, #[comptime] published: bool) -> f32 {
    let delta = u - prior;
    let at = if comptime!(published) { u } else { prior };
    exp_of(at) * (exp_of(delta) * (delta - 1.0f32) + 1.0f32)
}

/// ∂KL/∂u and ∂KL/∂u_p.
#[derive(CubeType, Clone, Copy)]
pub(super) struct DivergenceSlopes {
    pub(super) by_u: f32,
    pub(super) by_prior: f32,
}

#[cube]
pub(super) fn divergence_slopes(
    u: f32,
    prior: f32,
    #[comptime] published: bool,
) -> DivergenceSlopes {
    let delta = u - prior;
    let rate = exp_of(u);
    if comptime!(published) {
        let ratio = exp_of(delta);
        let through_ratio = rate * ratio * delta;
        DivergenceSlopes {
            by_u: rate * (ratio * (delta - 1.0f32) + 1.0f32) + through_ratio,
            by_prior: -through_ratio,
        }
    } else {
        DivergenceSlopes {
            by_u: rate * delta,
            by_prior: exp_of(prior) - rate,
        }
    }
}
