//! # Training of iterative variational autoencoders
//!
//! From a configuration and data to checkpoints and metrics; without command line or terminal.
//!
//! | concept | module |
//! |---|---|
//! | the training loop | [`trainer`] |
//! | batches | `batches` |
//! | gradient accumulation; data-parallel devices | `microbatch`, `data_parallel` |
//! | training state, and its file | [`state`], [`checkpoint`] |
//! | parameters by name; gradients that can be summed and moved | [`parameters`], [`gradients`] |
//! | Adamax | [`adamax`] |
//! | evaluation | [`evaluate`], by inference step: [`step_sums`] |
//! | analyses, one file each | [`analysis`] |
//! | configuration of a run | [`config`] |
//! | run folder | [`run_dir`], its records: [`records`]; continuing a run: [`resume`] |
//! | device selection | [`device`] |
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
pub mod resume;
pub mod run_dir;
mod run_lock;
pub mod state;
pub mod step_sums;
pub mod trainer;
