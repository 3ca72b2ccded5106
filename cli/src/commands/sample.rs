//! `scotopic sample`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use scotopic_filtering::SampledStates;
use scotopic_filtering::rand::SeedableRng;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;

use crate::filtering::of_fit::OfFit;
use crate::filtering::records::{Entry, LinesOut, Record, field, write};
use crate::filtering::{LineFormat, Source, inputs, model};
use crate::usage::UsageError;

/// Options of `scotopic sample`.
#[derive(Debug, Args)]
#[command(
    after_help = "The observations are written as CSV under the names y1, y2, …, which every command here reads; the\n\
                        states as CSV for --true-states of scotopic filter: numbers from 1, or x1, x2, …, of a\n\
                        switching model the regime from 1 before these.\n\n\
                        Example:\n  \
                        scotopic sample --model lorenz.toml --length 1000 --seed 1 --out y.csv --states x.csv"
)]
pub struct SampleArgs {
    /// Model in TOML
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Inputs of a model that has some: a table with their columns, a row for each observation
    #[arg(long, value_name = "FILE", conflicts_with = "length")]
    pub given: Option<PathBuf>,
    /// How many observations
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub length: u64,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// File for the states
    #[arg(long, value_name = "FILE")]
    pub states: Option<PathBuf>,
    /// Where the observations go.
    #[command(flatten)]
    pub lines: LinesOut,
}

/// Draws states and observations from a model.
///
/// # Errors
/// If the model or a file to write cannot be used, or the model leaves the range of numbers.
pub fn run(args: &SampleArgs) -> Result<ExitCode> {
    let model = model::read(&args.model).map_err(UsageError)?;
    let others: Vec<&Path> = args.states.iter().map(PathBuf::as_path).collect();
    let checked = args.lines.check(&others, &[&args.model]);
    checked.map_err(UsageError)?;
    if let Some(path) = &args.states {
        LineFormat::of(path).map_err(UsageError)?;
    }
    let length = usize::try_from(args.length)
        .map_err(|_| anyhow!("--length is too large for this machine"))?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(args.seed);
    let given = inputs::read(args.given.as_deref(), &model, &Source::default())?;
    let (states, y) = match &given {
        Some(inputs) => inputs.named(model.sample_given(&inputs.sequence, &mut rng))?,
        None => model.sample(length, &mut rng)?,
    };
    // Dates as they came, where the model counts them as days.
    let dates = given
        .as_ref()
        .filter(|given| given.dated && !given.times.is_empty());
    let alphabet = OfFit::read(&args.model).map_err(UsageError)?.alphabet;
    if let Some(path) = &args.states {
        write(Some(path), None, LineFormat::Csv, &of_states(&states))?;
    }
    let row = |(t, row): (usize, &[f64])| {
        let (outputs, given) = row.split_at(row.len() - model.inputs().len());
        let mut record = symbols(&alphabet, outputs).unwrap_or_else(|| numbered("y", outputs));
        let named = model.inputs().iter().zip(given);
        let input = |(name, x): (&String, &f64)| match dates.and_then(|dates| dates.time(t)) {
            Some(date) if model.time() == Some(name.as_str()) => {
                field(name, Entry::Text(date.to_owned()))
            }
            _ => field(name, Entry::Number(*x)),
        };
        record.extend(named.map(input));
        record
    };
    let rows = y.iter().flatten().enumerate().map(row);
    let format = args.lines.out_format;
    write(
        args.lines.out.as_deref(),
        format,
        LineFormat::Csv,
        &rows.collect::<Vec<_>>(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A row of numbers, each under a name of its own: JSON objects of numbers are what the other commands read.
fn numbered(name: &str, row: &[f64]) -> Record {
    let named = row.iter().enumerate();
    named
        .map(|(i, value)| field(&format!("{name}{}", i + 1), Entry::Number(*value)))
        .collect()
}

/// A row of symbols, of a model that was fitted to some; none where the model has numbers, or more symbols than names.
fn symbols(alphabet: &[String], row: &[f64]) -> Option<Record> {
    let of = |(i, value): (usize, &f64)| {
        let symbol = alphabet.get(*value as usize)?;
        Some(field(&format!("y{}", i + 1), Entry::Text(symbol.clone())))
    };
    row.iter().enumerate().map(of).collect()
}

fn of_states(states: &SampledStates) -> Vec<Record> {
    match states {
        SampledStates::Discrete(states) => states
            .iter()
            .map(|s| vec![field("state", Entry::Whole(*s as u64 + 1))])
            .collect(),
        SampledStates::Vectors(states) => states.iter().map(|x| numbered("x", x)).collect(),
        SampledStates::Switching(regimes, states) => {
            let row = |(s, x): (&usize, &Vec<f64>)| {
                let mut record = vec![field("regime", Entry::Whole(*s as u64 + 1))];
                record.extend(numbered("x", x));
                record
            };
            regimes.iter().zip(states).map(row).collect()
        }
    }
}
