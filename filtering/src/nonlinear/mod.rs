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
//! | what can be chosen, and the baselines | `settings.rs` |
//! | the score, carried | `score.rs` |
//! | learning θ while filtering | `learning.rs` |
//! | coordinates that do not touch | `product.rs` |
//! | exact answers in one dimension | `grid.rs` |
//! | the true bound of what was built | `audit.rs` |
//! | small matrices | `matrix.rs` |

mod bound;
mod filter;
mod kernel;
mod matrix;
mod model;
pub mod models;
mod quadratic;
mod score;
mod settings;
mod sigma;
mod table;
mod value;

pub use filter::Filter;
pub use kernel::Kernel;
pub use model::{Simulate, StateSpace};
pub use quadratic::Quadratic;
pub use score::ScoreShape;
pub use settings::{Linearisation, Scheme, Settings};
pub use sigma::{Points, Rule};
pub use table::Table;
pub use value::{Representation, Value};
