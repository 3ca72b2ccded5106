//! T steps of a few rows, forwards and backwards, with everything in the cache.
//!
//! Above 400 lines: the way back mirrors the way there, step for step, and is read beside it.
//!
//! Rows of a batch know nothing of each other until their gradients are added up. So one thread takes a few
//! rows through all of time, forwards and at once backwards, and nothing but parameters and their gradients
//! is shared. What the backward pass needs lies where it was written a moment ago.
//!
//! With D = ∂L/∂u' behind a refinement `s = −η∇, u' = u'(u, s, ηH)`, `∇ = eᵇ − Φᵀe + β_in(u − u_p)`,
//! `e = π(x − Φz)`:
//!
//! ```text
//! q = ηD·∂u'/∂s                     = ∂L/∂(Φᵀe)         ∂L/∂η = ΣD·∂u'/∂s·s/η,  ∂L/∂eᵇ = −Σq
//! w = −πΦq                          = ∂L/∂(Φz)          ∂L/∂π = Σ(Φq)·e/π
//! D ← D·∂u'/∂u + Φᵀw·dz/du − β_in q                     ∂L/∂Φᵀ = Σ q eᵀ + z wᵀ,  ∂L/∂x = −Σw
//! ```
//!
//! and before it, for the fresh sample z' and the divergence of its step,
//! `D += Φᵀw'·dz'/du + weight·∂KL/∂u'`, `w' = −weight·π(x − Φz')`.
//!
//! A tape longer than [`TAPE_BYTES`] is cut into segments of time. Then only the potentials at their beginnings are
//! kept, and each segment is computed again, with the same noise, before it is gone through backwards.

use std::ops::Range;

use super::network::SpikingNetwork;
use super::potential::{Row, Slopes, refine};
use super::products::{Rows, RowsMut, add_outer};
use super::scores::{divergence, divergence_slopes, weigh};
use super::slopes::{Step, add_product, error_backward, score_error, through_step};
use super::tape::{Factor, Tape};
use crate::inference::Leak;
use crate::noise::NoiseKey;
use crate::ops::relaxed_poisson::lanes::{Elements, Request};
use crate::ops::relaxed_poisson::processor::sample_task;
use crate::ops::scalar;

/// The memory that the tape of one thread may take.
const TAPE_BYTES: usize = 64 << 20;

/// What is unrolled.
pub(crate) struct Unroll<'a> {
    pub(crate) network: &'a SpikingNetwork,
    /// One image per row, or one per row and step: `[time, batch, pixels]`; the last frame stays.
    pub(crate) frames: Vec<Vec<f32>>,
    /// Potentials to begin with, `[batch, latent]`.
    pub(crate) start: Vec<f32>,
    /// The noise of every step.
    pub(crate) noise: Vec<StepNoise>,
    /// What ½‖x − Φz'‖²/σ² of one datum and step, and its KL, weigh in the objective.
    pub(crate) weights: [f32; 2],
}

/// The noise of one step.
pub(crate) struct StepNoise {
    /// Of each refinement's spikes.
    pub(crate) infer: Vec<NoiseKey>,
    /// Of the fresh sample.
    pub(crate) generate: NoiseKey,
}

/// Sums over data and steps, of rows of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// ½‖x − Φz'‖²/σ², without its constant.
    pub(crate) reconstruction: f64,
    /// KL.
    pub(crate) divergence: f64,
    /// Potentials after the last step, `[row, latent]`.
    pub(crate) end: Vec<f32>,
}

/// Derivatives of the weighted sum.
#[derive(Debug, Clone)]
pub(crate) struct Gradient {
    /// By Φᵀ, `[latent, pixels]`, rows padded.
    pub(crate) atoms: Vec<f32>,
    /// By π, `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// By eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// By η.
    pub(crate) step_size: f64,
    /// By ηH, `[latent]`.
    pub(crate) curvature: Vec<f32>,
    /// By the first potentials, `[row, latent]`, of the rows so far.
    pub(crate) start: Vec<f32>,
    /// By the images, `[row, pixels]`, of the rows so far; one for each of the frames.
    pub(crate) frames: Vec<Vec<f32>>,
}

impl Gradient {
    /// Nothing seen yet of so many frames. `memory` is used for the largest part, whatever is in it.
    pub(crate) fn zero(network: &SpikingNetwork, frames: usize, mut memory: Vec<f32>) -> Self {
        memory.clear();
        memory.resize(network.latents * network.wide_pixels(), 0.0);
        Self {
            atoms: memory,
            precision: vec![0.0; network.pixels],
            homeostasis: vec![0.0; network.latents],
            step_size: 0.0,
            curvature: vec![0.0; network.latents],
            start: Vec::new(),
            frames: vec![Vec::new(); frames],
        }
    }
}

