//! Whole series beside a model: rows, their times, the names of their columns.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use scotopic_datasets::series::Time;
use scotopic_figures::time_axis::{TimeAxis, TimeUnit};
use scotopic_filtering::{AnyFilter, AnyModel, Filter as _, Sequence, many};

use super::left_out::{tell_left_out, whole_rows};
use super::of_fit::OfFit;
use super::places::{Lines, among, at_line, from_one};
use super::trials::{same_order, same_writing};
use super::{Source, model};
use crate::usage::UsageError;

/// The model and the data of a command that takes whole series.
#[derive(Debug, Args)]
pub struct Subject {
    /// Observations: CSV, TSV, JSON lines or npy, a series each; - is standard input
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Model in TOML
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
}

/// One series.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// Its rows.
    pub sequence: Sequence,
    /// The line of each row in the file.
    pub lines: Vec<u64>,
    /// Whether dates are among its numbers, as days.
    pub dated: bool,
    /// What the time column says of each row; empty without one.
    pub times: Vec<String>,
    /// The name of that column.
    pub time_name: String,
    /// The names of its columns.
    pub names: Vec<String>,
    /// How many of them, the last ones, the model is given.
    pub given: usize,
}

impl Subject {
    /// The model.
    ///
    /// # Errors
    /// A usage error for a file that is no model.
    pub fn read_model(&self) -> Result<AnyModel> {
        Ok(model::read(&self.model).map_err(UsageError)?)
    }

    /// All series, each as wide as `model` sees an observation.
    ///
    /// # Errors
    /// For files that cannot be read or have no row, by file and line, and a usage error for other columns.
    pub fn read(&self, model: &AnyModel) -> Result<Vec<Recording>> {
        let source = OfFit::source_of(&self.model, &self.source).map_err(UsageError)?;
        let source = source.of_model(model);
        let all = read_all(&source, &self.data, model.width())?;
        for one in &all {
            OfFit::check_data(&self.model, &one.path, &one.names, &source)?;
        }
        Ok(match uses_partial_rows(model) {
            true => all,
            false => of_whole_rows(all, model.kind()),
        })
    }

    /// The files that are read.
    pub fn inputs(&self) -> Vec<&Path> {
        let data = self.data.iter().map(PathBuf::as_path);
        data.chain([self.model.as_path()]).collect()
    }
}

/// Refuses data of which nothing is seen, `first` being the first series.
///
/// # Errors
/// Says where such data come from.
pub fn ensure_seen(seen: bool, first: &Recording) -> Result<()> {
    ensure!(
        seen,
        "{}: no row has an observation: all cells are missing, or --columns, --delimiter or --missing take them for such",
        first.path.display()
    );
    Ok(())
}

/// All series of `paths`, of `width` columns each.
///
/// # Errors
/// As [`Subject::read`].
pub fn read_all(source: &Source, paths: &[PathBuf], width: usize) -> Result<Vec<Recording>> {
    let streams = paths.iter().filter(|path| *path == Path::new("-"));
    ensure!(
        streams.count() < 2,
        "standard input can be read once: give - for one series only"
    );
    let mut all = Vec::new();
    for path in paths {
        for (name, trial) in source.trials(path)? {
            let recording = read_one(&trial, path, width)?;
            if let Some(first) = all.first() {
                let first: &Recording = first;
                same_order(&paths[0], &first.names, path, &recording.names)?;
                same_writing((&paths[0], first.dated), (path, recording.dated))?;
            }
            all.push(Recording {
                path: name,
                ..recording
            });
        }
    }
    Ok(all)
}

/// Whether the filters of a model use what there is of a row that is missing in part.
pub fn uses_partial_rows(model: &AnyModel) -> bool {
    matches!(
        model,
        AnyModel::Hmm(_)
            | AnyModel::DrivenHmm(_)
            | AnyModel::LinearGaussian(_)
            | AnyModel::Driven(_)
            | AnyModel::Plds(_)
            | AnyModel::Slds(_)
    )
}

/// The same series for a model that uses whole rows only: rows that are missing in part are missing as a whole, which is
/// told.
pub fn of_whole_rows(all: Vec<Recording>, kind: &str) -> Vec<Recording> {
    let sequences: Vec<Sequence> = all.iter().map(|one| one.sequence.clone()).collect();
    let whole = whole_rows(&sequences, kind).into_iter();
    let pairs = all.into_iter().zip(whole);
    pairs
        .map(|(one, sequence)| Recording { sequence, ..one })
        .collect()
}

