//! The terms of F of one row, and their derivatives.

use crate::fused::summed;
use crate::ops::scalar;
use crate::posterior::KlForm;
use scotopic_filtering::simd_dispatch;

/// KL of one row's potentials `u` from those of its prior, in nats, all `[latent]`.
pub(crate) fn divergence(u: &[f32], prior: &[f32], form: KlForm) -> f32 {
    match form {
        KlForm::Exact => exact(u, prior),
        KlForm::Published => published(u, prior),
    }
}

/// Adds `weight·∂KL/∂u` to `by_u` and puts `weight·∂KL/∂u_p` into `by_prior`.
///
/// ```text
/// exact      ∂u = λδ                    ∂u_p = r − λ
/// published  ∂u = KL + λe^δδ            ∂u_p = −λe^δδ        (the exact KL times e^δ)
/// ```
pub(crate) fn divergence_slopes(
    u: &[f32],
    prior: &[f32],
    form: KlForm,
    weight: f32,
    by_u: &mut [f32],
    by_prior: &mut [f32],
) {
    match form {
        KlForm::Exact => exact_slopes(u, prior, weight, by_u, by_prior),
        KlForm::Published => published_slopes(u, prior, weight, by_u, by_prior),
    }
}

simd_dispatch! {
    /// λ of log-rates, twice: the mean of a count and the mean's slope.
    pub(super) fn rates(u: &[f32], mean: &mut [f32], slope: &mut [f32]) = rates_body;
}
simd_dispatch! {
    /// Σ ab.
    pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body;
}
simd_dispatch! {
    fn exact(u: &[f32], prior: &[f32]) -> f32 = exact_body;
}
simd_dispatch! {
    fn published(u: &[f32], prior: &[f32]) -> f32 = published_body;
}
simd_dispatch! {
    fn exact_slopes(u: &[f32], prior: &[f32], weight: f32, by_u: &mut [f32], by_prior: &mut [f32]) = exact_slopes_body;
}
simd_dispatch! {
    fn published_slopes(u: &[f32], prior: &[f32], weight: f32, by_u: &mut [f32], by_prior: &mut [f32]) = published_slopes_body;
}

#[inline(always)]
fn rates_body(u: &[f32], mean: &mut [f32], slope: &mut [f32]) {
    for ((u, mean), slope) in u.iter().zip(mean).zip(slope) {
        *mean = scalar::exp(*u);
        *slope = *mean;
    }
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32]) -> f32 {
    summed(a, b, |a, b| a * b)
}

#[inline(always)]
fn exact_body(u: &[f32], prior: &[f32]) -> f32 {
    summed(u, prior, |u, p| {
        let delta = u - p;
        scalar::exp(p) * (scalar::exp(delta) * (delta - 1.0) + 1.0)
    })
}

#[inline(always)]
fn published_body(u: &[f32], prior: &[f32]) -> f32 {
    summed(u, prior, |u, p| {
        let delta = u - p;
        scalar::exp(u) * (scalar::exp(delta) * (delta - 1.0) + 1.0)
    })
}

#[inline(always)]
fn exact_slopes_body(
    u: &[f32],
    prior: &[f32],
    weight: f32,
    by_u: &mut [f32],
    by_prior: &mut [f32],
) {
    let pairs = u.iter().zip(prior).zip(by_u).zip(by_prior);
    for (((u, p), by_u), by_prior) in pairs {
        let rate = scalar::exp(*u);
        *by_u += weight * rate * (u - p);
        *by_prior = weight * (scalar::exp(*p) - rate);
    }
}

#[inline(always)]
fn published_slopes_body(
    u: &[f32],
    prior: &[f32],
    weight: f32,
    by_u: &mut [f32],
    by_prior: &mut [f32],
) {
    let pairs = u.iter().zip(prior).zip(by_u).zip(by_prior);
    for (((u, p), by_u), by_prior) in pairs {
        let delta = u - p;
        let (rate, ratio) = (scalar::exp(*u), scalar::exp(delta));
        let through_ratio = rate * ratio * delta;
        *by_u += weight * (rate * (ratio * (delta - 1.0) + 1.0) + through_ratio);
        *by_prior = -weight * through_ratio;
    }
}
