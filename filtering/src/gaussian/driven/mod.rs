//! Linear-Gaussian models whose system changes from row to row: with inputs that move the state, add to the observation or are
//! entries of H, or with times between rows.
//!
//! | subject | file |
//! |---|---|
//! | B, D, entries of H that are inputs | `model.rs`: [`DrivenGaussian`] |
//! | F, b, Q over the time between rows | `elapsed.rs` |
//! | its file | `file.rs` |
//! | rows: outputs, inputs, the system that holds | `rows.rs` |
//! | the filter, and forecasts given inputs | `filter.rs`: [`DrivenFilter`] |
//! | smoothing, samples | `smooth.rs`, `sample.rs` |
//! | ∇ ln p, and maximum likelihood | `gradient.rs`, `problem.rs`, `fit.rs`: [`DrivenFitted`] |
//! | entries that a fit holds | `held.rs`, `numbers.rs`; its free coordinates: `reduction.rs`; how many numbers it chooses: `count.rs` |
//! | what a fit counts inputs and times in | `centre.rs`, `intervals.rs` |
//! | what a diffuse start does not let it learn | `basis.rs` |
//! | starts from data | `guess.rs` |

mod basis;
mod centre;
mod count;
mod elapsed;
mod file;
mod filter;
mod fit;
mod gradient;
mod guess;
mod held;
mod intervals;
mod model;
mod numbers;
mod problem;
mod reduction;
mod rows;
mod sample;
mod smooth;

pub(super) use elapsed::stationary_of_rates;
pub use filter::DrivenFilter;
pub use fit::DrivenFitted;
pub use gradient::DrivenGradient;
pub use model::DrivenGaussian;
