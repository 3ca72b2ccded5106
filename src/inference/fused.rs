//! The objective of a linear decoder on the CPU as one piece, with its gradient ([`fused`](crate::fused)).
//!
//! The gradient comes with the value, so autodiff is given a number that has it:
//!
//! ```text
//! L(θ) = L̂ + Σ_i ⟨g_i, θ_i⟩ − stop(⟨g_i, θ_i⟩),   g_i = ∂L/∂θ_i
//! ```

use std::ops::Range;

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Expectation, Iterative, Objective, RecordOptions, Stimulus};
use crate::decoder::Decoder;
use crate::fused::{self, Gradient, Latents, StepNoise, Unroll};
use crate::noise::{Draw, Noise, NoiseKey, NoiseSource};
use crate::posterior::Posterior;

/// Whether tensors of this device are this process's own memory.
fn on_processor(device: &Device) -> bool {
    let device = device.clone().inner();
    #[cfg(feature = "flex")]
    if device == Device::flex() {
        return true;
    }
    #[cfg(feature = "ndarray")]
    #[allow(deprecated)] // upstream; it is an opt-in feature here
    if device == Device::ndarray() {
        return true;
    }
    let _ = device;
    false
}

/// The values of a tensor of the CPU, in row-major order; `None` where they are not f32.
pub(super) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Option<Vec<f32>> {
    tensor
        .clone()
        .detach()
        .into_data()
        .try_into_vec::<f32>()
        .ok()
}

/// The keys of all steps; `None` where noise is given as numbers.
fn keys(noise: &dyn NoiseSource, times: Range<usize>, inner: usize) -> Option<Vec<StepNoise>> {
    let key = |time, draw| -> Option<NoiseKey> {
        match noise.noise(time, draw) {
            Noise::Keyed(key) => Some(key),
            _ => None,
        }
    };
    times
        .map(|time| {
            let infer = (0..inner).map(|inner| key(time, Draw::Infer { inner }));
            Some(StepNoise {
                infer: infer.collect::<Option<_>>()?,
                generate: key(time, Draw::Generate)?,
            })
        })
        .collect()
}

/// The images of all steps: one for all, or one per step. `None` where they are not of this shape: then it is for the
/// tensor operations to say so.
fn frames(stimulus: &Stimulus, times: Range<usize>, shape: [usize; 2]) -> Option<Vec<Vec<f32>>> {
    let fitting = |x: &Tensor<2>| if x.dims() == shape { numbers(x) } else { None };
    match stimulus {
        Stimulus::Static(x) => Some(vec![fitting(x)?]),
        Stimulus::Sequence(_) => times.map(|time| fitting(&stimulus.at(time))).collect(),
    }
}

/// Components `[batch, latent]` as one array `[batch, component, latent]`; `None` where they are not all of this shape
/// and f32.
fn interleaved(components: &[Tensor<2>], [batch, latents]: [usize; 2]) -> Option<Vec<f32>> {
    let fitting = |component: &Tensor<2>| match component.dims() == [batch, latents] {
        true => numbers(component),
        false => None,
    };
    let parts: Vec<Vec<f32>> = components.iter().map(fitting).collect::<Option<_>>()?;
    let rows = (0..batch).map(|row| row * latents..(row + 1) * latents);
    let pieces = rows.flat_map(|at| parts.iter().flat_map(move |part| &part[at.clone()]));
    Some(pieces.copied().collect())
}

/// Component number `component` of such an array of `count`.
fn component(interleaved: &[f32], latents: usize, component: usize, count: usize) -> Vec<f32> {
    let rows = interleaved.chunks(latents).skip(component).step_by(count);
    rows.flatten().copied().collect()
}

