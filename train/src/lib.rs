//! # Training of iterative variational autoencoders
//!
//! From a configuration and data to checkpoints and metrics; without command line or terminal.
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use scotopic_train::config;
//! use scotopic_train::device::{self, DeviceChoice};
//! use scotopic_train::records::{LogRow, ValidationRow};
//! use scotopic_train::run_dir::{RunDir, info};
//! use scotopic_train::state::TrainState;
//! use scotopic_train::trainer::{Callback, Outcome, Trainer};
//!
//! /// Prints every validation.
//! struct Print;
//!
//! impl Callback for Print {
//!     fn iteration(&mut self, _done: usize, _total: usize) {}
//!     fn logged(&mut self, _row: &LogRow) {}
//!     fn validated(&mut self, row: &ValidationRow) {
//!         println!("{}: F = {:.1} nats per image", row.iteration, row.measures.objective);
//!     }
//! }
//!
//! # fn main() -> anyhow::Result<()> {
//! // A preset, made smaller: 20 iterations on 160 generated patches.
//! let sets = ["train.iterations=20", "train.batch_size=40", "data.train=160", "data.validation=40", "model.latents=16"];
//! let config = config::resolve("smoke", None, &sets.map(String::from))?;
//! let splits = config.data.load(Path::new("."), &mut |_| ())?;
//! let opened = device::open(DeviceChoice::Flex)?;
//! let device = opened.device.clone().autodiff();
//!
//! let folder = std::env::temp_dir().join(format!("scotopic-train-docs-{}", std::process::id()));
//! let dir = RunDir::create(&folder, &config, &info(&config, &splits, &opened))?;
//! let mut state = TrainState::new(&config, &splits, &device)?;
//! let stop = AtomicBool::new(false); // set it from elsewhere to stop and save
//! let trainer = Trainer { config: &config, splits: &splits, device: &device, others: &[], dir: &dir, stop: &stop };
//! assert_eq!(trainer.run(&mut state, &mut Print)?, Outcome::Finished);
//! assert!(dir.best().exists()); // the weights with the lowest validation free energy
//! std::fs::remove_dir_all(&folder)?;
//! # Ok(()) }
//! ```
//!
//! | concept | module |
//! |---|---|
//! | the training loop | [`trainer`] |
//! | batches | `batches` |
//! | gradient accumulation; data-parallel devices | `microbatch`, `data_parallel` |
//! | training state, and its file | [`state`], [`checkpoint`] |
//! | parameters by name; gradients that can be summed and moved | [`parameters`], [`gradients`] |
//! | Adamax | [`adamax`] |
//! | evaluation | [`evaluate`], of films: [`film_metrics`], [`films`], by inference step: [`step_sums`] |
//! | analyses, one file each | [`analysis`] |
//! | configuration of a run | [`config`] |
//! | run folder | [`run_dir`], its records: [`records`]; continuing a run: [`resume`] |
//! | device selection | [`device`] |
//! | event files for TensorBoard | [`tensorboard`] |
#![recursion_limit = "256"]

pub mod adamax;
pub mod analysis;
mod batches;
pub mod checkpoint;
pub mod config;
mod data_parallel;
pub mod device;
pub mod evaluate;
pub mod film_metrics;
pub mod films;
pub mod gradients;
mod microbatch;
pub mod parameters;
pub mod records;
pub mod resume;
pub mod run_dir;
mod run_lock;
pub mod state;
pub mod step_sums;
pub mod tensorboard;
pub mod trainer;

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
