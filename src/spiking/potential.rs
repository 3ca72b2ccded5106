//! One inference step of one row: drive, implicit step, clamps, and their derivatives, in one pass.

use super::network::SpikingNetwork;
use crate::ops::implicit_step::processor::{Block, WIDTH, slopes, solve, whole_vectors};
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

/// Rules of [`potentials`]: −η, β_in (0 for none), and the ceilings of step and potential, infinite for none.
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
        Some(curvature)
            if constants.ceiling.is_infinite() && constants.step_ceiling.is_infinite() =>
        {
            unclamped(costs, curvature, row, constants);
        }
        Some(curvature) => proximal(costs, curvature, row, constants),
    }
}

simd_dispatch! {
    fn explicit(homeostasis: &[f32], row: Row<'_>, constants: Constants) = explicit_body;
}

simd_dispatch! {
    fn proximal(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) = proximal_body;
}

simd_dispatch! {
    /// As `proximal` without clamps: the certified step.
    fn unclamped(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) = unclamped_body;
}

#[inline(always)]
fn explicit_body(homeostasis: &[f32], row: Row<'_>, constants: Constants) {
    potentials::<false, true>(homeostasis, homeostasis, row, constants);
}

#[inline(always)]
fn proximal_body(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) {
    potentials::<true, true>(homeostasis, curvature, row, constants);
}

#[inline(always)]
fn unclamped_body(homeostasis: &[f32], curvature: &[f32], row: Row<'_>, constants: Constants) {
    potentials::<true, false>(homeostasis, curvature, row, constants);
}

/// Some neurons at a time, in arrays of which every stage of the step goes over all. Loops and no closures: a closure is
/// not compiled for the wide instruction set of the caller.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn potentials<const PROXIMAL: bool, const CLAMPED: bool>(
    homeostasis: &[f32],
    curvature: &[f32],
    row: Row<'_>,
    constants: Constants,
) {
    let mut wanted = row.slopes;
    let (mut u, mut step, mut rate) = ([0f32; WIDTH], [0f32; WIDTH], [0f32; WIDTH]);
    let (mut gain, mut d) = ([0f32; WIDTH], [0f32; WIDTH]);
    for start in (0..homeostasis.len()).step_by(WIDTH) {
        let count = WIDTH.min(homeostasis.len() - start);
        let at = start..start + count;
        let n = whole_vectors(count);
        u[..count].copy_from_slice(&row.u[at.clone()]);
        let (prior, pulled) = (&row.prior[at.clone()], &row.pulled[at.clone()]);
        let cost = &homeostasis[at.clone()];
        for l in 0..count {
            let leak = (u[l] - prior[l]) * constants.leak;
            step[l] = (cost[l] - pulled[l] + leak) * constants.minus_step_size;
        }
        if PROXIMAL {
            for l in 0..n {
                rate[l] = scalar::exp(u[l]);
            }
            let curvature = &curvature[at.clone()];
            for l in 0..count {
                gain[l] = rate[l] * curvature[l];
            }
            solve(count, &step, &gain, &mut d);
        } else {
            d = step;
        }
        match &mut wanted {
            None => bounded::<CLAMPED>(n, &u, &mut d, constants),
            Some(wanted) => {
                let (mut by_s, mut by_a) = ([1f32; WIDTH], [0f32; WIDTH]);
                if PROXIMAL {
                    slopes(count, &gain, &d, &mut by_s, &mut by_a);
                }
                let (mut by_u, mut by_step) = ([1f32; WIDTH], [1f32; WIDTH]);
                bounded_with_slopes::<CLAMPED>(n, &u, &mut d, constants, [&mut by_u, &mut by_step]);
                for l in 0..n {
                    let by_d = by_u[l] * by_step[l];
                    by_step[l] = by_d * by_s[l];
                    by_a[l] = by_d * by_a[l] * rate[l];
                }
                put(&mut wanted.step[at.clone()], &step);
                put(&mut wanted.by_u[at.clone()], &by_u);
                put(&mut wanted.by_step[at.clone()], &by_step);
                put(&mut wanted.by_curvature[at.clone()], &by_a);
            }
        }
        put(&mut row.next[at], &d);
    }
}

/// As many numbers of a block as there is room for.
#[inline(always)]
fn put(values: &mut [f32], block: &Block) {
    values.copy_from_slice(&block[..values.len()]);
}

/// From steps d to potentials behind them, in place.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn bounded<const CLAMPED: bool>(n: usize, u: &Block, d: &mut Block, constants: Constants) {
    if CLAMPED {
        for l in 0..n {
            d[l] = ceiling_f32(d[l], constants.step_ceiling).0;
        }
        for l in 0..n {
            d[l] = ceiling_f32(u[l] + d[l], constants.ceiling).0;
        }
    } else {
        for l in 0..n {
            d[l] += u[l];
        }
    }
}

/// The same with the slopes of both clamps, that of the potential and that of the step, which are 1 before.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn bounded_with_slopes<const CLAMPED: bool>(
    n: usize,
    u: &Block,
    d: &mut Block,
    constants: Constants,
    [by_u, by_step]: [&mut Block; 2],
) {
    if CLAMPED {
        for l in 0..n {
            (d[l], by_step[l]) = ceiling_f32(d[l], constants.step_ceiling);
        }
        for l in 0..n {
            (d[l], by_u[l]) = ceiling_f32(u[l] + d[l], constants.ceiling);
        }
    } else {
        for l in 0..n {
            d[l] += u[l];
        }
    }
}
