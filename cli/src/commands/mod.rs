//! One file per command of the program.

pub mod analyse;
pub mod bench;
pub mod compare;
pub mod compare_args;
pub mod compare_orders;
pub mod completions;
pub mod config;
pub mod data;
pub mod devices;
pub mod evaluate;
pub mod experiment;
pub mod export;
pub mod filter;
pub mod filter_picture;
pub mod fit;
pub mod import;
pub mod infer;
pub mod show;
pub mod train;

mod card;
mod dry_run;
mod model;
mod print;
mod progress;
