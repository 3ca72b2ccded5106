//! `scotopic train --tensorboard`: what is logged and validated goes into an event file, with figures.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use burn::tensor::Device;
use scotopic_datasets::Splits;
use scotopic_figures::Figure;
use scotopic_train::config::RunConfig;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::run_dir::RunDir;
use scotopic_train::state::TrainState;
use scotopic_train::tensorboard::{EventFile, Png};
use scotopic_train::trainer::Callback;
use serde_json::Value;

use crate::pictures;

/// Writes the events of a run. Names are the keys of metrics.jsonl and the columns of epochs.csv, after `train/` and
/// `validation/`.
pub(crate) struct TrainingBoard<'a> {
    config: &'a RunConfig,
    splits: &'a Splits,
    /// Without autodiff.
    device: &'a Device,
    /// Until a write fails.
    events: Option<EventFile>,
}

impl<'a> TrainingBoard<'a> {
    /// An event file in the folder of a run that has done `done` iterations.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub(crate) fn new(
        dir: &RunDir,
        (config, splits, device): (&'a RunConfig, &'a Splits, &'a Device),
        done: usize,
    ) -> Result<Self> {
        let folder = dir.tensorboard();
        let events = EventFile::create(&folder, now(), done)
            .with_context(|| format!("could not write events into {}", folder.display()))?;
        Ok(Self {
            config,
            splits,
            device,
            events: Some(events),
        })
    }

    /// Writes; what cannot be written must not end a run that can go on without it, so it is told once.
    fn write(&mut self, write: impl FnOnce(&mut EventFile) -> Result<()>) {
        let Some(mut events) = self.events.take() else {
            return;
        };
        match write(&mut events) {
            Ok(()) => self.events = Some(events),
            Err(error) => tell!(
                "scotopic: could not write {}: {error:#}; training goes on without it",
                events.path().display()
            ),
        }
    }

    fn scalars(&mut self, step: usize, group: &str, row: Value) {
        let numbers = numbers(group, &row);
        self.write(|events| Ok(events.scalars(now(), step, &numbers)?));
    }
}

/// The numbers of a row by name. What counts iterations is the step itself, and what an evaluation was made with does not
/// change; undefined numbers are left out.
fn numbers(group: &str, row: &Value) -> Vec<(String, f64)> {
    let fields = row.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| !["iteration", "images", "steps"].contains(&key.as_str()))
        .filter_map(|(key, value)| Some((format!("{group}/{key}"), value.as_f64()?)))
        .collect()
}

impl Callback for TrainingBoard<'_> {
    fn iteration(&mut self, _: usize, _: usize) {}

    fn logged(&mut self, row: &LogRow) {
        let values = serde_json::to_value(row).unwrap_or_default();
        self.scalars(row.iteration, "train", values);
    }

    fn validated(&mut self, row: &ValidationRow) {
        let values = serde_json::to_value(row.measures).unwrap_or_default();
        self.scalars(row.iteration, "validation", values);
    }

    fn state(&mut self, state: &TrainState) {
        let (config, splits, device) = (self.config, self.splits, self.device);
        let step = state.progress.iteration;
        self.write(|events| {
            let model = state.judged();
            let figures = [
                (
                    "dictionary",
                    pictures::dictionary(&model, config, state.image.shape)?,
                ),
                (
                    "reconstructions",
                    pictures::reconstructions(&model, config, &splits.validation, device)?,
                ),
            ];
            for (tag, figure) in figures {
                image(events, step, tag, &figure)?;
            }
            Ok(())
        });
    }
}

fn image(events: &mut EventFile, step: usize, tag: &str, figure: &Figure) -> Result<()> {
    let pixels = figure.pixels();
    let bytes = pixels.png()?;
    let png = Png {
        width: pixels.width(),
        height: pixels.height(),
        bytes: &bytes,
    };
    Ok(events.image(now(), step, tag, png)?)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |d| d.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_numbers_by_name() {
        let row = serde_json::json!({"iteration": 5, "r2": 0.5, "lifetime_sparsity": null, "images": 100});
        assert_eq!(
            numbers("validation", &row),
            [("validation/r2".to_owned(), 0.5)]
        );
    }
}
