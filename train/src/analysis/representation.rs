//! Representations of images: E_q\[z\] after given steps of inference.

use anyhow::Result;
use burn::tensor::Tensor;
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic::posterior::Posterior;
use scotopic_datasets::ImageSet;
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::in_order;
use crate::parameters::read;

/// The images and the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepresentationConfig {
    /// Steps of inference, counted from 1.
    pub steps: Vec<usize>,
    /// Maximum number of images, from the start of the set.
    pub count: usize,
    /// Batch size.
    pub batch: usize,
}

/// The input of a read-out after one number of steps: the rates e^u of a spiking model, μ of a Gaussian one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Representation {
    /// Steps of inference.
    pub step: usize,
    /// Images n.
    pub images: usize,
    /// Latents K.
    pub latents: usize,
    /// `[n, K]`, row after row.
    pub values: Vec<f32>,
}

/// The representation of the first images of `set` after each of the steps, in the order of steps.
///
/// One unroll serves all of them; a batch is read back once.
///
/// # Errors
/// If there are no images, or the device fails.
pub fn representations(
    analysed: &AnalysedModel<'_>,
    set: &ImageSet,
    settings: &RepresentationConfig,
) -> Result<Vec<Representation>> {
    let steps = in_order(&settings.steps)?;
    let images = analysed.images(set, settings.count)?;
    let latents = analysed.model.latents();
    let mut found: Vec<Representation> = steps
        .iter()
        .map(|&step| Representation {
            step,
            images,
            latents,
            values: Vec::with_capacity(images * latents),
        })
        .collect();
    let perception = analysed.model.perception(analysed.rule());
    for (number, pixels) in analysed.batches(set, images, settings.batch) {
        let x = analysed.show(pixels);
        let [rows, _] = x.dims();
        let (stimulus, noise) = (Stimulus::Static(x), analysed.noise(number));
        let (mut state, mut time) = (perception.rest(rows), 0);
        let mut means = Vec::with_capacity(steps.len());
        for &step in &steps {
            let times = time..step;
            state = unroll(
                &*perception,
                &stimulus,
                state,
                times,
                &noise,
                RecordOptions::FINAL,
            )
            .state;
            time = step;
            means.push(state.representation());
        }
        let values = read(Tensor::cat(means, 0))?;
        for (at, values) in found.iter_mut().zip(values.chunks_exact(rows * latents)) {
            at.values.extend_from_slice(values);
        }
    }
    Ok(found)
}
