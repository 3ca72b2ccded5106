//! # The program `scotopic`
//!
//! The only crate with a command line and a terminal. `main.rs` calls [`cli::main`]; everything
//! else is in the library, where it can be tested.
//!
//! | concept | module |
//! |---|---|
//! | the command line, one file per command | [`cli`], [`commands`]; shared arguments: `args`; errors: [`usage`] |
//! | state-space models in files, and filters that run over data | `filtering` |
//! | the papers' experiments | `experiments` |
//! | checkpoints of PyTorch | `pytorch` |
//! | figures of a model | `pictures` |
//! | checks of output files | `outputs` |
//! | timing | `bench` |
//! | retained memory | `allocator` |
//! | progress on the terminal | `progress_bar` |
//! | tables of results | [`table`] |
#![recursion_limit = "256"]

#[cfg(feature = "vision")]
mod allocator;
#[cfg(feature = "vision")]
pub mod args;
#[cfg(feature = "vision")]
mod bench;
pub mod cli;
pub mod commands;
#[cfg(feature = "vision")]
pub mod experiments;
#[cfg(feature = "filters")]
pub mod filtering;
#[cfg(feature = "filters")]
mod outputs;
#[cfg(feature = "vision")]
pub mod pictures;
mod progress_bar;
#[cfg(feature = "vision")]
pub mod pytorch;
pub mod table;
pub mod usage;
