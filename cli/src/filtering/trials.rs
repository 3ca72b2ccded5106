//! Files that hold several series: an npz of spike trains, a series for each trial.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail, ensure};
use scotopic_datasets::series::{SeriesFormat, SeriesOptions};
use scotopic_filtering::{Sequence, many};

use super::Source;
use super::data_format::DataFormat;
use super::places::Lines;
use super::source::HeaderArg;
use super::spike_trains::SpikeTrains;
use super::spikes::is_npz;
use super::streams::is_read_once;
use crate::usage::UsageError;

impl Source {
    /// What to read of a file, a source for each of its series, with what to call it: the file, and its trial where it has several.
    ///
    /// # Errors
    /// For an npz of spike trains that cannot be read.
    pub fn trials(&self, path: &Path) -> Result<Vec<(PathBuf, Self)>> {
        if self.spikes.bin.is_none() || self.spikes.trial.is_some() || !is_npz(path) {
            return Ok(vec![(path.to_owned(), self.clone())]);
        }
        let trains = match &self.spikes.trains {
            Some(trains) => Arc::clone(trains),
            None => Arc::new(SpikeTrains::read(path)?),
        };
        let several = trains.trials() > 1;
        self.spikes.tell_trials(path, &trains);
        let of = |number: u32| {
            let mut own = self.clone();
            own.spikes.trial = Some(number);
            own.spikes.trains = Some(Arc::clone(&trains));
            own.spikes.told = true;
            let name = match several {
                true => PathBuf::from(format!("{} trial {number}", path.display())),
                false => path.to_owned(),
            };
            (name, own)
        };
        Ok((1..).take(trains.trials()).map(of).collect())
    }

    /// Refuses what says how tables are read where spike times are.
    pub(super) fn check_spikes(&self) -> Result<()> {
        for (option, given) in [
            ("--format", self.format.is_some()),
            ("--time", self.time.is_some()),
            ("--header", self.header != HeaderArg::Auto),
            ("--delimiter", self.delimiter.is_some()),
            ("--decimal-comma", self.decimal_comma),
            ("--missing", !self.missing.is_empty()),
            ("--alphabet", !self.alphabet.is_empty()),
        ] {
            if given {
                let error = anyhow!(
                    "{option} is of tables, and --bin reads spike times, of which none is missing"
                );
                return Err(UsageError(error).into());
            }
        }
        Ok(())
    }

    /// Refuses what says how tables are read of what is none.
    pub(super) fn check_form(&self, path: &Path) -> Result<()> {
        let by_name = || SeriesFormat::of(path).unwrap_or(SeriesFormat::Csv);
        let what = match self.format.map_or_else(by_name, DataFormat::series) {
            SeriesFormat::Csv | SeriesFormat::Tsv => return Ok(()),
            SeriesFormat::JsonLines => "JSON lines",
            SeriesFormat::Npy => "an npy array",
        };
        for (option, given) in [
            ("--header", self.header != HeaderArg::Auto),
            ("--delimiter", self.delimiter.is_some()),
            ("--decimal-comma", self.decimal_comma),
        ] {
            ensure!(
                !given,
                "{option} is of tables (csv, tsv), and {} is {what}",
                path.display()
            );
        }
        Ok(())
    }

    /// The names of columns that are asked for by name, or by number from 1: as `path` calls them, by their number if it has no names.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn named(&self, path: &Path, columns: Vec<String>) -> Result<Vec<String>> {
        let is_number = |name: &String| name.parse::<usize>().is_ok();
        // A stream is read once: there a number is taken for a name, and refused if the table has others.
        if is_read_once(path) || !columns.iter().any(is_number) {
            return Ok(columns);
        }
        let mut quiet = self.clone();
        quiet.spikes.told = true;
        let trials = quiet.trials(path)?;
        let own = trials.first().map_or(self, |(_, source)| source);
        let options = SeriesOptions {
            numbers: columns.len(),
            ..own.options(columns)
        };
        Ok(own.series(path, &options, None)?.names().to_vec())
    }

    /// The same source with the spike trains of the one file that there is, if it holds some: it is read once.
    ///
    /// # Errors
    /// As [`Source::trials`].
    pub fn loaded(&self, paths: &[PathBuf]) -> Result<Self> {
        let mut own = self.clone();
        if let ([path], true) = (paths, self.spikes.bin.is_some())
            && is_npz(path)
        {
            own.spikes.trains = Some(Arc::new(SpikeTrains::read(path)?));
        }
        Ok(own)
    }

    /// Whether files are several series: several files, or one that was loaded and has several trials.
    pub fn are_several(&self, paths: &[PathBuf]) -> bool {
        let trials = self
            .spikes
            .trains
            .as_ref()
            .map_or(1, |trains| trains.trials());
        paths.len() > 1 || self.spikes.trial.is_none() && trials > 1
    }

    /// Reads several whole files, a sequence each or, of an npz of spike trains, one for each trial, as [`Source::read_checked`] does;
    /// the names are those of the first. Also where the rows of each were read.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_all(
        &self,
        paths: &[PathBuf],
        check: &dyn Fn(&[f64]) -> scotopic_filtering::Result<()>,
    ) -> Result<(Vec<Sequence>, Vec<String>, Vec<Lines>)> {
        let streams = paths.iter().filter(|path| *path == Path::new("-"));
        ensure!(
            streams.count() < 2,
            "standard input can be read once: give - for one sequence only"
        );
        let (mut all, mut names) = (Vec::<Sequence>::new(), Vec::new());
        let mut read = Vec::<Lines>::new();
        for path in paths {
            for (_, trial) in self.trials(path)? {
                let (sequence, own, lines) = trial.read_checked(path, check)?;
                if let Some(first) = read.first() {
                    same_order(&paths[0], &names, path, &own)?;
                    same_writing((&paths[0], first.dated), (path, lines.dated))?;
                } else {
                    names = own;
                }
                all.push(sequence);
                read.push(lines);
            }
        }
        for (lines, sequence) in read.iter().zip(&all) {
            ensure!(
                sequence.width() == all[0].width(),
                "{} has {} and {} has {}: select the same ones with --columns",
                paths[0].display(),
                many(all[0].width(), "column"),
                lines.path.display(),
                sequence.width()
            );
        }
        Ok((all, names, read))
    }
}

/// Refuses files of which one has dates where the other has numbers, each with whether it has dates.
///
/// # Errors
/// Names both files.
pub fn same_writing(one: (&Path, bool), other: (&Path, bool)) -> Result<()> {
    let ((dates, _), (numbers, _)) = match (one.1, other.1) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        _ => return Ok(()),
    };
    bail!(
        "{} has dates where {} has numbers: give both in one way",
        dates.display(),
        numbers.display()
    )
}

/// Refuses files of which a column of one name stands at another place: they are matched by their places.
///
/// # Errors
/// Names both files.
pub fn same_order(first: &Path, names: &[String], other: &Path, own: &[String]) -> Result<()> {
    let moved = |(at, name): (usize, &String)| names.get(at) != Some(name) && names.contains(name);
    ensure!(
        names == own || !own.iter().enumerate().any(moved),
        "{} has the columns {} and {} has them in the order {}: name them with --columns",
        first.display(),
        names.join(", "),
        other.display(),
        own.join(", ")
    );
    Ok(())
}
