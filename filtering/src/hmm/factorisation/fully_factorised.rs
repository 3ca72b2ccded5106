//! Mean field over time: q = ∏_t q_t(s_t), fitted by coordinate ascent.

use super::log_dynamics::LogDynamics;
use super::sweeps::{Ascent, Sweeps};
use crate::{entropy, softmax};

/// Coordinate ascent from marginals `[T, K]`, ℓ `[T, K]`:
///
/// ```text
/// q_t ∝ exp( ℓ_t + [t = 1: ln π | else q_{t−1}·ln A] + [t < T: ln A·q_{t+1}] )
/// F   = q_1·ln π + Σ_t q_t·ℓ_t + Σ_{t≥2} q_{t−1}ᵀ (ln A) q_t + Σ_t H[q_t]
/// ```
///
/// The first entry of the trace is F at the start. Where structural zeros leave a moment no state of
/// finite score, its marginal stays as it is; from a start of finite F that does not happen.
pub(super) fn ascend(
    dynamics: &LogDynamics,
    loglik: &[f64],
    mut marginals: Vec<f64>,
    sweeps: &Sweeps,
) -> Ascent {
    let k = dynamics.states();
    let length = marginals.len() / k;
    let mut message = vec![0.0; k];
    let mut score = vec![0.0; k];
    let mut trace = vec![bound(dynamics, loglik, &marginals)];
    for _ in 0..sweeps.max {
        for t in 0..length {
            score.copy_from_slice(&loglik[t * k..(t + 1) * k]);
            if t == 0 {
                add(&mut score, dynamics.initial());
            } else {
                dynamics.message_forward(&marginals[(t - 1) * k..t * k], &mut message);
                add(&mut score, &message);
            }
            if t + 1 < length {
                let next = &marginals[(t + 1) * k..(t + 2) * k];
                dynamics.message_backward(next, &mut message);
                add(&mut score, &message);
            }
            if softmax(&mut score) > f64::NEG_INFINITY {
                marginals[t * k..(t + 1) * k].copy_from_slice(&score);
            }
        }
        trace.push(bound(dynamics, loglik, &marginals));
        if sweeps.settled(&trace) {
            break;
        }
    }
    Ascent { marginals, trace }
}

/// F of the product of any marginals `[T, K]`, in nats.
pub(super) fn bound(dynamics: &LogDynamics, loglik: &[f64], marginals: &[f64]) -> f64 {
    let k = dynamics.states();
    let mut message = vec![0.0; k];
    let mut total = 0.0;
    let mut before: Option<&[f64]> = None;
    for (q, l) in marginals.chunks_exact(k).zip(loglik.chunks_exact(k)) {
        match before {
            None => message.copy_from_slice(dynamics.initial()),
            Some(before) => dynamics.message_forward(before, &mut message),
        }
        add(&mut message, l);
        total += expectation(q, &message) + entropy(q);
        before = Some(q);
    }
    total
}

/// Σ_s q(s) x(s) with 0·(−∞) = 0.
pub(super) fn expectation(q: &[f64], x: &[f64]) -> f64 {
    q.iter()
        .zip(x)
        .filter(|&(&q, _)| q > 0.0)
        .map(|(q, x)| q * x)
        .sum()
}

pub(super) fn add(sum: &mut [f64], x: &[f64]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
}