/// Notes the time of a bin on an axis of the column `name`; the first one decides what its numbers mean.
pub fn note_time(axis: &mut Option<TimeAxis>, name: &str, bin: u64, time: Time) {
    let unit = match time {
        Time::Number(_) => TimeUnit::Number,
        Time::Month(_) => TimeUnit::Month,
        Time::Instant { .. } => TimeUnit::Instant,
    };
    axis.get_or_insert_with(|| TimeAxis::new(name, unit))
        .push(bin, time.axis());
}

fn read_one(source: &Source, path: &Path, width: usize) -> Result<Recording> {
    let mut series = source.open_until(path, None)?;
    if series.width() != width {
        return Err(UsageError(anyhow!(
            "{}: found {} ({}), but the model has {width} per observation; select them with --columns",
            path.display(),
            many(series.width(), "column"),
            series.names().join(", "),
        ))
        .into());
    }
    let mut sequence = Sequence::new(width)?;
    let (mut lines, mut times) = (Vec::new(), Vec::new());
    while let Some(row) = series.next_row()? {
        let number = sequence.len() as u64;
        let pushed = sequence.push(row).map_err(|e| e.at_observation(number));
        pushed.map_err(|e| at_line(e, path, series.line(), series.names(), false))?;
        lines.push(series.line());
        // A model that is given the times refuses a missing one itself.
        let missing = series.time_is_taken().then(String::new);
        times.extend(series.time_text().map(str::to_owned).or(missing));
    }
    tell_left_out(path, &series);
    ensure!(
        !sequence.is_empty(),
        "{} has no observation",
        path.display()
    );
    Ok(Recording {
        path: path.to_owned(),
        sequence,
        lines,
        dated: series.has_dates(),
        times,
        time_name: source.time_name().to_owned(),
        names: series.names().to_vec(),
        given: source.given.len(),
    })
}

impl Recording {
    /// What its time column says of row `t`, from 0.
    pub fn time(&self, t: usize) -> Option<&str> {
        self.times.get(t).map(String::as_str)
    }

    /// The times of its rows, to draw.
    pub fn time_axis(&self) -> Option<TimeAxis> {
        let mut axis = None;
        for (text, bin) in self.times.iter().zip(1..) {
            note_time(&mut axis, &self.time_name, bin, Time::parse(text)?);
        }
        axis
    }

    /// The error that one of its rows has led to, the inputs that follow so many outputs; it counts from 0.
    pub fn named_input(
        &self,
        mut error: scotopic_filtering::Error,
        outputs: usize,
    ) -> anyhow::Error {
        if let scotopic_filtering::Error::Observation { entry, .. } = &mut error {
            *entry = entry.saturating_sub(outputs);
        }
        let sequences = std::slice::from_ref(&self.sequence);
        among(
            from_one(error).into(),
            sequences,
            &[self.read_at()],
            &self.names,
        )
    }

    /// Where its rows were read.
    pub fn read_at(&self) -> Lines {
        Lines {
            path: self.path.clone(),
            lines: self.lines.clone(),
            dated: self.dated,
        }
    }

    /// Refuses rows that `model` cannot take or have made, before they are used in ways that do not tell which they are; of models that have inputs
    /// or whose filter is exact.
    ///
    /// # Errors
    /// The file, the line and the column.
    pub fn check(&self, model: &AnyModel) -> Result<()> {
        if !uses_partial_rows(model) {
            return Ok(());
        }
        let mut filter = AnyFilter::new(model.clone(), "reversed")?;
        for row in self.sequence.iter() {
            match filter.update(row) {
                Err(
                    error @ (scotopic_filtering::Error::Observation { .. }
                    | scotopic_filtering::Error::Impossible { .. }),
                ) => {
                    return self.named(Err(error));
                }
                Err(_) => break,
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// The same outcome, an error named by the file and its line, with its observations counted from 1.
    ///
    /// # Errors
    /// That of `outcome`.
    pub fn named<T>(&self, outcome: scotopic_filtering::Result<T>) -> Result<T> {
        use scotopic_filtering::Error::{Impossible, NotFinite, Observation};
        outcome.map_err(|error| {
            let line = match &error {
                Observation { index, .. } | Impossible { index } | NotFinite { index, .. } => {
                    self.lines.get(*index as usize)
                }
                _ => None,
            };
            match line {
                Some(line) => at_line(error, &self.path, *line, &self.names, self.dated),
                None => {
                    let place = self.path.display().to_string();
                    anyhow::Error::new(from_one(error)).context(place)
                }
            }
        })
    }
}
