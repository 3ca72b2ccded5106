//! The element-wise part of backward, one row at a time. The formulas stand in [`latents`](super::latents).

use crate::fused::summed;
use scotopic_filtering::simd_dispatch;

/// One row of a refinement, backwards; every slice is `[latent]`.
pub(super) struct Step<'a> {
    pub(super) by_potential: &'a mut [f32],
    pub(super) by_prior: &'a mut [f32],
    pub(super) q: &'a mut [f32],
    pub(super) taken: &'a [f32],
    pub(super) by_u: &'a [f32],
    pub(super) by_step: &'a [f32],
    pub(super) by_curvature: &'a [f32],
    pub(super) homeostasis_gradient: &'a mut [f32],
    pub(super) curvature_gradient: &'a mut [f32],
}

simd_dispatch! {
    /// From D behind a refinement to q and the part of D before it that does not pass through spikes. Gives
    /// Σ qs. `constants` are η and β_in.
    pub(super) fn through_step(step: Step<'_>, curvature: Option<&[f32]>, constants: [f32; 2]) -> f32 = through_step_body;
}

simd_dispatch! {
    /// `sum += a·b`.
    pub(super) fn add_product(sum: &mut [f32], a: &[f32], b: &[f32]) = add_product_body;
}

simd_dispatch! {
    /// `sum += factor·a`.
    pub(super) fn add_multiple(sum: &mut [f32], factor: f32, a: &[f32]) = add_multiple_body;
}

#[inline(always)]
fn through_step_body(
    step: Step<'_>,
    curvature: Option<&[f32]>,
    [step_size, leak]: [f32; 2],
) -> f32 {
    let n = step.by_potential.len();
    let (by_potential, by_prior) = (&mut step.by_potential[..n], &mut step.by_prior[..n]);
    let (q, taken, by_u) = (&mut step.q[..n], &step.taken[..n], &step.by_u[..n]);
    let (by_step, by_curvature) = (&step.by_step[..n], &step.by_curvature[..n]);
    let homeostasis = &mut step.homeostasis_gradient[..n];
    for k in 0..n {
        q[k] = step_size * by_potential[k] * by_step[k];
        homeostasis[k] -= q[k];
        by_prior[k] += leak * q[k];
    }
    match curvature {
        None => {
            for k in 0..n {
                by_potential[k] = by_potential[k] * by_u[k] - leak * q[k];
            }
        }
        Some(curvature) => {
            let (curvature, gradient) = (&curvature[..n], &mut step.curvature_gradient[..n]);
            for k in 0..n {
                let through = by_potential[k] * by_curvature[k];
                gradient[k] += through;
                by_potential[k] = by_potential[k] * by_u[k] + through * curvature[k] - leak * q[k];
            }
        }
    }
    summed(q, taken, |q, s| q * s)
}

#[inline(always)]
fn add_multiple_body(sum: &mut [f32], factor: f32, a: &[f32]) {
    for (sum, a) in sum.iter_mut().zip(a) {
        *sum += factor * a;
    }
}

#[inline(always)]
fn add_product_body(sum: &mut [f32], a: &[f32], b: &[f32]) {
    for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}
