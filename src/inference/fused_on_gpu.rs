//! The objective of a spiking network on a GPU, with its gradient ([`spiking_unroll`](crate::ops::spiking_unroll)).

use std::ops::Range;

use burn::tensor::{DType, Tensor};

use super::plain_numbers::keys;
use super::window::Window;
use super::with_gradient::WithGradient;
use super::{Iterative, Leak, Objective, Stimulus};
use crate::decoder::Decoder;
use crate::noise::{NoiseKey, NoiseSource};
use crate::ops::spiking_unroll::{
    Forward, SpikingSteps, SpikingTensors, fits, spiking_backward, spiking_forward, tape_rows,
};
use crate::ops::{Relaxation, spiking_unroll::Backward};
use crate::posterior::Posterior;

/// The bytes of one array of a tape: every GPU can bind as many (WebGPU's least limit). Longer inference is cut in time.
const ARRAY_BYTES: usize = 128 << 20;

/// Independent sums that an outer product over time and batch is cut into, so that a GPU has something to do.
const OUTER_SUMS: usize = 16;

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The objective and its gradient; `None` where something about it is out of the ordinary, and tensor operations are
    /// the way.
    pub(super) fn objective_on_gpu(
        &self,
        window: Window<'_, P>,
        atoms: Tensor<2>,
    ) -> Option<Objective<P>> {
        let Stimulus::Static(images) = window.stimulus else {
            return None;
        };
        let ([latents, pixels], [batch, width]) = (atoms.dims(), images.dims());
        let state = window.start.components();
        let [potential] = state.as_slice() else {
            return None;
        };
        let [step_size] = self.dynamics.step_size.as_slice() else {
            return None;
        };
        let all_single = [images, potential, step_size, &self.dynamics.homeostasis]
            .iter()
            .all(|tensor| tensor.dtype() == DType::F32);
        let ordinary = window.prior.is_none()
            && self.rest.log_rate().is_some()
            && width == pixels
            && potential.dims() == [batch, latents]
            && batch > 0
            && all_single
            && fits(pixels, latents);
        if !ordinary {
            return None;
        }
        let share = 1.0 / (window.times.len() * batch) as f64;
        let whole = self.steps(&window, share)?;
        let device = potential.device();
        let plain = PlainTensors(device.is_autodiff());
        let precision = self.generative.noise.precision();
        let (curvature, spread) = (&self.curvature, &self.generative.curvature);
        let plain_atoms = plain.of(&atoms);
        let network = SpikingTensors {
            transposed: plain_atoms.clone().transpose(),
            atoms: plain_atoms,
            precision: plain.of(&precision),
            homeostasis: plain.of(&self.dynamics.homeostasis),
            curvature: plain.of(curvature.as_ref().unwrap_or(&self.dynamics.homeostasis)),
            spread: plain.of(spread.as_ref().unwrap_or(&self.dynamics.homeostasis)),
            step_size: plain.of(step_size),
        };

        let seen = plain.of(images);
        let mut at = plain.of(potential);
        let mut passes = Vec::new();
        let mut sums = None;
        for times in segments(
            &window.times,
            whole.inner_iterations,
            [batch, pixels, latents],
        )? {
            let steps = SpikingSteps {
                from: times.start,
                steps: times.len(),
                ..whole
            };
            let pass = spiking_forward(seen.clone(), at, &network, steps);
            at = pass.end.clone();
            sums = added(sums, pass.sums.clone().sum_dim(0));
            if device.is_autodiff() {
                passes.push((pass, steps));
            }
        }
        let terms = sums?.reshape([2]) * share;

        let offset = self.generative.noise.offset();
        let [reconstruction, divergence] =
            [0, 1].map(|number| plain.back(terms.clone().narrow(0, number, 1)));
        let mut objective = WithGradient {
            value: offset.clone() + reconstruction.clone() + divergence.clone() * window.beta,
            device: device.clone(),
        };
        if device.is_autodiff() {
            let learns_images = window.stimulus.is_tracked();
            let gradient = gradient(passes, &network, at.zeros_like(), learns_images)?;
            let of_latents = |number: usize| -> Tensor<2> {
                let all = gradient.by_latents.clone();
                plain.back(all.narrow(0, number, 1).sum_dim(1).reshape([1, latents]))
            };
            objective.follow_tensor(&atoms, plain.back(gradient.by_atoms));
            let by_precision = gradient.by_precision.sum_dim(0);
            objective.follow_tensor(&precision, plain.back(by_precision));
            let eta = network.step_size.clone();
            let by_step_size = gradient.by_step_size.sum_dim(0) / (eta.clone() * eta);
            objective.follow_tensor(step_size, plain.back(by_step_size));
            let by_start = gradient.by_latents.clone().narrow(0, 0, 1);
            objective.follow_tensor(potential, plain.back(by_start.reshape([batch, latents])));
            if let Some(by_images) = gradient.by_images {
                objective.follow_tensor(images, plain.back(by_images));
            }
            objective.follow_tensor(&self.dynamics.homeostasis, of_latents(1));
            if let Some(curvature) = curvature {
                objective.follow_tensor(curvature, of_latents(2));
            }
            if let Some(spread) = spread {
                objective.follow_tensor(spread, of_latents(3));
            }
        }
        let reconstruction = offset.detach() + reconstruction;
        Some(Objective {
            value: objective.value,
            terms: Tensor::cat(vec![reconstruction, divergence], 0),
            state: window.start.with_components(vec![plain.back(at)]),
        })
    }

    /// The rule of a window; `None` where its noise does not come from a key.
    fn steps(&self, window: &Window<'_, P>, share: f64) -> Option<SpikingSteps> {
        let inner_iterations = self.rule.inner_iterations.max(1);
        let both = [
            *self.rule.clamps.step.first()? as f32,
            *self.rule.clamps.state.first()? as f32,
        ];
        let relaxation = self.rule.sampling.relaxation();
        Some(SpikingSteps {
            steps: window.times.len(),
            inner_iterations,
            from: window.times.start,
            key: source(window.noise, window.times.clone(), inner_iterations)?,
            relaxation: Relaxation {
                temperature: relaxation.temperature.max(0.0),
                ..relaxation
            },
            rate_floor: self.rule.sampling.rate_floor as f32,
            leak: match self.rule.leak {
                Leak::None => 0.0,
                Leak::Kl(beta) => beta as f32,
            },
            proximal: self.curvature.is_some(),
            ceilings: both.iter().any(|c| c.is_finite()).then_some(both),
            kl: self.rule.kl,
            exact: self.generative.curvature.is_some(),
            weights: [share as f32, (share * window.beta) as f32],
        })
    }
}

