//! The training loop.
//!
//! One iteration: take a batch, let the network infer for T steps, take the mean free energy on the way,
//! differentiate through all of it, make one step of Adamax. A batch can be split into microbatches and over
//! several devices (`microbatch`, `data_parallel`). Everything that varies is a pure function of the iteration, so a run that is
//! stopped anywhere and continued is identical to an uninterrupted one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic_datasets::Splits;
use scotopic_models::Network;

use crate::batches::Batches;
use crate::config::RunConfig;
use crate::data_parallel::DataParallel;
use crate::evaluate::{EvaluationConfig, evaluate, validation};
use crate::microbatch::BpttWindow;
use crate::records::{LogRow, ValidationRow};
use crate::run_dir::RunDir;
use crate::state::TrainState;

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All iterations are done.
    Finished,
    /// `validation.patience` ran out.
    StoppedEarly,
    /// Interrupted by the user; the checkpoint is written.
    Interrupted,
}

/// Receives the progress of training.
pub trait Callback {
    /// After every iteration.
    fn iteration(&mut self, done: usize, total: usize);
    /// When the metrics of some iterations were read back.
    fn logged(&mut self, row: &LogRow);
    /// After every validation.
    fn validated(&mut self, row: &ValidationRow);
    /// After `validated`: what was validated, for receivers that draw it. Does nothing unless implemented.
    fn state(&mut self, _state: &TrainState) {}
}

/// All receivers of a list, in its order.
impl Callback for Vec<&mut (dyn Callback + '_)> {
    fn iteration(&mut self, done: usize, total: usize) {
        self.iter_mut().for_each(|one| one.iteration(done, total));
    }

    fn logged(&mut self, row: &LogRow) {
        self.iter_mut().for_each(|one| one.logged(row));
    }

    fn validated(&mut self, row: &ValidationRow) {
        self.iter_mut().for_each(|one| one.validated(row));
    }

    fn state(&mut self, state: &TrainState) {
        self.iter_mut().for_each(|one| one.state(state));
    }
}

/// The arguments of training besides its state.
pub struct Trainer<'a> {
    /// The configuration of the run.
    pub config: &'a RunConfig,
    /// The data.
    pub splits: &'a Splits,
    /// A device with autodiff, which the state lives on.
    pub device: &'a Device,
    /// Further devices with autodiff that each train on part of every batch; the same one may be listed more than once.
    pub others: &'a [Device],
    /// The folder of the run.
    pub dir: &'a RunDir,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
}

/// Checks that the training images, or films, make batches of a configuration: what [`Trainer::run`] would refuse first.
///
/// # Errors
/// If there are fewer than a batch, or a film has fewer frames than are shown of it.
pub fn check_batches(config: &RunConfig, splits: &Splits) -> Result<()> {
    ensure!(
        !splits.validation.is_empty(),
        "data.validation: a training needs data to validate, of which it keeps the best model"
    );
    Batches::new(&splits.train, config).map(drop)
}

