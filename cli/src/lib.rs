//! # The program `scotopic`
//!
//! The only crate that knows the command line and the terminal. `main.rs` parses and dispatches; everything else is
//! here, so that it can be tested.
//!
//! | idea | room |
//! |---|---|
//! | the command line, a file per command | [`cli`], [`commands`]; what several of them share: [`args`] |
//! | state-space models in files, and filters that run over data | [`filtering`] |
//! | the papers' experiments | [`experiments`] |
//! | checkpoints of PyTorch | [`pytorch`] |
//! | pictures of a model | [`pictures`] |
//! | the program against the clock | `bench` |
//! | memory that is freed and wanted again | `allocator` |
//! | tables of results | [`table`] |
#![recursion_limit = "256"]

mod allocator;
pub mod args;
mod bench;
pub mod cli;
pub mod commands;
pub mod experiments;
pub mod filtering;
pub mod pictures;
pub mod pytorch;
pub mod table;
