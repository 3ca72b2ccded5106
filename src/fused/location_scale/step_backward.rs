//! One refinement of one row, backwards.
//!
//! With D = ∂L/∂μ', D_ξ = ∂L/∂ξ' and the names of [`location_scale`](super):
//!
//! ```text
//! Q = D·∂μ'/∂d/(1 + s²ηH)          = ∂L/∂n        ∂L/∂ηH = −ΣQds²,  ∂L/∂eᵇ = −η₀ΣQ,  ∂L/∂η₀ = −ΣQ(s²m + eᵇ)
//! M = −η₀s²Q                       = ∂L/∂m
//! X = −η₁κ·D_ξ·∂ξ'/∂d_ξ            = ∂L/∂h        ∂L/∂η₁ = ΣXh/η₁ = −κΣD_ξ·∂ξ'/∂d_ξ·h
//! G = M + X·sε                     = ∂L/∂g        q = −a'(z)·G = ∂L/∂p,  ∂L/∂e^γ = −f'(z)·Σp·G
//! D ← D·∂μ'/∂μ                     [+ β_in(M·∂²KL/∂μ² + X·∂²KL/∂ξ∂μ)]
//! D_ξ ← D_ξ·∂ξ'/∂ξ + 2Mm − 2Qds²ηH + X·g·sε   [+ the like]
//! ```
//!
//! The derivative by the sample a(z) itself comes from the decoder, later.

