//! The configuration of a run: one value, from TOML, validated before a device is opened.

use anyhow::{Result, bail, ensure};
use scotopic::inference::{Expectation, StepForm};
use scotopic::posterior::{ActivationKind, KlForm};
use scotopic::{Ramp, RampTo, WarmupCosine};
use scotopic_datasets::DataConfig;
use scotopic_models::{DecoderKind, Family, Method, NetworkConfig, RuleConfig};
use serde::{Deserialize, Serialize};

use crate::adamax::AdamaxConfig;

mod changes;
mod learning_gradient;
mod merge;
mod presets;
mod renamed;
mod stimulus;
mod table;
mod warm_start;

pub use changes::{Change, changes};
pub use learning_gradient::LearningGradient;
pub use merge::{check_keys, read_config, resolve, set};
pub use presets::{DEFAULT_PRESET, PRESETS, Preset, annotated, preset};
pub use stimulus::stimulus;
pub use warm_start::WarmStart;

/// Everything that decides the result of a run. Device and folder are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Seed of initial weights, noise and the order of the data.
    pub seed: u64,
    /// What is seen.
    pub data: DataConfig,
    /// The network.
    pub model: NetworkConfig,
    /// How it infers.
    pub inference: RuleConfig,
    /// What it minimises.
    pub objective: ObjectiveConfig,
    /// How long and how fast it learns.
    pub train: TrainConfig,
    /// Constants of the optimiser.
    pub optimizer: AdamaxConfig,
    /// What changes while it learns.
    pub schedule: ScheduleConfig,
    /// How it is judged on the way.
    pub validation: ValidationConfig,
}

/// The learning objective: mean over time and data of −ln p(x|z) + β KL, times 256/M.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Weight of the KL term once it has grown.
    pub beta: f64,
    /// "exact", or "published" for the weighting of the published code.
    pub kl: KlForm,
    /// "sample", or "exact" for the expectation in closed form (linear decoders without an activation).
    #[serde(default)]
    pub expectation: Expectation,
}

/// Iterations and batches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Batches that are shown.
    pub iterations: usize,
    /// Data per batch.
    #[serde(alias = "batch")]
    pub batch_size: usize,
    /// Parts that a batch goes through in, one after the other: their gradients are summed before a step is made,
    /// and memory falls by as much.
    #[serde(default = "whole")]
    #[serde(alias = "parts")]
    pub micro_batches: usize,
    /// Windows of truncated backpropagation per batch, one optimiser step each.
    #[serde(alias = "windows")]
    pub bptt_windows: usize,
    /// Of them, those at the start of each batch that nothing is learned from: the beliefs settle.
    #[serde(default)]
    pub settling_windows: usize,
    /// "through-inference", by backpropagation through the steps of a window; or "fixed-beliefs", with every belief held
    /// fixed, which needs no window: step size and homeostasis stay as they are.
    #[serde(default)]
    pub gradient: LearningGradient,
    /// Learning rate: warm-up, then a cosine.
    #[serde(alias = "rate")]
    pub learning_rate: WarmupCosine,
    /// Largest global norm of the gradient.
    #[serde(alias = "clip")]
    pub max_grad_norm: f64,
    /// The same during warm-up.
    #[serde(alias = "warmup_clip")]
    pub warmup_max_grad_norm: f64,
    /// What is taken over of another network (`--init`).
    #[serde(default)]
    pub warm_start: WarmStart,
    /// Of a network that is taken over: its rates times this, its atoms divided by it.
    #[serde(default = "unchanged")]
    pub rate_gain: f64,
    /// Decay of the running average of the weights that is validated and kept as best; 0 turns it off.
    pub ema: f64,
    /// Iterations between two rows of metrics.jsonl.
    pub log_every: usize,
    /// Iterations between two checkpoints.
    pub save_every: usize,
}

/// A batch that goes through at once.
fn whole() -> usize {
    1
}

/// A network as it is.
fn unchanged() -> f64 {
    1.0
}

/// Curves over training, as portions of all iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// τ of the relaxed spikes.
    pub temperature: Ramp,
    /// Growth of β to `objective.beta`.
    pub beta: RampTo,
    /// Opening of the soft clamps from `inference.initial_ceiling` (0) to their final values (1).
    #[serde(alias = "opening")]
    pub clamp_opening: RampTo,
}

/// Validation on data that is not learned from, with exact counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// Iterations between two validations.
    pub every: usize,
    /// How many data are used, from the start of the validation split.
    pub count: usize,
    /// Stop after this many validations without a lower free energy; 0 never stops early.
    pub patience: usize,
}

impl RunConfig {
    /// Inference steps that an image is shown for: those of all windows of a batch.
    pub fn steps_per_image(&self) -> usize {
        self.inference.steps * self.train.bptt_windows
    }

