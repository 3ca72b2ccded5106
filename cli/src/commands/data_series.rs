//! `scotopic data series`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use scotopic_datasets::replace::replace;
use scotopic_datasets::series::SampleSeries;

use super::print;
use crate::filtering::LineFormat;
use crate::outputs::{Force, check_writable};
use crate::usage::UsageError;

/// What can be done with the sample series.
#[derive(Debug, Subcommand)]
pub enum SampleAction {
    /// List the sample series: contents, source, terms
    List,
    /// Write a sample series as CSV
    Get {
        /// Name of the series
        name: String,
        /// File [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Leave to replace a file.
        #[command(flatten)]
        force: Force,
    },
}

/// Options of `scotopic data` in a build with the commands for time series only.
#[cfg(not(feature = "vision"))]
#[derive(Debug, clap::Args)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with data.
#[cfg(not(feature = "vision"))]
#[derive(Debug, Subcommand)]
pub enum Action {
    /// The sample series: list them, write one
    #[command(subcommand)]
    Series(SampleAction),
}

/// Lists or writes sample series.
///
/// # Errors
/// A usage error for a name that is none or a file that is there; if it cannot be written.
pub fn run(action: &SampleAction) -> Result<ExitCode> {
    match action {
        SampleAction::List => {
            for sample in SampleSeries::ALL {
                print::line(format!(
                    "{:<10} {:>5} rows  {}",
                    sample.name,
                    sample.rows(),
                    sample.what
                ))?;
                print::line(format!("{:<22}{}", "", sample.source))?;
            }
        }
        SampleAction::Get { name, out, force } => {
            let sample = SampleSeries::named(name).ok_or_else(|| {
                let known: Vec<&str> = SampleSeries::ALL.iter().map(|s| s.name).collect();
                UsageError(anyhow!(
                    "there is no series `{name}`; known are {}",
                    known.join(", ")
                ))
            })?;
            match out {
                None => print::line(sample.csv.trim_end())?,
                Some(path) => {
                    force.check([path.as_path()]).map_err(UsageError)?;
                    let of_csv =
                        LineFormat::of(path).map(|format| format != Some(LineFormat::Jsonl));
                    if !of_csv.map_err(UsageError)? {
                        let error = anyhow!(
                            "{}: series are written as CSV: name a .csv file",
                            path.display()
                        );
                        return Err(UsageError(error).into());
                    }
                    check_writable(path).map_err(UsageError)?;
                    replace(path, sample.csv.as_bytes())?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
