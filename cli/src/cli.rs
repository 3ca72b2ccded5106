//! The command line: what can be typed, and the exit code.
//!
//! Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 it failed, 2 the request
//! makes no sense, 130 interrupted (after saving).

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::usage::{UsageError, in_one_piece};

/// Perception as inference: spiking networks that explain what they see.
///
/// Train an iterative Poisson VAE, look at what it has learned, and use it. Without options,
/// `scotopic train` learns from pictures it draws itself and needs neither files nor a network.
#[derive(Debug, Parser)]
#[command(
    name = "scotopic",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[cfg_attr(
    not(feature = "vision"),
    command(
        about = "Filtering of time series: beliefs, evidence and learning, one observation at a time",
        long_about = "Filtering of time series: beliefs, evidence and learning, one observation at a time.\n\n\
                      This build has the commands for time series only. `cargo build --release -p scotopic-cli` \
                      makes all of them."
    )
)]
#[cfg_attr(
    feature = "vision",
    command(
        after_long_help = "Who has time series only can build `filter`, `fit` and `compare` alone, within a minute:\n  \
                           cargo build --release -p scotopic-cli --no-default-features --features filters"
    )
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Models of images.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    Vision(VisionCommand),
    /// Time series.
    #[cfg(feature = "filters")]
    #[command(flatten)]
    Series(SeriesCommand),
    /// Data sets, devices, configurations, files of models.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    Tool(ToolCommand),
    /// Print completions for a shell
    Completions(commands::completions::CompletionsArgs),
}

/// Commands for models of images.
#[cfg(feature = "vision")]
#[derive(Debug, Subcommand)]
pub enum VisionCommand {
    /// Train a model, or continue a run
    Train(commands::train::TrainArgs),
    /// Measure a model on a split of its data: R², error, zeros, free energy
    Evaluate(commands::evaluate::EvaluateArgs),
    /// Ask what a model is like: convergence, read-outs, filters, tuning, receptive fields, weights
    Analyse(commands::analyse::AnalyseArgs),
    /// Let a model see images, films, gratings; write spikes, rates, reconstructions, free energy
    Infer(commands::infer::InferArgs),
    /// Draw a model: its dictionary, reconstructions, convergence, spikes, inference as it unfolds
    Show(commands::show::ShowArgs),
    /// Run an experiment of the papers: train what it needs, measure, write a page
    Experiment(commands::experiment::ExperimentArgs),
}

#[cfg(feature = "vision")]
impl VisionCommand {
    fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Train(args) => commands::train::run(args),
            Self::Evaluate(args) => commands::evaluate::run(args),
            Self::Analyse(args) => commands::analyse::run(args),
            Self::Infer(args) => commands::infer::run(args),
            Self::Show(args) => commands::show::run(args),
            Self::Experiment(args) => commands::experiment::run(args),
        }
    }
}

/// Commands for time series.
#[cfg(feature = "filters")]
#[derive(Debug, Subcommand)]
pub enum SeriesCommand {
    /// Filter observations as they come: beliefs, evidence, learning on the way
    Filter(commands::filter::FilterArgs),
    /// Fit a state-space model to sequences of observations
    Fit(commands::fit::FitArgs),
    /// Compare factorisations of a state-space model on one free-energy scale
    Compare(commands::compare_args::CompareArgs),
}

#[cfg(feature = "filters")]
impl SeriesCommand {
    fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Filter(args) => commands::filter::run(args),
            Self::Fit(args) => commands::fit::run(args),
            Self::Compare(args) => commands::compare::run(args),
        }
    }
}

/// Commands for data sets, devices, configurations and files of models.
#[cfg(feature = "vision")]
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// Data sets: list them, fetch, verify, prepare
    Data(commands::data::DataArgs),
    /// List the devices of this machine, and why the others are not there
    Devices(commands::devices::DevicesArgs),
    /// Time training, inference and the engine on this machine
    Bench(commands::bench::BenchArgs),
    /// Show, check and explain configurations
    Config(commands::config::ConfigArgs),
    /// Write a model for other programs: safetensors with a model card, or npz
    Export(commands::export::ExportArgs),
    /// Make a model from a PyTorch checkpoint of the published iterative VAEs
    Import(commands::import::ImportArgs),
}

#[cfg(feature = "vision")]
impl ToolCommand {
    fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Data(args) => commands::data::run(args),
            Self::Devices(args) => commands::devices::run(args),
            Self::Bench(args) => commands::bench::run(args),
            Self::Config(args) => commands::config::run(args),
            Self::Export(args) => commands::export::run(args),
            Self::Import(args) => commands::import::run(args),
        }
    }
}

/// Parses the command line, does what it says, reports an error in one piece.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(feature = "vision")]
    crate::allocator::retain_freed_memory();
    let result = match cli.command {
        #[cfg(feature = "vision")]
        Command::Vision(command) => command.run(),
        #[cfg(feature = "filters")]
        Command::Series(command) => command.run(),
        #[cfg(feature = "vision")]
        Command::Tool(command) => command.run(),
        Command::Completions(args) => commands::completions::run(&args, Cli::command()),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scotopic: {}", in_one_piece(&error));
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

/// A reader that goes away (`scotopic … | head`) is no error of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
