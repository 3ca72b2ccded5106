//! The state of training: everything that is carried from one iteration to the next.

use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use scotopic_datasets::{ImageShape, Splits, Standardisation};
use scotopic_models::{ImageDims, Network, NetworkConfig};

use crate::adamax::{Adamax, Moments};
use crate::checkpoint::{Checkpoint, CheckpointKind, ImageInfo, Progress};
use crate::config::{LearningGradient, RunConfig, WarmStart};
use crate::parameters::{Arrays, HostArray, arrays_of, learned, with_arrays};

/// Model, optimiser and counters. Noise and the order of the data follow from the seed and the iteration.
#[derive(Debug, Clone)]
pub struct TrainState {
    /// The model that is being trained, on an autodiff device.
    pub model: Network,
    /// Running average of its weights, where `train.ema` asks for one.
    pub average: Option<Network>,
    /// The optimiser.
    pub optimizer: Adamax,
    /// Counters.
    pub progress: Progress,
    /// The images that it is trained on.
    pub image: ImageInfo,
}

/// Whether a parameter is of the steps of inference, which at fixed beliefs have no gradient.
fn of_inference_alone(path: &str) -> bool {
    path == "log_homeostasis" || path.starts_with("log_step.")
}

impl TrainState {
    /// Iteration 0.
    ///
    /// # Errors
    /// If the configuration does not fit the data.
    pub fn new(config: &RunConfig, splits: &Splits, device: &Device) -> Result<Self> {
        let shape = splits.train.shape();
        let sizes = sizes(config, shape);
        let model = sizes.init(config.inference.method, device, config.seed)?;
        let model = model.train();
        Ok(Self {
            average: (config.train.ema > 0.0).then(|| model.valid()),
            model,
            optimizer: Adamax::new(config.optimizer),
            progress: Progress {
                data: splits.digest(),
                ..Default::default()
            },
            image: ImageInfo {
                shape,
                standardisation: splits.standardisation,
                pixels: splits.training_scale().ok(),
            },
        })
    }

    /// Iteration 0 from the weights of another model, of its running average where it has one: all or those of the decoder
    /// (`train.warm_start`), with `train.rate_gain`. Optimiser, counters, noise and schedules begin anew.
    ///
    /// # Errors
    /// If a weight does not fit the configuration (it is named), or the other model saw images of another shape, or
    /// standardised ones where these are not.
    pub fn warm(
        config: &RunConfig,
        splits: &Splits,
        device: &Device,
        other: &Checkpoint,
    ) -> Result<Self> {
        let mut state = Self::new(config, splits, device)?;
        let (here, there) = (state.image, other.image);
        let size = |s: ImageShape| format!("{}×{}×{}", s.channels, s.height, s.width);
        ensure!(
            here.shape == there.shape,
            "it was trained on images of {} (channels, rows, columns); these are of {}",
            size(there.shape),
            size(here.shape)
        );
        let kind = |s: Standardisation| match s == Standardisation::NONE {
            true => "not standardised",
            false => "standardised",
        };
        ensure!(
            kind(here.standardisation) == kind(there.standardisation),
            "it was trained on images that were {}; these are {} (data.standardise)",
            kind(there.standardisation),
            kind(here.standardisation)
        );
        let part = match other.part("average") {
            average if average.is_empty() => other.part("model"),
            average => average,
        };
        let new = state.model.clone();
        state.model = with_arrays(state.model, part)?;
        if config.train.rate_gain != 1.0 {
            state.model = state.model.with_rate_gain(config.train.rate_gain)?;
        }
        if config.train.warm_start == WarmStart::Decoder {
            let mut arrays = arrays_of(&new)?;
            let taken = arrays_of(&state.model)?.into_iter();
            arrays.extend(taken.filter(|(path, _)| path.starts_with("decoder.")));
            state.model = with_arrays(state.model, arrays)?;
        }
        state.average = (config.train.ema > 0.0).then(|| state.model.valid());
        Ok(state)
    }

    /// The model that is evaluated and saved: the running average if there is one. Without autodiff.
    pub fn judged(&self) -> Network {
        self.average.clone().unwrap_or_else(|| self.model.valid())
    }

