//! One row of the network through one refinement: drive, implicit step, clamps, and their slopes, in one pass.

use super::network::SpikingNetwork;
use crate::inference::Leak;
use crate::ops::clamped_step::processor::ceiling_f32;
use crate::ops::implicit_step::processor::solve;
use crate::ops::{scalar, widest::widest};

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
        leak: match rule.leak {
            Leak::None => 0.0,
            Leak::Kl(beta) => beta as f32,
        },
        step_ceiling: rule.step_ceiling,
        ceiling: rule.ceiling,
    };
    let costs = &network.homeostasis;
    match &network.curvature {
        None => explicit(costs, row, constants),
        Some(curvature) => proximal(costs, curvature, row, constants),
    }
}

widest! {
    fn explicit(homeostasis: &[f32], row: Row<'_>, constants: Constants) = explicit_body;
}

widest! {
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
    // One length for all, so that the loops have no checks in them.
    let (curvature, u, prior, pulled) = (
        &curvature[..n],
        &row.u[..n],
        &row.prior[..n],
        &row.pulled[..n],
    );
    let next = &mut row.next[..n];
    let one = |k: usize| {
        let gradient = homeostasis[k] - pulled[k] + (u[k] - prior[k]) * constants.leak;
        let s = gradient * constants.minus_step_size;
        let rate = if PROXIMAL { scalar::exp(u[k]) } else { 0.0 };
        let (d, by_s, by_a) = match PROXIMAL {
            true => solve(s, rate * curvature[k]),
            false => (s, 1.0, 0.0),
        };
        let (bounded, slope_d) = ceiling_f32(d, constants.step_ceiling);
        let (value, slope) = ceiling_f32(u[k] + bounded, constants.ceiling);
        let by_step = slope * slope_d;
        (value, s, slope, by_step * by_s, by_step * by_a * rate)
    };
    match row.slopes {
        None => {
            for k in 0..n {
                next[k] = one(k).0;
            }
        }
        Some(slopes) => {
            let (step, by_u) = (&mut slopes.step[..n], &mut slopes.by_u[..n]);
            let by_step = &mut slopes.by_step[..n];
            let by_curvature = &mut slopes.by_curvature[..n];
            for k in 0..n {
                (next[k], step[k], by_u[k], by_step[k], by_curvature[k]) = one(k);
            }
        }
    }
}
