//! Gaussian and Laplace latents, perhaps through a relu, as the fused network takes them.
//!
//! With s = e^ξ, ε of the unit law, a(z) = e^γ·f(z), p = Φᵀπ(x − Φa(z)), κ the inverse Fisher information of ξ (½ for
//! normal, 1 for Laplace numbers) and T(x; c) = c·tanh(x/c), one refinement is
//!
//! ```text
//! z = μ + sε,   g = −a'(z)·p
//! m = g [+ β_in ∂KL/∂μ]                   h = g·sε [+ β_in ∂KL/∂ξ]
//! n = −η₀(s²m + eᵇ),  d = n/(1 + s²·ηH)   d_ξ = −η₁κh
//! μ' = T(μ + T(d; c_d); c)                ξ' = T(ξ + T(d_ξ; c_d); c)
//! ```
//!
//! | subject | file |
//! |---|---|
//! | parameters and rule | `network` |
//! | KL of both laws and its derivatives | `laws` |
//! | samples | `sample` |
//! | a refinement of one row, forward and backward | `step`, `step_backward` |
//! | the terms of KL of one row | `divergence` |
//! | all of it as [`Latents`](super::Latents) | `latents` |

mod divergence;
mod latents;
mod laws;
mod network;
mod sample;
mod step;
mod step_backward;

pub(crate) use network::{
    LocationScaleNetwork, LocationScaleParameters, LocationScaleRule, ScaleLaw,
};

/// Numbers that go through a kernel side by side: as many as rows are padded to a multiple of.
const LANES: usize = super::panels::PANEL;

/// Numbers side by side.
type Lanes = [f32; LANES];

/// A padded row in lanes.
#[inline(always)]
fn lanes(row: &[f32]) -> &[Lanes] {
    row.as_chunks().0
}

/// The same to write on.
#[inline(always)]
fn lanes_mut(row: &mut [f32]) -> &mut [Lanes] {
    row.as_chunks_mut().0
}

/// Adds the numbers to the sums, without those that stand behind the first `count`.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // this form vectorises
fn add_first(count: usize, sums: &mut Lanes, numbers: &Lanes) {
    for l in 0..LANES {
        sums[l] += if l < count { numbers[l] } else { 0.0 };
    }
}
