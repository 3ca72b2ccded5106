//! Derivatives of the objective of some rows.

use super::dictionary::Dictionary;

/// Derivatives of the weighted sum. Arrays over latents are padded; of what a family does not have they are zero.
#[derive(Debug, Clone)]
pub(crate) struct Gradient {
    /// By Φᵀ, `[latent, pixels]`, rows padded.
    pub(crate) atoms: Vec<f32>,
    /// By π, `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// By eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// By η of each component of the state.
    pub(crate) step_sizes: [f64; 2],
    /// By ηH, `[latent]`.
    pub(crate) curvature: Vec<f32>,
    /// By the gain of the activation, `[latent]`.
    pub(crate) gain: Vec<f32>,
    /// By the first state, `[row, component, latent]`, of the rows so far, without padding.
    pub(crate) start: Vec<f32>,
    /// By the images, `[row, pixels]`, of the rows so far; one for each of the frames where they are asked for.
    pub(crate) frames: Vec<Vec<f32>>,
    /// By H of the spread of an exact expectation, `[latent]`.
    pub(crate) spread: Vec<f32>,
    /// By the state at rest, `[component, latent]`, through a prior that is not the state before.
    pub(crate) rest: Vec<f32>,
    /// By A of a learned transition, `[latent]`.
    pub(crate) keep: Vec<f32>,
    /// By its b, `[latent]`.
    pub(crate) bias: Vec<f32>,
    /// By its Wᵀ, `[latent, latent]`, rows padded; empty without one.
    pub(crate) weights: Vec<f32>,
}

impl Gradient {
    /// Nothing seen yet, of a dictionary alone. `memory` is used for the largest part, whatever is in it.
    pub(crate) fn zero(dictionary: &Dictionary, memory: Vec<f32>) -> Self {
        let latents = || vec![0.0; dictionary.wide_latents()];
        Self {
            atoms: zeros(memory, dictionary.latents * dictionary.wide_pixels()),
            precision: vec![0.0; dictionary.pixels],
            homeostasis: latents(),
            step_sizes: [0.0; 2],
            curvature: latents(),
            gain: latents(),
            start: Vec::new(),
            frames: Vec::new(),
            spread: latents(),
            rest: Vec::new(),
            keep: latents(),
            bias: latents(),
            weights: Vec::new(),
        }
    }
}

/// So many zeros in memory that was used before.
pub(super) fn zeros(mut memory: Vec<f32>, count: usize) -> Vec<f32> {
    memory.clear();
    memory.resize(count, 0.0);
    memory
}
