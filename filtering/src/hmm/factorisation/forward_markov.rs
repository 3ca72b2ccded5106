//! The posterior as a chain run forward: q = q(s_1) ∏_t q(s_t|s_{t−1}).

use super::log_dynamics::LogDynamics;
use crate::softmax;
use crate::step::Sum;

/// The factors of the forward factorisation that are best given the whole sequence.
pub(super) struct Chain {
    /// q(s_t) `[T, K]`.
    pub marginals: Vec<f64>,
    /// q(s_{t+1} = j | s_t = i) `[T−1, K, K]`; a row of 0 for a state that nothing later allows.
    pub transitions: Vec<f64>,
}

impl Chain {
    /// The ELBO of this factorisation, by its definition, in nats:
    ///
    /// ```text
    /// Σ_j q(s_1 = j) [ ln π_j + ℓ_1(j) − ln q(s_1 = j) ]
    ///     + Σ_{t≥2} Σ_i q(s_{t−1} = i) Σ_j f_ij [ ln A_ij + ℓ_t(j) − ln f_ij ],    f_ij = q(s_t = j | s_{t−1} = i)
    /// ```
    pub fn bound(&self, dynamics: &LogDynamics, loglik: &[f64]) -> f64 {
        let k = dynamics.states();
        let gain = |q: &[f64], prior: &[f64], loglik: &[f64]| -> f64 {
            let terms = q.iter().zip(prior.iter().zip(loglik));
            let possible = terms.filter(|(q, _)| **q > 0.0);
            possible.map(|(q, (a, l))| q * (a + l - q.ln())).sum()
        };
        let mut sum = Sum::default().plus(gain(&self.marginals[..k], dynamics.initial(), loglik));
        let marginals = self.marginals.chunks_exact(k);
        let steps = self.transitions.chunks_exact(k * k).zip(marginals);
        for ((rows, from), loglik) in steps.zip(loglik.chunks_exact(k).skip(1)) {
            let rows = rows.chunks_exact(k);
            let priors = dynamics.transition().chunks_exact(k);
            for ((row, prior), &p) in rows.zip(priors).zip(from) {
                if p > 0.0 {
                    sum = sum.plus(p * gain(row, prior, loglik));
                }
            }
        }
        sum.value()
    }
}

/// Messages back, then marginals forward, for ℓ `[T, K]`; all in logarithms:
///
/// ```text
/// ln β_T = 0                 ln β_t(i) = ln Σ_j A_ij e^{ℓ_{t+1}(j)} β_{t+1}(j)
/// q(s_t = j | s_{t−1} = i) ∝ A_ij e^{ℓ_t(j)} β_t(j)        q(s_1) ∝ π e^{ℓ_1} β_1
/// ```
///
/// `None` where no path has probability. Every factor depends on all later observations: this is why the
/// forward factorisation cannot be kept up to date one observation at a time.
pub(super) fn fit(dynamics: &LogDynamics, loglik: &[f64]) -> Option<Chain> {
    let k = dynamics.states();
    let length = loglik.len() / k;
    let mut transitions = vec![0.0; length.saturating_sub(1) * k * k];
    // ℓ_t + ln β_t of the later moment, then of this one.
    let mut ahead = vec![0.0; k];
    let mut message = vec![0.0; k];
    for t in (0..length).rev() {
        for ((a, m), l) in ahead.iter_mut().zip(&message).zip(&loglik[t * k..]) {
            *a = m + l;
        }
        if t == 0 {
            break;
        }
        let rows = transitions[(t - 1) * k * k..t * k * k].chunks_exact_mut(k);
        for (i, (row, m)) in rows.zip(&mut message).enumerate() {
            let from = &dynamics.transition()[i * k..(i + 1) * k];
            for ((q, a), b) in row.iter_mut().zip(from).zip(&ahead) {
                *q = a + b;
            }
            *m = softmax(row);
        }
        // Only differences of β matter.
        let top = message.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if top == f64::NEG_INFINITY {
            return None;
        }
        message.iter_mut().for_each(|m| *m -= top);
    }
    let mut marginals = vec![0.0; loglik.len()];
    let first = marginals.get_mut(..k)?;
    for ((q, p), a) in first.iter_mut().zip(dynamics.initial()).zip(&ahead) {
        *q = p + a;
    }
    if softmax(first) == f64::NEG_INFINITY {
        return None;
    }
    for (t, rows) in transitions.chunks_exact(k * k).enumerate() {
        let (now, next) = marginals.split_at_mut((t + 1) * k);
        for (q, row) in now[t * k..].iter().zip(rows.chunks_exact(k)) {
            for (p, b) in next.iter_mut().zip(row) {
                *p += q * b;
            }
        }
    }
    Some(Chain {
        marginals,
        transitions,
    })
}
