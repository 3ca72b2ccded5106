//! Online triple estimation: states, parameters and precisions from one pass over the data.
//!
//! Fast: states, causes and noises by the [causal filter](super::causal). Slow: free parameters θ, which
//! are states that do not move (θ' = 0), so that their covariance with the states is carried exactly; and
//! log-precisions h, which climb the likelihood of the innovations,
//!
//! ```text
//! ℓ_t(h) = ln p(y_t | y_1 … y_{t−1}; h),     s_t = ∂ℓ_t/∂h
//! J_t = λ J_{t−1} + s_t s_t',   J_0 = prior precision of h
//! h_t = h_{t−1} + J_t⁻¹ s_t
//! ```
//!
//! a recursive maximum likelihood step (Robbins and Monro's with gain J⁻¹ ≈ 1/t, the inverse of the observed
//! information, which is also the carried covariance of h). The score s needs the sensitivity of the whole
//! filter to h. It is carried by one more filter for each h, which runs on the same data at h + δ: their
//! difference is the sensitivity recursion, without a second set of equations. δ is small against every
//! posterior width, and large against rounding.
//!
//! | question | file |
//! |---|---|
//! | what can be set | `settings.rs` |
//! | the recursion | `online.rs` |
//! | several passes over a recording | `offline.rs` |
mod offline;
mod online;
mod settings;

pub use offline::{Pass, triple_estimation};
pub use online::Odem;
pub use settings::OdemSettings;
