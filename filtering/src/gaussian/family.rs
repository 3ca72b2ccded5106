//! Which q.

use serde::{Deserialize, Serialize};

/// What q is allowed to be, given a linear-Gaussian model. Gaussians all, with every optimum in closed form.
///
/// | name | q | bound |
/// |---|---|---|
/// | `Reversed` | q_τ(x_τ) ∏ b_t(x_{t−1}\|x_t), full matrices | exact |
/// | `Diagonal` | the same, diagonal over the entries of x | exact for diagonal models |
/// | `Decoupled` | b_t does not look at x_t | loose, online |
/// | `FrozenMeanField` | b_t = q_{t−1}, never looked at again | loosest, online |
/// | `TemporalMeanField` | ∏ q_t(x_t) | loose, whole sequences only |
/// | `Jelbo` | W_{t−1} replaced by ln q_{t−1} + const | exact here; in general not a bound |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GaussianFactorisation {
    /// Backward kernels with full E and L, and full Σ: the Kalman filter and smoother.
    #[default]
    Reversed,
    /// ∏_t N(x_t): the mean field over time that is best for the whole sequence.
    TemporalMeanField,
    /// Backward kernels and beliefs with diagonal E, L, Σ, each step's best given the past.
    Diagonal,
    /// Kernels N(f, L) that do not look at x_t, each step's best given the past.
    Decoupled,
    /// b_t = q_{t−1}: `E[ln p(x_t|x_{t−1}) + ln p(y_t|x_t)] + H[q_t]` with q_{t−1} frozen.
    FrozenMeanField,
    /// One-step bounds, with ln q_{t−1} for the value of the past. As e^{W_{t−1}} is proportional to q_{t−1}
    /// here, nothing is lost: the filter and the bound of `Reversed`.
    Jelbo,
}
