//! The tape of a few rows: what backward needs of forward.

use super::network::SpikingNetwork;

/// The tape of a segment: `steps` inference steps of N refinements each, for up to `rows` rows.
///
/// Moments are counted in refinements (`moment`) and in steps (`time`), both from the segment's start. Every
/// array is `[moment, row, latent]` or `[…, pixels]` with padded rows. A tape is used again for other rows: its memory
/// costs more to get than to fill.
#[derive(Default)]
pub(crate) struct Tape {
    rows: usize,
    wide_latents: usize,
    wide_pixels: usize,
    refinements: usize,
    steps: usize,
    /// u before each refinement, and after the last.
    pub(crate) potentials: Vec<f32>,
    /// dz/du of the spikes that drove each refinement.
    pub(crate) spike_slopes: Vec<f32>,
    /// −η∇ and the slopes of u' of each refinement.
    pub(crate) steps_taken: Vec<f32>,
    pub(crate) by_u: Vec<f32>,
    pub(crate) by_step: Vec<f32>,
    pub(crate) by_curvature: Vec<f32>,
    /// dz'/du of each step's fresh sample.
    pub(crate) sample_slopes: Vec<f32>,
    /// The left factors of ∂L/∂Φᵀ: −∂L/∂∇ (backward), z, z'.
    pub(crate) latent_factors: Vec<f32>,
    /// The right factors: e, −∂L/∂e·π (backward), the fresh sample's error times its weight.
    pub(crate) pixel_factors: Vec<f32>,
}

/// Which of the three products an entry of the factors belongs to.
#[derive(Clone, Copy)]
pub(crate) enum Factor {
    /// The pull-back Φᵀe of a refinement: −∂L/∂∇ and e.
    PulledBack(usize),
    /// The decoded spikes Φz of a refinement: z and ∂L/∂Φz.
    Spikes(usize),
    /// The decoded fresh sample Φz' of a step: z' and ∂L/∂Φz'.
    Sample(usize),
}

impl Tape {
    /// Bytes of one step of one row.
    pub(crate) fn bytes_per_step(network: &SpikingNetwork) -> usize {
        let n = network.rule.inner_iterations;
        let latents = network.wide_latents() * (8 * n + 2);
        let pixels = network.wide_pixels() * (2 * n + 1);
        4 * (latents + pixels)
    }

    /// Allocates for so many rows and steps. What is in it is left as it is: all that is read has been written
    /// before, but for the padding of rows, which only reaches the padding of results.
    pub(crate) fn prepare(&mut self, network: &SpikingNetwork, rows: usize, steps: usize) {
        let refinements = steps * network.rule.inner_iterations;
        let (k, m) = (network.wide_latents(), network.wide_pixels());
        (self.rows, self.steps, self.refinements) = (rows, steps, refinements);
        (self.wide_latents, self.wide_pixels) = (k, m);
        let per_refinement = [
            &mut self.spike_slopes,
            &mut self.steps_taken,
            &mut self.by_u,
            &mut self.by_step,
            &mut self.by_curvature,
        ];
        for array in per_refinement {
            array.resize(refinements * rows * k, 0.0);
        }
        self.potentials.resize((refinements + 1) * rows * k, 0.0);
        self.sample_slopes.resize(steps * rows * k, 0.0);
        let factors = (2 * refinements + steps) * rows;
        self.latent_factors.resize(factors * k, 0.0);
        self.pixel_factors.resize(factors * m, 0.0);
    }

    /// The rows of the factors that the first `steps` steps have written.
    pub(crate) fn used_factors(&self, steps: usize) -> Vec<std::ops::Range<usize>> {
        if steps == self.steps {
            // They follow each other: one sum over all.
            let whole = 0..(2 * self.refinements + self.steps) * self.rows;
            return std::iter::once(whole).collect();
        }
        let refinements = self.refinements / self.steps * steps;
        let parts = [
            (0, refinements),
            (self.refinements, refinements),
            (2 * self.refinements, steps),
        ];
        parts
            .map(|(from, count)| from * self.rows..(from + count) * self.rows)
            .to_vec()
    }

    /// Where a row's latents are in an array over moments.
    pub(crate) fn at(&self, moment: usize, row: usize) -> std::ops::Range<usize> {
        let from = (moment * self.rows + row) * self.wide_latents;
        from..from + self.wide_latents
    }

    /// Where all rows of a moment are in an array over moments.
    pub(crate) fn all(&self, moment: usize) -> std::ops::Range<usize> {
        let size = self.rows * self.wide_latents;
        moment * size..(moment + 1) * size
    }

    fn number(&self, factor: Factor) -> usize {
        match factor {
            Factor::PulledBack(moment) => moment,
            Factor::Spikes(moment) => self.refinements + moment,
            Factor::Sample(time) => 2 * self.refinements + time,
        }
    }

    /// Where all rows of a left factor are.
    pub(crate) fn latents_of(&self, factor: Factor) -> std::ops::Range<usize> {
        self.all(self.number(factor))
    }

    /// Where all rows of a right factor are.
    pub(crate) fn pixels_of(&self, factor: Factor) -> std::ops::Range<usize> {
        let size = self.rows * self.wide_pixels;
        let number = self.number(factor);
        number * size..(number + 1) * size
    }
}
