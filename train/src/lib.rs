//! # Training of iterative variational autoencoders
//!
//! Takes a configuration and data, gives checkpoints and numbers; knows neither the command line nor the terminal.
//!
//! | idea | room |
//! |---|---|
//! | the training loop | [`trainer`] |
//! | the batches of training | `batches` |
//! | what is learned from a part of a batch; devices that share one | `microbatch`, `data_parallel` |
//! | what survives an iteration, and its file | [`state`], [`checkpoint`] |
//! | parameters by name; gradients that can be summed and moved | [`parameters`], [`gradients`] |
//! | Adamax | [`adamax`] |
//! | how good a model is | [`evaluate`], a step at a time: [`step_sums`] |
//! | what a model is like, a file per question | [`analysis`] |
//! | what a run is told | [`config`] |
//! | where a run is written | [`run_dir`], its lines: [`records`] |
//! | which device | [`device`] |
#![recursion_limit = "256"]

pub mod adamax;
pub mod analysis;
mod batches;
pub mod checkpoint;
pub mod config;
mod data_parallel;
pub mod device;
pub mod evaluate;
pub mod gradients;
mod microbatch;
pub mod parameters;
pub mod records;
pub mod replace;
pub mod run_dir;
pub mod state;
pub mod step_sums;
pub mod trainer;
