//! # The program `scotopic`
//!
//! ```sh
//! scotopic train                     # a spiking network on generated images, in a minute
//! scotopic show runs/dead-leaves     # its dictionary, reconstructions, spikes
//! scotopic fit counts.csv --kind poisson --n-states 1..4 --out model.toml
//! scotopic filter --model model.toml counts.csv
//! ```
//!
//! The only crate with a command line and a terminal. `main.rs` calls [`cli::main`]; everything
//! else is in the library, where it can be tested.
//!
//! | concept | module |
//! |---|---|
//! | the command line, one file per command | [`cli`], [`commands`]; shared arguments: `args`, `data_folder`; errors: [`usage`] |
//! | state-space models in files, and filters that run over data | `filtering` |
//! | the live window | `live` |
//! | the papers' experiments | `experiments` |
//! | checkpoints of PyTorch | `pytorch` |
//! | figures of a model, their format | `pictures`, `figure_format` |
//! | checks of output files | `outputs` |
//! | timing | `bench` |
//! | retained memory | `allocator` |
//! | signals that end the program | `signals` |
//! | progress | `progress`, `progress_bar`, `training_progress` |
//! | events for TensorBoard | `training_board` |
//! | tables of results | [`table`] |
#![recursion_limit = "256"]

/// A line on standard error. Unlike `eprintln!` it does not panic where that is closed or full.
macro_rules! tell {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($what)*);
    }};
}

#[cfg(feature = "vision")]
mod allocator;
#[cfg(feature = "vision")]
pub mod args;
#[cfg(feature = "vision")]
mod bench;
pub mod cli;
pub mod commands;
#[cfg(any(feature = "filters", feature = "vision"))]
pub mod data_folder;
#[cfg(any(feature = "filters", feature = "vision"))]
pub mod experiments;
#[cfg(feature = "vision")]
pub mod figure_format;
#[cfg(feature = "filters")]
pub mod filtering;
#[cfg(feature = "filters")]
mod live;
#[cfg(any(feature = "filters", feature = "vision"))]
mod machine;
#[cfg(any(feature = "filters", feature = "vision"))]
mod outputs;
#[cfg(feature = "vision")]
pub mod pictures;
pub mod progress;
mod progress_bar;
#[cfg(feature = "vision")]
pub mod pytorch;
#[cfg(any(feature = "filters", feature = "vision"))]
mod signals;
pub mod table;
#[cfg(feature = "vision")]
mod training_board;
#[cfg(feature = "vision")]
mod training_progress;
pub mod usage;
