//! Continuing a run: from its last checkpoint, or from its beginning where it was stopped before the first one.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use burn::tensor::Device;
use scotopic_datasets::Splits;

use crate::checkpoint::Checkpoint;
use crate::config::{Change, RunConfig, changes};
use crate::run_dir::RunDir;
use crate::state::TrainState;

/// What an edit of config.toml may change about a run that goes on; everything else would make its first and its second
/// part different experiments.
const MAY_CHANGE: &[&str] = &[
    "optimizer.weight_decay",
    "train.learning_rate.floor",
    "train.learning_rate.peak",
    "train.log_every",
    "train.max_grad_norm",
    "train.save_every",
    "validation.every",
    "validation.patience",
];

/// A run that can go on, locked.
#[derive(Debug)]
pub struct ResumedRun {
    /// Its folder.
    pub dir: RunDir,
    /// The configuration it goes on with.
    pub config: RunConfig,
    /// Where it stands; none before its first checkpoint.
    checkpoint: Option<Checkpoint>,
    /// What is different from now on, in words.
    pub notes: Vec<String>,
}

impl ResumedRun {
    /// Opens the run in `dir`, to go on for `extend` iterations more than it was planned for. With `extend`, edits of its
    /// config.toml are taken over where they may be.
    ///
    /// # Errors
    /// If another process trains into the folder, the checkpoint cannot be used, or config.toml was edited in a way that
    /// is not taken over (the keys are named).
    pub fn open(dir: RunDir, extend: Option<usize>) -> Result<Self> {
        let dir = dir.locked()?;
        let path = dir.last();
        let asked = dir.read_config()?;
        let checkpoint = match path.exists() {
            true => Some(Checkpoint::read(&path)?),
            false => None,
        };
        let Some(old) = checkpoint.as_ref().map(|c| c.config.clone()) else {
            return Ok(Self::from_the_beginning(dir, asked, extend));
        };
        let edits = changes(&old, &asked)?;
        let mut config = old.clone();
        if let Some(more) = extend {
            let total = old.train.iterations.saturating_add(more);
            check_edits(&edits, &dir.config_path(), total == asked.train.iterations)?;
            config = asked;
            config.train.iterations = total;
            config.validate()?;
        } else if !edits.is_empty() {
            // What cannot change within a run is not to be advised.
            check_edits(&edits, &dir.config_path(), true)?;
            bail!(
                "{} was edited since the run began: {}. Undo that, or take it over with --extend N (N more iterations, \
                 or 0)",
                dir.config_path().display(),
                listed(&edits)
            );
        }
        let at = checkpoint.as_ref().map_or(0, |c| c.progress.iteration);
        Ok(Self {
            notes: differences(&old, &config, at)?,
            dir,
            config,
            checkpoint,
        })
    }

    fn from_the_beginning(dir: RunDir, mut config: RunConfig, extend: Option<usize>) -> Self {
        // Before the first checkpoint nothing says what was planned but the file itself.
        config.train.iterations = config.train.iterations.saturating_add(extend.unwrap_or(0));
        let note = format!(
            "{} has no checkpoint yet: it starts at iteration 0",
            dir.root().display()
        );
        Self {
            dir,
            config,
            checkpoint: None,
            notes: vec![note],
        }
    }

    /// Prepares folder and state for the next iteration; rows that were written after the checkpoint are removed.
    ///
    /// # Errors
    /// If `splits` are not the data the run was started with (nothing is changed then), or the state does not fit its
    /// configuration.
    pub fn state(&self, splits: &Splits, device: &Device) -> Result<TrainState> {
        let state = match &self.checkpoint {
            Some(checkpoint) => TrainState::from_checkpoint(checkpoint, device)?,
            None => TrainState::new(&self.config, splits, device)?,
        };
        let then = match &self.checkpoint {
            Some(checkpoint) => checkpoint.progress.data.clone(),
            None => self.dir.read_info()?.data,
        };
        ensure!(
            then == splits.digest(),
            "the data are not those the run was started with (digest {} now, {} then): give the same --data",
            &splits.digest()[..12],
            then.get(..12).unwrap_or_default()
        );
        self.dir.rewind(state.progress.iteration)?;
        let old = self.checkpoint.as_ref();
        if old.is_none_or(|old| old.config != self.config) {
            // In this order: a kill between the two leaves a folder in which the same command goes on.
            self.dir.write_config(&self.config)?;
            if old.is_some() {
                state.to_checkpoint(&self.config)?.write(&self.dir.last())?;
            }
        }
        Ok(state)
    }
}

/// Refuses edits that cannot be taken over; that of the iterations is no edit where it is the extension itself, `extended`.
fn check_edits(edits: &[Change], path: &Path, extended: bool) -> Result<()> {
    let (iterations, others): (Vec<_>, Vec<_>) = edits
        .iter()
        .filter(|edit| !MAY_CHANGE.contains(&edit.key.as_str()))
        .cloned()
        .partition(|edit| edit.key == "train.iterations");
    ensure!(
        others.is_empty(),
        "{}: {} cannot change within a run; these can: {}",
        path.display(),
        listed(&others),
        MAY_CHANGE.join(", ")
    );
    ensure!(
        iterations.is_empty() || extended,
        "{}: {}: the number of iterations is changed by --extend alone",
        path.display(),
        listed(&iterations)
    );
    Ok(())
}

fn listed(edits: &[Change]) -> String {
    let all: Vec<String> = edits.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// What changes at iteration `at`: the keys, and the curves that are portions of all iterations.
fn differences(old: &RunConfig, new: &RunConfig, at: usize) -> Result<Vec<String>> {
    let edits = changes(old, new)?;
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let mut notes = vec![format!("from here on: {}", listed(&edits))];
    let (n, m) = (old.train.iterations, new.train.iterations);
    let mut moved = Vec::new();
    let mut curve = |name: &str, old: f64, new: f64| {
        if old != new {
            moved.push(format!("{name} {new:.4e} (was {old:.4e})"));
        }
    };
    // Where the run was complete, the last value it had.
    let then = at.min(n.saturating_sub(1));
    let rate = |c: &RunConfig, i, n| c.train.learning_rate.at(i, n);
    curve("learning rate", rate(old, then, n), rate(new, at, m));
    let tau = |c: &RunConfig, i, n| c.schedule.temperature.at(i, n);
    curve("temperature", tau(old, then, n), tau(new, at, m));
    let beta = |c: &RunConfig, i, n| c.schedule.beta.to(c.objective.beta).at(i, n);
    curve("β", beta(old, then, n), beta(new, at, m));
    let opening = |c: &RunConfig, i, n| c.schedule.clamp_opening.to(1.0).at(i, n);
    curve("clamp opening", opening(old, then, n), opening(new, at, m));
    if !moved.is_empty() {
        notes.push(format!(
            "schedules are portions of all {m} iterations; at iteration {}: {}",
            at + 1,
            moved.join(", ")
        ));
    }
    Ok(notes)
}
