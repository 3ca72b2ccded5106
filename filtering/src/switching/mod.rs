//! Switching linear dynamical systems: a Markov chain of regimes chooses the dynamics of a hidden vector, and how it is seen.
//!
//! ```text
//! p(s_1 = k) = π_k,   p(s_t = k|s_{t−1} = i) = A_ik,   x_1 ~ N(m0, P0)
//! x_t = F_k x_{t−1} + b_k + N(0, Q_k),   y_t = H_k x_t + d_k + N(0, R_k),   k = s_t                (F110)
//! ```
//!
//! Shapes, throughout this module: π `[K]`; A `[K, K]`; what a regime has is that of [`gaussian`](crate::gaussian), x `[n]`, y `[m]`. The
//! exact posterior is a mixture of Kᵀ Gaussians. Here the smoother has q(s_1…s_T) q(x_1…x_T), whose bound is on the free-energy scale
//! of all models of this crate, and the filter K Gaussians, one a regime.
//!
//! | subject | file |
//! |---|---|
//! | the model | `model.rs`: [`Slds`]; in files: `file.rs` |
//! | regimes as the inner loops read them | `densities.rs` |
//! | q(s) given expected log-densities; its most probable path | `chain.rs` |
//! | q(x) given q(s) (eqs. F111, F112) | `pseudo_model.rs` |
//! | the smoother: both in turn (eq. F113) | `smoother.rs`: [`SldsSmoothed`]; paths: `paths.rs` |
//! | the filter (eqs. F114, F115) | `filter.rs`: [`SldsFilter`]; its components: `components.rs` |
//! | variational EM (eqs. F116, F117) | `fit.rs`: [`SldsFit`], [`SldsFitted`]; `maximum.rs`, `start.rs` |
//! | what beliefs say of observations; samples | `prediction.rs`, `sample.rs`: [`SldsSample`] |
//!
//! # References
//! - Z. Ghahramani, G. E. Hinton, "Variational learning for switching state-space models", *Neural Computation* 12, 2000: the structured
//!   posterior.
//! - C.-J. Kim, "Dynamic linear models with Markov-switching", *Journal of Econometrics* 60, 1994; Y. Bar-Shalom, X. R. Li, *Estimation and
//!   tracking*, 1993: the filter, which is their generalised pseudo-Bayesian filter of order 2.
//! - K. P. Murphy, "Switching Kalman filters", 1998.

#![allow(clippy::needless_range_loop)] // entries of matrices, by row and column

mod chain;
mod components;
mod densities;
mod file;
mod filter;
mod fit;
mod maximum;
mod model;
mod paths;
mod prediction;
mod pseudo_model;
mod sample;
mod smoother;
mod start;

pub use filter::SldsFilter;
pub use fit::{SldsFit, SldsFitted};
pub use model::Slds;
pub use sample::SldsSample;
pub use smoother::SldsSmoothed;
