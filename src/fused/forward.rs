//! A few rows forwards through a segment of time, with everything in the cache.

use std::ops::Range;

use super::latents::{Latents, Refinement, Sampled, SampledMut};
use super::prior::StepPrior;
use super::residual::weigh;
use super::tape::{Factor, Tape};
use super::unroll::Unroll;

/// Some rows on their way.
pub(super) struct Pass<'a, L> {
    pub(super) unroll: &'a Unroll<'a, L>,
    pub(super) first_row: usize,
    pub(super) rows: usize,
    pub(super) tape: &'a mut Tape,
    /// Φᵀe, and whatever else a product over latents gives, `[row, latent]`.
    pub(super) pulled: Vec<f32>,
}

impl<L: Latents> Pass<'_, L> {
    /// Writes the tape of a segment that begins at the states `at`, `[row, component, latent]`, and leaves those of its end
    /// there. Gives the sums of both terms.
    pub(super) fn forward(&mut self, at: &mut [f32], times: Range<usize>) -> [f64; 2] {
        let network = self.unroll.network;
        let dictionary = network.dictionary();
        let (k, wide_k) = (dictionary.latents, dictionary.wide_latents());
        let n = network.inner_iterations();
        let begin = self.tape.states_before(0);
        let states = self.tape.states[begin].chunks_mut(wide_k);
        for (to, from) in states.zip(at.chunks(k)) {
            to[..k].copy_from_slice(from);
        }
        let mut sums = [0f64; 2];
        for (step, time) in times.clone().enumerate() {
            self.predict(step);
            for inner in 0..n {
                self.refine(time, step, inner);
            }
            let [reconstruction, divergence] = self.score(time, step);
            sums[0] += reconstruction;
            sums[1] += divergence;
        }
        let end = self.tape.states_before(times.len());
        let states = self.tape.states[end].chunks(wide_k);
        for (to, from) in at.chunks_mut(k).zip(states) {
            to.copy_from_slice(&from[..k]);
        }
        sums
    }

    /// Writes the priors of a step, where they are not the states before it.
    fn predict(&mut self, step: usize) {
        let wide_state = self.unroll.network.dictionary().wide_latents() * L::COMPONENTS;
        let before = self.tape.states_before(step);
        let prior = self.tape.states_at(step, 0);
        let drives = self.tape.slopes_at(step);
        let (until, behind) = self.tape.states.split_at_mut(prior.start);
        match &self.unroll.prior {
            StepPrior::Carried => {}
            StepPrior::Static(rest) => {
                let rows = behind[..prior.len()].chunks_exact_mut(wide_state);
                rows.for_each(|row| row.copy_from_slice(rest));
            }
            StepPrior::Learned(transition) => {
                let (before, drives) = (&until[before], &mut self.tape.drives[drives]);
                transition.predict(self.rows, before, drives, &mut behind[..prior.len()]);
            }
        }
    }

    /// One refinement of all rows.
    fn refine(&mut self, time: usize, step: usize, inner: usize) {
        let network = self.unroll.network;
        let dictionary = network.dictionary();
        let (wide_k, wide_m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        let wide_state = wide_k * L::COMPONENTS;
        let key = self.unroll.noise[time].infer[inner];
        let (first_row, rows) = (self.first_row, self.rows);
        let moment = step * network.inner_iterations() + inner;
        let now = self.tape.states_at(step, inner);
        let after = self.tape.states_at(step, inner + 1);
        let prior = self.tape.states_at(step, 0);
        let kept = self.tape.kept_at(moment);
        let slopes = self.tape.slopes_at(moment);
        let samples = self.tape.latents_of(Factor::Driving(moment));
        let errors = self.tape.pixels_of(Factor::PulledBack(moment));
        let tape = &mut *self.tape;

        let sampled = SampledMut {
            seen: &mut tape.latent_factors[samples.clone()],
            slope: &mut tape.slopes[slopes.clone()],
        };
        network.draw(key, first_row, &tape.states[now.clone()], sampled);
        let seen = &tape.latent_factors[samples];
        let e = &mut tape.pixel_factors[errors];
        dictionary.decode(rows, seen, e);
        for (row, e) in e.chunks_mut(wide_m).enumerate() {
            let x = self.unroll.input(time, first_row + row);
            weigh(&mut e[..dictionary.pixels], x, &dictionary.precision);
        }
        dictionary.pull_back(rows, e, &mut self.pulled);

        let (before, behind) = tape.states.split_at_mut(after.start);
        let (before, priors) = (&before[now], &before[prior]);
        let slopes = &tape.slopes[slopes];
        let kept = &mut tape.kept[kept];
        for row in 0..rows {
            let (latents, state) = (row_of(row, wide_k), row_of(row, wide_state));
            network.refine(Refinement {
                state: &before[state.clone()],
                prior: &priors[state.clone()],
                sampled: Sampled {
                    seen: &seen[latents.clone()],
                    slope: &slopes[latents.clone()],
                },
                pulled: &self.pulled[latents],
                next: &mut behind[state],
                kept: &mut kept[row_of(row, wide_k * L::KEPT)],
            });
        }
    }

    /// What a step is scored at and the sums of both terms of F.
    fn score(&mut self, time: usize, step: usize) -> [f64; 2] {
        let network = self.unroll.network;
        let dictionary = network.dictionary();
        let wide_state = dictionary.wide_latents() * L::COMPONENTS;
        let n = network.inner_iterations();
        let prior = self.tape.states_at(step, 0);
        let now = self.tape.states_at(step, n);
        let slopes = self.tape.slopes_at(step);
        let samples = self.tape.latents_of(Factor::Fresh(step));
        let errors = self.tape.pixels_of(Factor::Fresh(step));
        let tape = &mut *self.tape;
        let key = self.unroll.noise[time].generate;

        let states = &tape.states[now];
        let sampled = SampledMut {
            seen: &mut tape.latent_factors[samples.clone()],
            slope: &mut tape.fresh_slopes[slopes],
        };
        network.score_at(key, self.first_row, states, sampled);
        let e = &mut tape.pixel_factors[errors];
        let seen = &tape.latent_factors[samples];
        dictionary.decode(self.rows, seen, e);
        let mut sums = [0f64; 2];
        for (row, e) in e.chunks_mut(dictionary.wide_pixels()).enumerate() {
            let x = self.unroll.input(time, self.first_row + row);
            let score = weigh(&mut e[..dictionary.pixels], x, &dictionary.precision);
            sums[0] += f64::from(score);
        }
        for seen in seen.chunks(dictionary.wide_latents()) {
            sums[0] += f64::from(network.spread(seen));
        }
        let priors = tape.states[prior].chunks(wide_state);
        for (state, prior) in states.chunks(wide_state).zip(priors) {
            sums[1] += f64::from(network.divergence(state, prior));
        }
        sums
    }
}

/// Where row number `row` is among rows of `wide` numbers.
pub(super) fn row_of(row: usize, wide: usize) -> Range<usize> {
    row * wide..(row + 1) * wide
}
