//! Metrics per inference step: computed on the device, read back for many steps at once.

use anyhow::Result;
use burn::tensor::Tensor;
use scotopic::decoder::Decoder;
use scotopic::inference::ScoredSample;
use scotopic::posterior::{AnyPosterior, Posterior};
use scotopic_measures::sparsity;
use scotopic_models::Network;
use serde::{Deserialize, Serialize};

use crate::parameters::read;

/// Keeps an all-black image, whose SST is 0, from dividing by zero, as in [`crate::evaluate`].
const SST_OFFSET: f64 = 1.192_092_9e-7;

/// Numbers per image that are read back.
const PER_IMAGE: usize = 8;

/// One step on the device: per image `[batch, 8]`, and Σ|z|, Σz² over the images `[2·latent]`.
pub(crate) type Columns = (Tensor<2>, Tensor<1>);

/// All components of a belief side by side, `[batch, components·latent]`.
pub(crate) fn joined(belief: &AnyPosterior) -> Tensor<2> {
    Tensor::cat(belief.components(), 1)
}

/// Computes the metrics of the step from `before` to `after` on images `x`, `[batch, pixels]`.
pub(crate) fn columns(
    model: &Network,
    x: &Tensor<2>,
    before: &AnyPosterior,
    after: &AnyPosterior,
    generated: ScoredSample,
) -> Columns {
    let [batch, _] = x.dims();
    let error = |mean: Tensor<2>| (x.clone() - mean).square().sum_dim(1);
    let column = |per_image: Tensor<1>| per_image.reshape([batch, 1]);
    let z = generated.sample;
    let (size, square) = (z.clone().abs(), z.clone().square());
    let per_image = Tensor::cat(
        vec![
            error(generated.mean),
            error(model.decoder.decode(after.mean())),
            column(generated.free_energy.reconstruction.clone()),
            column(generated.free_energy.divergence()),
            (joined(after) - joined(before)).square().sum_dim(1).sqrt(),
            z.clone().equal_elem(0.0).float().sum_dim(1),
            size.clone().sum_dim(1),
            square.clone().sum_dim(1),
        ],
        1,
    );
    let [_, latents] = z.dims();
    let per_unit = Tensor::cat(vec![size.sum_dim(0), square.sum_dim(0)], 1).reshape([2 * latents]);
    (per_image, per_unit)
}

/// Reads the columns of some steps back at once and adds them to the sums of those steps.
pub(crate) fn take_in(
    sums: &mut [StepSums],
    kept: Vec<Columns>,
    pixels: &[f32],
    latents: usize,
) -> Result<()> {
    let (per_image, per_unit): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
    let Some(first) = per_image.first() else {
        return Ok(());
    };
    let [batch, _] = first.dims();
    let per_image = read(Tensor::cat(per_image, 0))?;
    let per_unit = read(Tensor::cat(per_unit, 0))?;
    let images: Vec<(f64, f64)> = pixels
        .chunks_exact((pixels.len() / batch.max(1)).max(1))
        .map(variation_and_energy)
        .collect();
    let steps = per_image
        .chunks_exact(batch * PER_IMAGE)
        .zip(per_unit.chunks_exact(2 * latents));
    for (sums, (rows, units)) in sums.iter_mut().zip(steps) {
        for (row, &image) in rows.chunks_exact(PER_IMAGE).zip(&images) {
            sums.add(row, image);
        }
        for (sum, &unit) in sums.units.iter_mut().zip(units) {
            *sum += f64::from(unit);
        }
    }
    Ok(())
}

/// Σ (x − mean x)² and Σ x² of one image.
fn variation_and_energy(image: &[f32]) -> (f64, f64) {
    let n = image.len() as f64;
    let mean = image.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    image.iter().fold((0.0, 0.0), |(sst, energy), &v| {
        let v = f64::from(v);
        (sst + (v - mean).powi(2), energy + v * v)
    })
}

/// Sums over images of the metrics after one step.
#[derive(Debug, Clone)]
pub(crate) struct StepSums {
    images: f64,
    r2: [f64; 2],
    sse: [f64; 2],
    sst: f64,
    reconstruction: f64,
    kl: f64,
    change: f64,
    zeros: f64,
    population: Option<f64>,
    lost: [f64; 2],
    worst: [f64; 2],
    /// Σz and Σz² of every latent, `[2·latent]`.
    units: Vec<f64>,
}

impl StepSums {
    pub(crate) fn new(latents: usize) -> Self {
        Self {
            images: 0.0,
            r2: [0.0; 2],
            sse: [0.0; 2],
            sst: 0.0,
            reconstruction: 0.0,
            kl: 0.0,
            change: 0.0,
            zeros: 0.0,
            population: Some(0.0),
            lost: [0.0; 2],
            worst: [0.0; 2],
            units: vec![0.0; 2 * latents],
        }
    }

