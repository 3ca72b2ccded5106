//! Networks of the experiments: one per arm and seed, continued if it was interrupted, loaded if it is there.

use anyhow::{Context as _, Result, ensure};
use scotopic_datasets::{DataConfig, Splits};
use scotopic_models::Network;
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::{self, RunConfig};
use scotopic_train::device::{self, Opened};
use scotopic_train::evaluate::{EvaluationConfig, Metrics, evaluate, validation};
use scotopic_train::records::ValidationRow;
use scotopic_train::run_dir::{RunDir, info};
use scotopic_train::state::{TrainState, load_model};
use scotopic_train::trainer::{Outcome, Trainer};
use serde_json::Value;

use crate::args::load;
use crate::experiments::protocol::{Size, Task};
use crate::training_progress::TrainingProgress;

/// How the network of an arm is trained.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name among all networks of all experiments.
    name: String,
    /// The preset of the quick and the standard size.
    preset: &'static str,
    /// That of the full size: the published settings.
    full: &'static str,
    /// Iterations of the quick and the standard size.
    iterations: [usize; 2],
    /// Overrides of either preset.
    sets: Vec<String>,
    /// Overrides of `preset` alone.
    short: Vec<String>,
    /// Whose weights the quick and the standard size begin with.
    first: Option<Box<Recipe>>,
}

impl Recipe {
    /// A preset for so many iterations (quick, standard), and its published counterpart. Experiments that ask for the same
    /// name share the network.
    pub fn new(
        name: impl Into<String>,
        preset: &'static str,
        full: &'static str,
        iterations: [usize; 2],
    ) -> Self {
        Self {
            name: name.into(),
            preset,
            full,
            iterations,
            sets: Vec::new(),
            short: Vec::new(),
            first: None,
        }
    }

    /// The same by another name: another network, of other overrides.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same for so many iterations (quick, standard).
    pub fn lasting(mut self, iterations: [usize; 2]) -> Self {
        self.iterations = iterations;
        self
    }

    /// The same with one more override of the quick and the standard size.
    pub fn set_short(mut self, assignment: impl Into<String>) -> Self {
        self.short.push(assignment.into());
        self
    }

    /// The same in two stages: the quick and the standard size begin with the weights of `first`, trained with the same seed.
    pub fn after(mut self, first: Recipe) -> Self {
        self.first = Some(Box::new(first));
        self
    }

    /// The same with one more override.
    pub fn set(mut self, assignment: impl Into<String>) -> Self {
        self.sets.push(assignment.into());
        self
    }

    /// The configuration for a size and a seed (of weights, noise and order of the images).
    ///
    /// # Errors
    /// If an override is invalid.
    pub fn config(&self, size: Size, seed: u64) -> Result<RunConfig> {
        let iterations = size.of(Some(self.iterations[0]), Some(self.iterations[1]), None);
        let preset = match iterations {
            Some(_) => self.preset,
            None => self.full,
        };
        let mut sets = vec![format!("seed={seed}")];
        if let Some(iterations) = iterations {
            sets.push(format!("train.iterations={iterations}"));
            sets.push(format!("train.save_every={}", iterations.div_ceil(8)));
            sets.push(format!("validation.every={}", iterations.div_ceil(4)));
            sets.extend(self.short.iter().cloned());
        }
        sets.extend(self.sets.iter().cloned());
        config::resolve(preset, None, &sets)
    }
}

/// What a file of results says of the iterations (quick, standard) of a size.
pub fn iterations(size: Size, numbers: [usize; 2]) -> Value {
    size.of(numbers[0].into(), numbers[1].into(), "of the preset".into())
}

/// A trained network.
pub struct Trained {
    /// Its configuration.
    pub config: RunConfig,
    /// The best checkpoint.
    pub checkpoint: Checkpoint,
    /// The network, without autodiff.
    pub network: Network,
    /// Seconds of training, summed over interruptions and stages.
    pub seconds: f64,
    /// Its validations and those of the stages before it, with the seconds of all stages.
    pub validations: Vec<ValidationRow>,
    /// Where it is.
    pub device: Opened,
}

impl Trained {
    /// The metrics on the first `count` images of the validation set, as while training.
    ///
    /// # Errors
    /// If the set is empty or the device fails.
    pub fn validated(&self, splits: &Splits, count: usize) -> Result<Metrics> {
        let how = EvaluationConfig {
            count,
            ..validation(&self.config)
        };
        evaluate(&self.network, &splits.validation, &how, &self.device.device)
    }

