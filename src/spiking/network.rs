//! The spiking network of a Poisson posterior and a linear decoder, as plain numbers.

use super::panels::{Aligned, Panels, padded};
use super::products::product;
use super::rows::{Rows, RowsMut};
use crate::inference::Leak;
use crate::ops::Relaxation;
use crate::posterior::KlForm;

/// Everything that one refinement takes, laid out for [`products`](super::products).
///
/// ```text
/// z ~ Poisson(eᵘ),  e = π(x − Φz),  ∇ = −Φᵀe + eᵇ [+ β_in(u − u_p)]
/// u ← clamp(u + clamp(d)),  d + ηλH(e^d − 1) = −η∇
/// ```
#[derive(Debug, Clone)]
pub(crate) struct SpikingNetwork {
    /// K.
    pub(crate) latents: usize,
    /// M.
    pub(crate) pixels: usize,
    /// Φᵀ, `[latent, pixels]`, rows padded.
    pub(crate) atoms: Aligned,
    /// The same for products with rows over latents.
    decoding: Panels,
    /// Φ, `[pixels, latent]`, for products with rows over pixels.
    pulling: Panels,
    /// π = σ⁻², `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// η.
    pub(crate) step_size: f32,
    /// ηH, H = diag ΦᵀΣ⁻¹Φ, `[latent]`, for the proximal step; ηD, D the row sums of |ΦᵀΣ⁻¹Φ|, for the certified one.
    pub(crate) curvature: Option<Vec<f32>>,
    /// What is not learned.
    pub(crate) rule: SpikingRule,
}

/// The fixed choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpikingRule {
    /// N, at least 1.
    pub(crate) inner_iterations: usize,
    /// β_in, or none.
    pub(crate) leak: Leak,
    /// Soft ceiling of the step; infinite together with that of the potential for none.
    pub(crate) step_ceiling: f32,
    /// Soft ceiling of the potential.
    pub(crate) ceiling: f32,
    /// τ and the indicator.
    pub(crate) relaxation: Relaxation,
    /// Added to the rate before sampling.
    pub(crate) rate_floor: f32,
    /// The form of the KL.
    pub(crate) kl: KlForm,
}

/// What is learned, in row-major order without padding.
pub(crate) struct Parameters {
    /// Φᵀ, `[latent, pixels]`.
    pub(crate) atoms: Vec<f32>,
    /// π, `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// η.
    pub(crate) step_size: f32,
    /// ηH, `[latent]`.
    pub(crate) curvature: Option<Vec<f32>>,
}

impl SpikingNetwork {
    pub(crate) fn new(parameters: Parameters, rule: SpikingRule) -> Self {
        let Parameters {
            atoms,
            precision,
            homeostasis,
            step_size,
            curvature,
        } = parameters;
        let (latents, pixels) = (homeostasis.len(), precision.len());
        let decoding = Panels::of(&atoms, pixels);
        let pulling = Panels::of_transpose(&atoms, pixels);
        let atoms = match padded(pixels) {
            pitch if pitch == pixels => Aligned::of(&atoms),
            pitch => {
                let mut wide = vec![0f32; latents * pitch];
                for (to, from) in wide.chunks_mut(pitch).zip(atoms.chunks(pixels)) {
                    to[..pixels].copy_from_slice(from);
                }
                Aligned::of(&wide)
            }
        };
        Self {
            latents,
            pixels,
            atoms,
            decoding,
            pulling,
            precision,
            homeostasis,
            step_size,
            curvature,
            rule,
        }
    }

    /// The distance between rows over latents.
    pub(crate) fn wide_latents(&self) -> usize {
        padded(self.latents)
    }

    /// The distance between rows over pixels.
    pub(crate) fn wide_pixels(&self) -> usize {
        padded(self.pixels)
    }

    /// Φᵀ as a matrix.
    pub(crate) fn atom_rows(&self) -> Rows<'_> {
        Rows {
            values: &self.atoms,
            pitch: self.wide_pixels(),
        }
    }

    /// Bytes that a dense step reads of the dictionary.
    pub(crate) fn dense_bytes(&self) -> usize {
        self.decoding.bytes() + self.pulling.bytes()
    }

    /// Bytes that a step by events reads of it at most.
    pub(crate) fn event_bytes(&self) -> usize {
        size_of_val(&*self.atoms) + self.pulling.bytes()
    }

    /// Φz of rows, `[row, latent]` to `[row, pixels]`.
    pub(crate) fn decode(&self, rows: usize, z: &[f32], mean: &mut [f32]) {
        let z = Rows {
            values: z,
            pitch: self.wide_latents(),
        };
        let mean = RowsMut {
            values: mean,
            pitch: self.wide_pixels(),
        };
        product(rows, z, &self.decoding, mean);
    }

    /// Φᵀe of rows, `[row, pixels]` to `[row, latent]`.
    pub(crate) fn pull_back(&self, rows: usize, e: &[f32], pulled: &mut [f32]) {
        self.pull_back_by(product, rows, e, pulled);
    }

    /// The same by another way to multiply.
    pub(crate) fn pull_back_by(
        &self,
        product: Product,
        rows: usize,
        e: &[f32],
        pulled: &mut [f32],
    ) {
        let e = Rows {
            values: e,
            pitch: self.wide_pixels(),
        };
        let pulled = RowsMut {
            values: pulled,
            pitch: self.wide_latents(),
        };
        product(rows, e, &self.pulling, pulled);
    }
}

/// A product of `[rows, inner]` and `[inner, columns]`.
pub(crate) type Product = fn(usize, Rows<'_>, &Panels, RowsMut<'_>);
