//! # The program `scotopic`
//!
//! The only crate that knows files, terminals, devices and the command line. `main.rs` parses and
//! dispatches; everything else is here, so that it can be tested.
//!
//! | idea | room |
//! |---|---|
//! | the training loop | [`fit`] |
//! | what is learned from a part of a batch; devices that share one | `part`, `crew` |
//! | what survives an iteration, and its file | [`state`], [`checkpoint`] |
//! | gradients that can be summed and moved | [`gradients`] |
//! | Adamax | [`adamax`] |
//! | how good a model is | [`measure`] |
//! | what a model is like, a file per question | [`analysis`] |
//! | the papers' experiments | [`experiments`] |
//! | what a run is told | [`config`] |
//! | where a run is written | [`run_dir`] |
//! | checkpoints of PyTorch | [`pytorch`] |
//! | which device | [`device`] |
//! | the command line, a file per command | [`cli`], [`commands`] |
//! | the program against the clock | `bench` |
//! | memory that is freed and wanted again | `pages` |
//! | pictures | [`figures`] |
//! | what numbers are called | [`terms`] |
#![recursion_limit = "256"]

pub mod adamax;
pub mod analysis;
mod bench;
pub mod checkpoint;
pub mod cli;
pub mod commands;
pub mod config;
mod crew;
pub mod device;
pub mod experiments;
pub mod figures;
pub mod filtering;
pub mod fit;
pub mod gradients;
pub mod measure;
mod pages;
pub mod parameters;
mod part;
pub mod pytorch;
pub mod records;
mod replace;
pub mod run_dir;
pub mod state;
pub mod terms;
