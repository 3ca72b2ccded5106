//! What is unrolled, and what comes out: sums over data and steps, and their derivatives.

use super::network::SpikingNetwork;
use crate::noise::NoiseKey;

/// What is unrolled.
pub(crate) struct Unroll<'a> {
    pub(crate) network: &'a SpikingNetwork,
    /// One image per row, or one per row and step: `[time, batch, pixels]`; the last frame stays.
    pub(crate) frames: Vec<Vec<f32>>,
    /// Potentials to begin with, `[batch, latent]`.
    pub(crate) start: Vec<f32>,
    /// The noise of every step.
    pub(crate) noise: Vec<StepNoise>,
    /// What ½‖x − Φz'‖²/σ² of one datum and step, and its KL, weigh in the objective.
    pub(crate) weights: [f32; 2],
}

/// The noise of one step.
pub(crate) struct StepNoise {
    /// Of each refinement's spikes.
    pub(crate) infer: Vec<NoiseKey>,
    /// Of the fresh sample.
    pub(crate) generate: NoiseKey,
}

/// Sums over data and steps, of rows of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// ½‖x − Φz'‖²/σ², without its constant.
    pub(crate) reconstruction: f64,
    /// KL.
    pub(crate) divergence: f64,
    /// Potentials after the last step, `[row, latent]`.
    pub(crate) end: Vec<f32>,
}

/// Derivatives of the weighted sum.
#[derive(Debug, Clone)]
pub(crate) struct Gradient {
    /// By Φᵀ, `[latent, pixels]`, rows padded.
    pub(crate) atoms: Vec<f32>,
    /// By π, `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// By eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// By η.
    pub(crate) step_size: f64,
    /// By ηH, `[latent]`.
    pub(crate) curvature: Vec<f32>,
    /// By the first potentials, `[row, latent]`, of the rows so far.
    pub(crate) start: Vec<f32>,
    /// By the images, `[row, pixels]`, of the rows so far; one for each of the frames.
    pub(crate) frames: Vec<Vec<f32>>,
}

impl Gradient {
    /// Nothing seen yet of so many frames. `memory` is used for the largest part, whatever is in it.
    pub(crate) fn zero(network: &SpikingNetwork, frames: usize, mut memory: Vec<f32>) -> Self {
        memory.clear();
        memory.resize(network.latents * network.wide_pixels(), 0.0);
        Self {
            atoms: memory,
            precision: vec![0.0; network.pixels],
            homeostasis: vec![0.0; network.latents],
            step_size: 0.0,
            curvature: vec![0.0; network.latents],
            start: Vec::new(),
            frames: vec![Vec::new(); frames],
        }
    }
}

impl Unroll<'_> {
    /// The input of one row at step `time`, `[pixels]`.
    pub(super) fn input(&self, time: usize, row: usize) -> &[f32] {
        let m = self.network.pixels;
        let frame = &self.frames[time.min(self.frames.len() - 1)];
        &frame[row * m..(row + 1) * m]
    }
}
