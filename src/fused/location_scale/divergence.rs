//! KL of one row, and its derivatives.

use super::laws::{Formulas, Laplace, Normal};
use super::network::ScaleLaw;
use super::{LANES, add_first, lanes, lanes_mut};
use scotopic_filtering::simd_dispatch;

simd_dispatch! {
    /// Σ KL of the first `latents` latents, of states (μ, ξ) in padded rows.
    pub(super) fn divergence(law: ScaleLaw, latents: usize, state: [&[f32]; 2], prior: [&[f32]; 2]) -> f32 = divergence_body;
}

simd_dispatch! {
    /// Adds `weight·∂KL/∂state` and puts `weight·∂KL/∂prior`.
    pub(super) fn divergence_backward(law: ScaleLaw, weight: f32, state: [&[f32]; 2], prior: [&[f32]; 2], by_state: [&mut [f32]; 2], by_prior: [&mut [f32]; 2]) = divergence_backward_body;
}

#[inline(always)]
fn divergence_body(law: ScaleLaw, latents: usize, state: [&[f32]; 2], prior: [&[f32]; 2]) -> f32 {
    match law {
        ScaleLaw::Normal => summed::<Normal>(latents, state, prior),
        ScaleLaw::Laplace => summed::<Laplace>(latents, state, prior),
    }
}

#[inline(always)]
fn divergence_backward_body(
    law: ScaleLaw,
    weight: f32,
    state: [&[f32]; 2],
    prior: [&[f32]; 2],
    by_state: [&mut [f32]; 2],
    by_prior: [&mut [f32]; 2],
) {
    match law {
        ScaleLaw::Normal => slopes::<Normal>(weight, state, prior, by_state, by_prior),
        ScaleLaw::Laplace => slopes::<Laplace>(weight, state, prior, by_state, by_prior),
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn summed<F: Formulas>(latents: usize, state: [&[f32]; 2], prior: [&[f32]; 2]) -> f32 {
    let ([mu, xi], [mu_p, xi_p]) = (state.map(lanes), prior.map(lanes));
    let mut sums = [0f32; LANES];
    for c in 0..mu.len() {
        let (mu, xi, mu_p, xi_p) = (&mu[c], &xi[c], &mu_p[c], &xi_p[c]);
        let mut kl = [0f32; LANES];
        for l in 0..LANES {
            kl[l] = F::divergence([mu[l], xi[l]], [mu_p[l], xi_p[l]]);
        }
        add_first(latents.saturating_sub(c * LANES), &mut sums, &kl);
    }
    sums.iter().sum()
}

#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn slopes<F: Formulas>(
    weight: f32,
    state: [&[f32]; 2],
    prior: [&[f32]; 2],
    by_state: [&mut [f32]; 2],
    by_prior: [&mut [f32]; 2],
) {
    let ([mu, xi], [mu_p, xi_p]) = (state.map(lanes), prior.map(lanes));
    let [by_mu, by_xi] = by_state.map(lanes_mut);
    let [by_mu_p, by_xi_p] = by_prior.map(lanes_mut);
    for c in 0..mu.len() {
        let (mu, xi, mu_p, xi_p) = (&mu[c], &xi[c], &mu_p[c], &xi_p[c]);
        let (mut own, mut own_xi) = (by_mu[c], by_xi[c]);
        let (mut of_prior, mut of_prior_xi) = ([0f32; LANES], [0f32; LANES]);
        for l in 0..LANES {
            let slopes = F::slopes([mu[l], xi[l]], [mu_p[l], xi_p[l]]);
            own[l] += weight * slopes[0];
            own_xi[l] += weight * slopes[1];
            of_prior[l] = weight * slopes[2];
            of_prior_xi[l] = weight * slopes[3];
        }
        (by_mu[c], by_xi[c]) = (own, own_xi);
        (by_mu_p[c], by_xi_p[c]) = (of_prior, of_prior_xi);
    }
}