    /// The network as the analyses take it.
    pub fn analysed(&self) -> AnalysedModel<'_> {
        AnalysedModel {
            model: &self.network,
            config: &self.config,
            device: &self.device.device,
        }
    }
}

/// The data of a configuration.
///
/// # Errors
/// If files are missing or invalid.
pub fn data(task: &Task, data: &DataConfig) -> Result<Splits> {
    load(data, task.data, &mut |line| task.reporter.say(line))
}

/// Trains, continues or loads the network of a recipe and the seed of the task, in the folder `networks` beside the folders
/// of the experiments of this size.
///
/// # Errors
/// If data, device or files fail, if the folder holds a run with other settings, or when asked to stop.
pub fn trained(task: &Task, recipe: &Recipe) -> Result<Trained> {
    trained_with(task, recipe, None)
}

/// The same on these data, which are those of the recipe: for several networks on the same data.
///
/// # Errors
/// As [`trained`].
pub fn trained_on(task: &Task, recipe: &Recipe, splits: &Splits) -> Result<Trained> {
    trained_with(task, recipe, Some(splits))
}

fn trained_with(task: &Task, recipe: &Recipe, given: Option<&Splits>) -> Result<Trained> {
    let config = recipe.config(task.size, task.seed)?;
    let name = format!("{}-seed-{}", recipe.name, task.seed);
    let root = task.folder.with_file_name("networks").join(&name);
    let opened = device::open(task.device)?;
    let autodiff = opened.device.clone().autodiff();
    let (dir, kept) = match RunDir::open(&root) {
        Err(_) => (None, None),
        Ok(dir) => {
            let dir = dir.locked()?;
            // None where it was stopped before its first checkpoint: start again.
            let kept = match dir.last().exists() {
                true => Some(Checkpoint::read(&dir.last())?),
                false => None,
            };
            (Some(dir), kept)
        }
    };
    if let Some(kept) = &kept {
        ensure!(
            kept.config == config,
            "{} was trained with other settings: remove it, or give another --out",
            root.display()
        );
    }
    let first = match &recipe.first {
        Some(first) if task.size != Size::Full => Some(trained_with(task, first, given)?),
        _ => None,
    };
    let before = first.as_ref().map_or(0.0, |first| first.seconds);
    let earlier = first.as_ref().map(|first| first.validations.clone());
    let finished = kept
        .as_ref()
        .is_some_and(|kept| kept.progress.iteration >= config.train.iterations);
    let (dir, seconds) = match (dir, kept) {
        (Some(dir), Some(kept)) if finished => (dir, kept.progress.seconds),
        (dir, kept) => {
            let own = match given {
                Some(_) => None,
                None => Some(data(task, &config.data)?),
            };
            let splits = given.or(own.as_ref()).context("no data were loaded")?;
            let mut state = match (&kept, &first) {
                (Some(kept), _) => TrainState::from_checkpoint(kept, &autodiff)?,
                (None, Some(first)) => {
                    TrainState::warm(&config, splits, &autodiff, &first.checkpoint)?
                }
                (None, None) => TrainState::new(&config, splits, &autodiff)?,
            };
            let dir = match dir {
                Some(dir) => dir,
                None => RunDir::create(&root, &config, &info(&config, splits, &opened))?,
            };
            dir.rewind(state.progress.iteration)?;
            let trainer = Trainer {
                config: &config,
                splits,
                device: &autodiff,
                others: &[],
                dir: &dir,
                stop: task.stop,
            };
            let from = state.progress.iteration;
            let mut progress = TrainingProgress::new(task.reporter, &name, &config, from);
            let outcome = trainer.run(&mut state, &mut progress)?;
            progress.finish();
            ensure!(
                outcome != Outcome::Interrupted,
                "interrupted; the same command continues where it stopped"
            );
            (dir, state.progress.seconds)
        }
    };
    let checkpoint = Checkpoint::read(&dir.best())
        .with_context(|| format!("{} has no best model", root.display()))?;
    let network = load_model(&checkpoint, &opened.device)?;
    let mut validations = earlier.unwrap_or_default();
    validations.extend(dir.validations().into_iter().map(|row| ValidationRow {
        seconds: before + row.seconds,
        ..row
    }));
    Ok(Trained {
        validations,
        config,
        checkpoint,
        network,
        seconds: before + seconds,
        device: opened,
    })
}
