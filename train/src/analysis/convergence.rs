//! Reconstruction, KL and sparsity over inference steps.
//!
//! ```text
//! R² = 1 − SSE/SST      F = −ln p(x|z') + β KL      ‖Δu‖ = ‖u_t − u_{t−1}‖      S: Treves–Rolls sparsity
//! SSE/‖x‖² > 1.5        an image with an error above its energy: inference diverges
//! ```

use anyhow::Result;
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic_datasets::ImageSet;
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::in_order;
use crate::step_sums::{StepMetrics, StepSums, columns, take_in};

/// Kept steps between two read-backs from the device.
const STRETCH: usize = 64;

/// The images and the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceConfig {
    /// Steps of inference, counted from 1; [`spread`] gives those of a curve.
    pub steps: Vec<usize>,
    /// Maximum number of images, from the start of the set.
    pub count: usize,
    /// Batch size.
    pub batch: usize,
}

/// The values after some steps of inference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// The name of the set.
    pub set: String,
    /// Images.
    pub images: usize,
    /// Weight of KL in `objective`.
    pub beta: f64,
    /// In the order of steps.
    pub at: Vec<StepMetrics>,
    /// The first of these steps from which R² by rates stays within 1 % of its last value.
    pub settled: Option<usize>,
}

/// Steps for a curve up to `last`: every one to 32, then twelve per octave, and the last.
///
/// ```
/// use scotopic_train::analysis::convergence::spread;
/// assert_eq!(spread(3), [1, 2, 3]);
/// assert_eq!(spread(1000).last(), Some(&1000));
/// assert!(spread(100_000).len() < 200);
/// ```
pub fn spread(last: usize) -> Vec<usize> {
    let mut steps: Vec<usize> = (1..=last.min(32)).collect();
    let octaves = (0..).map(|k| (32.0 * 2f64.powf(f64::from(k) / 12.0)).round() as usize);
    steps.extend(octaves.skip(1).take_while(|&step| step < last));
    steps.push(last.max(1));
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Unrolls inference on the first images of `set` and measures it after each of the steps.
///
/// The device holds one kept step at a time and what is read back after every 64 of them, however long the
/// unroll is.
///
/// # Errors
/// If there are no images, or the device fails.
pub fn convergence(
    analysed: &AnalysedModel<'_>,
    set: &ImageSet,
    settings: &ConvergenceConfig,
) -> Result<Convergence> {
    let steps = in_order(&settings.steps)?;
    let images = analysed.images(set, settings.count)?;
    let mut sums = vec![StepSums::new(analysed.model.latents()); steps.len()];
    let perception = analysed.model.perception(analysed.rule());
    for (number, pixels) in analysed.batches(set, images, settings.batch) {
        let x = analysed.show(pixels);
        let [rows, _] = x.dims();
        let (stimulus, noise) = (Stimulus::Static(x.clone()), analysed.noise(number));
        let (mut state, mut time) = (perception.rest(rows), 0);
        for (steps, sums) in steps.chunks(STRETCH).zip(sums.chunks_mut(STRETCH)) {
            let mut kept = Vec::with_capacity(steps.len());
            for &step in steps {
                let on = |state, times, record| {
                    unroll(&*perception, &stimulus, state, times, &noise, record)
                };
                let before = on(state, time..step - 1, RecordOptions::FINAL).state;
                let seen = on(before.clone(), step - 1..step, RecordOptions::GENERATED);
                let generated = seen.records.into_iter().find_map(|m| m.generated);
                if let Some(generated) = generated {
                    kept.push(columns(analysed.model, &x, &before, &seen.state, generated));
                }
                (state, time) = (seen.state, step);
            }
            take_in(sums, kept, pixels, analysed.model.latents())?;
        }
    }
    let beta = analysed.config.objective.beta;
    let at: Vec<StepMetrics> = steps
        .iter()
        .zip(&sums)
        .map(|(&step, sums)| sums.values(step, set.shape().pixels(), beta))
        .collect();
    let curve: Vec<f64> = at.iter().map(|at| at.r2_rates).collect();
    // A model that has diverged never converges.
    let settled = scotopic_measures::curves::settled(&curve, 0.01).ok();
    Ok(Convergence {
        set: set.name().to_owned(),
        images,
        beta,
        settled: settled.and_then(|i| steps.get(i).copied()),
        at,
    })
}
