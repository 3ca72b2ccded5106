//! The model under analysis, and its inference settings.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use scotopic::inference::NaturalGradient;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic_datasets::ImageSet;
use scotopic_models::Network;

use scotopic::decoder::Decoder;

use crate::config::RunConfig;
use crate::evaluate::validation;
use crate::parameters::to_device;

/// A model, the configuration it was trained with, and the device it is on.
#[derive(Debug, Clone, Copy)]
pub struct AnalysedModel<'a> {
    /// The model, without autodiff.
    pub model: &'a Network,
    /// The configuration of its run.
    pub config: &'a RunConfig,
    /// The device of the model.
    pub device: &'a Device,
}

impl<'a> AnalysedModel<'a> {
    /// The rule of inference with open clamps and exact counts, as in evaluation.
    pub fn rule(&self) -> NaturalGradient {
        self.config.rule().at(1.0, Sampling::EXACT)
    }

    /// The noise of one batch: that of evaluation, so that the same images have the same spikes.
    pub fn noise(&self, batch: usize) -> NoiseKey {
        validation(self.config).noise.step(batch as u32)
    }

    /// How many of the first `count` images of `set` there are.
    ///
    /// # Errors
    /// If there are none, or their size differs from the model's.
    pub fn images(&self, set: &ImageSet, count: usize) -> Result<usize> {
        let (pixels, expected) = (set.shape().pixels(), self.model.decoder.pixels());
        ensure!(
            pixels == expected,
            "{} has images of {pixels} pixels; the model was made for {expected}",
            set.name()
        );
        let images = count.min(set.len());
        ensure!(images > 0, "{} holds no images to look at", set.name());
        Ok(images)
    }

    /// The first `images` images in batches: the number of each, and its pixels `[batch, pixels]`.
    pub(super) fn batches(
        &self,
        set: &'a ImageSet,
        images: usize,
        batch: usize,
    ) -> impl Iterator<Item = (usize, &'a [f32])> + use<'a> {
        let pixels = set.shape().pixels();
        let each = batch.max(1).saturating_mul(pixels);
        set.pixels()[..images * pixels].chunks(each).enumerate()
    }

    /// Rows of pixels on the device, `[rows, pixels]`.
    pub(super) fn show(&self, pixels: &[f32]) -> Tensor<2> {
        to_device(pixels.to_vec(), self.model.decoder.pixels(), self.device)
    }

    /// Frames on the device, `[time, batch, pixels]`.
    pub(super) fn film(&self, frames: Vec<f32>, shape: [usize; 3]) -> Tensor<3> {
        Tensor::from_data(TensorData::new(frames, shape), self.device)
    }

    /// An error for a model whose latents are not spike counts.
    ///
    /// # Errors
    /// Names the analysis and the family of the model.
    pub fn require_spikes(&self, what: &str) -> Result<()> {
        let family = self.config.model.family.info();
        ensure!(
            family.spikes,
            "{what} needs spiking neurons (model.family = \"poisson\"); the latents of this model are of family {}",
            family.name
        );
        Ok(())
    }
}

/// The requested steps in increasing order, each once.
///
/// # Errors
/// If there is none, or step 0, before any inference.
pub(super) fn in_order(steps: &[usize]) -> Result<Vec<usize>> {
    let mut steps = steps.to_vec();
    steps.sort_unstable();
    steps.dedup();
    ensure!(
        steps.first().is_some_and(|&first| first > 0),
        "steps = {steps:?}: at least one step of inference is needed, and they count from 1"
    );
    Ok(steps)
}

/// The mean of the values; `None` if there are none.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values
        .into_iter()
        .fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// The median of the finite values; `None` if there are none.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(0.5 * (values[middle - 1] + values[middle])),
    }
}
