//! Evaluation on a set of images, with exact spike counts.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{RecordOptions, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic_datasets::ImageSet;
use scotopic_models::{Network, RuleConfig};
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::films::{last_frames, stimulus};
use crate::step_sums::{StepSums, columns, take_in};

/// Settings of an evaluation.
#[derive(Debug, Clone)]
pub struct EvaluationConfig {
    /// Inference steps.
    pub steps: usize,
    /// Of them, those at the start whose free energy does not count (`train.settling_windows`).
    pub settling: usize,
    /// Batch size.
    pub batch: usize,
    /// Maximum number of images, from the start of the set.
    pub count: usize,
    /// Noise of the spikes.
    pub noise: NoiseKey,
    /// The rule of inference.
    pub rule: RuleConfig,
    /// Weight of the KL term in `objective`.
    pub beta: f64,
    /// Asked before each batch; an error ends the evaluation.
    pub go_on: fn() -> Result<()>,
}

/// The metrics of a model on a set of images; free energies in nats per image, errors in squared pixels per image. Of films,
/// what is of a step is of a frame, and what is of the last step is of the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of images.
    pub images: usize,
    /// Inference steps taken.
    pub steps: usize,
    /// R² of decoding one spike sample after the last step: mean over images of 1 − SSE/SST.
    pub r2: f64,
    /// The same pooled: 1 − ΣSSE/ΣSST.
    pub r2_pooled: f64,
    /// SSE of decoding one spike sample, mean over images.
    pub squared_error: f64,
    /// Fraction of exact zeros among the spike counts of the last step.
    pub zeros: f64,
    /// R² of decoding the rates e^u.
    pub r2_rates: f64,
    /// The same pooled.
    pub r2_rates_pooled: f64,
    /// SSE of decoding the rates (the mean of the belief, its MAP), mean over images.
    pub squared_error_rates: f64,
    /// Treves–Rolls sparsity over neurons of the counts of the last step, mean over images; none with a
    /// single neuron.
    pub population_sparsity: Option<f64>,
    /// The same over images, mean over neurons; none with a single image.
    pub lifetime_sparsity: Option<f64>,
    /// ‖Δu‖ of the last step, mean over images.
    pub change: f64,
    /// −ln p(x|z), mean over images and the steps that count.
    pub reconstruction: f64,
    /// KL (in the form of the objective), mean over images and the steps that count.
    pub kl: f64,
    /// reconstruction + β·KL: what the best checkpoint is chosen by.
    pub objective: f64,
}

/// Evaluates `model` on `set`; films with one step for each frame. Values are read back at the end of each batch, not during inference.
///
/// # Errors
/// If the set is empty, of another size than the model, or the device fails.
pub fn evaluate(
    model: &Network,
    set: &ImageSet,
    how: &EvaluationConfig,
    device: &Device,
) -> Result<Metrics> {
    let pixels = set.shape().pixels();
    let expected = model.decoder.pixels();
    ensure!(
        pixels == expected,
        "{} has images of {pixels} pixels; the model was made for {expected}",
        set.name()
    );
    let images = how.count.min(set.films());
    let frames = set.frames();
    let how = &match frames {
        1 => how.clone(),
        // A step is a frame.
        steps => EvaluationConfig {
            steps,
            ..how.clone()
        },
    };
    ensure!(images > 0, "{} holds no images to measure", set.name());
    let mut sums = StepSums::new(model.latents());
    let (mut reconstruction, mut kl) = (0.0, 0.0);
    let each = how.batch.max(1).saturating_mul(frames * pixels);
    for (number, batch) in set.pixels()[..images * frames * pixels]
        .chunks(each)
        .enumerate()
    {
        (how.go_on)()?;
        let noise = how.noise.step(number as u32);
        let terms = evaluate_batch(model, batch, frames, how, &noise, device, &mut sums)?;
        reconstruction += terms[0];
        kl += terms[1];
    }
    let n = images as f64;
    let last = sums.values(how.steps, pixels, how.beta);
    Ok(Metrics {
        images,
        steps: how.steps,
        r2: last.r2,
        r2_pooled: last.r2_pooled,
        squared_error: last.squared_error,
        zeros: last.zeros,
        r2_rates: last.r2_rates,
        r2_rates_pooled: last.r2_rates_pooled,
        squared_error_rates: last.squared_error_rates,
        population_sparsity: last.population_sparsity,
        lifetime_sparsity: last.lifetime_sparsity,
        change: last.change,
        reconstruction: reconstruction / n,
        kl: kl / n,
        objective: (reconstruction + how.beta * kl) / n,
    })
}

/// Steps whose scores the device holds at a time.
const STRETCH: usize = 32;

/// Adds one batch to the sums of the last step; Σ over images of both terms of F, means over steps.
fn evaluate_batch(
    model: &Network,
    pixels: &[f32],
    frames: usize,
    how: &EvaluationConfig,
    noise: &NoiseKey,
    device: &Device,
    sums: &mut StepSums,
) -> Result<[f64; 2]> {
    let width = model.decoder.pixels();
    let rows = pixels.len() / (frames * width);
    let stimulus = stimulus(pixels.to_vec(), rows, width, device);
    let perception = model.perception(how.rule.at(1.0, Sampling::EXACT));
    let last = how.steps.checked_sub(1);
    let last = last.context("no step of inference was asked for")?;
    let mut terms = Tensor::<1>::zeros([2], device);
    let on = |state, times, record| unroll(&*perception, &stimulus, state, times, noise, record);
    let settling = how.settling.min(last);
    let counted = (how.steps - settling) as f64;
    let rest = perception.rest(rows);
    let mut state = on(rest, 0..settling, RecordOptions::FINAL).state;
    for from in (settling..last).step_by(STRETCH) {
        let times = from..last.min(from + STRETCH);
        let share = times.len() as f64 / counted;
        let seen = on(state, times, RecordOptions::GENERATED);
        terms = terms + seen.mean_terms().context("no step was scored")? * share;
        state = seen.state;
    }
    let seen = on(state.clone(), last..how.steps, RecordOptions::GENERATED);
    terms = terms + seen.mean_terms().context("no step was scored")? * (1.0 / counted);
    let generated = seen.records.into_iter().find_map(|m| m.generated);
    let generated = generated.context("no step was scored")?;
    let kept = vec![columns(
        model,
        &stimulus.at(last),
        &state,
        &seen.state,
        generated,
    )];
    let shown: Vec<f32> = last_frames(pixels, frames, width);
    take_in(std::slice::from_mut(sums), kept, &shown, model.latents())?;
    let terms: Vec<f32> = terms
        .try_into_vec_as()
        .context("could not read measures from the device")?;
    Ok([terms[0], terms[1]].map(|term| f64::from(term) * rows as f64))
}

/// Streams of noise: validation must not share spikes with training.
const VALIDATION_STREAM: u32 = 1 << 31;

/// How the validation split is measured, over all steps. Training leaves out those that nothing is learned from.
pub fn validation(config: &RunConfig) -> EvaluationConfig {
    EvaluationConfig {
        steps: config.steps_per_image(),
        settling: 0,
        batch: config.train.batch_size.max(100),
        count: config.validation.count,
        noise: NoiseKey::new(config.seed).stream(VALIDATION_STREAM),
        rule: config.rule(),
        beta: config.objective.beta,
        go_on: || Ok(()),
    }
}
