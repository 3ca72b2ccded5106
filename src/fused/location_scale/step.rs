//! One refinement of one row.

use super::laws::{Formulas, Laplace, Normal};
use super::network::{LocationScaleNetwork, LocationScaleRule, ScaleLaw};
use super::{LANES, Lanes, lanes, lanes_mut};
use crate::ops::scalar;
use crate::ops::tanh_clamped_step::processor::bounded_f32;
use scotopic_filtering::simd_dispatch;

/// What it reads and writes; every slice is padded, `[latent]`, pairs are of μ and ξ.
pub(super) struct Row<'a> {
    pub(super) state: [&'a [f32]; 2],
    pub(super) prior: [&'a [f32]; 2],
    /// sε.
    pub(super) excursion: &'a [f32],
    /// a(z).
    pub(super) seen: &'a [f32],
    /// p = Φᵀe.
    pub(super) pulled: &'a [f32],
    pub(super) next: [&'a mut [f32]; 2],
    /// For backward: a copy of p, ∂μ'/∂μ and ∂ξ'/∂ξ at fixed drives, ∂μ'/∂d and ∂ξ'/∂d_ξ.
    pub(super) kept: [&'a mut [f32]; 5],
}

simd_dispatch! {
    /// μ' and ξ'.
    pub(super) fn step(network: &LocationScaleNetwork, row: Row<'_>) = step_body;
}

#[inline(always)]
fn step_body(network: &LocationScaleNetwork, row: Row<'_>) {
    match (network.rule.law, network.rule.leak != 0.0) {
        (ScaleLaw::Normal, false) => row_step::<Normal, false>(network, row),
        (ScaleLaw::Normal, true) => row_step::<Normal, true>(network, row),
        (ScaleLaw::Laplace, false) => row_step::<Laplace, false>(network, row),
        (ScaleLaw::Laplace, true) => row_step::<Laplace, true>(network, row),
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn row_step<F: Formulas, const LEAK: bool>(network: &LocationScaleNetwork, row: Row<'_>) {
    let LocationScaleRule {
        relu,
        leak,
        step_bounds,
        bounds,
        ..
    } = network.rule;
    let step_sizes = network.step_sizes;
    let (gain, cost) = (lanes(&network.gain), lanes(&network.homeostasis));
    let curvature = lanes(&network.curvature);
    let ([mu, xi], [mu_p, xi_p]) = (row.state.map(lanes), row.prior.map(lanes));
    let (away, seen, pulled) = (lanes(row.excursion), lanes(row.seen), lanes(row.pulled));
    let [next_mu, next_xi] = row.next.map(lanes_mut);
    let [kept_pull, by_mu, by_xi, by_d, by_d_xi] = row.kept.map(lanes_mut);
    for c in 0..next_mu.len() {
        let (mu, xi, mu_p, xi_p) = (&mu[c], &xi[c], &mu_p[c], &xi_p[c]);
        let (away, seen, pulled) = (&away[c], &seen[c], &pulled[c]);
        let (gain, cost, curvature) = (&gain[c], &cost[c], &curvature[c]);
        let (mut d, mut d_xi): (Lanes, Lanes) = ([0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            let slope = if relu && seen[l] <= 0.0 { 0.0 } else { gain[l] };
            let g = -pulled[l] * slope;
            let (mut m, mut h) = (g, g * away[l]);
            if LEAK {
                let pull = F::slopes([mu[l], xi[l]], [mu_p[l], xi_p[l]]);
                m += leak * pull[0];
                h += leak * pull[1];
            }
            let square = scalar::exp(2.0 * xi[l]);
            let n = (m * square + cost[l]) * -step_sizes[0];
            d[l] = n / (1.0 + square * curvature[l]);
            d_xi[l] = h * F::METRIC * -step_sizes[1];
        }
        let mut next = [[0f32; LANES]; 2];
        let mut by_state = [[0f32; LANES]; 2];
        let mut by_drive = [[0f32; LANES]; 2];
        for l in 0..LANES {
            let (bounded, slope) = bounded_f32(d[l], step_bounds[0]);
            let (after, after_slope) = bounded_f32(mu[l] + bounded, bounds[0]);
            (next[0][l], by_state[0][l]) = (after, after_slope);
            by_drive[0][l] = after_slope * slope;
        }
        for l in 0..LANES {
            let (bounded, slope) = bounded_f32(d_xi[l], step_bounds[1]);
            let (after, after_slope) = bounded_f32(xi[l] + bounded, bounds[1]);
            (next[1][l], by_state[1][l]) = (after, after_slope);
            by_drive[1][l] = after_slope * slope;
        }
        [next_mu[c], next_xi[c]] = next;
        [by_mu[c], by_xi[c]] = by_state;
        [by_d[c], by_d_xi[c]] = by_drive;
        kept_pull[c] = *pulled;
    }
}
