//! What is unrolled, and what comes out: sums over data and steps.

use super::gradient::{Gradient, zeros};
use super::latents::Latents;
use super::prior::StepPrior;
use crate::noise::NoiseKey;

/// What is unrolled.
pub(crate) struct Unroll<'a, L> {
    pub(crate) network: &'a L,
    /// One image per row, or one per row and step: `[time, batch, pixels]`; the last frame stays.
    pub(crate) frames: Vec<Vec<f32>>,
    /// The state to begin with, `[batch, component, latent]`.
    pub(crate) start: Vec<f32>,
    /// The prior of a step.
    pub(crate) prior: StepPrior,
    /// The noise of every step.
    pub(crate) noise: Vec<StepNoise>,
    /// What ½‖x − Φz'‖²/σ² of one datum and step, and its KL, weigh in the objective.
    pub(crate) weights: [f32; 2],
    /// Whether the gradient by the images is asked for.
    pub(crate) learns_frames: bool,
}

/// The noise of one step.
pub(crate) struct StepNoise {
    /// Of each refinement's sample.
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
    /// The state after the last step, `[row, component, latent]`.
    pub(crate) end: Vec<f32>,
}

impl<L: Latents> Unroll<'_, L> {
    /// The input of one row at step `time`, `[pixels]`.
    pub(super) fn input(&self, time: usize, row: usize) -> &[f32] {
        let m = self.network.dictionary().pixels;
        let frame = &self.frames[time.min(self.frames.len() - 1)];
        &frame[row * m..(row + 1) * m]
    }

    /// A gradient with nothing seen yet, in `memory` for its largest parts, whatever is in it.
    pub(super) fn no_gradient(&self, mut memory: impl FnMut() -> Vec<f32>) -> Gradient {
        let dictionary = self.network.dictionary();
        let wide = dictionary.wide_latents();
        Gradient {
            frames: match self.learns_frames {
                true => vec![Vec::new(); self.frames.len()],
                false => Vec::new(),
            },
            rest: vec![0.0; L::COMPONENTS * wide],
            weights: match self.prior.transition() {
                Some(_) => zeros(memory(), dictionary.latents * wide),
                None => Vec::new(),
            },
            ..Gradient::zero(dictionary, memory())
        }
    }
}
