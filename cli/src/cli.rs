//! The command line: commands and exit codes.
//!
//! Results go to stdout, progress and errors to stderr. Exit codes: 0 success, 1 failure, 2 usage error,
//! 130 interrupted (after saving).

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands;
use crate::usage::{is_usage_error, with_causes};

/// Perception as inference: spiking networks that explain what they see, filters that explain a series while it arrives.
///
/// Networks: train, evaluate, analyse, infer, show, experiment; export, import. Without options, `scotopic train` learns
/// from generated images and needs neither files nor a network connection.
///
/// Time series: filter, fit, smooth, decode, forecast, sample, score, residuals, summary; model.
///
/// Both: compare, live, data, devices, bench, config.
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
        about = "Filter time series and fit state-space models",
        long_about = "Filter time series and fit state-space models.\n\n\
                      This build has the commands for time series only; all commands: \
                      cargo build --release -p scotopic-cli"
    )
)]
#[cfg_attr(
    feature = "vision",
    command(
        after_long_help = "The commands for time series also build alone, without burn, in about a minute:\n  \
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
#[allow(clippy::large_enum_variant)] // there is one, parsed once
pub enum Command {
    /// Models of images.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    Vision(VisionCommand),
    /// Time series.
    #[cfg(feature = "filters")]
    #[command(flatten)]
    Series(SeriesCommand),
    /// Data sets, devices, configurations and model files.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    Tool(ToolCommand),
    /// Print shell completions
    Completions(commands::completions::CompletionsArgs),
}

/// Models of images.
#[cfg(feature = "vision")]
#[derive(Debug, Subcommand)]
pub enum VisionCommand {
    /// Train a model, or continue a run
    Train(commands::train::TrainArgs),
    /// Evaluate a model on a split of its data: R², squared error, fraction of zeros, free energy
    Evaluate(commands::evaluate::EvaluateArgs),
    /// Analyse a model: convergence, read-outs, filters, tuning, receptive fields, weights
    Analyse(commands::analyse::AnalyseArgs),
    /// Run inference on images, videos or gratings; write spikes, rates, reconstructions, free energy
    Infer(commands::infer::InferArgs),
    /// Draw figures of a model: dictionary, reconstructions, convergence, spikes, animated inference
    Show(commands::show::ShowArgs),
    /// Run an experiment of the papers: arms × seeds, paired statistics, a page
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

/// Time series.
#[cfg(feature = "filters")]
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one, parsed once
pub enum SeriesCommand {
    /// Filter observations online: beliefs, evidence, parameter learning
    Filter(commands::filter_args::FilterArgs),
    /// Fit a state-space model to sequences of observations
    Fit(commands::fit::FitArgs),
    /// Posterior of the states given the whole series
    Smooth(commands::smooth::SmoothArgs),
    /// Decode the states of a hidden Markov model: Viterbi path or most probable states
    Decode(commands::decode::DecodeArgs),
    /// Forecast observations: mean, quantiles, samples
    Forecast(commands::forecast::ForecastArgs),
    /// Draw observations and states from a model
    Sample(commands::sample::SampleArgs),
    /// Log evidence of series under a model
    Score(commands::score::ScoreArgs),
    /// Standardised residuals and tests of them
    Residuals(commands::residuals::ResidualsArgs),
    /// Estimates with standard errors, AIC and BIC
    Summary(commands::summary::SummaryArgs),
    /// Compare networks on held-out images, or state-space models or factorisations of one, on one free-energy scale
    Compare(commands::compare_args::CompareArgs),
    /// Watch a network or a filter at work, in the browser
    #[cfg_attr(
        not(feature = "vision"),
        command(about = "Watch a filter at work, in the browser")
    )]
    Live(commands::live::LiveArgs),
    /// List the kinds of model files, print one with its keys explained, check one
    Model(commands::model_files::ModelArgs),
    /// Sample series
    #[cfg(not(feature = "vision"))]
    Data(commands::data_series::DataArgs),
    /// Run an experiment of the papers: arms × seeds, paired statistics, a page
    #[cfg(not(feature = "vision"))]
    Experiment(commands::experiment::ExperimentArgs),
}

#[cfg(feature = "filters")]
impl SeriesCommand {
    fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Filter(args) => commands::filter::run(args),
            Self::Fit(args) => commands::fit::run(args),
            Self::Smooth(args) => commands::smooth::run(args),
            Self::Decode(args) => commands::decode::run(args),
            Self::Forecast(args) => commands::forecast::run(args),
            Self::Sample(args) => commands::sample::run(args),
            Self::Score(args) => commands::score::run(args),
            Self::Residuals(args) => commands::residuals::run(args),
            Self::Summary(args) => commands::summary::run(args),
            Self::Compare(args) => commands::compare::run(args),
            Self::Live(args) => commands::live::run(args),
            Self::Model(args) => commands::model_files::run(args),
            #[cfg(not(feature = "vision"))]
            Self::Data(args) => {
                let commands::data_series::Action::Series(action) = &args.action;
                commands::data_series::run(action)
            }
            #[cfg(not(feature = "vision"))]
            Self::Experiment(args) => commands::experiment::run(args),
        }
    }
}

/// Data sets, devices, configurations and model files.
#[cfg(feature = "vision")]
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// List, download, verify and prepare data sets
    Data(commands::data::DataArgs),
    /// List the devices of this machine, and why others are unavailable
    Devices(commands::devices::DevicesArgs),
    /// Time training, inference and the event-driven engine on this machine
    Bench(commands::bench::BenchArgs),
    /// Show, check and explain configurations
    Config(commands::config::ConfigArgs),
    /// Export a model: safetensors with a model card, or npz
    Export(commands::export::ExportArgs),
    /// Import a PyTorch checkpoint of the published iterative VAEs
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

/// Parses the command line, runs the command, and prints an error with its causes on one line.
pub fn main() -> ExitCode {
    execute(parsed(std::env::args_os()).unwrap_or_else(|error| error.exit()))
}

/// The command line of `arguments`. A negative number after an option is its value, which may then be refused by the option's name.
fn parsed(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> clap::error::Result<Cli> {
    let matches = with_negative_numbers(Cli::command()).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let of_option = |argument: clap::Arg| {
        let takes = argument.get_action().takes_values() && !argument.is_positional();
        match takes && !argument.is_allow_hyphen_values_set() {
            true => argument.allow_negative_numbers(true),
            false => argument,
        }
    };
    command
        .mut_args(of_option)
        .mut_subcommands(with_negative_numbers)
}

/// The same for a program that has this one in it: `arguments` are the words of a command line, the first of which is the
/// name of the program. The exit code, also of help and of a usage error, which are printed.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let cli = match parsed(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // What fails is a closed output, which is nobody's error.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let code = execute(cli);
    // The standard library does not tell the number of an exit code.
    (0..=u8::MAX)
        .find(|number| ExitCode::from(*number) == code)
        .unwrap_or(1)
}

fn execute(cli: Cli) -> ExitCode {
    #[cfg(feature = "vision")]
    crate::allocator::retain_freed_memory();
    if let Err(error) = crate::usage::check_simd() {
        tell!("scotopic: {error}");
        return ExitCode::from(2);
    }
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
            tell!("scotopic: {}", with_causes(&error));
            ExitCode::from(if is_usage_error(&error) { 2 } else { 1 })
        }
    }
}

/// A reader that goes away (`scotopic … | head`) is not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
