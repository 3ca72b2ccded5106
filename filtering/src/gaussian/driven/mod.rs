//! Linear-Gaussian models with inputs: what moves the state, adds to the observation, or is an entry of H.
//!
//! | subject | file |
//! |---|---|
//! | B, D, entries of H that are inputs | `model.rs`: [`DrivenGaussian`] |
//! | its file | `file.rs` |
//! | rows: outputs, inputs, the system that holds | `rows.rs` |
//! | the filter, and forecasts given inputs | `filter.rs`: [`DrivenFilter`] |
//! | smoothing, samples | `smooth.rs`, `sample.rs` |
//! | ∇ ln p, and maximum likelihood | `gradient.rs`, `fit.rs`: [`DrivenFitted`] |
//! | starts from data | `guess.rs` |

mod file;
mod filter;
mod fit;
mod gradient;
mod guess;
mod model;
mod rows;
mod sample;
mod smooth;

pub use filter::DrivenFilter;
pub use fit::DrivenFitted;
pub use model::DrivenGaussian;
