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
    /// By the images, `[row, pixels]`, of the rows so far; one for each of the frames.
    pub(crate) frames: Vec<Vec<f32>>,
}

impl Gradient {
    /// Nothing seen yet of so many frames. `memory` is used for the largest part, whatever is in it.
    pub(crate) fn zero(dictionary: &Dictionary, frames: usize, mut memory: Vec<f32>) -> Self {
        memory.clear();
        memory.resize(dictionary.latents * dictionary.wide_pixels(), 0.0);
        let latents = || vec![0.0; dictionary.wide_latents()];
        Self {
            atoms: memory,
            precision: vec![0.0; dictionary.pixels],
            homeostasis: latents(),
            step_sizes: [0.0; 2],
            curvature: latents(),
            gain: latents(),
            start: Vec::new(),
            frames: vec![Vec::new(); frames],
        }
    }
}
