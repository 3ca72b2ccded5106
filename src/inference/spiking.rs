//! A Poisson posterior over a linear decoder as plain numbers: the engine for inference, and the network of the
//! objective as one piece.

use super::plain_numbers::{numbers, step_prior};
use super::{Iterative, PriorInTime, StepForm};
use crate::decoder::Decoder;
use crate::error::{Error, Result};
use crate::fused::Dictionary;
use crate::posterior::Posterior;
use crate::spiking::{DriveMethod, Engine, SpikingNetwork, SpikingRule};

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The trained network as an engine for exact counts, in plain numbers: no tensors, no gradient.
    ///
    /// Works from any device; the weights are copied once.
    ///
    /// # Errors
    /// If the posterior is not Poisson, the decoder not linear, numbers are not f32, the rule has a rate floor, or its step
    /// backtracks.
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
        self.engine_with(None, form)
    }

    /// The engine with this prior in time; none where the last posterior is the prior.
    pub(super) fn engine_with(
        &self,
        prior: Option<&PriorInTime>,
        form: DriveMethod,
    ) -> Result<Engine> {
        let network = self.spiking_network();
        let rest = self.rest.log_rate().as_ref().and_then(numbers);
        let prior = network
            .as_ref()
            .and_then(|network| step_prior(prior, &self.rest, network.dictionary.latents));
        match (network, rest, prior) {
            (Some(network), Some(rest), Some(prior)) => Engine::new(network, rest, prior, form),
            _ => Err(Error::setting(
                "model",
                "not a spiking network",
                "the engine runs Poisson posteriors over a linear decoder, in f32, by an explicit, proximal or certified step",
            )),
        }
    }

    /// The network as plain numbers; `None` where it is not a Poisson posterior over a linear decoder in f32, or backtracks.
    pub(super) fn spiking_network(&self) -> Option<SpikingNetwork> {
        self.rest.log_rate()?;
        if self.rule.form == StepForm::Backtracking {
            return None;
        }
        let atoms = self.generative.decoder.atoms()?;
        let [step_size] = self.dynamics.step_size.as_slice() else {
            return None;
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
        let homeostasis = numbers(&self.dynamics.homeostasis)?;
        let precision = numbers(&self.generative.noise.precision())?;
        Some(SpikingNetwork {
            dictionary: Dictionary::new(homeostasis.len(), &numbers(&atoms)?, precision),
            homeostasis,
            step_size: *numbers(step_size)?.first()?,
            curvature: match &self.curvature {
                Some(curvature) => Some(numbers(curvature)?),
                None => None,
            },
            spread: match &self.generative.curvature {
                Some(curvature) => Some(numbers(curvature)?),
                None => None,
            },
            rule,
        })
    }
}
