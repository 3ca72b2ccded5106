//! One inference step of one row: drive, implicit step, clamps, and their derivatives, in one pass.

use super::network::SpikingNetwork;
use crate::ops::implicit_step::processor::{Solved, WIDTH, solve, whole_vectors};
use crate::ops::scalar;
use crate::ops::softplus_clamped_step::processor::ceiling_f32;
use scotopic_filtering::simd_dispatch;

/// What one refinement of one row reads and writes; every slice is `[latent]`.
pub(crate) struct Row<'a> {
    /// The potential before it.
    pub(crate) u: &'a [f32],
    /// The potential at the beginning of the step, which the leak pulls towards.
    pub(crate) prior: &'a [f32],
    /// Φᵀe, the pulled-back prediction error.
    pub(crate) pulled: &'a [f32],
    /// The potential after it.
    pub(crate) next: &'a mut [f32],
    /// What backward needs, if there is to be one.
    pub(crate) slopes: Option<Slopes<'a>>,
}

/// The explicit step s = −η∇ and the slopes of the next potential u', each `[latent]`.
pub(crate) struct Slopes<'a> {
    pub(crate) step: &'a mut [f32],
    /// ∂u'/∂u without the way through the gain.
    pub(crate) by_u: &'a mut [f32],
    /// ∂u'/∂s.
    pub(crate) by_step: &'a mut [f32],
    /// ∂u'/∂(ηH) = λ·∂u'/∂a, a = ληH.
    pub(crate) by_curvature: &'a mut [f32],
}

/// Rules of [`potentials`]: −η, β_in (0 for none), and the ceilings of step and potential.
#[derive(Clone, Copy)]
struct Constants {
    minus_step_size: f32,
    leak: f32,
    step_ceiling: f32,
    ceiling: f32,
}

/// u' of one row.
pub(crate) fn refine(network: &SpikingNetwork, row: Row<'_>) {
    let rule = &network.rule;
    let constants = Constants {
        minus_step_size: -network.step_size,
        leak: rule.leak.beta() as f32,
        step_ceiling: rule.step_ceiling,
        ceiling: rule.ceiling,
    };
    let costs = &network.homeostasis;
    match &network.curvature {
        None => explicit(costs, row, constants),
        Some(curvature) => proximal(costs, curvature, row, constants),
    }
}

simd_dispatch! {
    fn explicit(homeostasis: &[f32], row: Row<'_>, constants: Constants) = explicit_body;
}

simd_dispatch! {
    fn proximal(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) = proximal_body;
}

#[inline(always)]
fn explicit_body(homeostasis: &[f32], row: Row<'_>, constants: Constants) {
    potentials::<false>(homeostasis, homeostasis, row, constants);
}

#[inline(always)]
fn proximal_body(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) {
    potentials::<true>(homeostasis, curvature, row, constants);
}

#[inline(always)]
fn potentials<const PROXIMAL: bool>(
    homeostasis: &[f32],
    curvature: &[f32],
    row: Row<'_>,
    constants: Constants,
) {
    let n = homeostasis.len();
    let mut slopes = row.slopes;
    for start in (0..n).step_by(WIDTH) {
        let count = WIDTH.min(n - start);
        let at = start..start + count;
        let neurons = Neurons {
            u: block(&row.u[at.clone()]),
            prior: block(&row.prior[at.clone()]),
            pulled: block(&row.pulled[at.clone()]),
            cost: block(&homeostasis[at.clone()]),
            curvature: block(&curvature[at.clone()]),
        };
        let moved = neurons.refined::<PROXIMAL>(count, constants);
        put(&mut row.next[at.clone()], &moved.next);
        if let Some(slopes) = &mut slopes {
            put(&mut slopes.step[at.clone()], &moved.step);
            put(&mut slopes.by_u[at.clone()], &moved.by_u);
            put(&mut slopes.by_step[at.clone()], &moved.by_step);
            put(&mut slopes.by_curvature[at], &moved.by_curvature);
        }
    }
}

/// Up to [`WIDTH`] numbers, zeros behind them.
#[inline(always)]
fn block(values: &[f32]) -> [f32; WIDTH] {
    if let Ok(full) = <[f32; WIDTH]>::try_from(values) {
        return full; // of known length: loads, where the other way is a call
    }
    let mut block = [0f32; WIDTH];
    block[..values.len()].copy_from_slice(values);
    block
}

/// Its other direction.
#[inline(always)]
fn put(values: &mut [f32], block: &[f32; WIDTH]) {
    match <&mut [f32; WIDTH]>::try_from(&mut *values) {
        Ok(full) => *full = *block,
        Err(_) => values.copy_from_slice(&block[..values.len()]),
    }
}

/// Some neurons before a refinement.
struct Neurons {
    u: [f32; WIDTH],
    prior: [f32; WIDTH],
    pulled: [f32; WIDTH],
    cost: [f32; WIDTH],
    curvature: [f32; WIDTH],
}

/// The same behind it.
struct Moved {
    next: [f32; WIDTH],
    step: [f32; WIDTH],
    by_u: [f32; WIDTH],
    by_step: [f32; WIDTH],
    by_curvature: [f32; WIDTH],
}

impl Neurons {
    /// The first `count` of them, or some more. Loops and no closures: a closure is not compiled for the wide
    /// instruction set of the caller.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
    fn refined<const PROXIMAL: bool>(&self, count: usize, constants: Constants) -> Moved {
        let n = whole_vectors(count);
        let mut step = [0f32; WIDTH];
        for l in 0..n {
            let leak = (self.u[l] - self.prior[l]) * constants.leak;
            step[l] = (self.cost[l] - self.pulled[l] + leak) * constants.minus_step_size;
        }
        let (mut rate, mut gain) = ([0f32; WIDTH], [0f32; WIDTH]);
        let solved = match PROXIMAL {
            true => {
                for l in 0..n {
                    rate[l] = scalar::exp(self.u[l]);
                    gain[l] = rate[l] * self.curvature[l];
                }
                solve(count, &step, &gain)
            }
            false => Solved {
                d: step,
                by_s: [1.0; WIDTH],
                by_a: [0.0; WIDTH],
            },
        };
        let (mut next, mut by_u) = ([0f32; WIDTH], [0f32; WIDTH]);
        let mut by_step = [0f32; WIDTH];
        for l in 0..n {
            (next[l], by_step[l]) = ceiling_f32(solved.d[l], constants.step_ceiling);
        }
        for l in 0..n {
            (next[l], by_u[l]) = ceiling_f32(self.u[l] + next[l], constants.ceiling);
        }
        let mut by_curvature = [0f32; WIDTH];
        for l in 0..n {
            let by_d = by_u[l] * by_step[l];
            by_step[l] = by_d * solved.by_s[l];
            by_curvature[l] = by_d * solved.by_a[l] * rate[l];
        }
        Moved {
            next,
            step,
            by_u,
            by_step,
            by_curvature,
        }
    }
}
