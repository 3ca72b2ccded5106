//! Lateral weights against similarity of filters.
//!
//! The potentials of a model with a linear decoder move by
//!
//! ```text
//! u ← u + η (ΦᵀΣ⁻¹x − ΦᵀΣ⁻¹Φ z − eᵇ)         W = ΦᵀΣ⁻¹ feedforward, L = ΦᵀΣ⁻¹Φ lateral
//! ```
//!
//! so a spike of neuron j lowers the potential of neuron i by ηL_ij. (Vafaii, Galor & Yates, arXiv
//! 2410.19315, section 4.)

use anyhow::{Result, ensure};
use burn::tensor::{Tensor, TensorData};
use scotopic_measures::Rows;
use scotopic_measures::lateral::{Lateral, similarity};
use serde::{Deserialize, Serialize};

use super::{AnalysedModel, Dictionary};
use crate::parameters::read;

/// Beyond this the weights alone take a gigabyte.
const MOST: usize = 16_384;
/// Bins of similarity, from −1 to 1.
const BINS: usize = 20;

/// The weights and their statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LateralWeights {
    /// Latents K.
    pub latents: usize,
    /// Pixels M.
    pub pixels: usize,
    /// L against the similarity of atoms.
    pub statistics: Lateral,
    /// The fraction of pairs i ≠ j that inhibit each other, L_ij > 0.
    pub inhibitory: f64,
    /// L, `[K, K]`.
    #[serde(skip)]
    pub lateral: Vec<f32>,
    /// W, `[K, M]`.
    #[serde(skip)]
    pub feedforward: Vec<f32>,
}

/// The weights of the model.
///
/// # Errors
/// If the decoder is not linear, there are fewer than two latents or too many, or the device fails.
pub fn lateral(analysed: &AnalysedModel<'_>) -> Result<LateralWeights> {
    let dictionary = Dictionary::of(analysed, "lateral connectivity")?;
    let (latents, pixels) = (dictionary.latents, dictionary.pixels);
    ensure!(
        (2..=MOST).contains(&latents),
        "lateral connectivity needs 2 to {MOST} latents; this model has {latents}"
    );
    let feedforward: Vec<f32> = dictionary
        .atoms
        .chunks_exact(pixels)
        .flat_map(|atom| atom.iter().zip(&dictionary.precision).map(|(a, p)| a * p))
        .collect();
    let on_device = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [latents, pixels]);
        Tensor::<2>::from_data(data, analysed.device)
    };
    let product = on_device(&feedforward).matmul(on_device(&dictionary.atoms).transpose());
    let lateral = read(product)?;
    let atoms = Rows::new("atoms", &dictionary.atoms, [latents, pixels])?;
    let weights = Rows::new("lateral weights", &lateral, [latents, latents])?;
    let statistics = Lateral::of(weights, &similarity(atoms), BINS)?;
    let between = || {
        let each = lateral.iter().enumerate();
        each.filter(move |(i, _)| i % (latents + 1) != 0)
            .map(|(_, w)| *w)
    };
    let inhibitory = between().filter(|&w| w > 0.0).count() as f64 / between().count() as f64;
    Ok(LateralWeights {
        latents,
        pixels,
        statistics,
        inhibitory,
        lateral,
        feedforward,
    })
}
