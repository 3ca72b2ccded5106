//! `scotopic train --dry-run`: estimated time and memory of a run.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use scotopic_datasets::Splits;
use scotopic_train::config::{self, RunConfig};
use scotopic_train::device::Opened;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::run_dir::{RunDir, info};
use scotopic_train::state::TrainState;
use scotopic_train::trainer::{Callback, Trainer};

use super::print;
use crate::allocator::peak_memory;
use crate::args::size;
use crate::table::duration;

/// Loads the data, trains four iterations in a temporary folder, and prints the estimated cost of the whole run.
///
/// # Errors
/// As training.
pub(super) fn dry_run(
    config: &RunConfig,
    splits: &Splits,
    device: &Device,
    others: &[Device],
    opened: &Opened,
    json: bool,
) -> Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("scotopic-dry-run-{}", std::process::id()));
    let short = RunConfig {
        train: config::TrainConfig {
            iterations: 4,
            ..config.train
        },
        validation: config::ValidationConfig {
            every: 4,
            ..config.validation
        },
        ..config.clone()
    };
    let stop = AtomicBool::new(false);
    let timed = (|| -> Result<(f64, f64, usize)> {
        let dir = RunDir::create(&scratch, &short, &info(&short, splits, opened))?;
        let mut state = TrainState::new(&short, splits, device)?;
        let parameters = scotopic_train::parameters::arrays_of(&state.model)?
            .values()
            .map(|a| a.values.len())
            .sum();
        let trainer = Trainer {
            config: &short,
            splits,
            device,
            others,
            dir: &dir,
            stop: &stop,
        };
        let mut clock = Clock::default();
        let whole = Instant::now();
        trainer.run(&mut state, &mut clock)?;
        // The first iteration also compiles and allocates, so the others are timed. The remaining time is one validation.
        let step = clock
            .marks
            .windows(2)
            .map(|w| (w[1] - w[0]).as_secs_f64())
            .fold(f64::MAX, f64::min);
        let validation = whole.elapsed().as_secs_f64() - clock.total();
        Ok((step, validation.max(0.0), parameters))
    })();
    let _ = std::fs::remove_dir_all(&scratch);
    let (step, validation, parameters) = timed?;
    let iterations = config.train.iterations;
    let validations = iterations.div_ceil(config.validation.every);
    let seconds = step * iterations as f64 + validation * validations as f64;
    let memory = peak_memory();
    if json {
        let value = serde_json::json!({
            "device": opened.name,
            "train_images": splits.train.len(),
            "validation_images": splits.validation.len(),
            "image": splits.train.shape(),
            "latents": config.model.latents,
            "parameters": parameters,
            "seconds_per_iteration": step,
            "seconds_per_validation": validation,
            "iterations": iterations,
            "estimated_seconds": seconds,
            "peak_memory_bytes": memory,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!("device       {}", opened.name))?;
    print::line(format!(
        "data         {} images of {} to train, {} to validate",
        splits.train.len(),
        size(splits),
        splits.validation.len()
    ))?;
    print::line(format!(
        "model        {} {}, {parameters} parameters",
        config.model.latents,
        config.model.family.info().terms.units
    ))?;
    print::line(format!(
        "batch        [{}, {}] {}, {}",
        config.train.batch_size,
        splits.train.shape().pixels(),
        match config.train.micro_batches {
            1 => "at once".to_owned(),
            parts => format!("in {parts} parts"),
        },
        match config.train.bptt_windows {
            1 => format!("{} inference steps", config.inference.steps),
            windows => format!(
                "{windows} windows of {} inference steps",
                config.inference.steps
            ),
        },
    ))?;
    print::line(format!(
        "time         {step:.3} s per iteration; about {} in total",
        duration(seconds)
    ))?;
    if let Some(bytes) = memory {
        print::line(format!(
            "memory       {:.0} MB at its peak, data included",
            bytes as f64 / 1e6
        ))?;
    }
    print::line("dry run: nothing was written")?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct Clock {
    marks: Vec<Instant>,
}

impl Clock {
    fn total(&self) -> f64 {
        match (self.marks.first(), self.marks.last()) {
            (Some(first), Some(last)) => (*last - *first).as_secs_f64(),
            _ => 0.0,
        }
    }
}

impl Callback for Clock {
    fn iteration(&mut self, _: usize, _: usize) {
        self.marks.push(Instant::now());
    }
    fn logged(&mut self, _: &LogRow) {}
    fn validated(&mut self, _: &ValidationRow) {}
}
