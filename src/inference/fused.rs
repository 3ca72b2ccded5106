//! The objective of a linear decoder as one piece, with its gradient: on the CPU ([`fused`](crate::fused)), and of spikes on a
//! GPU.

use burn::tensor::{DType, Tensor, TensorData};

use super::plain_numbers::{component, frames, interleaved, keys, step_prior};
use super::window::Window;
use super::with_gradient::{WithGradient, on_processor, unpadded};
use super::{Iterative, Objective, PriorInTime, RecordOptions, StepForm};
use crate::decoder::Decoder;
use crate::fused::{self, Latents, Unroll};
use crate::posterior::Posterior;

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The objective and its gradient as one piece; `None` where something about it is out of the
    /// ordinary, and tensor operations are the way.
    pub(super) fn fused_objective(&self, window: Window<'_, P>) -> Option<Objective<P>> {
        let atoms = self.generative.decoder.atoms()?;
        let ordinary = window.record == RecordOptions::GENERATED
            && self.rule.form != StepForm::Backtracking
            && atoms.dtype() == DType::F32
            && !window.times.is_empty();
        if !ordinary {
            return None;
        }
        if !on_processor(&atoms.device()) {
            #[cfg(feature = "cube")]
            return self.objective_on_gpu(window, atoms);
            #[cfg(not(feature = "cube"))]
            return None;
        }
        if let Some(network) = self.spiking_network() {
            return self.objective_of(&network, window, atoms, None);
        }
        let network = self.location_scale_network(window.start)?;
        let gain = window.start.reparameterisation()?.activation;
        self.objective_of(
            &network,
            window,
            atoms,
            gain.map(|activation| activation.gain),
        )
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
            prior,
            record: _,
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
            prior: step_prior(prior, &self.rest, latents)?,
            noise: keys(noise, times.clone(), network.inner_iterations())?,
            weights: [share as f32, (share * beta) as f32],
            learns_frames: stimulus.is_tracked(),
        };
        let observation = &self.generative.noise;
        let (precision, offset) = (observation.precision(), observation.offset());
        let (outcome, gradient) = fused::objective(&unroll, device.is_autodiff());

        let means = [outcome.reconstruction * share, outcome.divergence * share];
        let constant = |values: &[f32]| Tensor::<1>::from_data(values, &device);
        let mut objective = WithGradient {
            value: offset.clone() + (means[0] + beta * means[1]),
            device: device.clone(),
        };
        if let Some(gradient) = gradient {
            let wide = dictionary.wide_latents();
            let by_latents = |values| unpadded(values, wide, latents);
            let by_atoms = unpadded(gradient.atoms, dictionary.wide_pixels(), pixels);
            objective.follow(&atoms, by_atoms);
            objective.follow(&precision, gradient.precision);
            let cost = &self.dynamics.homeostasis;
            objective.follow(cost, by_latents(gradient.homeostasis));
            for (step_size, by_step_size) in self.dynamics.step_size.iter().zip(gradient.step_sizes)
            {
                objective.follow(step_size, vec![by_step_size as f32]);
            }
            for (number, part) in state.iter().enumerate() {
                let by_part = component(&gradient.start, latents, number, state.len());
                objective.follow(part, by_part);
            }
            for (time, by_frame) in times.clone().zip(gradient.frames) {
                objective.follow(&stimulus.at(time), by_frame);
            }
            if let Some(curvature) = &self.curvature {
                objective.follow(curvature, by_latents(gradient.curvature));
            }
            if let Some(curvature) = &self.generative.curvature {
                objective.follow(curvature, by_latents(gradient.spread));
            }
            if let Some(gain) = &gain {
                objective.follow(gain, by_latents(gradient.gain));
            }
            if prior.is_some() {
                let rest = self.rest.components();
                for (part, by_part) in rest.iter().zip(gradient.rest.chunks(wide)) {
                    objective.follow(part, by_part[..latents].to_vec());
                }
            }
            if let Some(PriorInTime::Learned(transition)) = prior {
                objective.follow(&transition.keep, by_latents(gradient.keep));
                objective.follow(&transition.weights, by_latents(gradient.weights));
                objective.follow(&transition.bias, by_latents(gradient.bias));
            }
        }
        let end = (0..state.len()).map(|number| {
            let part = component(&outcome.end, latents, number, state.len());
            Tensor::from_data(TensorData::new(part, [batch, latents]), &device)
        });
        let reconstruction = offset.detach() + means[0];
        Some(Objective {
            value: objective.value,
            terms: Tensor::cat(vec![reconstruction, constant(&[means[1] as f32])], 0),
            state: start.with_components(end.collect()),
        })
    }
}
