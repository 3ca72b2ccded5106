//! A few rows backwards through a segment of time: step for step the mirror of [`forward`](super::forward).
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

use std::ops::Range;

use super::forward::Pass;
use super::network::SpikingNetwork;
use super::products::add_outer;
use super::rows::{Rows, RowsMut};
use super::scores::divergence_slopes;
use super::slopes::{Step, add_product, error_backward, score_error, through_step};
use super::tape::Factor;
use super::unroll::Gradient;

/// What goes backwards in time.
pub(super) struct Back {
    /// ∂L/∂u of the moment that backward has come to, `[row, latent]`.
    pub(super) by_potential: Vec<f32>,
    /// ∂L/∂u_p of the step it is in, `[row, latent]`.
    by_prior: Vec<f32>,
    /// Φq, `[row, pixels]`.
    by_pixels: Vec<f32>,
    /// 1/π, `[pixels]`.
    variance: Vec<f32>,
}

impl Back {
    pub(super) fn new(network: &SpikingNetwork, rows: usize) -> Self {
        Self {
            by_potential: vec![0.0; rows * network.wide_latents()],
            by_prior: vec![0.0; rows * network.wide_latents()],
            by_pixels: vec![0.0; rows * network.wide_pixels()],
            variance: network.precision.iter().map(|p| 1.0 / p).collect(),
        }
    }
}

impl Pass<'_> {
    /// Goes back through the segment on the tape, and adds to the gradient.
    pub(super) fn backward(
        &mut self,
        times: Range<usize>,
        back: &mut Back,
        gradient: &mut Gradient,
    ) {
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
        let leak = network.rule.leak.beta() as f32;
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
