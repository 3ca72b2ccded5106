//! Fully factorised and online: the newest kernel ignores the state it leads to, b_t(i|j) = m_t(i).

use serde::{Deserialize, Serialize};

use super::fully_factorised::add;
use super::log_dynamics::LogDynamics;
use super::value::ValueFunction;
use crate::{Error, Result, softmax};

/// Settings of [`Factorisation::DecoupledLag1`](super::Factorisation::DecoupledLag1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decoupled {
    /// The most updates of (m_t, q_t) for an observation.
    pub inner: usize,
    /// Updates end when no entry of q_t moves by more than this.
    pub tolerance: f64,
    /// Where they start.
    pub start: DecoupledStart,
}

impl Default for Decoupled {
    fn default() -> Self {
        Self {
            // Sticky chains near a symmetry need some tens; most observations settle in under ten.
            inner: 50,
            // The bound is flat at its maximum: 1e-13 in q is far below rounding in L.
            tolerance: 1e-13,
            start: DecoupledStart::default(),
        }
    }
}

impl Decoupled {
    pub(super) fn check(&self) -> Result<()> {
        if self.inner == 0 {
            return Err(Error::setting("inner", self.inner, "at least one update"));
        }
        if self.tolerance.is_nan() || self.tolerance < 0.0 {
            return Err(Error::setting("tolerance", self.tolerance, "0 or more"));
        }
        Ok(())
    }
}

/// Where the updates of (m_t, q_t) start; the bound has local maxima, and they lead to different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecoupledStart {
    /// q_t uniform: independent of the previous belief, so that one bad step does not persist.
    #[default]
    Uniform,
    /// m_t = q_{t−1}, as [`Factorisation::Frozen`](super::Factorisation::Frozen) has it: for one step from
    /// the same past the bound is then never below the frozen one.
    Past,
}

/// Coordinate ascent on the newest pair of factors (eq. F18), given W_{t−1} and ℓ_t:
///
/// ```text
/// m ∝ exp( W_{t−1} + ln A·q )        q ∝ exp( m·ln A + ℓ_t )
/// W_t = m·(W_{t−1} − ln m) + m·ln A + ℓ_t
/// ```
///
/// The past enters W_t as a constant: all that was known of s_{t−1} beyond its mean field is lost.
/// Leaves m, and its message m·ln A. Where structural zeros leave the start no state of finite score, the
/// ascent starts from the most probable single step instead. `belief` is q_{t−1}; every argument but
/// the dynamics is `[K]`. Returns whether any step is possible at all.
pub(super) fn fit(
    settings: &Decoupled,
    dynamics: &LogDynamics,
    past: &ValueFunction,
    belief: &[f64],
    loglik: &[f64],
    room: Room<'_>,
) -> bool {
    let Room {
        m,
        message,
        q,
        score,
    } = room;
    let k = belief.len();
    let mut begun = match settings.start {
        DecoupledStart::Uniform => {
            q.fill(1.0 / k as f64);
            true
        }
        DecoupledStart::Past => {
            m.copy_from_slice(belief);
            present(dynamics, m, loglik, message, q)
        }
    };
    for _ in 0..settings.inner {
        begun = begun && attend(dynamics, past, q, m);
        if begun {
            begun = present(dynamics, m, loglik, message, score);
        }
        if !begun {
            // Where no score is finite there is no ascent to go on with.
            let Some(j) = best_step(dynamics, past, loglik) else {
                return false;
            };
            q.fill(0.0);
            q[j] = 1.0;
            begun = attend(dynamics, past, q, m) && present(dynamics, m, loglik, message, score);
            if !begun {
                return false;
            }
        }
        let moved = q
            .iter()
            .zip(score.iter())
            .fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
        q.copy_from_slice(score);
        if moved <= settings.tolerance {
            break;
        }
    }
    true
}

/// Where [`fit`] works; each `[K]`.
pub(super) struct Room<'a> {
    /// m_t, the result.
    pub m: &'a mut [f64],
    /// m_t·ln A, the result.
    pub message: &'a mut [f64],
    pub q: &'a mut [f64],
    pub score: &'a mut [f64],
}

/// m ∝ exp(W_{t−1} + ln A·q); false where no score is finite.
fn attend(dynamics: &LogDynamics, past: &ValueFunction, q: &[f64], m: &mut [f64]) -> bool {
    dynamics.message_backward(q, m);
    add(m, past.relative());
    softmax(m) > f64::NEG_INFINITY
}

/// q ∝ exp(m·ln A + ℓ_t) and the message m·ln A; false where no score is finite.
fn present(
    dynamics: &LogDynamics,
    m: &[f64],
    loglik: &[f64],
    message: &mut [f64],
    q: &mut [f64],
) -> bool {
    dynamics.message_forward(m, message);
    q.copy_from_slice(message);
    add(q, loglik);
    softmax(q) > f64::NEG_INFINITY
}

/// The state s_t of the best pair, argmax_{ij} W_{t−1}(i) + ln A_ij + ℓ_t(j).
fn best_step(dynamics: &LogDynamics, past: &ValueFunction, loglik: &[f64]) -> Option<usize> {
    let mut best = (f64::NEG_INFINITY, None);
    for (j, l) in loglik.iter().enumerate() {
        let column = dynamics.into_state(j).iter().zip(past.relative());
        let score = l + column.map(|(a, w)| a + w).fold(f64::NEG_INFINITY, f64::max);
        if score > best.0 {
            best = (score, Some(j));
        }
    }
    best.1
}
