//! The event-driven engine of a model.

use scotopic::Result;
use scotopic::inference::{NaturalGradient, Predictive};
use scotopic::spiking::{DriveMethod, Engine};

use crate::network::Network;

impl Network {
    /// The trained network as an engine for exact counts ([`Iterative::engine`](scotopic::inference::Iterative::engine)).
    /// with the prior in time that it was trained with.
    ///
    /// # Errors
    /// If the model is not a Poisson posterior over a linear decoder in f32, or the rule has a rate floor.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use scotopic::{posterior::Sampling, spiking::DriveMethod};
    /// use scotopic_models::{Method, NetworkConfig, RuleConfig, TransitionKind};
    /// let rule = || RuleConfig::default().at(1.0, Sampling::EXACT);
    /// let config = NetworkConfig { latents: 8, transition: TransitionKind::Learned, ..Default::default() };
    /// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// assert_eq!(model.engine(rule(), DriveMethod::Events)?.latents(), 8);
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn engine(&self, rule: NaturalGradient, form: DriveMethod) -> Result<Engine> {
        let iterative = self.iterative(rule);
        match self.transition.prior() {
            None => iterative.engine(form),
            Some(transition) => Predictive {
                iterative,
                transition,
            }
            .engine(form),
        }
    }
}
