//! States that are vectors, with Gaussian noise and any transition and likelihood.
//!
//! ```text
//! x_t = f_θ(x_{t−1}) + N(0, Q),   y_t ~ g_θ(·|x_t),   q_t = N(μ_t, Σ_t),   b_t(x_{t−1}|x_t) = N(E x_t + f, L)
//! ```
//!
//! | question | file |
//! |---|---|
//! | what a model has to say | `model.rs` |
//! | models from closures | `closures.rs` |
//! | models ready to use | `models/` |
//! | which points stand for a Gaussian | `sigma.rs` |
//! | the pair (x_{t−1}, x_t) and its kernel | `kernel.rs` |
//! | the bound of one step, and its slopes | `bound.rs` |
//! | how W is carried | `value.rs`, `quadratic.rs`, `table.rs` |
//! | one update | `filter.rs` |
//! | W_t after it | `fit.rs` |
//! | what a filter can be asked | `belief.rs` |
//! | a filter written down | `snapshot.rs` |
//! | what can be chosen, and the baselines | `settings.rs` |
//! | the score, carried | `score.rs` |
//! | learning θ while filtering | `learning.rs` |
//! | how a slope becomes a step | `ascent.rs` |
//! | coordinates that do not touch | `product.rs` |
//! | exact answers in one dimension | `grid.rs` |
//! | the true bound of what was built | `audit.rs` |
//! | sequences made up by a model | `simulate.rs` |
//! | small matrices | `matrix.rs` |

#![allow(clippy::needless_range_loop)] // entries of matrices, by row and column

mod ascent;
mod audit;
mod belief;
mod bound;
mod closures;
mod filter;
mod fit;
mod grid;
mod kernel;
mod learning;
mod model;
pub mod models;
mod product;
mod quadratic;
mod score;
mod settings;
mod sigma;
mod simulate;
mod snapshot;
mod table;
mod value;

pub use ascent::{Ascent, Learn, Schedule};
pub use audit::{Audit, Estimate};
pub use closures::Nonlinear;
pub use filter::Filter;
pub use grid::{Exact, Grid, Moments};
pub use kernel::Kernel;
pub use learning::Learning;
pub use model::{Simulate, StateSpace};
pub use product::{Online, Product};
pub use quadratic::Quadratic;
pub use score::ScoreShape;
pub use settings::{Linearisation, Scheme, Settings};
pub use sigma::{Points, Rule};
pub use simulate::simulate;
pub use table::Table;
pub use value::{Representation, Value};
