//! A few rows backwards through a segment of time: step for step the mirror of [`forward`](super::forward).
//!
//! With D = ∂L/∂s' behind a refinement `s' = s'(s, Φᵀe)`, `e = π(x − Φa(z))` of a state s:
//!
//! ```text
//! q = D·∂s'/∂(Φᵀe)                  = ∂L/∂(Φᵀe)
//! w = −πΦq                          = ∂L/∂(Φa)          ∂L/∂π = Σ(Φq)·e/π
//! D ← D·∂s'/∂s + Φᵀw·∂a/∂s                              ∂L/∂Φᵀ = Σ q eᵀ + a wᵀ,  ∂L/∂x = −Σw
//! ```
//!
//! and before it, for the fresh sample z' and the divergence of its step,
//! `D += Φᵀw'·∂a'/∂s' + weight·∂KL/∂s'`, `w' = −weight·π(x − Φa(z'))`. The derivatives of s', a and KL are the
//! family's. At the beginning of a step D is the derivative by its prior, and [`prior`](super::prior) takes it to the
//! state before.

use std::ops::Range;

use super::dictionary::Dictionary;
use super::forward::{Pass, row_of};
use super::gradient::Gradient;
use super::latents::{Latents, RefinementBack, Sampled};
use super::prior::{Prediction, StepPrior};
use super::products::add_outer;
use super::residual::{error_backward, score_error};
use super::rows::{Rows, RowsMut};
use super::tape::Factor;

/// What goes backwards in time.
pub(super) struct Back {
    /// ∂L/∂s of the moment that backward has come to, `[row, component, latent]`.
    pub(super) by_state: Vec<f32>,
    /// ∂L/∂s of the beginning of the step it is in, as its prior, `[row, component, latent]`.
    by_prior: Vec<f32>,
    /// Φq, `[row, pixels]`.
    by_pixels: Vec<f32>,
    /// 1/π, `[pixels]`.
    variance: Vec<f32>,
}

impl Back {
    pub(super) fn new(dictionary: &Dictionary, rows: usize, components: usize) -> Self {
        let states = || vec![0.0; rows * components * dictionary.wide_latents()];
        Self {
            by_state: states(),
            by_prior: states(),
            by_pixels: vec![0.0; rows * dictionary.wide_pixels()],
            variance: dictionary.precision.iter().map(|p| 1.0 / p).collect(),
        }
    }
}

