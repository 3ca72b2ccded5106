//! Files that hold several series: an npz of spike trains, a series for each trial.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use scotopic_filtering::Sequence;

use super::Source;
use super::spike_trains::SpikeTrains;
use super::spikes::is_npz;

impl Source {
    /// What to read of a file, a source for each of its series, with what to call it: the file, and its trial where it has several.
    ///
    /// # Errors
    /// For an npz of spike trains that cannot be read.
    pub fn trials(&self, path: &Path) -> Result<Vec<(PathBuf, Self)>> {
        if self.spikes.bin.is_none() || self.spikes.trial.is_some() || !is_npz(path) {
            return Ok(vec![(path.to_owned(), self.clone())]);
        }
        let trains = Arc::new(SpikeTrains::read(path)?);
        let several = trains.trials() > 1;
        let of = |number: u32| {
            let mut own = self.clone();
            own.spikes.trial = Some(number);
            own.spikes.trains = Some(Arc::clone(&trains));
            let name = match several {
                true => PathBuf::from(format!("{} trial {number}", path.display())),
                false => path.to_owned(),
            };
            (name, own)
        };
        Ok((1..).take(trains.trials()).map(of).collect())
    }

    /// Whether files are several series: several files, or one with several trials.
    ///
    /// # Errors
    /// As [`Source::trials`].
    pub fn are_several(&self, paths: &[PathBuf]) -> Result<bool> {
        match paths {
            [one] => Ok(self.trials(one)?.len() > 1),
            _ => Ok(paths.len() > 1),
        }
    }

    /// Reads several whole files, a sequence each or, of an npz of spike trains, one for each trial, as [`Source::read_checked`] does;
    /// the names are those of the first.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_all(
        &self,
        paths: &[PathBuf],
        check: &dyn Fn(&[f64]) -> scotopic_filtering::Result<()>,
    ) -> Result<(Vec<Sequence>, Vec<String>)> {
        let streams = paths.iter().filter(|path| *path == Path::new("-"));
        ensure!(
            streams.count() < 2,
            "standard input can be read once: give - for one sequence only"
        );
        let (mut all, mut names) = (Vec::<Sequence>::new(), Vec::new());
        let mut files = Vec::new();
        for path in paths {
            for (_, trial) in self.trials(path)? {
                let (sequence, own) = trial.read_checked(path, check)?;
                if all.is_empty() {
                    names = own;
                } else {
                    same_order(&paths[0], &names, path, &own)?;
                }
                all.push(sequence);
                files.push(path);
            }
        }
        for (path, sequence) in files.iter().zip(&all) {
            ensure!(
                sequence.width() == all[0].width(),
                "{} has {} columns and {} has {}: select the same ones with --columns",
                paths[0].display(),
                all[0].width(),
                path.display(),
                sequence.width()
            );
        }
        Ok((all, names))
    }
}

/// Refuses files that have the same columns in another order: they would be matched by their places.
///
/// # Errors
/// Names both files.
pub(super) fn same_order(
    first: &Path,
    names: &[String],
    other: &Path,
    own: &[String],
) -> Result<()> {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    ensure!(
        names == own || sorted(names) != sorted(own),
        "{} has the columns {} and {} has them in the order {}: name them with --columns",
        first.display(),
        names.join(", "),
        other.display(),
        own.join(", ")
    );
    Ok(())
}
