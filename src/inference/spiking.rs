//! A Poisson posterior over a linear decoder on the CPU: the engine for inference, and for learning the objective
//! with its gradient by the fused network ([`spiking`](crate::spiking)).
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
use crate::error::{Error, Result};
use crate::noise::{Draw, Noise, NoiseKey, NoiseSource};
use crate::posterior::Posterior;
use crate::spiking::{
    self, DriveMethod, Engine, Gradient, Parameters, SpikingNetwork, SpikingRule, StepNoise, Unroll,
};

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
fn numbers<const D: usize>(tensor: &Tensor<D>) -> Option<Vec<f32>> {
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

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The trained network as an engine for exact counts, in plain numbers: no tensors, no gradient.
    ///
    /// Works from any device; the weights are copied once.
    ///
    /// # Errors
    /// If the posterior is not Poisson, the decoder not linear, numbers are not f32, or the rule has more than one
    /// inner iteration or a rate floor.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use scotopic::{noise::NoiseKey, posterior::Sampling, spiking::DriveMethod};
    /// use scotopic_models::{Method, NetworkConfig, ImageDims, RuleConfig};
    ///
    /// let picture = ImageDims { channels: 1, height: 8, width: 8 };
    /// let config = NetworkConfig { picture, latents: 32, ..Default::default() };
    /// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
    /// let engine = model.iterative(rule).engine(DriveMethod::Events)?;
    /// let seen = engine.perceive(&[1.0; 3 * 64], 16, None, &NoiseKey::new(1))?;
    /// assert_eq!((seen.potentials.len(), seen.steps), (3 * 32, vec![16; 3]));
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn engine(&self, form: DriveMethod) -> Result<Engine> {
        let network = self.spiking_network();
        let rest = self.rest.log_rate().as_ref().and_then(numbers);
        match (network, rest) {
            (Some(network), Some(rest)) => Engine::new(network, rest, form),
            _ => Err(Error::setting(
                "model",
                "not a spiking network",
                "the engine runs Poisson posteriors over a linear decoder, in f32",
            )),
        }
    }

    /// The network as plain numbers; `None` where it is not a Poisson posterior over a linear decoder in f32.
    fn spiking_network(&self) -> Option<SpikingNetwork> {
        self.rest.log_rate()?;
        let atoms = self.generative.decoder.atoms()?;
        let [step_size] = self.dynamics.step_size.as_slice() else {
            return None;
        };
        let parameters = Parameters {
            atoms: numbers(&atoms)?,
            precision: numbers(&self.generative.noise.precision())?,
            homeostasis: numbers(&self.dynamics.homeostasis)?,
            step_size: *numbers(step_size)?.first()?,
            curvature: match &self.curvature {
                Some(curvature) => Some(numbers(curvature)?),
                None => None,
            },
        };
        let rule = SpikingRule {
            inner_iterations: self.rule.inner_iterations.max(1),
            leak: self.rule.leak,
            step_ceiling: *self.rule.clamps.step.first()? as f32,
            ceiling: *self.rule.clamps.state.first()? as f32,
            relaxation: self.rule.sampling.relaxation(),
            rate_floor: self.rule.sampling.rate_floor as f32,
            kl: self.rule.kl,
        };
        Some(SpikingNetwork::new(parameters, rule))
    }

    /// The objective and its gradient from the fused network; `None` where something about it is out of the
    /// ordinary, and tensor operations are the way.
    pub(super) fn spiking_objective(
        &self,
        stimulus: &Stimulus,
        start: &P,
        times: Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        let potential = start.log_rate()?;
        let atoms = self.generative.decoder.atoms()?;
        let device = potential.device();
        let ordinary = record == RecordOptions::GENERATED
            && self.generative.expectation == Expectation::Sample
            && potential.dtype() == DType::F32
            && atoms.dtype() == DType::F32
            && on_processor(&device)
            && !times.is_empty();
        if !ordinary {
            return None;
        }
        let network = self.spiking_network()?;
        let [batch, latents] = potential.dims();
        if latents != network.latents {
            return None; // for the tensor operations to say
        }
        let share = 1.0 / (times.len() * batch) as f64;
        let unroll = Unroll {
            network: &network,
            frames: frames(stimulus, times.clone(), [batch, network.pixels])?,
            start: numbers(&potential)?,
            noise: keys(noise, times.clone(), network.rule.inner_iterations)?,
            weights: [share as f32, (share * beta) as f32],
        };
        let observation = &self.generative.noise;
        let (precision, offset) = (observation.precision(), observation.offset());
        let homeostasis = &self.dynamics.homeostasis;
        let step_size = self.dynamics.step_size.first()?;
        let (outcome, gradient) = spiking::objective(&unroll, device.is_autodiff());

        let means = [outcome.reconstruction * share, outcome.divergence * share];
        let constant = |values: &[f32]| Tensor::<1>::from_data(values, &device);
        let mut value = offset.clone() + (means[0] + beta * means[1]);
        if let Some(gradient) = gradient {
            let Gradient {
                atoms: by_atoms,
                precision: by_precision,
                homeostasis: by_homeostasis,
                step_size: by_step_size,
                curvature: by_curvature,
                start: by_start,
                frames: by_frames,
            } = gradient;
            let pixels = network.pixels;
            let wide = network.wide_pixels();
            let by_atoms = match wide == pixels {
                true => by_atoms,
                false => by_atoms
                    .chunks(wide)
                    .flat_map(|row| &row[..pixels])
                    .copied()
                    .collect(),
            };
            let mut follow = |parameter: &Tensor<2>, gradient: Vec<f32>| {
                let data = TensorData::new(gradient, parameter.dims());
                let linear = (parameter.clone() * Tensor::from_data(data, &device)).sum();
                value = value.clone() + (linear.clone() - linear.detach());
            };
            follow(&atoms, by_atoms);
            follow(&precision, by_precision);
            follow(homeostasis, by_homeostasis);
            follow(step_size, vec![by_step_size as f32]);
            follow(&potential, by_start);
            for (time, by_frame) in times.clone().zip(by_frames) {
                follow(&stimulus.at(time), by_frame);
            }
            if let Some(curvature) = &self.curvature {
                follow(curvature, by_curvature);
            }
        }
        let end = Tensor::from_data(TensorData::new(outcome.end, [batch, latents]), &device);
        let reconstruction = offset.detach() + means[0];
        Some(Objective {
            value,
            terms: Tensor::cat(vec![reconstruction, constant(&[means[1] as f32])], 0),
            state: start.with_components(vec![end]),
        })
    }
}