    fn latents(&self) -> usize {
        self.units.len() / 2
    }

    fn add(&mut self, row: &[f32], (sst, energy): (f64, f64)) {
        let at = |k: usize| f64::from(row[k]);
        self.images += 1.0;
        self.sst += sst;
        for way in 0..2 {
            let sse = at(way);
            self.r2[way] += 1.0 - sse / (sst + SST_OFFSET);
            self.sse[way] += sse;
            let ratio = sse / (energy + SST_OFFSET);
            // Written so that a NaN counts as lost too.
            self.lost[way] += f64::from(u8::from(ratio > LOST || ratio.is_nan()));
            self.worst[way] = if ratio.is_nan() {
                ratio
            } else {
                self.worst[way].max(ratio)
            };
        }
        self.reconstruction += at(2);
        self.kl += at(3);
        self.change += at(4);
        self.zeros += at(5);
        let sparsity = sparsity::from_sums(self.latents(), at(6), at(7));
        self.population = self.population.zip(sparsity).map(|(sum, s)| sum + s);
    }

    /// Sparsity over the images, mean over latents.
    fn lifetime(&self) -> Option<f64> {
        let latents = self.latents();
        let (sums, squares) = self.units.split_at(latents);
        let each = sums.iter().zip(squares);
        let total: Option<f64> = each
            .map(|(&sum, &square)| sparsity::from_sums(self.images as usize, sum, square))
            .sum();
        total.map(|total| total / latents as f64)
    }

    pub(crate) fn values(&self, step: usize, pixels: usize, beta: f64) -> StepMetrics {
        let n = self.images;
        let pooled = |sse: f64| 1.0 - sse / self.sst.max(SST_OFFSET);
        StepMetrics {
            step,
            r2: self.r2[0] / n,
            r2_pooled: pooled(self.sse[0]),
            r2_rates: self.r2[1] / n,
            r2_rates_pooled: pooled(self.sse[1]),
            squared_error: self.sse[0] / n,
            squared_error_rates: self.sse[1] / n,
            mse: self.sse[0] / n / pixels as f64,
            mse_rates: self.sse[1] / n / pixels as f64,
            reconstruction: self.reconstruction / n,
            kl: self.kl / n,
            objective: (self.reconstruction + beta * self.kl) / n,
            change: self.change / n,
            zeros: self.zeros / n / self.latents() as f64,
            population_sparsity: self.population.map(|sum| sum / n),
            lifetime_sparsity: self.lifetime(),
            lost: self.lost[0] / n,
            lost_rates: self.lost[1] / n,
            worst: self.worst[0],
            worst_rates: self.worst[1],
        }
    }
}

/// An image counts as lost when its squared error exceeds its energy by this factor.
pub const LOST: f64 = 1.5;

/// Means over images after one number of steps; nats and squared pixels per image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Steps of inference.
    pub step: usize,
    /// R² of decoding one sample, mean over images.
    pub r2: f64,
    /// The same pooled: 1 − ΣSSE/ΣSST.
    pub r2_pooled: f64,
    /// R² of decoding the mean of the belief (rates, MAP), mean over images.
    pub r2_rates: f64,
    /// The same pooled.
    pub r2_rates_pooled: f64,
    /// SSE of decoding one sample.
    pub squared_error: f64,
    /// SSE of decoding the mean.
    pub squared_error_rates: f64,
    /// `squared_error` per pixel.
    pub mse: f64,
    /// `squared_error_rates` per pixel.
    pub mse_rates: f64,
    /// −ln p(x|z') of this step.
    pub reconstruction: f64,
    /// KL of this step, in the form of the objective.
    pub kl: f64,
    /// reconstruction + β·KL.
    pub objective: f64,
    /// ‖Δu‖ of this step, over all components of the belief.
    pub change: f64,
    /// Fraction of exact zeros in the sample.
    pub zeros: f64,
    /// Sparsity over neurons, mean over images; none with a single neuron.
    pub population_sparsity: Option<f64>,
    /// Sparsity over images, mean over neurons; none with a single image.
    pub lifetime_sparsity: Option<f64>,
    /// Fraction of images whose SSE by one sample exceeds 1.5 ‖x‖².
    pub lost: f64,
    /// The same by the mean.
    pub lost_rates: f64,
    /// The largest SSE/‖x‖² by one sample.
    pub worst: f64,
    /// The same by the mean.
    pub worst_rates: f64,
}
