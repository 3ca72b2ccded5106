//! Online variational filtering with networks (Campbell et al. 2021): one network for the value, another for the score.
//!
//! ```text
//! q_t = N(μ_t, diag σ_t²),   b_t(x_{t−1}|x_t) = N(m_t(x_t), diag L_t),   T̂_t(x) ≈ ∇ₓV_t(x),   Ŝ_t(x) ≈ S_t(x)
//! V_t(x) = E_{b_t}[V_{t−1}(x') + r_t(x', x)],   r_t = ln [p(x|x') g(y_t|x) q_{t−1}(x') / (b_t(x'|x) q_t(x))]
//! ```
//!
//! An alternative to the deterministic filter of [`scotopic::filtering::nonlinear`], which is faster and has no noise
//! of its own wherever a quadratic or a table can carry W. This one asks of a model only tensor functions: gradients,
//! θ's among them, are autodiff's, and neither V nor S needs a shape.
//!
//! | subject | file |
//! |---|---|
//! | the interface of a model | `model.rs`: [`TensorStateSpace`] |
//! | its parameters, one row for all or one for each sample | `theta.rs`: [`Theta`] |
//! | built-in models | `models/`: [`Linear`], [`Ar1Poisson`], [`NeuralTransition`] |
//! | q_t and b_t, sampled and scored | `pair.rs` |
//! | T̂ and Ŝ | `network.rs` |
//! | means and polynomials of samples | `regression.rs` |
//! | settings | `settings.rs`: [`AmortisedSettings`] |
//! | one update | `filter.rs`: [`AmortisedFilter`] |
//! | the state after it | `state.rs`: [`AmortisedState`] |
//! | snapshots | `snapshot.rs`: [`AmortisedSnapshot`] |
//! | ascent of θ | `ascent_state.rs` |
//! | step rules | `ascent.rs` |
//! | f and g of continuous time as modules, learned from a filter's beliefs | [`generalised`] |
//!
//! # References
//! - A. Campbell, Y. Shi, T. Rainforth, A. Doucet, "Online variational filtering and parameter learning",
//!   arXiv 2110.13549.
//! - G. Roeder, Y. Wu, D. Duvenaud, "Sticking the landing", arXiv 1703.09194.

mod ascent;
mod ascent_state;
mod filter;
pub mod generalised;
mod model;
mod models;
mod network;
mod pair;
mod regression;
mod settings;
mod snapshot;
mod state;
mod theta;

pub use filter::AmortisedFilter;
pub use model::{DiagonalNormal, TensorStateSpace};
pub use models::{Ar1Poisson, Linear, NeuralTransition};
pub use pair::BackwardKernel;
pub use settings::AmortisedSettings;
pub use snapshot::AmortisedSnapshot;
pub use state::AmortisedState;
pub use theta::{Theta, apply};