use super::laws::{Formulas, Laplace, Normal};
use super::network::{LocationScaleNetwork, ScaleLaw};
use super::{LANES, Lanes, add_first, lanes, lanes_mut};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// What it reads and writes; every slice is padded, `[latent]`, pairs are of μ and ξ.
pub(super) struct RowBack<'a> {
    pub(super) state: [&'a [f32]; 2],
    pub(super) prior: [&'a [f32]; 2],
    pub(super) excursion: &'a [f32],
    pub(super) seen: &'a [f32],
    /// As [`Row`](super::step::Row) has it.
    pub(super) kept: [&'a [f32]; 5],
    pub(super) by_state: [&'a mut [f32]; 2],
    pub(super) by_prior: [&'a mut [f32]; 2],
    /// q.
    pub(super) by_pulled: &'a mut [f32],
    pub(super) homeostasis_gradient: &'a mut [f32],
    pub(super) curvature_gradient: &'a mut [f32],
    pub(super) gain_gradient: &'a mut [f32],
}

simd_dispatch! {
    /// From (D, D_ξ) behind the refinement to those before it, q, and ∂L/∂η of both components, which is returned.
    pub(super) fn step_backward(network: &LocationScaleNetwork, row: RowBack<'_>) -> [f32; 2] = step_backward_body;
}

#[inline(always)]
fn step_backward_body(network: &LocationScaleNetwork, row: RowBack<'_>) -> [f32; 2] {
    match (network.rule.law, network.rule.leak != 0.0) {
        (ScaleLaw::Normal, false) => row_backward::<Normal, false>(network, row),
        (ScaleLaw::Normal, true) => row_backward::<Normal, true>(network, row),
        (ScaleLaw::Laplace, false) => row_backward::<Laplace, false>(network, row),
        (ScaleLaw::Laplace, true) => row_backward::<Laplace, true>(network, row),
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn row_backward<F: Formulas, const LEAK: bool>(
    network: &LocationScaleNetwork,
    row: RowBack<'_>,
) -> [f32; 2] {
    let (relu, leak) = (network.rule.relu, network.rule.leak);
    let step_sizes = network.step_sizes;
    let (gain, cost) = (lanes(&network.gain), lanes(&network.homeostasis));
    let curvature = lanes(&network.curvature);
    let ([mu, xi], [mu_p, xi_p]) = (row.state.map(lanes), row.prior.map(lanes));
    let (away, seen) = (lanes(row.excursion), lanes(row.seen));
    let [pulled, by_mu, by_xi, by_d, by_d_xi] = row.kept.map(lanes);
    let [back_mu, back_xi] = row.by_state.map(lanes_mut);
    let [prior_mu, prior_xi] = row.by_prior.map(lanes_mut);
    let by_pulled = lanes_mut(row.by_pulled);
    let homeostasis_gradient = lanes_mut(row.homeostasis_gradient);
    let curvature_gradient = lanes_mut(row.curvature_gradient);
    let gain_gradient = lanes_mut(row.gain_gradient);
    let mut sums: [Lanes; 2] = [[0.0; LANES]; 2];
    for c in 0..by_pulled.len() {
        let (mu, xi, mu_p, xi_p) = (&mu[c], &xi[c], &mu_p[c], &xi_p[c]);
        let (away, seen, pulled) = (&away[c], &seen[c], &pulled[c]);
        let (gain, cost, curvature) = (&gain[c], &cost[c], &curvature[c]);
        let (by_mu, by_xi, by_d, by_d_xi) = (&by_mu[c], &by_xi[c], &by_d[c], &by_d_xi[c]);
        let (mut back_m, mut back_x) = (back_mu[c], back_xi[c]);
        let (mut prior_m, mut prior_x) = (prior_mu[c], prior_xi[c]);
        let (mut by_cost, mut by_curvature) = (homeostasis_gradient[c], curvature_gradient[c]);
        let (mut by_gain, mut q) = (gain_gradient[c], [0f32; LANES]);
        let mut by_step_sizes: [Lanes; 2] = [[0.0; LANES]; 2];
        for l in 0..LANES {
            let open = if relu && seen[l] <= 0.0 { 0.0 } else { 1.0 };
            let slope = open * gain[l];
            let g = -pulled[l] * slope;
            let (mut m, mut h) = (g, g * away[l]);
            let (state, prior) = ([mu[l], xi[l]], [mu_p[l], xi_p[l]]);
            if LEAK {
                let pull = F::slopes(state, prior);
                m += leak * pull[0];
                h += leak * pull[1];
            }
            let square = scalar::exp(2.0 * xi[l]);
            let raw = m * square + cost[l];
            let inverse = 1.0 / (1.0 + square * curvature[l]);
            let d = raw * -step_sizes[0] * inverse;
            let by_n = back_m[l] * by_d[l] * inverse;
            let by_m = by_n * square * -step_sizes[0];
            let through = back_x[l] * by_d_xi[l] * F::METRIC;
            let by_h = through * -step_sizes[1];
            let by_g = by_m + by_h * away[l];
            let by_divisor = by_n * d * square;
            q[l] = -slope * by_g;
            by_gain[l] -= open * pulled[l] * by_g;
            by_cost[l] -= by_n * step_sizes[0];
            by_curvature[l] -= by_divisor;
            by_step_sizes[0][l] = -by_n * raw;
            by_step_sizes[1][l] = -through * h;
            back_m[l] *= by_mu[l];
            back_x[l] = back_x[l] * by_xi[l]
                + 2.0 * (by_m * m - by_divisor * curvature[l])
                + by_h * g * away[l];
            if LEAK {
                let [of_m, of_h] = F::curvatures(state, prior);
                let (a, b) = (by_m * leak, by_h * leak);
                back_m[l] += a * of_m[0] + b * of_h[0];
                back_x[l] += a * of_m[1] + b * of_h[1];
                prior_m[l] += a * of_m[2] + b * of_h[2];
                prior_x[l] += a * of_m[3] + b * of_h[3];
            }
        }
        let count = network.dictionary.latents.saturating_sub(c * LANES);
        add_first(count, &mut sums[0], &by_step_sizes[0]);
        add_first(count, &mut sums[1], &by_step_sizes[1]);
        (back_mu[c], back_xi[c]) = (back_m, back_x);
        (prior_mu[c], prior_xi[c]) = (prior_m, prior_x);
        (homeostasis_gradient[c], curvature_gradient[c]) = (by_cost, by_curvature);
        (gain_gradient[c], by_pulled[c]) = (by_gain, q);
    }
    [sums[0].iter().sum(), sums[1].iter().sum()]
}
