//! How good a model is on a set of images, with exact spike counts.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use scotopic::decoder::Decoder;
use scotopic::inference::Record;
use scotopic::noise::NoiseKey;
use scotopic::posterior::{Posterior, Sampling};
use scotopic_datasets::ImageSet;
use scotopic_models::{Network, RuleConfig};
use serde::{Deserialize, Serialize};

/// How to measure.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// Inference steps.
    pub steps: usize,
    /// Images at a time.
    pub batch: usize,
    /// Images at most, from the start of the set.
    pub count: usize,
    /// Noise of the spikes.
    pub noise: NoiseKey,
    /// The rule of inference.
    pub rule: RuleConfig,
    /// Weight of the KL term in `objective`.
    pub beta: f64,
}

/// What was measured; free energies in nats per image, errors in squared pixels per image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Images measured.
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
    /// −ln p(x|z), mean over steps and images.
    pub reconstruction: f64,
    /// KL (in the form of the objective), mean over steps and images.
    pub kl: f64,
    /// reconstruction + β·KL: what the best checkpoint is chosen by.
    pub objective: f64,
}

/// Keeps an all-black image, whose SST is 0, from dividing by zero; the constant of the golden files.
const SST_OFFSET: f64 = 1.1920929e-7;

/// A batch of images on a device, `[count, pixels]`.
pub fn to_device(pixels: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = pixels.len() / width.max(1);
    Tensor::from_data(TensorData::new(pixels, [rows, width]), device)
}

/// Measures `model` on `set`. One read-back at the end of each batch, none within inference.
///
/// # Errors
/// If the set is empty, of another size than the model, or the device fails.
pub fn measure(
    model: &Network,
    set: &ImageSet,
    how: &Measurement,
    device: &Device,
) -> Result<Measures> {
    let pixels = set.shape().pixels();
    let expected = model.decoder.pixels();
    ensure!(
        pixels == expected,
        "{} has images of {pixels} pixels; the model was made for {expected}",
        set.name()
    );
    let images = how.count.min(set.len());
    ensure!(images > 0, "{} holds no images to measure", set.name());
    let mut sums = [0f64; 9];
    for (number, start) in (0..images).step_by(how.batch.max(1)).enumerate() {
        let end = images.min(start + how.batch.max(1));
        let x = to_device(
            set.pixels()[start * pixels..end * pixels].to_vec(),
            pixels,
            device,
        );
        for (sum, value) in sums
            .iter_mut()
            .zip(measure_batch(model, x, how, number as u32)?)
        {
            *sum += value;
        }
    }
    let n = images as f64;
    let [
        r2,
        r2_rates,
        sse,
        sse_rates,
        sst,
        zeros,
        reconstruction,
        kl,
        latents,
    ] = sums;
    Ok(Measures {
        images,
        steps: how.steps,
        r2: r2 / n,
        r2_pooled: 1.0 - sse / sst.max(SST_OFFSET),
        squared_error: sse / n,
        zeros: zeros / latents,
        r2_rates: r2_rates / n,
        r2_rates_pooled: 1.0 - sse_rates / sst.max(SST_OFFSET),
        reconstruction: reconstruction / n,
        kl: kl / n,
        objective: (reconstruction + how.beta * kl) / n,
    })
}

fn measure_batch(
    model: &Network,
    x: Tensor<2>,
    how: &Measurement,
    number: u32,
) -> Result<[f64; 9]> {
    let [rows, _] = x.dims();
    let rule = how.rule.at(1.0, Sampling::EXACT);
    let seen = model.infer(
        x.clone(),
        how.steps,
        rule,
        &how.noise.step(number),
        Record::GENERATED,
    );
    let terms = seen
        .mean_terms()
        .context("no step of inference was asked for")?;
    let last = seen.moments.last().and_then(|m| m.generated.as_ref());
    let last = last.context("no step of inference was asked for")?;
    let spikes = last.sample.clone();
    let by_rates = model.decoder.decode(seen.state.mean());

    let centred = x.clone() - x.clone().mean_dim(1);
    let sst = centred.square().sum_dim(1);
    let sse = (x.clone() - last.mean.clone()).square().sum_dim(1);
    let sse_rates = (x - by_rates).square().sum_dim(1);
    let [_, latents] = spikes.dims();
    let per_image = Tensor::cat(vec![sse, sse_rates, sst], 1); // [rows, 3]
    let zeros = spikes.equal_elem(0.0).float().sum();
    let per_image: Vec<f32> = per_image
        .try_into_vec_as()
        .context("could not read measures from the device")?;
    let rest: Vec<f32> = Tensor::cat(vec![zeros, terms], 0)
        .try_into_vec_as()
        .context("could not read measures from the device")?;
    let mut sums = [0f64; 9];
    for image in per_image.chunks_exact(3) {
        let [sse, sse_rates, sst] = [image[0], image[1], image[2]].map(f64::from);
        sums[0] += 1.0 - sse / (sst + SST_OFFSET);
        sums[1] += 1.0 - sse_rates / (sst + SST_OFFSET);
        sums[2] += sse;
        sums[3] += sse_rates;
        sums[4] += sst;
    }
    sums[5] = f64::from(rest[0]);
    sums[6] = f64::from(rest[1]) * rows as f64;
    sums[7] = f64::from(rest[2]) * rows as f64;
    sums[8] = (rows * latents) as f64;
    Ok(sums)
}