/// Tensors in and out of autodiff.
struct PlainTensors(bool);

impl PlainTensors {
    fn of<const D: usize>(&self, tensor: &Tensor<D>) -> Tensor<D> {
        match self.0 {
            true => tensor.clone().inner(),
            false => tensor.clone(),
        }
    }

    fn back<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        match self.0 {
            true => Tensor::from_inner(tensor),
            false => tensor,
        }
    }
}

/// The key that all noise of these times comes from, if there is one.
fn source(noise: &dyn NoiseSource, times: Range<usize>, inner: usize) -> Option<NoiseKey> {
    let drawn = keys(noise, times.clone(), inner)?;
    let first = drawn.first()?.generate;
    let key = first.stream(first.stream.wrapping_sub((times.start as u32) << 8));
    let expected = keys(&key, times, inner)?;
    let same = drawn
        .iter()
        .zip(&expected)
        .all(|(a, b)| a.generate == b.generate && a.infer == b.infer);
    same.then_some(key)
}

/// Times whose arrays fit; `None` where one step does not.
fn segments(
    times: &Range<usize>,
    inner: usize,
    [batch, pixels, latents]: [usize; 3],
) -> Option<Vec<Range<usize>>> {
    let tape = tape_rows(1, inner) * latents;
    let errors = (inner + 1) * pixels;
    let most = ARRAY_BYTES / (4 * batch * tape.max(errors));
    (most > 0).then(|| {
        let starts = times.clone().step_by(most);
        starts
            .map(|from| from..(from + most).min(times.end))
            .collect()
    })
}

