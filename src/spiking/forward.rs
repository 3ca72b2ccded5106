//! A few rows forwards through a segment of time, with everything in the cache.

use std::ops::Range;

use super::network::SpikingNetwork;
use super::potential::{Row, Slopes, refine};
use super::scores::{divergence, weigh};
use super::tape::{Factor, Tape};
use super::unroll::Unroll;
use crate::noise::NoiseKey;
use crate::ops::relaxed_poisson::lanes::{Elements, Request};
use crate::ops::relaxed_poisson::processor::sample_task;
use crate::ops::scalar;

/// Some rows on their way.
pub(super) struct Pass<'a> {
    pub(super) unroll: &'a Unroll<'a>,
    pub(super) first_row: usize,
    pub(super) rows: usize,
    pub(super) tape: &'a mut Tape,
    /// Φᵀe, and whatever else a product over latents gives, `[row, latent]`.
    pub(super) pulled: Vec<f32>,
}

impl Pass<'_> {
    /// Writes the tape of a segment that begins at potentials `at` and leaves those of its end there. Gives
    /// the sums of both terms.
    pub(super) fn forward(&mut self, at: &mut [f32], times: Range<usize>) -> [f64; 2] {
        let network = self.unroll.network;
        let (k, n) = (network.latents, network.rule.inner_iterations);
        for (row, u) in at.chunks(k).enumerate() {
            let to = self.tape.at(0, row);
            self.tape.potentials[to][..k].copy_from_slice(u);
        }
        let mut sums = [0f64; 2];
        for (step, time) in times.clone().enumerate() {
            for inner in 0..n {
                self.refine(time, step * n, step * n + inner, inner);
            }
            let [reconstruction, divergence] = self.score(time, step);
            sums[0] += reconstruction;
            sums[1] += divergence;
        }
        for (row, u) in at.chunks_mut(k).enumerate() {
            let from = self.tape.at(times.len() * n, row);
            u.copy_from_slice(&self.tape.potentials[from][..k]);
        }
        sums
    }

    /// One refinement of all rows.
    fn refine(&mut self, time: usize, prior_moment: usize, moment: usize, inner: usize) {
        let network = self.unroll.network;
        let (k, m) = (network.latents, network.pixels);
        let (wide_k, wide_m) = (network.wide_latents(), network.wide_pixels());
        let key = self.unroll.noise[time].infer[inner];
        let (first_row, rows) = (self.first_row, self.rows);
        let now = self.tape.all(moment);
        let after = self.tape.all(moment + 1);
        let prior = self.tape.all(prior_moment);
        let spikes = self.tape.latents_of(Factor::Spikes(moment));
        let errors = self.tape.pixels_of(Factor::PulledBack(moment));
        let tape = &mut *self.tape;

        let z = &mut tape.latent_factors[spikes];
        sample(
            network,
            key,
            first_row,
            &tape.potentials[now.clone()],
            z,
            &mut tape.spike_slopes[now.clone()],
        );
        let e = &mut tape.pixel_factors[errors];
        network.decode(rows, z, e);
        for (row, e) in e.chunks_mut(wide_m).enumerate() {
            let x = self.unroll.input(time, first_row + row);
            weigh(&mut e[..m], x, &network.precision);
        }
        network.pull_back(rows, e, &mut self.pulled);

        let (before, behind) = tape.potentials.split_at_mut(after.start);
        let (before, priors) = (&before[now.clone()], &before[prior]);
        for row in 0..rows {
            let at = row * wide_k..row * wide_k + k;
            let slopes = now.start + at.start..now.start + at.end;
            let row = Row {
                u: &before[at.clone()],
                prior: &priors[at.clone()],
                pulled: &self.pulled[at.clone()],
                next: &mut behind[at],
                slopes: Some(Slopes {
                    step: &mut tape.steps_taken[slopes.clone()],
                    by_u: &mut tape.by_u[slopes.clone()],
                    by_step: &mut tape.by_step[slopes.clone()],
                    by_curvature: &mut tape.by_curvature[slopes],
                }),
            };
            refine(network, row);
        }
    }

    /// The fresh sample of a step and the sums of both terms of F.
    fn score(&mut self, time: usize, step: usize) -> [f64; 2] {
        let network = self.unroll.network;
        let (k, m) = (network.latents, network.pixels);
        let (wide_k, wide_m) = (network.wide_latents(), network.wide_pixels());
        let n = network.rule.inner_iterations;
        let (prior, now) = (self.tape.all(step * n), self.tape.all((step + 1) * n));
        let slopes = self.tape.all(step);
        let samples = self.tape.latents_of(Factor::Sample(step));
        let errors = self.tape.pixels_of(Factor::Sample(step));
        let tape = &mut *self.tape;
        let key = self.unroll.noise[time].generate;

        let z = &mut tape.latent_factors[samples];
        let u = &tape.potentials[now];
        sample(
            network,
            key,
            self.first_row,
            u,
            z,
            &mut tape.sample_slopes[slopes],
        );
        let e = &mut tape.pixel_factors[errors];
        network.decode(self.rows, z, e);
        let mut sums = [0f64; 2];
        for (row, e) in e.chunks_mut(wide_m).enumerate() {
            let x = self.unroll.input(time, self.first_row + row);
            sums[0] += f64::from(weigh(&mut e[..m], x, &network.precision));
        }
        let priors = tape.potentials[prior].chunks(wide_k);
        for (u, prior) in u.chunks(wide_k).zip(priors) {
            let kl = divergence(&u[..k], &prior[..k], network.rule.kl);
            sums[1] += f64::from(kl);
        }
        sums
    }
}

/// z and dz/du of rows of potentials.
fn sample(
    network: &SpikingNetwork,
    key: NoiseKey,
    first_row: usize,
    u: &[f32],
    z: &mut [f32],
    slopes: &mut [f32],
) {
    let (k, wide) = (network.latents, network.wide_latents());
    let floor = network.rule.rate_floor;
    let whole = key.first_element(&[u.len() / wide, k]);
    let request = Request::new(key, whole, network.rule.relaxation, true);
    let mut draw = |u: &[f32]| {
        let elements = Elements {
            u,
            z,
            slope: slopes,
            width: k,
            pitch: wide,
            first: (first_row * k) as u32,
        };
        sample_task(elements, request);
    };
    if floor == 0.0 {
        return draw(u);
    }
    // ln(e^u + floor); the published rule has it, and it is not what runs in the innermost loop otherwise.
    let rates: Vec<f32> = u.iter().map(|u| scalar::exp(*u)).collect();
    let raised: Vec<f32> = rates.iter().map(|r| scalar::ln(r + floor)).collect();
    draw(&raised);
    for (slope, rate) in slopes.iter_mut().zip(&rates) {
        *slope *= rate / (rate + floor);
    }
}