/// What is unrolled.
#[derive(Clone)]
struct Window<'a, P> {
    stimulus: &'a Stimulus,
    start: &'a P,
    times: Range<usize>,
    noise: &'a dyn NoiseSource,
    beta: f64,
}

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The objective and its gradient as one piece; `None` where something about it is out of the
    /// ordinary, and tensor operations are the way.
    pub(super) fn fused_objective(
        &self,
        stimulus: &Stimulus,
        start: &P,
        times: Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        let atoms = self.generative.decoder.atoms()?;
        let ordinary = record == RecordOptions::GENERATED
            && self.generative.expectation == Expectation::Sample
            && atoms.dtype() == DType::F32
            && on_processor(&atoms.device())
            && !times.is_empty();
        if !ordinary {
            return None;
        }
        let window = Window {
            stimulus,
            start,
            times,
            noise,
            beta,
        };
        if let Some(network) = self.spiking_network() {
            return self.objective_of(&network, window, atoms, None);
        }
        let network = self.location_scale_network(start)?;
        let gain = start.reparameterisation()?.activation.map(|a| a.gain);
        self.objective_of(&network, window, atoms, gain)
    }

    /// That of a network whose parameters are those of this model, `gain` the learned one of its activation.
    fn objective_of<L: Latents>(
        &self,
        network: &L,
        window: Window<'_, P>,
        atoms: Tensor<2>,
        gain: Option<Tensor<2>>,
    ) -> Option<Objective<P>> {
        let Window {
            stimulus,
            start,
            times,
            noise,
            beta,
        } = window;
        let dictionary = network.dictionary();
        let (latents, pixels) = (dictionary.latents, dictionary.pixels);
        let state = start.components();
        let [batch, _] = state.first()?.dims();
        let device = state.first()?.device();
        let share = 1.0 / (times.len() * batch) as f64;
        let unroll = Unroll {
            network,
            frames: frames(stimulus, times.clone(), [batch, pixels])?,
            start: interleaved(&state, [batch, latents])?,
            noise: keys(noise, times.clone(), network.inner_iterations())?,
            weights: [share as f32, (share * beta) as f32],
        };
        let observation = &self.generative.noise;
        let (precision, offset) = (observation.precision(), observation.offset());
        let (outcome, gradient) = fused::objective(&unroll, device.is_autodiff());

        let means = [outcome.reconstruction * share, outcome.divergence * share];
        let constant = |values: &[f32]| Tensor::<1>::from_data(values, &device);
        let mut value = offset.clone() + (means[0] + beta * means[1]);
        if let Some(gradient) = gradient {
            let Gradient {
                atoms: by_atoms,
                precision: by_precision,
                homeostasis: by_homeostasis,
                step_sizes: by_step_sizes,
                curvature: by_curvature,
                gain: by_gain,
                start: by_start,
                frames: by_frames,
            } = gradient;
            let unpadded = |values: Vec<f32>, wide: usize, columns: usize| match wide == columns {
                true => values,
                false => {
                    let rows = values.chunks(wide).flat_map(|row| &row[..columns]);
                    rows.copied().collect()
                }
            };
            let by_latents = |values| unpadded(values, dictionary.wide_latents(), latents);
            let mut follow = |parameter: &Tensor<2>, gradient: Vec<f32>| {
                let data = TensorData::new(gradient, parameter.dims());
                let linear = (parameter.clone() * Tensor::from_data(data, &device)).sum();
                value = value.clone() + (linear.clone() - linear.detach());
            };
            follow(&atoms, unpadded(by_atoms, dictionary.wide_pixels(), pixels));
            follow(&precision, by_precision);
            follow(&self.dynamics.homeostasis, by_latents(by_homeostasis));
            for (step_size, by_step_size) in self.dynamics.step_size.iter().zip(by_step_sizes) {
                follow(step_size, vec![by_step_size as f32]);
            }
            for (number, part) in state.iter().enumerate() {
                follow(part, component(&by_start, latents, number, state.len()));
            }
            for (time, by_frame) in times.clone().zip(by_frames) {
                follow(&stimulus.at(time), by_frame);
            }
            if let Some(curvature) = &self.curvature {
                follow(curvature, by_latents(by_curvature));
            }
            if let Some(gain) = &gain {
                follow(gain, by_latents(by_gain));
            }
        }
        let end = (0..state.len()).map(|number| {
            let part = component(&outcome.end, latents, number, state.len());
            Tensor::from_data(TensorData::new(part, [batch, latents]), &device)
        });
        let reconstruction = offset.detach() + means[0];
        Some(Objective {
            value,
            terms: Tensor::cat(vec![reconstruction, constant(&[means[1] as f32])], 0),
            state: start.with_components(end.collect()),
        })
    }
}