impl Unroll<'_> {
    /// Takes `rows` of the batch through time, on a tape that may have been used before, and adds to the gradient if
    /// there is one.
    pub(crate) fn run(
        &self,
        rows: Range<usize>,
        gradient: Option<&mut Gradient>,
        tape: &mut Tape,
    ) -> Outcome {
        self.run_within(TAPE_BYTES, rows, gradient, tape)
    }

    /// The same with so many bytes of tape, or those of one step where that is more.
    fn run_within(
        &self,
        tape_bytes: usize,
        rows: Range<usize>,
        gradient: Option<&mut Gradient>,
        tape: &mut Tape,
    ) -> Outcome {
        let network = self.network;
        let (k, steps) = (network.latents, self.noise.len());
        let count = rows.len();
        let most = tape_bytes / (Tape::bytes_per_step(network) * count.max(1));
        let segment = if gradient.is_some() { most } else { 1 }.clamp(1, steps.max(1));
        tape.prepare(network, count, segment);
        let mut pass = Pass {
            unroll: self,
            first_row: rows.start,
            rows: count,
            tape,
            pulled: vec![0.0; count * network.wide_latents()],
        };
        let mut at: Vec<f32> = self.start[rows.start * k..rows.end * k].to_vec();
        let segments: Vec<Range<usize>> = (0..steps)
            .step_by(segment)
            .map(|from| from..(from + segment).min(steps))
            .collect();
        let mut sums = [0f64; 2];
        let mut beginnings = Vec::new();
        for times in &segments {
            if gradient.is_some() {
                beginnings.push(at.clone());
            }
            let [reconstruction, divergence] = pass.forward(&mut at, times.clone());
            sums[0] += reconstruction;
            sums[1] += divergence;
        }
        if let Some(gradient) = gradient {
            for frame in &mut gradient.frames {
                frame.resize(frame.len() + count * network.pixels, 0.0);
            }
            let mut back = Back::new(network, count);
            let last = segments.len().saturating_sub(1);
            for (i, times) in segments.iter().enumerate().rev() {
                if i < last {
                    // The tape holds a later segment: this one's is made again.
                    pass.forward(&mut beginnings[i], times.clone());
                }
                pass.backward(times.clone(), &mut back, gradient);
            }
            let rows = back.by_potential.chunks(network.wide_latents());
            gradient.start.extend(rows.flat_map(|row| &row[..k]));
        }
        Outcome {
            reconstruction: sums[0],
            divergence: sums[1],
            end: at,
        }
    }

    /// The input of one row at step `time`, `[pixels]`.
    fn input(&self, time: usize, row: usize) -> &[f32] {
        let m = self.network.pixels;
        let frame = &self.frames[time.min(self.frames.len() - 1)];
        &frame[row * m..(row + 1) * m]
    }
}

/// Some rows on their way.
struct Pass<'a> {
    unroll: &'a Unroll<'a>,
    first_row: usize,
    rows: usize,
    tape: &'a mut Tape,
    /// Φᵀe, and whatever else a product over latents gives, `[row, latent]`.
    pulled: Vec<f32>,
}

/// What goes backwards in time.
struct Back {
    /// ∂L/∂u of the moment that backward has come to, `[row, latent]`.
    by_potential: Vec<f32>,
    /// ∂L/∂u_p of the step it is in, `[row, latent]`.
    by_prior: Vec<f32>,
    /// Φq, `[row, pixels]`.
    by_pixels: Vec<f32>,
    /// 1/π, `[pixels]`.
    variance: Vec<f32>,
}

impl Back {
    fn new(network: &SpikingNetwork, rows: usize) -> Self {
        Self {
            by_potential: vec![0.0; rows * network.wide_latents()],
            by_prior: vec![0.0; rows * network.wide_latents()],
            by_pixels: vec![0.0; rows * network.wide_pixels()],
            variance: network.precision.iter().map(|p| 1.0 / p).collect(),
        }
    }
}

