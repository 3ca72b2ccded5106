//! Networks as equations, learned from series: what `scotopic fit` does with `[equations] kind = "neural"`.

use anyhow::{Result, bail};
use burn::tensor::Device;
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::generalised::causal::{CausalConfig, NoiseShape};
use scotopic_filtering::generalised::model::{GenerativeModel, Level, Named};
use scotopic_filtering::{Filter as _, Sequence};
use scotopic_models::filtering::generalised::{FlowLearningConfig, NoiseStructure, learn};

/// A network that was learned, in the form of the file that it came from.
pub struct FlowFit {
    /// The model with its weights and precisions.
    pub model: GeneralisedModel,
    /// The evidence of all series under it as the file filters it, in nats.
    pub log_evidence: f64,
    /// Rounds of learning.
    pub rounds: usize,
    /// Weights that were learned, and the two precisions.
    pub free: usize,
}

/// Learns f, and g if `output`, and one precision for each noise. While it learns, noise of the motion stands still within a
/// bin, with the smoothness of the file: the order of the embedding hardly matters to the filter, and motions can then
/// be read off beliefs exactly.
///
/// # Errors
/// For equations that are not a network, or if model, data or device cannot be used.
pub fn fit(
    model: &GeneralisedModel,
    data: &[Sequence],
    rounds: Option<usize>,
    output: bool,
    seed: u64,
    device: &Device,
) -> Result<FlowFit> {
    let Some(neural) = model.network() else {
        bail!("the equations are no network");
    };
    let built = model.build()?;
    let level = &built.levels[0];
    let start = GenerativeModel {
        levels: vec![Level {
            equations: neural.clone(),
            parameters: level.parameters.clone(),
            output: level.output.clone(),
            motion: level.motion.clone(),
            start: level.start.clone(),
        }],
        cause: built.cause.clone(),
    };
    let defaults = FlowLearningConfig::default();
    let settings = FlowLearningConfig {
        rounds: rounds.unwrap_or(defaults.rounds),
        output,
        // The file has one number for each noise.
        motion_noise: NoiseStructure::Shared,
        output_noise: NoiseStructure::Shared,
        seed,
        ..defaults
    };
    let smoothness = model.embedding.smoothness;
    let assumed = CausalConfig {
        motion: NoiseShape::Sampled {
            smoothness,
            order: 0,
        },
        ..CausalConfig::from(model.embedding)
    };
    let covariance = model.start();
    let learned = learn(
        &start,
        data,
        assumed,
        covariance.as_ref(),
        &settings,
        device,
    )?;
    let level = &learned.model.levels[0];
    let mut new = model.clone();
    new.model.equations = Named::Neural(level.equations.clone());
    new.model.output_precision = level.output.expected()[(0, 0)];
    new.model.motion_precision = level.motion.expected()[(0, 0)];
    let weights = level.equations.flow().weights().len()
        + if output {
            level.equations.output().weights().len()
        } else {
            0
        };
    Ok(FlowFit {
        log_evidence: evidence(&new, data)?,
        rounds: learned.rounds.len() - 1,
        free: weights + 2,
        model: new,
    })
}

fn evidence(model: &GeneralisedModel, data: &[Sequence]) -> Result<f64> {
    let mut sum = 0.0;
    for sequence in data {
        let mut filter = model.filter()?;
        for y in sequence.iter() {
            filter.update(y)?;
        }
        sum += filter.elbo();
    }
    Ok(sum)
}
