//! Measures of representations on plain arrays.
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
//!
//! No tensors, devices or models. A table `[rows, columns]` of responses is checked once, as [`Rows`]; a
//! number or a small record is returned.
//!
//! | module | measure |
//! |---|---|
//! | [`sparsity`] | sparsity of the code |
//! | [`reconstruction_score`] | error and R² of reconstructions |
//! | [`gabor`] | Gabor functions fitted to filters |
//! | [`logistic`] | logistic regression on the code |
//! | [`rates`] | distribution of firing rates |
//! | [`tuning`] | orientation, frequency, contrast, plaids, F1/F0 |
//! | [`spike_triggered`] | spike-triggered averages |
//! | [`latency`] | response latency |
//! | [`neighbours`] | nearest-neighbour classification of the code |
//! | [`rate_distortion`] | sparsity against reconstruction: distance, Pareto front |
//! | [`curves`] | convergence of curves |
//! | [`lateral`] | lateral weights against similarity of filters |
//!
//! # Guarantees
//! * Results have the same bits for any number of threads: sums are taken over blocks that depend on
//!   sizes alone, in a fixed order.
//! * A NaN or an infinity is refused with an [`Error`] that names its position.
//! * What the data leave undefined (the tuning of a silent unit) is `None`, never a NaN.
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod curves;
pub mod gabor;
pub mod latency;
pub mod lateral;
pub mod logistic;
pub mod neighbours;
pub mod rate_distortion;
pub mod rates;
pub mod reconstruction_score;
pub mod sparsity;
pub mod spike_triggered;
pub mod tuning;

mod error;
mod numerics;
#[cfg(test)]
mod rng;
mod rows;

pub use error::{Error, Result};
pub use rows::Rows;

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
