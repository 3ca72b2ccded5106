//! The command line: what can be typed, and the exit code.
//!
//! Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 it failed, 2 the request
//! makes no sense, 130 interrupted (after saving).

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::args::{UsageError, in_one_piece};
use crate::{allocator, commands};

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
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
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
    /// Filter observations as they come: beliefs, evidence, learning on the way
    Filter(commands::filter::FilterArgs),
    /// Fit a state-space model to sequences of observations
    Fit(commands::fit::FitArgs),
    /// Compare factorisations of a state-space model on one free-energy scale
    Compare(commands::compare_args::CompareArgs),
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
    /// Print completions for a shell
    Completions(commands::completions::CompletionsArgs),
}

/// Parses the command line, does what it says, reports an error in one piece.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    quiet_mesa();
    allocator::retain_freed_memory();
    let result = match cli.command {
        Command::Train(args) => commands::train::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Analyse(args) => commands::analyse::run(&args),
        Command::Infer(args) => commands::infer::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Experiment(args) => commands::experiment::run(&args),
        Command::Filter(args) => commands::filter::run(&args),
        Command::Fit(args) => commands::fit::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Data(args) => commands::data::run(&args),
        Command::Devices(args) => commands::devices::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Config(args) => commands::config::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Import(args) => commands::import::run(&args),
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

/// Mesa's drivers complain on stderr about a missing XDG_RUNTIME_DIR, which nothing here needs.
fn quiet_mesa() {
    if cfg!(feature = "wgpu") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: the program has one thread so far; nothing else reads the environment meanwhile.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir());
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
