//! Fully factorised, online, without iteration: m_t = q_{t−1}.

use super::log_dynamics::LogDynamics;

/// The previous belief, unchanged by the new observation (eq. F19):
///
/// ```text
/// m_t = q_{t−1}        W_t = m_t·(W_{t−1} − ln m_t) + m_t·ln A + ℓ_t        q_t ∝ e^{W_t}
/// ```
///
/// the closed form of [`DecoupledLag1`](super::Factorisation::DecoupledLag1) without its ascent. Leaves
/// m_t and its message m_t·ln A; all `[K]`.
pub(super) fn fit(dynamics: &LogDynamics, belief: &[f64], m: &mut [f64], message: &mut [f64]) {
    m.copy_from_slice(belief);
    dynamics.message_forward(m, message);
}
