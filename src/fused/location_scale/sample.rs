//! Samples z = μ + sε of one row, and what backward takes from them.

use super::{LANES, lanes, lanes_mut};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// One row of samples, padded `[latent]` each.
pub(super) struct Place<'a> {
    pub(super) location: &'a [f32],
    pub(super) log_scale: &'a [f32],
    pub(super) gain: &'a [f32],
    /// ε, and then sε = ∂z/∂ξ.
    pub(super) excursion: &'a mut [f32],
    /// a(z).
    pub(super) seen: &'a mut [f32],
}

/// One row of the derivative by what the decoder saw, on its way to the state.
pub(super) struct PlaceBack<'a> {
    pub(super) location: &'a [f32],
    pub(super) gain: &'a [f32],
    pub(super) excursion: &'a [f32],
    pub(super) seen: &'a [f32],
    pub(super) by_seen: &'a [f32],
    pub(super) by_location: &'a mut [f32],
    pub(super) by_log_scale: &'a mut [f32],
    pub(super) gain_gradient: &'a mut [f32],
}

simd_dispatch! {
    /// From unit numbers to samples.
    pub(super) fn place(row: Place<'_>, relu: bool) = place_body;
}

simd_dispatch! {
    /// Adds `∂L/∂a·a'(z)·∂z/∂(μ, ξ)`, and to the gain's gradient `∂L/∂a·f(z)`.
    pub(super) fn place_backward(row: PlaceBack<'_>, relu: bool) = place_backward_body;
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn place_body(row: Place<'_>, relu: bool) {
    let (location, log_scale) = (lanes(row.location), lanes(row.log_scale));
    let gain = lanes(row.gain);
    let (excursion, seen) = (lanes_mut(row.excursion), lanes_mut(row.seen));
    for c in 0..seen.len() {
        let (mu, xi, gain) = (&location[c], &log_scale[c], &gain[c]);
        let (mut away, mut a) = (excursion[c], [0f32; LANES]);
        for l in 0..LANES {
            away[l] *= scalar::exp(xi[l]);
            let z = mu[l] + away[l];
            let f = if relu && z <= 0.0 { 0.0 } else { z };
            a[l] = f * gain[l];
        }
        (excursion[c], seen[c]) = (away, a);
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn place_backward_body(row: PlaceBack<'_>, relu: bool) {
    let (location, gain) = (lanes(row.location), lanes(row.gain));
    let (excursion, seen, by_seen) = (lanes(row.excursion), lanes(row.seen), lanes(row.by_seen));
    let by_location = lanes_mut(row.by_location);
    let by_log_scale = lanes_mut(row.by_log_scale);
    let gain_gradient = lanes_mut(row.gain_gradient);
    for c in 0..by_location.len() {
        let (mu, gain, away) = (&location[c], &gain[c], &excursion[c]);
        let (seen, by_seen) = (&seen[c], &by_seen[c]);
        let (mut by_mu, mut by_xi) = (by_location[c], by_log_scale[c]);
        let mut by_gain = gain_gradient[c];
        for l in 0..LANES {
            let open = if relu && seen[l] <= 0.0 {
                0.0
            } else {
                by_seen[l]
            };
            let by_z = open * gain[l];
            by_mu[l] += by_z;
            by_xi[l] += by_z * away[l];
            by_gain[l] += open * (mu[l] + away[l]);
        }
        (by_location[c], by_log_scale[c]) = (by_mu, by_xi);
        gain_gradient[c] = by_gain;
    }
}
