//! How a work group is laid out, and what its kernels are compiled for.

use cubecl::prelude::*;

use crate::ops::relaxed_poisson::cube::kind;
use crate::ops::spiking_unroll::steps::SpikingSteps;
use crate::posterior::KlForm;

/// Threads of a work group at most; each GPU has as many.
const MOST_THREADS: usize = 256;

/// Numbers that a work group shares: every GPU has as many (16 KiB).
const MOST_SHARED: usize = 4096;

/// Latents and pixels that a thread may own: what it holds of each lies in its registers.
const MOST_OWNED: usize = 8;

/// Work groups that keep a GPU busy. Of more rows several are taken together, and share what is read of Φ.
const BUSY: usize = 100;

/// The most rows of one work group.
const MOST_ROWS: usize = 4;

/// Whether a work group can take rows of these sizes.
pub(crate) fn fits(pixels: usize, latents: usize) -> bool {
    let most = MOST_OWNED * MOST_THREADS;
    pixels + latents + MOST_THREADS <= MOST_SHARED && pixels.max(latents) <= most
}

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// Rows of a work group.
    pub(super) rows: usize,
    pub(super) latents: usize,
    pub(super) pixels: usize,
    /// Threads of a work group.
    pub(super) threads: usize,
    pub(super) inner_iterations: usize,
    /// Of the sample, see [`crate::ops::relaxed_poisson::cube::kind`].
    pub(super) kind: u32,
    /// Whether rates are raised before they are sampled.
    pub(super) raised: bool,
    pub(super) proximal: bool,
    pub(super) clamped: bool,
    /// Whether KL is the published one.
    pub(super) published: bool,
    /// Whether a step is scored by its exact expectation.
    pub(super) exact: bool,
}

impl Form {
    /// Of so many rows, pixels and latents.
    pub(super) fn of([batch, pixels, latents]: [usize; 3], steps: &SpikingSteps) -> Self {
        let shared = (MOST_SHARED - MOST_THREADS) / (pixels + latents);
        let owned = pixels.max(latents).div_ceil(MOST_THREADS);
        let rows = (batch / BUSY)
            .clamp(1, MOST_ROWS)
            .min(shared)
            .min(2 * MOST_OWNED / owned)
            .max(1);
        Self {
            rows,
            latents,
            pixels,
            threads: pixels.max(latents).min(MOST_THREADS),
            inner_iterations: steps.inner_iterations,
            kind: kind(steps.relaxation),
            raised: steps.rate_floor != 0.0,
            proximal: steps.proximal,
            clamped: steps.ceilings.is_some(),
            published: steps.kl == KlForm::Published,
            exact: steps.exact,
        }
    }

    /// Latents that a thread owns of a row.
    pub(super) fn own_latents(self) -> usize {
        self.latents.div_ceil(self.threads)
    }

    /// Pixels that a thread owns of a row.
    pub(super) fn own_pixels(self) -> usize {
        self.pixels.div_ceil(self.threads)
    }

    /// One work group for some rows.
    pub(super) fn groups(self, batch: usize) -> (CubeCount, CubeDim) {
        /// Work groups along one axis at most; each GPU has as many.
        const MOST_GROUPS: usize = 65_535;
        let count = batch.div_ceil(self.rows);
        let across = count.clamp(1, MOST_GROUPS);
        let count = CubeCount::Static(across as u32, count.div_ceil(across) as u32, 1);
        (count, CubeDim::new_1d(self.threads as u32))
    }
}
