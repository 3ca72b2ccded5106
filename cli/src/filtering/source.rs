//! The source of observations: a file or standard input.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
use scotopic_filtering::Sequence;

/// File format of observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON value per line: a number, a list or an object
    Jsonl,
    /// NumPy array of one dimension (time) or two (time, column)
    Npy,
}

impl DataFormat {
    fn series(self) -> SeriesFormat {
        match self {
            Self::Csv => SeriesFormat::Csv,
            Self::Tsv => SeriesFormat::Tsv,
            Self::Jsonl => SeriesFormat::JsonLines,
            Self::Npy => SeriesFormat::Npy,
        }
    }
}

/// Format and columns of the data; shared by all commands that read series.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Format of the data [default: by the file extension; csv on standard input]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<DataFormat>,
    /// Columns to read, by name or by number from 1 [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub columns: Vec<String>,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// If there is nothing to read, or no such column.
    pub fn open(&self, path: &Path) -> Result<Series> {
        let options = SeriesOptions {
            columns: self.columns.clone(),
        };
        let stdin = path == Path::new("-");
        Ok(match (stdin, self.format) {
            (true, format) => {
                let format = format.unwrap_or(DataFormat::Csv).series();
                Series::from_reader("standard input", std::io::stdin(), format, &options)?
            }
            (false, Some(format)) => Series::open_as(path, format.series(), &options)?,
            (false, None) if !path.is_file() && path.extension().is_none() => {
                anyhow::bail!("there is no file {}", path.display())
            }
            (false, None) => Series::open(path, &options).map_err(|e| match e {
                e @ scotopic_datasets::Error::Setting { .. } => {
                    anyhow::Error::new(e).context("give it with --format")
                }
                e => e.into(),
            })?,
        })
    }

    /// Reads one whole file.
    ///
    /// # Errors
    /// As [`Source::open`], and for an invalid row.
    pub fn read(&self, path: &Path) -> Result<Sequence> {
        let mut series = self.open(path)?;
        let mut sequence = Sequence::new(series.width())?;
        while let Some(row) = series.next_row()? {
            sequence
                .push(row)
                .map_err(from_one)
                .with_context(|| path.display().to_string())?;
        }
        Ok(sequence)
    }

    /// Reads several whole files, a sequence each.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_all(&self, paths: &[PathBuf]) -> Result<Vec<Sequence>> {
        let streams = paths.iter().filter(|path| *path == Path::new("-"));
        ensure!(
            streams.count() < 2,
            "standard input can be read once: give - for one sequence only"
        );
        let all: Vec<Sequence> = paths
            .iter()
            .map(|path| self.read(path))
            .collect::<Result<_>>()?;
        for (path, sequence) in paths.iter().zip(&all) {
            ensure!(
                sequence.width() == all[0].width(),
                "{} has {} columns and {} has {}: select the same ones with --columns",
                paths[0].display(),
                all[0].width(),
                path.display(),
                sequence.width()
            );
        }
        Ok(all)
    }
}

/// The same error with observations and entries counted from 1, like lines and columns.
pub fn from_one(mut error: scotopic_filtering::Error) -> scotopic_filtering::Error {
    use scotopic_filtering::Error;
    match &mut error {
        Error::Observation { index, entry, .. } => {
            *index += 1;
            *entry += 1;
        }
        Error::Impossible { index } | Error::NotFinite { index, .. } => *index += 1,
        _ => {}
    }
    error
}
