//! The event-driven engine of a model.

use scotopic::Result;
use scotopic::inference::NaturalGradient;
use scotopic::spiking::{DriveMethod, Engine};

use crate::network::Network;

impl Network {
    /// The trained network as an engine for exact counts ([`Iterative::engine`](scotopic::inference::Iterative::engine)).
    /// The engine carries the last posterior over, as published.
    ///
    /// # Errors
    /// If the model has another prior in time, is not a Poisson posterior over a linear decoder in f32, or the rule has more
    /// than one inner iteration or a rate floor.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use scotopic::{posterior::Sampling, spiking::DriveMethod};
    /// use scotopic_models::{Method, NetworkConfig, RuleConfig, TransitionKind};
    /// let rule = || RuleConfig::default().at(1.0, Sampling::EXACT);
    /// let mut config = NetworkConfig { latents: 8, ..Default::default() };
    /// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// assert!(model.engine(rule(), DriveMethod::Events).is_ok());
    /// config.transition = TransitionKind::Learned;
    /// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// assert!(model.engine(rule(), DriveMethod::Events).is_err());
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn engine(&self, rule: NaturalGradient, form: DriveMethod) -> Result<Engine> {
        self.transition.carried_over()?;
        self.iterative(rule).engine(form)
    }
}
