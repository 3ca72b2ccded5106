//! # The program `scotopic`
//!
//! The only crate with a command line and a terminal. `main.rs` calls [`cli::main`]; everything
//! else is in the library, where it can be tested.
//!
//! | concept | module |
//! |---|---|
//! | the command line, one file per command | [`cli`], [`commands`]; shared arguments: [`args`] |
//! | state-space models in files, and filters that run over data | [`filtering`] |
//! | the papers' experiments | [`experiments`] |
//! | checkpoints of PyTorch | [`pytorch`] |
//! | figures of a model | [`pictures`] |
//! | checks of output files | `outputs` |
//! | timing | `bench` |
//! | retained memory | `allocator` |
//! | tables of results | [`table`] |
#![recursion_limit = "256"]

mod allocator;
pub mod args;
mod bench;
pub mod cli;
pub mod commands;
pub mod experiments;
pub mod filtering;
mod outputs;
pub mod pictures;
pub mod pytorch;
pub mod table;
