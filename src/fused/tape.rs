//! The tape of a few rows: what backward needs of forward.

use std::ops::Range;

use super::latents::Latents;
use super::unroll::Unroll;

/// The tape of a segment: `steps` inference steps of N refinements each, for up to `rows` rows.
///
/// Moments are counted in refinements (`moment`) and in steps (`time`), both from the segment's start. Every
/// array is `[moment, row, …, latent]` or `[moment, row, pixels]` with padded rows. A tape is used again for other rows: its
/// memory costs more to get than to fill.
#[derive(Default)]
pub(crate) struct Tape {
    rows: usize,
    wide_latents: usize,
    wide_pixels: usize,
    refinements: usize,
    steps: usize,
    components: usize,
    kept_arrays: usize,
    /// States that each step adds: one after each refinement, and its prior where that is not the state before it.
    states_per_step: usize,
    /// The state before the first step, and those of each step, `[state, row, component, latent]`.
    pub(crate) states: Vec<f32>,
    /// What the family keeps of each refinement, `[moment, row, array, latent]`.
    pub(crate) kept: Vec<f32>,
    /// The slopes of the samples that drove each refinement.
    pub(crate) slopes: Vec<f32>,
    /// The slopes of each step's fresh sample.
    pub(crate) fresh_slopes: Vec<f32>,
    /// The left factors of ∂L/∂Φᵀ: ∂L/∂Φᵀe (backward), a(z), a(z').
    pub(crate) latent_factors: Vec<f32>,
    /// The right factors: e, −∂L/∂e·π (backward), the fresh sample's error times its weight.
    pub(crate) pixel_factors: Vec<f32>,
    /// The left factors of ∂L/∂Wᵀ of a learned transition, `[step, row, latent]`: what each neuron says of the step.
    pub(crate) drives: Vec<f32>,
    /// The right factors (backward), `[step, row, latent]`.
    pub(crate) by_drives: Vec<f32>,
}

/// Which of the three products an entry of the factors belongs to.
#[derive(Clone, Copy)]
pub(crate) enum Factor {
    /// The pull-back Φᵀe of a refinement: ∂L/∂Φᵀe and e.
    PulledBack(usize),
    /// The decoded sample Φz of a refinement: z and ∂L/∂Φz.
    Driving(usize),
    /// The decoded fresh sample Φz' of a step: z' and ∂L/∂Φz'.
    Fresh(usize),
}

impl Tape {
    /// Bytes of one step of one row.
    pub(crate) fn bytes_per_step<L: Latents>(unroll: &Unroll<'_, L>) -> usize {
        let n = unroll.network.inner_iterations();
        let dictionary = unroll.network.dictionary();
        let per_refinement = L::COMPONENTS + L::KEPT + 3;
        let of_prior = L::COMPONENTS * usize::from(unroll.prior.is_another_state())
            + 2 * usize::from(unroll.prior.transition().is_some());
        let latents = dictionary.wide_latents() * (per_refinement * n + 2 + of_prior);
        let pixels = dictionary.wide_pixels() * (2 * n + 1);
        4 * (latents + pixels)
    }

    /// Allocates for so many rows and steps. What is in it is left as it is: all that is read has been written
    /// before, but for the padding of rows, which only reaches the padding of results.
    pub(crate) fn prepare<L: Latents>(
        &mut self,
        unroll: &Unroll<'_, L>,
        rows: usize,
        steps: usize,
    ) {
        let network = unroll.network;
        let refinements = steps * network.inner_iterations();
        let dictionary = network.dictionary();
        let (k, m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        (self.rows, self.steps, self.refinements) = (rows, steps, refinements);
        (self.wide_latents, self.wide_pixels) = (k, m);
        (self.components, self.kept_arrays) = (L::COMPONENTS, L::KEPT);
        self.states_per_step =
            network.inner_iterations() + usize::from(unroll.prior.is_another_state());
        let states = (steps * self.states_per_step + 1) * rows * L::COMPONENTS;
        self.states.resize(states * k, 0.0);
        self.kept.resize(refinements * rows * L::KEPT * k, 0.0);
        self.slopes.resize(refinements * rows * k, 0.0);
        self.fresh_slopes.resize(steps * rows * k, 0.0);
        let factors = (2 * refinements + steps) * rows;
        self.latent_factors.resize(factors * k, 0.0);
        self.pixel_factors.resize(factors * m, 0.0);
        if unroll.prior.transition().is_some() {
            self.drives.resize(steps * rows * k, 0.0);
            self.by_drives.resize(steps * rows * k, 0.0);
        }
    }

    /// The rows of the factors that the first `steps` steps have written.
    pub(crate) fn used_factors(&self, steps: usize) -> Vec<Range<usize>> {
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

    /// Where the states of all rows are before a step.
    pub(crate) fn states_before(&self, step: usize) -> Range<usize> {
        self.all(step * self.states_per_step, self.components)
    }

    /// Where the states of all rows are in a step, after so many refinements: of its prior after none.
    pub(crate) fn states_at(&self, step: usize, inner: usize) -> Range<usize> {
        let of_step = self.refinements / self.steps;
        let prior = (step + 1) * self.states_per_step - of_step;
        self.all(prior + inner, self.components)
    }

    /// Where that is which the family keeps of a refinement, of all rows.
    pub(crate) fn kept_at(&self, moment: usize) -> Range<usize> {
        self.all(moment, self.kept_arrays)
    }

    /// Where all rows of a moment are in an array of slopes, and of a step in what a transition keeps.
    pub(crate) fn slopes_at(&self, moment: usize) -> Range<usize> {
        self.all(moment, 1)
    }

    fn all(&self, moment: usize, arrays: usize) -> Range<usize> {
        let size = self.rows * arrays * self.wide_latents;
        moment * size..(moment + 1) * size
    }

    fn number(&self, factor: Factor) -> usize {
        match factor {
            Factor::PulledBack(moment) => moment,
            Factor::Driving(moment) => self.refinements + moment,
            Factor::Fresh(time) => 2 * self.refinements + time,
        }
    }

    /// Where all rows of a left factor are.
    pub(crate) fn latents_of(&self, factor: Factor) -> Range<usize> {
        self.all(self.number(factor), 1)
    }

    /// Where all rows of a right factor are.
    pub(crate) fn pixels_of(&self, factor: Factor) -> Range<usize> {
        let size = self.rows * self.wide_pixels;
        let number = self.number(factor);
        number * size..(number + 1) * size
    }
}