/// Derivatives by the parameters, not yet summed over the batch.
struct GpuGradient {
    /// By Φᵀ, `[latent, pixels]`.
    by_atoms: Tensor<2>,
    /// By the images, `[batch, pixels]`, where it is asked for.
    by_images: Option<Tensor<2>>,
    /// By the first potential, eᵇ, ηH and H, `[4, batch, latent]`.
    by_latents: Tensor<3>,
    /// By π, `[batch, pixels]`.
    by_precision: Tensor<2>,
    /// η² times that by η, `[batch, 1]`.
    by_step_size: Tensor<2>,
}

/// Goes back through all segments; `by_end` `[batch, latent]`.
fn gradient(
    passes: Vec<(Forward, SpikingSteps)>,
    network: &SpikingTensors,
    mut by_end: Tensor<2>,
    learns_images: bool,
) -> Option<GpuGradient> {
    let mut whole: Option<GpuGradient> = None;
    for (pass, steps) in passes.into_iter().rev() {
        let Backward {
            pulled,
            by_decoded,
            by_latents,
            by_precision,
            by_step_size,
        } = spiking_backward(&pass, network, by_end, steps);
        let refinements = steps.steps * steps.inner_iterations;
        let [_, batch, pixels] = by_decoded.dims();
        let over_time = |errors: Tensor<3>| errors.sum_dim(0).reshape([batch, pixels]);
        let by_images = learns_images.then(|| over_time(by_decoded.clone()).neg());
        let by_atoms =
            outer(pulled, pass.errors.narrow(0, 0, refinements)) + outer(pass.drawn, by_decoded);
        let [_, _, latents] = by_latents.dims();
        by_end = by_latents.clone().narrow(0, 0, 1).reshape([batch, latents]);
        whole = Some(match whole {
            None => GpuGradient {
                by_atoms,
                by_images,
                by_latents,
                by_precision,
                by_step_size,
            },
            Some(later) => GpuGradient {
                by_atoms: later.by_atoms + by_atoms,
                by_images: by_images.and_then(|more| added(later.by_images, more)),
                by_latents: Tensor::cat(
                    vec![
                        by_latents.clone().narrow(0, 0, 1),
                        later.by_latents.narrow(0, 1, 3) + by_latents.narrow(0, 1, 3),
                    ],
                    0,
                ),
                by_precision: later.by_precision + by_precision,
                by_step_size: later.by_step_size + by_step_size,
            },
        });
    }
    whole
}

/// Σ over time and batch of l rᵀ, of `[time, batch, latent]` and `[time, batch, pixels]`.
fn outer(left: Tensor<3>, right: Tensor<3>) -> Tensor<2> {
    let ([time, batch, latents], [_, _, pixels]) = (left.dims(), right.dims());
    let sums = (1..=OUTER_SUMS.min(time))
        .rev()
        .find(|sums| time.is_multiple_of(*sums))
        .unwrap_or(1);
    let rows = time / sums * batch;
    let left = left.reshape([sums, rows, latents]).swap_dims(1, 2);
    let right = right.reshape([sums, rows, pixels]);
    left.matmul(right).sum_dim(0).reshape([latents, pixels])
}

fn added(sum: Option<Tensor<2>>, more: Tensor<2>) -> Option<Tensor<2>> {
    Some(match sum {
        None => more,
        Some(sum) => sum + more,
    })
}
