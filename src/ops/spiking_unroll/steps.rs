//! The settings of an unrolled network.

use crate::noise::NoiseKey;
use crate::ops::relaxed_poisson::Relaxation;
use crate::posterior::KlForm;

/// What is unrolled, but for its tensors.
#[derive(Debug, Clone, Copy)]
pub struct SpikingSteps {
    /// Inference steps.
    pub steps: usize,
    /// N, refinements of each.
    pub inner_iterations: usize,
    /// The inference time of the first step.
    pub from: usize,
    /// The source of the noise.
    pub key: NoiseKey,
    /// Of the samples.
    pub relaxation: Relaxation,
    /// Added to rates before they are sampled.
    pub rate_floor: f32,
    /// β_in.
    pub leak: f32,
    /// Whether ηH makes the step an implicit one.
    pub proximal: bool,
    /// The soft ceilings of step and potential; `None` for none.
    pub ceilings: Option<[f32; 2]>,
    /// Of the divergence.
    pub kl: KlForm,
    /// Whether a step is scored by its exact expectation.
    pub exact: bool,
    /// What ½‖x − Φz'‖²/σ² of one datum and step, and its KL, weigh in the objective.
    pub weights: [f32; 2],
}
