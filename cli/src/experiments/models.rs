//! The models of the experiments: loaded if trained, continued if interrupted, else trained.

use anyhow::{Context as _, Result, ensure};
use scotopic_models::Network;
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::{self, RunConfig};
use scotopic_train::run_dir::{RunDir, info};
use scotopic_train::state::{TrainState, load_model};
use scotopic_train::trainer::{Outcome, Trainer};

use super::Context;
use crate::training_progress::TrainingProgress;

/// Which model.
#[derive(Debug, Clone)]
pub struct ModelSpec {
    /// The name of its folder and of its row in tables.
    pub name: &'static str,
    /// The preset for quick and standard sizes.
    pub preset: &'static str,
    /// The preset of the full size.
    pub full: &'static str,
    /// Factor on the number of iterations at the quick size.
    pub patience: usize,
    /// Overrides of either preset.
    pub sets: Vec<String>,
}

impl ModelSpec {
    /// A preset for the quick and standard sizes and its published counterpart.
    pub fn new(name: &'static str, preset: &'static str, full: &'static str) -> Self {
        Self {
            name,
            preset,
            full,
            patience: 1,
            sets: Vec::new(),
        }
    }

    /// The same with `times` as many iterations at the quick size, for models that are cheap and converge slowly.
    pub fn patient(self, times: usize) -> Self {
        Self {
            patience: times,
            ..self
        }
    }

    /// The same with one more override.
    pub fn set(mut self, assignment: impl Into<String>) -> Self {
        self.sets.push(assignment.into());
        self
    }

    /// The configuration for this size of experiment.
    ///
    /// # Errors
    /// If an override is invalid.
    pub fn config(&self, size: super::Size) -> Result<RunConfig> {
        let mut sets = Vec::new();
        let preset = match size.iterations() {
            None => self.full,
            Some(iterations) => {
                let iterations = match size {
                    super::Size::Quick => iterations * self.patience,
                    _ => iterations,
                };
                sets.push(format!("train.iterations={iterations}"));
                sets.push(format!("train.save_every={}", iterations.div_ceil(8)));
                sets.push(format!("validation.every={}", iterations.div_ceil(4)));
                self.preset
            }
        };
        sets.extend(self.sets.iter().cloned());
        config::resolve(preset, None, &sets)
    }
}

/// A trained model.
pub struct TrainedModel {
    /// The name of its specification.
    pub name: &'static str,
    /// Its configuration.
    pub config: RunConfig,
    /// The best checkpoint.
    pub checkpoint: Checkpoint,
    /// The network, without autodiff.
    pub network: Network,
    /// Seconds of training, summed over interruptions.
    pub seconds: f64,
}

impl TrainedModel {
    /// The model as the analyses take it.
    pub fn analysed<'a>(&'a self, context: &'a Context<'_>) -> AnalysedModel<'a> {
        AnalysedModel {
            model: &self.network,
            config: &self.config,
            device: &context.device.device,
        }
    }
}

/// Trains, continues or loads the model of `spec`.
///
/// # Errors
/// If data, device or files fail, if the folder holds a run with other settings, or on Ctrl-C.
pub fn load_or_train(context: &Context, spec: &ModelSpec) -> Result<TrainedModel> {
    let config = spec.config(context.size)?;
    let root = context.out.join("models").join(spec.name);
    let fresh = RunDir::open(&root).is_err();
    let autodiff = context.device.device.clone().autodiff();
    let mut splits = None;
    let (dir, state) = if fresh {
        let loaded = context.load(&config.data)?;
        let state = TrainState::new(&config, &loaded, &autodiff)?;
        let dir = RunDir::create(&root, &config, &info(&config, &loaded, context.device))?;
        splits = Some(loaded);
        (dir, state)
    } else {
        let dir = RunDir::open(&root)?.locked()?;
        match dir.last().exists() {
            true => {
                let checkpoint = Checkpoint::read(&dir.last())?;
                ensure!(
                    checkpoint.config == config,
                    "{} was trained with other settings: remove it, or give another --out",
                    root.display()
                );
                dir.rewind(checkpoint.progress.iteration)?;
                (dir, TrainState::from_checkpoint(&checkpoint, &autodiff)?)
            }
            // Stopped before its first checkpoint: start again.
            false => {
                let loaded = context.load(&config.data)?;
                let state = TrainState::new(&config, &loaded, &autodiff)?;
                dir.rewind(0)?;
                splits = Some(loaded);
                (dir, state)
            }
        }
    };
    let mut state = state;
    if state.progress.iteration < config.train.iterations {
        let splits = match splits {
            Some(splits) => splits,
            None => context.load(&config.data)?,
        };
        context.reporter.say(&format!(
            "{}: training, iteration {} of {}",
            spec.name, state.progress.iteration, config.train.iterations
        ));
        let trainer = Trainer {
            config: &config,
            splits: &splits,
            device: &autodiff,
            others: &[],
            dir: &dir,
            stop: context.stop,
        };
        let mut progress = TrainingProgress::new(
            context.reporter,
            spec.name,
            &config,
            state.progress.iteration,
        );
        let outcome = trainer.run(&mut state, &mut progress)?;
        progress.finish();
        ensure!(
            outcome != Outcome::Interrupted,
            "interrupted; the same command continues where it stopped"
        );
    }
    let checkpoint = Checkpoint::read(&dir.best())
        .with_context(|| format!("{} has no best model", root.display()))?;
    let network = load_model(&checkpoint, &context.device.device)?;
    Ok(TrainedModel {
        name: spec.name,
        config,
        checkpoint,
        network,
        seconds: state.progress.seconds,
    })
}
