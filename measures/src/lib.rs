//! What is measured of a model, from plain arrays.
//!
//! This crate knows nothing of tensors, devices or models. A table `[rows, columns]` of what a model
//! did goes in as [`Rows`], which checks it once; a number or a small record comes out.
//!
//! | module | the question |
//! |---|---|
//! | [`sparsity`] | how few units carry the code? |
//! | [`fit`] | how well is the input reconstructed? |
//! | [`gabor`] | does a filter look like a simple cell? |
//! | [`logistic`] | what can a linear read-out tell from the code? |
//! | [`rates`] | how are firing rates distributed? |
//! | [`tuning`] | orientation, frequency, contrast, plaids, F1/F0 |
//! | [`spike_triggered`] | what was a unit shown before it fired? |
//! | [`latency`] | how soon does a unit respond? |
//! | [`neighbours`] | what do the nearest neighbours in the code tell? |
//! | [`rate_distortion`] | sparse and faithful at once: distance, Pareto front |
//! | [`curves`] | how soon does a curve settle? |
//! | [`lateral`] | who inhibits whom? |
//!
//! # Promises
//! * The same numbers go in, the same bits come out, whatever the number of threads: sums are taken
//!   over pieces that depend on the sizes alone, in their order.
//! * A NaN or an infinity is refused with an [`Error`] that says where it is.
//! * What the data leave undefined (the tuning of a silent unit) is `None`, never a NaN.
//!
//! ```
//! use scotopic_measures::{Rows, sparsity::Sparsity};
//! # fn main() -> scotopic_measures::Result<()> {
//! let counts = [0.0, 2.0, 0.0, 0.0, 1.0, 0.0]; // [samples, units] = [2, 3]
//! let sparsity = Sparsity::of(Rows::new("counts", &counts, [2, 3])?)?;
//! assert!((sparsity.zeros - 4.0 / 6.0).abs() < 1e-12);
//! assert!((sparsity.population_mean() - 1.0).abs() < 1e-12); // one unit fires for each sample
//! # Ok(()) }
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod curves;
pub mod fit;
pub mod gabor;
pub mod latency;
pub mod lateral;
pub mod logistic;
pub mod neighbours;
pub mod rate_distortion;
pub mod rates;
pub mod sparsity;
pub mod spike_triggered;
pub mod tuning;

#[cfg(test)]
mod draws;
mod error;
mod numerics;
mod rows;

pub use error::{Error, Result};
pub use rows::Rows;