    /// Checks every value, and those that must fit one another.
    ///
    /// # Errors
    /// Names the first key that makes no sense, its value and the rule.
    pub fn validate(&self) -> Result<()> {
        self.data.validate()?;
        self.model.validate(self.inference.method)?;
        self.inference.validate()?;
        let number = |key: &str, value: f64, low: f64| -> Result<()> {
            ensure!(
                value.is_finite() && value >= low,
                "{key} = {value}: must be a number of at least {low}"
            );
            Ok(())
        };
        let count = |key: &str, value: usize, low: usize| -> Result<()> {
            ensure!(
                (low..=u32::MAX as usize).contains(&value),
                "{key} = {value}: must be a whole number between {low} and {}",
                u32::MAX
            );
            Ok(())
        };
        let portion = |key: &str, value: f64| -> Result<()> {
            ensure!(
                (0.0..=1.0).contains(&value),
                "{key} = {value}: must be a portion between 0 and 1"
            );
            Ok(())
        };
        number("objective.beta", self.objective.beta, 0.0)?;
        let linear = self.model.decoder.kind == DecoderKind::Linear;
        ensure!(
            self.objective.expectation == Expectation::Sample
                || (linear && self.model.activation == ActivationKind::None),
            "objective.expectation = \"exact\": needs model.decoder.kind = \"linear\" and model.activation = \"none\""
        );
        ensure!(
            self.inference.step != StepForm::Certified
                || (linear
                    && self.model.family == Family::Poisson
                    && self.inference.method == Method::NaturalGradient),
            "inference.step = \"certified\": needs model.family = \"poisson\", model.decoder.kind = \"linear\" and inference.method = \"natural-gradient\""
        );
        ensure!(
            self.inference.step != StepForm::Proximal
                || linear
                || self.inference.method.has_encoder(),
            "inference.step = \"proximal\": needs model.decoder.kind = \"linear\"; set inference.step = \"backtracking\" or \"explicit\""
        );
        let TrainConfig {
            iterations,
            batch_size,
            micro_batches,
            bptt_windows,
            settling_windows,
            gradient,
            learning_rate,
            max_grad_norm,
            warmup_max_grad_norm,
            warm_start: _,
            rate_gain,
            ema,
            log_every,
            save_every,
        } = self.train;
        count("train.iterations", iterations, 1)?;
        count("train.batch_size", batch_size, 1)?;
        ensure!(
            (1..=batch_size).contains(&micro_batches),
            "train.micro_batches = {micro_batches}: must be between 1 and train.batch_size = {batch_size}, a row for each"
        );
        count("train.bptt_windows", bptt_windows, 1)?;
        ensure!(
            settling_windows < bptt_windows,
            "train.settling_windows = {settling_windows}: must be below train.bptt_windows = {bptt_windows}, so that something is learned from"
        );
        ensure!(
            gradient == LearningGradient::ThroughInference
                || self.inference.method == Method::NaturalGradient,
            "train.gradient = \"fixed-beliefs\": needs inference.method = \"natural-gradient\""
        );
        count("train.log_every", log_every, 1)?;
        count("train.save_every", save_every, 1)?;
        number("train.learning_rate.peak", learning_rate.peak, 0.0)?;
        number("train.learning_rate.floor", learning_rate.floor, 0.0)?;
        portion("train.learning_rate.warmup", learning_rate.warmup)?;
        ensure!(
            max_grad_norm > 0.0 && max_grad_norm.is_finite(),
            "train.max_grad_norm = {max_grad_norm}: must be above 0"
        );
        ensure!(
            warmup_max_grad_norm > 0.0 && warmup_max_grad_norm.is_finite(),
            "train.warmup_max_grad_norm = {warmup_max_grad_norm}: must be above 0"
        );
        ensure!(
            rate_gain > 0.0 && rate_gain.is_finite(),
            "train.rate_gain = {rate_gain}: must be above 0; 1 leaves the network of --init as it is"
        );
        ensure!(
            rate_gain == unchanged() || (linear && self.model.family == Family::Poisson),
            "train.rate_gain = {rate_gain}: only model.family = \"poisson\" over model.decoder.kind = \"linear\" has rates to raise; set it to 1"
        );
        ensure!(
            (0.0..1.0).contains(&ema),
            "train.ema = {ema}: must be at least 0 (off) and below 1"
        );
        let AdamaxConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.optimizer;
        ensure!(
            (0.0..1.0).contains(&beta1),
            "optimizer.beta1 = {beta1}: must be at least 0 and below 1"
        );
        ensure!(
            (0.0..1.0).contains(&beta2),
            "optimizer.beta2 = {beta2}: must be at least 0 and below 1"
        );
        ensure!(
            epsilon > 0.0 && epsilon.is_finite(),
            "optimizer.epsilon = {epsilon}: must be above 0"
        );
        number("optimizer.weight_decay", weight_decay, 0.0)?;
        let tau = self.schedule.temperature;
        for (key, value) in [("from", tau.from), ("to", tau.to)] {
            ensure!(
                (0.001..=100.0).contains(&value),
                "schedule.temperature.{key} = {value}: must be between 0.001 and 100 (training needs relaxed spikes)"
            );
        }
        number("schedule.beta.from", self.schedule.beta.from, 0.0)?;
        portion(
            "schedule.clamp_opening.from",
            self.schedule.clamp_opening.from,
        )?;
        for (key, value) in [
            ("temperature.hold", tau.hold),
            ("temperature.duration", tau.duration),
            ("beta.hold", self.schedule.beta.hold),
            ("beta.duration", self.schedule.beta.duration),
            ("clamp_opening.hold", self.schedule.clamp_opening.hold),
            (
                "clamp_opening.duration",
                self.schedule.clamp_opening.duration,
            ),
        ] {
            portion(&format!("schedule.{key}"), value)?;
        }
        count("validation.every", self.validation.every, 1)?;
        count("validation.count", self.validation.count, 1)?;
        count("validation.patience", self.validation.patience, 0)?;
        if self
            .inference
            .steps
            .checked_mul(bptt_windows)
            .is_none_or(|t| t >= 1 << 24)
        {
            bail!("inference.steps × train.bptt_windows is beyond 16777215: lower one of them");
        }
        Ok(())
    }

    /// The resolved configuration as TOML, the form in which a run keeps it.
    ///
    /// # Errors
    /// Only if a value cannot be written in TOML, which no validated value is.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// The inference rule with the form of KL that the objective asks for.
    pub fn rule(&self) -> RuleConfig {
        RuleConfig {
            kl: self.objective.kl,
            expectation: self.objective.expectation,
            ..self.inference.clone()
        }
    }
}