impl Pass<'_> {
    /// Writes the tape of a segment that begins at potentials `at` and leaves those of its end there. Gives
    /// the sums of both terms.
    fn forward(&mut self, at: &mut [f32], times: Range<usize>) -> [f64; 2] {
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

    /// Goes back through the segment on the tape, and adds to the gradient.
    fn backward(&mut self, times: Range<usize>, back: &mut Back, gradient: &mut Gradient) {
        let network = self.unroll.network;
        let n = network.rule.inner_iterations;
        for (step, time) in times.clone().enumerate().rev() {
            self.score_backward(step, back, gradient);
            self.to_frame(time, Factor::Sample(step), gradient);
            for moment in (step * n..(step + 1) * n).rev() {
                self.refine_backward(moment, back, gradient);
                self.to_frame(time, Factor::Spikes(moment), gradient);
            }
            for (by_u, by_prior) in back.by_potential.iter_mut().zip(&back.by_prior) {
                *by_u += by_prior;
            }
        }
        // All outer products of the segment at once. A shorter last segment leaves older factors behind its own.
        let (wide_k, wide_m) = (network.wide_latents(), network.wide_pixels());
        for range in self.tape.used_factors(times.len()) {
            add_outer(
                network.latents,
                range.len(),
                Rows {
                    values: &self.tape.latent_factors[range.start * wide_k..],
                    pitch: wide_k,
                },
                Rows {
                    values: &self.tape.pixel_factors[range.start * wide_m..],
                    pitch: wide_m,
                },
                RowsMut {
                    values: &mut gradient.atoms,
                    pitch: wide_m,
                },
            );
        }
    }

    /// Gives the image of step `time` its share of an error: ∂L/∂x = −∂L/∂(Φz).
    fn to_frame(&self, time: usize, factor: Factor, gradient: &mut Gradient) {
        let (m, wide_m) = (
            self.unroll.network.pixels,
            self.unroll.network.wide_pixels(),
        );
        let number = time.min(gradient.frames.len().saturating_sub(1));
        let Some(frame) = gradient.frames.get_mut(number) else {
            return;
        };
        // The rows of this pass are the last ones so far.
        let own = frame.len() - self.rows * m;
        let errors = self.tape.pixel_factors[self.tape.pixels_of(factor)].chunks(wide_m);
        for (by_x, w) in frame[own..].chunks_mut(m).zip(errors) {
            for (by_x, w) in by_x.iter_mut().zip(w) {
                *by_x -= w;
            }
        }
    }

    fn score_backward(&mut self, step: usize, back: &mut Back, gradient: &mut Gradient) {
        let network = self.unroll.network;
        let (k, m) = (network.latents, network.pixels);
        let (wide_k, wide_m) = (network.wide_latents(), network.wide_pixels());
        let n = network.rule.inner_iterations;
        let [weight, kl_weight] = self.unroll.weights;
        let (prior, now) = (self.tape.all(step * n), self.tape.all((step + 1) * n));
        let slopes = self.tape.all(step);
        let errors = self.tape.pixels_of(Factor::Sample(step));
        let tape = &mut *self.tape;

        let e = &mut tape.pixel_factors[errors];
        for e in e.chunks_mut(wide_m) {
            score_error(&mut e[..m], &mut gradient.precision, &back.variance, weight);
        }
        network.pull_back(self.rows, e, &mut self.pulled);
        let slopes = &tape.sample_slopes[slopes];
        let (u, prior) = (&tape.potentials[now], &tape.potentials[prior]);
        for from in (0..self.rows).map(|row| row * wide_k) {
            let at = from..from + k;
            let by_u = &mut back.by_potential[at.clone()];
            add_product(by_u, &self.pulled[at.clone()], &slopes[at.clone()]);
            divergence_slopes(
                &u[at.clone()],
                &prior[at.clone()],
                network.rule.kl,
                kl_weight,
                by_u,
                &mut back.by_prior[at],
            );
        }
    }

    fn refine_backward(&mut self, moment: usize, back: &mut Back, gradient: &mut Gradient) {
        let network = self.unroll.network;
        let (k, m) = (network.latents, network.pixels);
        let (wide_k, wide_m) = (network.wide_latents(), network.wide_pixels());
        let now = self.tape.all(moment);
        let pulled_back = self.tape.latents_of(Factor::PulledBack(moment));
        let errors = self.tape.pixels_of(Factor::PulledBack(moment));
        let decoded = self.tape.pixels_of(Factor::Spikes(moment));
        let leak = match network.rule.leak {
            Leak::None => 0.0,
            Leak::Kl(beta) => beta as f32,
        };
        let tape = &mut *self.tape;

        let q = &mut tape.latent_factors[pulled_back];
        for from in (0..self.rows).map(|row| row * wide_k) {
            let at = from..from + k;
            let slopes = now.start + at.start..now.start + at.end;
            let sum = through_step(
                Step {
                    by_potential: &mut back.by_potential[at.clone()],
                    by_prior: &mut back.by_prior[at.clone()],
                    q: &mut q[at],
                    taken: &tape.steps_taken[slopes.clone()],
                    by_u: &tape.by_u[slopes.clone()],
                    by_step: &tape.by_step[slopes.clone()],
                    by_curvature: &tape.by_curvature[slopes],
                    homeostasis_gradient: &mut gradient.homeostasis,
                    curvature_gradient: &mut gradient.curvature,
                },
                network.curvature.as_deref(),
                [network.step_size, leak],
            );
            // ∂L/∂η = Σ D·∂u'/∂s·s/η, and q has an η of its own.
            gradient.step_size += f64::from(sum) / f64::from(network.step_size).powi(2);
        }
        network.decode(self.rows, q, &mut back.by_pixels);
        // Errors come before decoded spikes on the tape.
        let (errors_and_more, behind) = tape.pixel_factors.split_at_mut(decoded.start);
        let rows = behind[..decoded.len()].chunks_mut(wide_m);
        let rows = rows.zip(errors_and_more[errors].chunks(wide_m));
        for ((w, e), by_e) in rows.zip(back.by_pixels.chunks(wide_m)) {
            error_backward(
                &mut w[..m],
                &e[..m],
                &by_e[..m],
                &network.precision,
                &back.variance,
                &mut gradient.precision,
            );
        }
        let w = &behind[..decoded.len()];
        network.pull_back(self.rows, w, &mut self.pulled);
        let slopes = &tape.spike_slopes[now];
        for from in (0..self.rows).map(|row| row * wide_k) {
            let at = from..from + k;
            let by_u = &mut back.by_potential[at.clone()];
            add_product(by_u, &self.pulled[at.clone()], &slopes[at]);
        }
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
    let request = Request::new(key, whole, network.rule.temperature, true);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::uniform;
    use crate::posterior::KlForm;
    use crate::spiking::{Parameters, SpikingRule};

    const BATCH: usize = 3;
    const PIXELS: usize = 10;
    const LATENTS: usize = 20;
    const STEPS: usize = 7;

    fn numbers(stream: u32, n: usize, scale: f32) -> Vec<f32> {
        let key = NoiseKey::new(21).stream(stream);
        let unit = (0..n as u32).map(|i| uniform(key.words(i, 0)[0]));
        unit.map(|unit| (unit - 0.5) * scale).collect()
    }

    fn network() -> SpikingNetwork {
        let parameters = Parameters {
            atoms: numbers(1, LATENTS * PIXELS, 1.2),
            precision: vec![1.3; PIXELS],
            homeostasis: vec![0.1; LATENTS],
            step_size: 0.4,
            curvature: Some(vec![0.3; LATENTS]),
        };
        let rule = SpikingRule {
            inner_iterations: 2,
            leak: Leak::Kl(0.5),
            step_ceiling: 3.0,
            ceiling: 4.0,
            temperature: 0.5,
            rate_floor: 0.0,
            kl: KlForm::Exact,
        };
        SpikingNetwork::new(parameters, rule)
    }

    /// Sums over other segments of time are rounded in another order.
    const ANOTHER_ORDER: f32 = 1e-5;

    #[test]
    fn segments_of_any_length_give_the_same_gradient() {
        let network = network();
        let step = |time: u32| StepNoise {
            infer: vec![
                NoiseKey::new(1).stream(3 * time),
                NoiseKey::new(1).stream(3 * time + 1),
            ],
            generate: NoiseKey::new(1).stream(3 * time + 2),
        };
        let unroll = Unroll {
            network: &network,
            frames: vec![numbers(2, BATCH * PIXELS, 3.0)],
            start: numbers(3, BATCH * LATENTS, 2.0),
            noise: (0..STEPS as u32).map(step).collect(),
            weights: [0.1, 0.2],
        };
        // One tape for all, so that what is left of another run on it would be found.
        let mut tape = Tape::default();
        let mut run = |bytes| {
            let mut gradient = Gradient::zero(&network, 1, Vec::new());
            let outcome = unroll.run_within(bytes, 0..BATCH, Some(&mut gradient), &mut tape);
            (outcome, gradient)
        };
        let (whole, expected) = run(usize::MAX);
        for steps in [1, 2, 3, STEPS - 1] {
            let (cut, gradient) = run(Tape::bytes_per_step(&network) * BATCH * steps);
            assert_eq!(cut.end, whole.end, "the same noise, the same way");
            assert_eq!(cut.reconstruction.to_bits(), whole.reconstruction.to_bits());
            assert_eq!(gradient.start, expected.start);
            assert_eq!(gradient.frames, expected.frames);
            for (ours, expected) in gradient.atoms.iter().zip(&expected.atoms) {
                assert!(
                    (ours - expected).abs() < ANOTHER_ORDER,
                    "{ours}, {expected}"
                );
            }
        }
    }
}
