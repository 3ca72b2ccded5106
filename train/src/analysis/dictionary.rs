//! The atoms of a linear decoder and the precision of its noise, on the host.

use anyhow::{Context, Result};
use scotopic::decoder::Decoder;

use super::AnalysedModel;
use crate::parameters::read;

/// Φᵀ and the diagonal of Σ⁻¹.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    /// Latents K.
    pub latents: usize,
    /// Pixels M.
    pub pixels: usize,
    /// Φᵀ, `[K, M]`: what one spike of each latent adds to the image.
    pub atoms: Vec<f32>,
    /// σ⁻², `[M]`.
    pub precision: Vec<f32>,
}

impl Dictionary {
    /// The dictionary of the model.
    ///
    /// # Errors
    /// If the decoder is not linear (`what` names the analysis), or the device fails.
    pub fn of(analysed: &AnalysedModel<'_>, what: &str) -> Result<Self> {
        let decoder = &analysed.model.decoder;
        let atoms = decoder.atoms().with_context(|| {
            format!("{what} needs a linear decoder, whose atoms are its filters; the decoder of this model is not linear")
        })?;
        let [latents, pixels] = atoms.dims();
        let precision = (decoder.observation_noise().log_sigma() * -2.0).exp();
        Ok(Self {
            latents,
            pixels,
            atoms: read(atoms)?,
            precision: read(precision)?,
        })
    }

    /// Euclidean norm of every atom, `[K]`.
    pub fn norms(&self) -> Vec<f64> {
        let norm = |atom: &[f32]| {
            atom.iter()
                .map(|&v| f64::from(v).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        self.atoms
            .chunks_exact(self.pixels.max(1))
            .map(norm)
            .collect()
    }

    /// The atom of latent `k`, `[M]`.
    pub fn atom(&self, k: usize) -> &[f32] {
        &self.atoms[k * self.pixels..(k + 1) * self.pixels]
    }
}