impl<L: Latents> Pass<'_, L> {
    /// Goes back through the segment on the tape, and adds to the gradient.
    pub(super) fn backward(
        &mut self,
        times: Range<usize>,
        back: &mut Back,
        gradient: &mut Gradient,
    ) {
        let dictionary = self.unroll.network.dictionary();
        let n = self.unroll.network.inner_iterations();
        for (step, time) in times.clone().enumerate().rev() {
            self.score_backward(step, back, gradient);
            self.to_frame(time, Factor::Fresh(step), gradient);
            for inner in (0..n).rev() {
                self.refine_backward(step, inner, back, gradient);
                self.to_frame(time, Factor::Driving(step * n + inner), gradient);
            }
            for (by_state, by_prior) in back.by_state.iter_mut().zip(&back.by_prior) {
                *by_state += by_prior;
            }
            self.predict_backward(step, back, gradient);
        }
        // All outer products of the segment at once. A shorter last segment leaves older factors behind its own.
        let (wide_k, wide_m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        for range in self.tape.used_factors(times.len()) {
            add_outer(
                dictionary.latents,
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
        if self.unroll.prior.transition().is_some() {
            let factor = |values| Rows {
                values,
                pitch: wide_k,
            };
            add_outer(
                dictionary.latents,
                times.len() * self.rows,
                factor(&self.tape.drives),
                factor(&self.tape.by_drives),
                RowsMut {
                    values: &mut gradient.weights,
                    pitch: wide_k,
                },
            );
        }
    }

    /// From the derivative by the priors of a step to that by the states before it.
    fn predict_backward(&mut self, step: usize, back: &mut Back, gradient: &mut Gradient) {
        let wide_state = self.unroll.network.dictionary().wide_latents() * L::COMPONENTS;
        match &self.unroll.prior {
            StepPrior::Carried => {}
            StepPrior::Static(_) => {
                for row in back.by_state.chunks_exact_mut(wide_state) {
                    for (sum, by_state) in gradient.rest.iter_mut().zip(row) {
                        *sum += std::mem::take(by_state);
                    }
                }
            }
            StepPrior::Learned(transition) => {
                let kept = self.tape.slopes_at(step);
                let prediction = Prediction {
                    before: &self.tape.states[self.tape.states_before(step)],
                    drive: &self.tape.drives[kept.clone()],
                    prior: &self.tape.states[self.tape.states_at(step, 0)],
                };
                let gated = &mut self.tape.by_drives[kept];
                let (by_state, room) = (&mut back.by_state, &mut self.pulled);
                transition.predict_backward(self.rows, prediction, by_state, gated, room, gradient);
            }
        }
    }

    /// Gives the image of step `time` its share of an error: ∂L/∂x = −∂L/∂(Φa).
    fn to_frame(&self, time: usize, factor: Factor, gradient: &mut Gradient) {
        let dictionary = self.unroll.network.dictionary();
        let (m, wide_m) = (dictionary.pixels, dictionary.wide_pixels());
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
        let dictionary = network.dictionary();
        let (wide_k, wide_m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        let n = network.inner_iterations();
        let [weight, kl_weight] = self.unroll.weights;
        let prior = self.tape.states_at(step, 0);
        let now = self.tape.states_at(step, n);
        let slopes = self.tape.slopes_at(step);
        let samples = self.tape.latents_of(Factor::Fresh(step));
        let errors = self.tape.pixels_of(Factor::Fresh(step));
        let tape = &mut *self.tape;

        let e = &mut tape.pixel_factors[errors];
        for e in e.chunks_mut(wide_m) {
            let e = &mut e[..dictionary.pixels];
            score_error(e, &mut gradient.precision, &back.variance, weight);
        }
        dictionary.pull_back(self.rows, e, &mut self.pulled);
        let (slopes, seen) = (&tape.fresh_slopes[slopes], &tape.latent_factors[samples]);
        let (states, priors) = (&tape.states[now], &tape.states[prior]);
        for row in 0..self.rows {
            let latents = row_of(row, wide_k);
            let at = row_of(row, wide_k * L::COMPONENTS);
            let (state, prior) = (&states[at.clone()], &priors[at.clone()]);
            let by_state = &mut back.by_state[at.clone()];
            let sampled = Sampled {
                seen: &seen[latents.clone()],
                slope: &slopes[latents.clone()],
            };
            let by_seen = &mut self.pulled[latents];
            network.spread_backward(weight, sampled.seen, by_seen, gradient);
            network.draw_backward(state, sampled, by_seen, by_state, gradient);
            let by_prior = &mut back.by_prior[at];
            network.divergence_backward(kl_weight, state, prior, by_state, by_prior);
        }
    }

    fn refine_backward(
        &mut self,
        step: usize,
        inner: usize,
        back: &mut Back,
        gradient: &mut Gradient,
    ) {
        let network = self.unroll.network;
        let dictionary = network.dictionary();
        let (m, wide_m) = (dictionary.pixels, dictionary.wide_pixels());
        let (wide_k, rows) = (dictionary.wide_latents(), self.rows);
        let moment = step * network.inner_iterations() + inner;
        let now = self.tape.states_at(step, inner);
        let prior = self.tape.states_at(step, 0);
        let kept = self.tape.kept_at(moment);
        let slopes = self.tape.slopes_at(moment);
        let pulled_back = self.tape.latents_of(Factor::PulledBack(moment));
        let samples = self.tape.latents_of(Factor::Driving(moment));
        let errors = self.tape.pixels_of(Factor::PulledBack(moment));
        let decoded = self.tape.pixels_of(Factor::Driving(moment));
        let tape = &mut *self.tape;

        let (states, priors) = (&tape.states[now], &tape.states[prior]);
        let (kept, slopes) = (&tape.kept[kept], &tape.slopes[slopes]);
        // What is pulled back comes before what drives on the tape, in both factors.
        let (pulled_back_and_more, seen) = tape.latent_factors.split_at_mut(samples.start);
        let (q, seen) = (&mut pulled_back_and_more[pulled_back], &*seen);
        let sampled = |row: usize| Sampled {
            seen: &seen[row_of(row, wide_k)],
            slope: &slopes[row_of(row, wide_k)],
        };
        for row in 0..rows {
            let at = row_of(row, wide_k * L::COMPONENTS);
            let back = RefinementBack {
                state: &states[at.clone()],
                prior: &priors[at.clone()],
                sampled: sampled(row),
                kept: &kept[row_of(row, wide_k * L::KEPT)],
                by_state: &mut back.by_state[at.clone()],
                by_prior: &mut back.by_prior[at],
                by_pulled: &mut q[row_of(row, wide_k)],
            };
            network.refine_backward(back, gradient);
        }
        dictionary.decode(rows, q, &mut back.by_pixels);
        let (errors_and_more, behind) = tape.pixel_factors.split_at_mut(decoded.start);
        let w = behind[..decoded.len()].chunks_mut(wide_m);
        let w = w.zip(errors_and_more[errors].chunks(wide_m));
        for ((w, e), by_e) in w.zip(back.by_pixels.chunks(wide_m)) {
            error_backward(
                &mut w[..m],
                &e[..m],
                &by_e[..m],
                &dictionary.precision,
                &back.variance,
                &mut gradient.precision,
            );
        }
        dictionary.pull_back(rows, &behind[..decoded.len()], &mut self.pulled);
        for row in 0..rows {
            let at = row_of(row, wide_k * L::COMPONENTS);
            let by_seen = &self.pulled[row_of(row, wide_k)];
            let by_state = &mut back.by_state[at.clone()];
            network.draw_backward(&states[at], sampled(row), by_seen, by_state, gradient);
        }
    }
}
