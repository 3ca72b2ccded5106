//! A linear decoder and its observation noise, as plain numbers.

use super::panels::{Aligned, Panels, padded};
use super::products::product;
use super::rows::{Rows, RowsMut};

/// Φ and π, laid out for [`products`](super::products).
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
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
}

impl Dictionary {
    /// From Φᵀ, `[latent, pixels]`, in row-major order without padding, and π, `[pixels]`.
    pub(crate) fn new(latents: usize, atoms: &[f32], precision: Vec<f32>) -> Self {
        let pixels = precision.len();
        let decoding = Panels::of(atoms, pixels);
        let pulling = Panels::of_transpose(atoms, pixels);
        let atoms = match padded(pixels) {
            pitch if pitch == pixels => Aligned::of(atoms),
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

    /// Bytes that a dense step reads.
    pub(crate) fn dense_bytes(&self) -> usize {
        self.decoding.bytes() + self.pulling.bytes()
    }

    /// Bytes that a step by events reads at most.
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
