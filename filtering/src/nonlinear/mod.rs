//! Nonlinear state-space models with Gaussian transition noise and any likelihood.
//!
//! ```text
//! x_t = f_θ(x_{t−1}) + N(0, Q),   y_t ~ g_θ(·|x_t),   q_t = N(μ_t, Σ_t),   b_t(x_{t−1}|x_t) = N(E x_t + f, L)
//! ```
//!
//! | subject | file |
//! |---|---|
//! | the interface of a model | `model.rs` |
//! | models from closures | `closures.rs` |
//! | built-in models | `models/` |
//! | cubature points | `sigma.rs` |
//! | factors of covariances, noise | `root.rs`, `noise.rs` |
//! | the pair (x_{t−1}, x_t) and its kernel | `kernel.rs` |
//! | the bound of one step, and its gradient | `bound.rs` |
//! | representations of W | `value.rs`, `quadratic_value.rs`, `table.rs` |
//! | one update | `filter.rs` and its children |
//! | state and workspace | `state.rs`, `workspace.rs` |
//! | settings, and the baselines | `config.rs` |
//! | the score | `score.rs` |
//! | learning θ while filtering | `learning.rs` |
//! | θ at the maximum of the bound, over whole sequences | `maximum.rs`: [`maximum_likelihood`] |
//! | step rules | `ascent.rs` |
//! | independent coordinates | `independent_coordinates.rs` |
//! | exact inference in one dimension | `grid.rs` |
//! | Monte Carlo estimate of the bound | `monte_carlo_bound.rs` |
//! | samples from a model | `simulate.rs` |

#![allow(clippy::needless_range_loop)] // entries of matrices, by row and column

mod ascent;
mod bound;
mod closures;
mod comparison;
mod config;
mod filter;
mod grid;
mod independent_coordinates;
mod kernel;
mod learning;
mod maximum;
mod model;
pub mod models;
mod monte_carlo_bound;
mod noise;
mod quadratic_value;
mod root;
mod score;
mod sigma;
mod simulate;
mod state;
mod table;
mod value;
mod workspace;

pub use ascent::{Ascent, LearningConfig, Schedule};
pub use closures::Nonlinear;
pub use comparison::{compare, exact_evidence};
pub use config::{ElboKind, Linearisation, NonlinearConfig};
pub use filter::NonlinearFilter;
pub use grid::{Exact, Grid};
pub use independent_coordinates::{IndependentCoordinates, TwoPhaseUpdate};
pub use kernel::Kernel;
pub use learning::NonlinearLearning;
pub use maximum::{NonlinearFit, maximum_likelihood};
pub use model::{Simulate, StateSpace};
pub use monte_carlo_bound::{Estimate, MonteCarloBound};
pub use quadratic_value::Quadratic;
pub use score::ScoreShape;
pub use sigma::{CubatureRule, Points};
pub use simulate::simulate;
pub use table::Table;
pub use value::{Representation, Value};
