//! Point estimates over a linear decoder, as plain numbers: predictive coding and the locally competitive algorithm.
//!
//! With p = Φᵀπ(x − Φa), T(y; c) = c·tanh(y/c), Π the precision of the prior and λ the threshold:
//!
//! ```text
//! quadratic   a = f(u)                        ∇ = −f'(u)p + Πu     C = ½Πu²
//! soft        a = sgn(u)·max(|u| − λ, 0)      ∇ = −p + u − a       C = λ|a|
//! hard        a = u where |u| > λ, else 0     ∇ = −p + u − a       C = ½λ² where |u| > λ
//!
//! u' = T(u + T(−η(∇ + eᵇ)/(1 + ηH); c_d); c)
//! ```

use super::dictionary::Dictionary;
use super::residual::summed;
use crate::ops::tanh_clamped_step::processor::bounded_f32;
use scotopic_filtering::simd_dispatch;

/// C and a.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PointCost {
    /// With Π; f is relu or the identity.
    Quadratic { precision: f32, relu: bool },
    /// With λ.
    Soft { threshold: f32 },
    /// With λ.
    Hard { threshold: f32 },
}

/// Everything that a descent takes.
#[derive(Debug)]
pub(crate) struct PointNetwork {
    /// Φ and π.
    pub(crate) dictionary: Dictionary,
    /// eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// 1 + ηH, `[latent]`; 1 for the explicit step.
    pub(crate) divisor: Vec<f32>,
    /// η.
    pub(crate) step_size: f32,
    /// N, at least 1.
    pub(crate) inner_iterations: usize,
    /// c_d; finite.
    pub(crate) step_bound: f32,
    /// c; finite.
    pub(crate) bound: f32,
    /// C and a.
    pub(crate) cost: PointCost,
}

simd_dispatch! {
    /// a of u, both `[latent]`.
    pub(super) fn activities(cost: PointCost, u: &[f32], a: &mut [f32]) = activities_body;
}

simd_dispatch! {
    /// u' in place of u, from a and p, all `[latent]`.
    pub(super) fn step(network: &PointNetwork, u: &mut [f32], a: &[f32], p: &[f32]) = step_body;
}

simd_dispatch! {
    /// ΣC of u and its a, both `[latent]`, in nats.
    pub(super) fn total_cost(cost: PointCost, u: &[f32], a: &[f32]) -> f32 = total_cost_body;
}

#[inline(always)]
fn activities_body(cost: PointCost, u: &[f32], a: &mut [f32]) {
    let pairs = a.iter_mut().zip(u);
    match cost {
        PointCost::Quadratic { relu: false, .. } => a.copy_from_slice(u),
        PointCost::Quadratic { relu: true, .. } => {
            for (a, u) in pairs {
                *a = if *u > 0.0 { *u } else { 0.0 };
            }
        }
        PointCost::Soft { threshold } => {
            for (a, u) in pairs {
                *a = u - u.clamp(-threshold, threshold);
            }
        }
        PointCost::Hard { threshold } => {
            for (a, u) in pairs {
                *a = if u.abs() <= threshold { 0.0 } else { *u };
            }
        }
    }
}

#[inline(always)]
fn step_body(network: &PointNetwork, u: &mut [f32], a: &[f32], p: &[f32]) {
    match network.cost {
        PointCost::Quadratic {
            precision,
            relu: false,
        } => row_step::<true, false>(network, precision, u, a, p),
        PointCost::Quadratic {
            precision,
            relu: true,
        } => row_step::<true, true>(network, precision, u, a, p),
        PointCost::Soft { .. } | PointCost::Hard { .. } => {
            row_step::<false, false>(network, 0.0, u, a, p);
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn row_step<const QUADRATIC: bool, const RELU: bool>(
    network: &PointNetwork,
    precision: f32,
    u: &mut [f32],
    a: &[f32],
    p: &[f32],
) {
    let n = u.len();
    let (a, p) = (&a[..n], &p[..n]);
    let (cost, divisor) = (&network.homeostasis[..n], &network.divisor[..n]);
    let (minus_step_size, step_bound) = (-network.step_size, network.step_bound);
    for k in 0..n {
        let gradient = if QUADRATIC {
            let pull = if RELU && u[k] <= 0.0 { 0.0 } else { p[k] };
            precision * u[k] - pull
        } else {
            u[k] - a[k] - p[k]
        };
        let d = (gradient + cost[k]) * minus_step_size / divisor[k];
        u[k] = bounded_f32(u[k] + bounded_f32(d, step_bound).0, network.bound).0;
    }
}

#[inline(always)]
fn total_cost_body(cost: PointCost, u: &[f32], a: &[f32]) -> f32 {
    match cost {
        PointCost::Quadratic { precision, .. } => 0.5 * precision * summed(u, u, |u, _| u * u),
        PointCost::Soft { threshold } => threshold * summed(a, a, |a, _| a.abs()),
        PointCost::Hard { threshold } => {
            let active = |u: f32, _| if u.abs() > threshold { 1.0 } else { 0.0 };
            0.5 * threshold * threshold * summed(u, u, active)
        }
    }
}
