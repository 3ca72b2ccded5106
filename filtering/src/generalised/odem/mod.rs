//! Online triple estimation: states, parameters and precisions from one pass over the data.
//!
//! Fast: states, causes and noises by the [causal filter](super::causal). Slow: free parameters θ and
//! log-precisions h, ψ = (θ, h), which climb the likelihood of the innovations,
//!
//! ```text
//! ℓ_t(ψ) = ln p(y_t | y_1 … y_{t−1}; ψ),     s_t = ∂ℓ_t/∂ψ
//! J_t = λ J_{t−1} + Σ_k (∂e_k ∂e_k'/S_k + ½ ∂ln S_k ∂ln S_k'),   J_0 = prior precision of ψ
//! ψ_t = ψ_{t−1} + J_t⁻¹ s_t
//! ```
//!
//! a recursive maximum likelihood step (Robbins and Monro's with gain J⁻¹ ≈ 1/t). e_k and S_k are the
//! innovations and their variances, so that J is the expected information and J⁻¹ the carried covariance of ψ.
//! (The squared scores s s' have the same mean, but one outlier would freeze them.)
//!
//! The score s needs the sensitivity of the whole filter to ψ. It is carried by one more filter for each
//! entry of ψ, which runs on the same data at ψ + δ: their difference is the sensitivity recursion, without
//! a second set of equations. δ is small against every posterior width, and large against rounding.
//! Parameters can instead be states that do not move ([`ParameterRule::State`]).
//!
//! | subject | file |
//! |---|---|
//! | settings | `config.rs` |
//! | the recursion | `online.rs` |
//! | several passes over a recording | `offline.rs` |
//!
//! # References
//! - L. Ljung, "Asymptotic behavior of the extended Kalman filter as a parameter estimator for linear
//!   systems", IEEE Transactions on Automatic Control 24, 1979.
//! - L. Ljung, T. Söderström, *Theory and Practice of Recursive Identification*, MIT Press, 1983.
mod config;
mod offline;
mod online;

pub use config::{OdemConfig, ParameterRule};
pub use offline::{OdemFit, triple_estimation};
pub use online::Odem;
