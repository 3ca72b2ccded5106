//! The gradient of the bound with respect to the newest factors, ψ, and the natural step along it.
//!
//! q_τ = softmax(η) and row j of b_τ = softmax(ζ_j), all earlier factors held. With
//! R_ij = W_{τ−1}(i) + ln A_ij − ln b_ji (eq. F20, from eq. F11 by the score of a softmax),
//!
//! ```text
//! ∂L/∂η_j  = q_j (V_τ(j) − L_τ)
//! ∂L/∂ζ_ji = q_j b_ji ( R_ij − Σ_i' b_ji' R_i'j )
//! ```
//!
//! Divided by the Fisher information of a softmax these are differences of log-messages, and the natural
//! step of size ρ is a leaky integration of them,
//!
//! ```text
//! η   ← η + ρ (W_τ − η)
//! ζ_j ← ζ_j + ρ (W_{τ−1} + ln A[·][j] − ζ_j)                 modulo a constant for each softmax,
//! ```
//!
//! which for ρ = 1 is the closed form (eq. F6) at once.

use super::log_dynamics::LogDynamics;
use super::value::ValueFunction;
use crate::{Error, Result};

/// ∂L/∂η `[K]` at q = softmax(η) `[K]`, nats, where `value` is W_τ. Returns L_τ.
///
/// # Errors
/// [`Error::Size`] for wrong lengths; [`Error::Unsupported`] where q is in a state that W rules out: the
/// bound is −∞ and has no gradient.
pub fn belief_gradient(value: &ValueFunction, q: &[f64], into: &mut [f64]) -> Result<f64> {
    let elbo = value.elbo(q)?;
    same_length("into", into.len(), q.len())?;
    finite(elbo)?;
    for ((g, &q), w) in into.iter_mut().zip(q).zip(value.relative()) {
        *g = if q > 0.0 {
            q * (w - q.ln() - (elbo - value.level()))
        } else {
            0.0
        };
    }
    Ok(elbo)
}

/// ∂L/∂ζ `[K, K]` at the newest kernel b = softmax of the rows of ζ `[K, K]`, nats, where `past` is W_{τ−1}
/// and `q` `[K]` the belief after the step.
///
/// # Errors
/// As [`belief_gradient`].
pub fn kernel_gradient(
    past: &ValueFunction,
    dynamics: &LogDynamics,
    q: &[f64],
    kernel: &[f64],
    into: &mut [f64],
) -> Result<()> {
    let k = past.states();
    same_length("dynamics", dynamics.states(), k)?;
    same_length("q", q.len(), k)?;
    same_length("kernel", kernel.len(), k * k)?;
    same_length("into", into.len(), k * k)?;
    let rows = kernel.chunks_exact(k).zip(into.chunks_exact_mut(k));
    for (j, (&q, (b, g))) in q.iter().zip(rows).enumerate() {
        let mean = advantages(past.relative(), dynamics.into_state(j), b, g);
        if q > 0.0 {
            finite(mean)?;
        }
        for (g, &b) in g.iter_mut().zip(b) {
            *g = if q > 0.0 && b > 0.0 { q * b * *g } else { 0.0 };
        }
    }
    Ok(())
}

/// R_i − Σ_i' b_i' R_i' of one row of a kernel, into `[K]`, 0 where b is; returns Σ b R.
pub(super) fn advantages(past: &[f64], column: &[f64], b: &[f64], into: &mut [f64]) -> f64 {
    let mut mean = 0.0;
    for (((r, &b), w), a) in into.iter_mut().zip(b).zip(past).zip(column) {
        *r = 0.0;
        if b > 0.0 {
            *r = w + a - b.ln();
            mean += b * *r;
        }
    }
    for (r, &b) in into.iter_mut().zip(b) {
        if b > 0.0 {
            *r -= mean;
        }
    }
    mean
}

/// One natural step of the logits η `[K]` of q_τ, of size `rho` from 0 to 1: η + ρ (W_τ − η).
///
/// # Errors
/// [`Error::Size`] for a wrong length, [`Error::Setting`] for ρ out of its range.
pub fn natural_belief_step(value: &ValueFunction, logits: &mut [f64], rho: f64) -> Result<()> {
    same_length("logits", logits.len(), value.states())?;
    check_rho(rho)?;
    for (eta, &w) in logits.iter_mut().zip(value.relative()) {
        *eta = leak(*eta, w, rho);
    }
    Ok(())
}

/// One natural step of the logits ζ `[K, K]` of the newest kernel, of size `rho` from 0 to 1, where `past`
/// is W_{τ−1}: `ζ_j + ρ (W_{τ−1} + ln A[·][j] − ζ_j)`.
///
/// # Errors
/// As [`natural_belief_step`].
pub fn natural_kernel_step(
    past: &ValueFunction,
    dynamics: &LogDynamics,
    logits: &mut [f64],
    rho: f64,
) -> Result<()> {
    let k = past.states();
    same_length("dynamics", dynamics.states(), k)?;
    same_length("logits", logits.len(), k * k)?;
    check_rho(rho)?;
    for (j, row) in logits.chunks_exact_mut(k).enumerate() {
        for ((zeta, w), a) in row
            .iter_mut()
            .zip(past.relative())
            .zip(dynamics.into_state(j))
        {
            *zeta = leak(*zeta, w + a, rho);
        }
    }
    Ok(())
}

/// (1 − ρ) x + ρ y, where 0·(−∞) = 0.
fn leak(x: f64, y: f64, rho: f64) -> f64 {
    let part = |weight: f64, x: f64| if weight == 0.0 { 0.0 } else { weight * x };
    part(1.0 - rho, x) + part(rho, y)
}

fn check_rho(rho: f64) -> Result<()> {
    if (0.0..=1.0).contains(&rho) {
        return Ok(());
    }
    Err(Error::setting("rho", rho, "a step from 0 to 1"))
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::size(name, found, expected))
}

fn finite(bound: f64) -> Result<()> {
    if bound.is_finite() {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: "a factor in a state or transition that the model rules out".to_owned(),
        asked: "give a gradient",
        why: "the bound is −∞ there; give it probability 0 (a logit of −∞) or take the closed form",
    })
}
