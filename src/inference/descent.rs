//! The objective of point estimates over a linear decoder on the CPU, without a graph of their descent.

use std::ops::Range;

use burn::tensor::{DType, Tensor, TensorData};

use super::plain_numbers::{frames, interleaved, numbers};
use super::with_gradient::{WithGradient, on_processor, unpadded};
use super::{Iterative, Objective, RecordOptions, StepForm, Stimulus};
use crate::decoder::Decoder;
use crate::fused::{Descent, Dictionary, PointCost, PointNetwork};
use crate::posterior::{ActivationKind, Cost, Posterior};

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// F of the state where a descent from `start` ends, and its gradient with that state held fixed: no step is
    /// differentiated. Only the state after the last step is scored.
    ///
    /// `None` where the belief is no point estimate, the decoder not linear, the activation neither none nor relu, a
    /// record other than of the last step asked for, the gradient by the images asked for, a clamp missing, numbers are
    /// not f32, or the device is not the CPU: tensor operations are the way then.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use scotopic::{inference::{Perception, Stimulus}, posterior::Sampling};
    /// use scotopic_models::{Family, ImageDims, Method, NetworkConfig, RuleConfig};
    /// let (device, family) = (Device::flex(), Family::SoftThreshold);
    /// let config = NetworkConfig { picture: ImageDims::row(16), latents: 8, family, ..Default::default() };
    /// let model = config.init(Method::Descent, &device, 0)?;
    /// let lca = model.iterative(RuleConfig::default().at(1.0, Sampling::EXACT));
    /// let (image, record) = (Stimulus::Static(Tensor::ones([3, 16], &device)), Method::Descent.learns_from());
    /// let seen = lca.descended(&image, &lca.rest(3), 0..20, record, 1.0).expect("a linear decoder on the CPU");
    /// assert_eq!(seen.value.dims(), [1]);
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn descended(
        &self,
        stimulus: &Stimulus,
        start: &P,
        times: Range<usize>,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        let atoms = self.generative.decoder.atoms()?;
        let last_step = RecordOptions {
            every: usize::MAX,
            ..RecordOptions::GENERATED
        };
        let ordinary = record == last_step
            && self.rule.form != StepForm::Backtracking
            && atoms.dtype() == DType::F32
            && on_processor(&atoms.device())
            && !stimulus.is_tracked()
            && !times.is_empty();
        if !ordinary {
            return None;
        }
        let network = self.point_network(start, &atoms)?;
        let (latents, pixels) = (network.dictionary.latents, network.dictionary.pixels);
        let state = start.components();
        let [batch, _] = state.first()?.dims();
        let device = state.first()?.device();
        let share = 1.0 / batch as f64;
        let descent = Descent {
            network: &network,
            frames: frames(stimulus, times.clone(), [batch, pixels])?,
            start: interleaved(&state, [batch, latents])?,
            steps: times.len(),
            weight: share as f32,
        };
        let (outcome, gradient) = descent.run(device.is_autodiff());
        let observation = &self.generative.noise;
        let (precision, offset) = (observation.precision(), observation.offset());
        let means = [outcome.reconstruction * share, outcome.divergence * share];
        let mut objective = WithGradient {
            value: offset.clone() + (means[0] + beta * means[1]),
            device: device.clone(),
        };
        if let Some(gradient) = gradient {
            let wide = network.dictionary.wide_pixels();
            objective.follow(&atoms, unpadded(gradient.atoms, wide, pixels));
            objective.follow(&precision, gradient.precision);
        }
        let cost = Tensor::<1>::from_data([means[1] as f32], &device);
        let end = TensorData::new(outcome.end, [batch, latents]);
        Some(Objective {
            value: objective.value,
            terms: Tensor::cat(vec![offset.detach() + means[0], cost], 0),
            state: start.with_components(vec![Tensor::from_data(end, &device)]),
        })
    }

    /// The network as plain numbers; `None` as above.
    fn point_network(&self, start: &P, atoms: &Tensor<2>) -> Option<PointNetwork> {
        let cost = match start.cost()? {
            Cost::Quadratic {
                precision,
                activation,
            } => PointCost::Quadratic {
                precision: precision as f32,
                relu: match activation {
                    ActivationKind::None => false,
                    ActivationKind::Relu => true,
                    _ => return None,
                },
            },
            Cost::Soft { threshold } => PointCost::Soft {
                threshold: threshold as f32,
            },
            Cost::Hard { threshold } => PointCost::Hard {
                threshold: threshold as f32,
            },
        };
        let [step_size] = self.dynamics.step_size.as_slice() else {
            return None;
        };
        let bound = |bounds: &[f64]| bounds.first().filter(|c| c.is_finite()).map(|c| *c as f32);
        let homeostasis = numbers(&self.dynamics.homeostasis)?;
        let latents = homeostasis.len();
        let precision = numbers(&self.generative.noise.precision())?;
        Some(PointNetwork {
            dictionary: Dictionary::new(latents, &numbers(atoms)?, precision),
            homeostasis,
            divisor: match &self.curvature {
                Some(curvature) => numbers(&(curvature.clone().detach() + 1.0))?,
                None => vec![1.0; latents],
            },
            step_size: *numbers(step_size)?.first()?,
            inner_iterations: self.rule.inner_iterations.max(1),
            step_bound: bound(&self.rule.clamps.step)?,
            bound: bound(&self.rule.clamps.state)?,
            cost,
        })
    }
}