impl Trainer<'_> {
    /// Trains `state` until the iterations are done, patience runs out, or `stop` is set.
    ///
    /// # Errors
    /// If a batch has fewer rows than devices or microbatches, a number stops being finite (naming iteration, term,
    /// and the last good checkpoint), a device fails, or the run folder cannot be written.
    pub fn run(&self, state: &mut TrainState, callback: &mut dyn Callback) -> Result<Outcome> {
        let config = self.config;
        let total = config.train.iterations;
        let mut batches = Batches::new(&self.splits.train, config)?;
        let batch = config.train.batch_size;
        let devices =
            DataParallel::new(self.device, self.others, batch, config.train.micro_batches)?;
        let mut pending = Pending::default();
        let clock = Instant::now();
        let before = state.progress.seconds;
        let patience = config.validation.patience;
        if patience > 0 && state.progress.since_best >= patience {
            return Ok(Outcome::StoppedEarly); // it had already stopped early
        }

        while state.progress.iteration < total {
            let i = state.progress.iteration;

            // 1. Schedules and noise of this iteration.
            let temperature = config.schedule.temperature.at(i, total) as f32;
            let beta = config.schedule.beta.to(config.objective.beta).at(i, total);
            let opening = config.schedule.clamp_opening.to(1.0).at(i, total);
            let rate = config.train.learning_rate.at(i, total);
            let warming = i < config.train.learning_rate.warmup_iterations(total);
            let clip = if warming {
                config.train.warmup_max_grad_norm
            } else {
                config.train.max_grad_norm
            };
            let rule = config.rule().at(opening, Sampling::relaxed(temperature));
            let noise = NoiseKey::new(config.seed).step(i as u32);

            // 2. The batch.
            let pixels = batches.pixels();
            let mut seen = devices.batch(&batches.at(i), pixels);

            // 3. Infer window by window; one optimiser step for each that is learned from.
            let steps = config.inference.steps;
            let settling = config.train.settling_windows;
            for window in settling..config.train.bptt_windows {
                let window = BpttWindow {
                    rule: rule.clone(),
                    settling: 0..settling * steps,
                    times: window * steps..(window + 1) * steps,
                    noise,
                    record: config.inference.method.learns_from(),
                    beta,
                    gradient: config.train.gradient,
                    scale: 256.0 / pixels as f64,
                    batch,
                };
                let learned = devices.learn(&state.model, &mut seen, &window)?;
                let (model, norm) =
                    state
                        .optimizer
                        .step(state.model.clone(), &learned.gradients, rate, clip);
                state.model = match config.model.decoder.unit_norm {
                    true => model.normalised(),
                    false => model,
                };
                pending.push(i, Tensor::cat(vec![learned.terms, norm], 0));
            }
            if let Some(average) = state.average.take() {
                state.average = Some(towards(average, &state.model.valid(), config.train.ema));
            }
            state.progress.iteration = i + 1;
            state.progress.seconds = before + clock.elapsed().as_secs_f64();
            callback.iteration(i + 1, total);

            // 4. Log, validate, save.
            let last = i + 1 == total;
            let stopping = self.stop.load(Ordering::Relaxed);
            let due = |every: usize| last || (i + 1).is_multiple_of(every);
            let (validating, saving) = (
                due(config.validation.every),
                stopping || due(config.train.save_every),
            );
            if due(config.train.log_every) || validating || saving {
                let means = pending.read().map_err(|e| self.diverged(e))?;
                if let Some([reconstruction, kl, gradient_norm]) = means {
                    let row = LogRow {
                        iteration: i + 1,
                        epoch: batches.epoch(i + 1),
                        seconds: state.progress.seconds,
                        reconstruction,
                        kl,
                        objective: reconstruction + beta * kl,
                        gradient_norm,
                        rate,
                        beta,
                        temperature: f64::from(temperature),
                    };
                    self.dir.log(&row)?;
                    callback.logged(&row);
                }
            }
            // A due validation is run even when stopping: a continued run would skip it.
            let mut outcome = last.then_some(Outcome::Finished);
            if validating {
                let row = self.validate(state, batches.epoch(i + 1))?;
                callback.validated(&row);
                callback.state(state);
                if patience > 0 && state.progress.since_best >= patience {
                    outcome = outcome.or(Some(Outcome::StoppedEarly));
                }
            }
            if stopping && !last {
                outcome = Some(Outcome::Interrupted);
            }
            if saving || outcome.is_some() {
                let saved = state.to_checkpoint(config)?.write(&self.dir.last());
                saved.map_err(|e| self.diverged(e))?;
            }
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Evaluates the model and saves it if it is the best so far.
    fn validate(&self, state: &mut TrainState, epoch: f64) -> Result<ValidationRow> {
        let device = self.device.clone().inner();
        let how = EvaluationConfig {
            settling: self.config.train.settling_windows * self.config.inference.steps,
            ..validation(self.config)
        };
        let measures = evaluate(&state.judged(), &self.splits.validation, &how, &device)?;
        if !measures.objective.is_finite() {
            let what = anyhow::anyhow!("the validation free energy is {}", measures.objective);
            return Err(
                self.diverged(what.context(format!("iteration {}", state.progress.iteration)))
            );
        }
        let better = state
            .progress
            .best
            .is_none_or(|best| measures.objective < best);
        if better {
            state.progress.best = Some(measures.objective);
            state.progress.since_best = 0;
        } else {
            state.progress.since_best += 1;
        }
        let row = ValidationRow {
            iteration: state.progress.iteration,
            epoch,
            seconds: state.progress.seconds,
            best: better,
            measures,
        };
        if better {
            state.to_model(self.config)?.write(&self.dir.best())?;
        }
        self.dir.validated(&row)?;
        Ok(row)
    }

    /// Adds advice to the error for a number that stopped being finite; other errors, as a full disk, pass unchanged.
    fn diverged(&self, error: anyhow::Error) -> anyhow::Error {
        if error.chain().any(|cause| cause.is::<std::io::Error>()) {
            return error;
        }
        let last = self.dir.last();
        let good = match last.exists() {
            true => format!("the last good checkpoint is {}", last.display()),
            false => "no checkpoint was written before".to_string(),
        };
        let what = format!("{error:#}");
        anyhow::anyhow!(
            "training diverged at {what}; {good}. Try a lower train.learning_rate.peak, a lower train.max_grad_norm or a higher objective.beta"
        )
    }
}

/// Metrics that are still on the device: `[reconstruction, KL, gradient norm]` of each optimiser step.
#[derive(Default)]
struct Pending {
    iterations: Vec<usize>,
    rows: Vec<Tensor<1>>,
}

impl Pending {
    fn push(&mut self, iteration: usize, row: Tensor<1>) {
        self.iterations.push(iteration);
        self.rows.push(row);
    }

    /// Reads everything back at once; the means, or the first term that is not finite.
    fn read(&mut self) -> Result<Option<[f64; 3]>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        let iterations = std::mem::take(&mut self.iterations);
        let n = rows.len() as f64;
        let values: Vec<f32> = Tensor::cat(rows, 0)
            .try_into_vec_as()
            .context("could not read metrics from the device")?;
        let mut means = [0f64; 3];
        for (row, iteration) in values.chunks_exact(3).zip(iterations) {
            for (k, term) in ["reconstruction term", "KL term", "gradient"]
                .into_iter()
                .enumerate()
            {
                if !row[k].is_finite() {
                    bail!("iteration {}: the {term} is {}", iteration + 1, row[k]);
                }
                means[k] += f64::from(row[k]) / n;
            }
        }
        Ok(Some(means))
    }
}

/// `average ← decay·average + (1 − decay)·model`, parameter by parameter.
fn towards(average: Network, model: &Network, decay: f64) -> Network {
    struct Blend {
        values: Vec<Tensor<1>>,
        next: usize,
        decay: f64,
    }
    impl ModuleMapper for Blend {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            let shape = old.dims();
            let new = self.values[self.next].clone().reshape(shape);
            self.next += 1;
            Param::from_mapped_value(id, old * self.decay + new * (1.0 - self.decay), mapper)
        }
    }
    struct Flatten(Vec<Tensor<1>>);
    impl ModuleVisitor for Flatten {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            let n = value.dims().iter().product::<usize>();
            self.0.push(value.reshape([n]));
        }
    }
    let mut flat = Flatten(Vec::new());
    model.visit(&mut flat);
    average.map(&mut Blend {
        values: flat.0,
        next: 0,
        decay,
    })
}