    /// The complete checkpoint of a run.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_checkpoint(&self, config: &RunConfig) -> Result<Checkpoint> {
        let mut arrays = prefixed("model", arrays_of(&self.model)?);
        if let Some(average) = &self.average {
            arrays.extend(prefixed("average", arrays_of(average)?));
        }
        for (path, moments) in &self.optimizer.moments {
            for (name, tensor) in [("mean", &moments.mean), ("norm", &moments.norm)] {
                let values = tensor
                    .try_to_vec_as::<f32>()
                    .context("could not read the optimiser from the device")?;
                let shape = vec![values.len()];
                arrays.insert(
                    format!("optimizer.{path}.{name}"),
                    HostArray { shape, values },
                );
            }
        }
        Ok(self.checkpoint(CheckpointKind::Training, config, arrays))
    }

    /// The weights alone, for use.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_model(&self, config: &RunConfig) -> Result<Checkpoint> {
        let arrays = prefixed("model", arrays_of(&self.judged())?);
        Ok(self.checkpoint(CheckpointKind::Model, config, arrays))
    }

    fn checkpoint(&self, kind: CheckpointKind, config: &RunConfig, arrays: Arrays) -> Checkpoint {
        let progress = Progress {
            optimizer_steps: self.optimizer.time,
            ..self.progress.clone()
        };
        Checkpoint {
            kind,
            config: config.clone(),
            image: self.image,
            progress,
            arrays,
        }
    }

    /// Continues from a checkpoint.
    ///
    /// # Errors
    /// If it is not a training checkpoint, or its parts do not fit its configuration.
    pub fn from_checkpoint(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        ensure!(
            checkpoint.kind == CheckpointKind::Training,
            "this checkpoint holds a model to use, not a run to continue"
        );
        let config = &checkpoint.config;
        let model = load_into(checkpoint, "model", device)?.train();
        let average = match config.train.ema > 0.0 {
            true => Some(load_into(checkpoint, "average", &device.clone().inner())?.valid()),
            false => None,
        };
        let mut optimizer = Adamax::new(config.optimizer);
        optimizer.time = checkpoint.progress.optimizer_steps;
        let plain = device.clone().inner();
        let mut parts = checkpoint.part("optimizer");
        if optimizer.time > 0 {
            let mut arrays = arrays_of(&model)?;
            for path in learned(&model) {
                let Some(array) = arrays.remove(&path) else {
                    continue;
                };
                let no_moments = ["mean", "norm"]
                    .iter()
                    .all(|name| !parts.contains_key(&format!("{path}.{name}")));
                let fixed_beliefs = config.train.gradient == LearningGradient::FixedBeliefs;
                if no_moments && fixed_beliefs && of_inference_alone(&path) {
                    continue;
                }
                let mut take = |name: &str| {
                    let key = format!("{path}.{name}");
                    let found = parts
                        .remove(&key)
                        .with_context(|| format!("the optimiser's {key} is missing"))?;
                    ensure!(
                        found.shape == [array.values.len()],
                        "the optimiser's {key} has shape {:?}, expected [{}]",
                        found.shape,
                        array.values.len()
                    );
                    Ok(Tensor::<1>::from_data(
                        TensorData::new(found.values, found.shape),
                        &plain,
                    ))
                };
                let moments = Moments {
                    mean: take("mean")?,
                    norm: take("norm")?,
                };
                optimizer.moments.insert(path, moments);
            }
        }
        Ok(Self {
            model,
            average,
            optimizer,
            progress: checkpoint.progress.clone(),
            image: checkpoint.image,
        })
    }
}

/// The model of a checkpoint of either kind, ready to use on `device`, without autodiff.
///
/// # Errors
/// If the weights do not fit the configuration.
pub fn load_model(checkpoint: &Checkpoint, device: &Device) -> Result<Network> {
    let prefix = match checkpoint.part("average").is_empty() {
        true => "model",
        false => "average",
    };
    Ok(load_into(checkpoint, prefix, device)?.valid())
}

fn load_into(checkpoint: &Checkpoint, prefix: &str, device: &Device) -> Result<Network> {
    let config = &checkpoint.config;
    let sizes = sizes(config, checkpoint.image.shape);
    let method = config.inference.method;
    let part = checkpoint.part(prefix);
    // Compared before memory of that size is allocated: a file may claim any size.
    let (found, expected) = (
        part.values().map(|array| array.values.len()).sum::<usize>(),
        sizes.parameters(method),
    );
    // Within what the file itself holds (and a little): then it can say which parameter does not fit.
    let fits = match expected <= found.saturating_mul(2).saturating_add(1 << 20) {
        true => sizes
            .init(method, device, 0)
            .map_err(Into::into)
            .and_then(|model| with_arrays(model, part)),
        false => Err(anyhow!("found {found} numbers; this model has {expected}")),
    };
    fits.with_context(|| {
        format!("the weights `{prefix}` do not fit the configuration of the checkpoint")
    })
}

/// The configured network for images of this shape.
fn sizes(config: &RunConfig, shape: ImageShape) -> NetworkConfig {
    NetworkConfig {
        picture: ImageDims {
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
        },
        ..config.model.clone()
    }
}

fn prefixed(prefix: &str, arrays: Arrays) -> Arrays {
    arrays
        .into_iter()
        .map(|(name, array)| (format!("{prefix}.{name}"), array))
        .collect()
}
