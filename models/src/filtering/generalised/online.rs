//! Learning while filtering: a few steps every so many observations.

use burn::tensor::Device;
use scotopic::filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, TransitionCollector,
};
use scotopic::filtering::generalised::model::{GenerativeModel, Neural};
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Belief, Filter, Moments, PredictedObservation, Result, Step};

use super::config::FlowLearningConfig;
use super::m_step::MStep;

/// The causal filter of a network that learns from the smoothed beliefs about the last `capacity` bins.
///
/// The reported belief is the filtered one; learning uses smoothed beliefs ([`FlowLearningConfig::smoothing`]).
/// Beliefs that were formed under earlier weights stay as they were until the ring has forgotten them: an
/// incremental form of expectation–maximisation (Neal and Hinton 1998).
///
/// ```
/// use burn::tensor::Device;
/// use scotopic::filtering::generalised::causal::CausalConfig;
/// use scotopic::filtering::generalised::model::{Activation, GenerativeModel, Network, Neural};
/// use scotopic::filtering::Filter;
/// use scotopic::filtering::nalgebra::DMatrix;
/// use scotopic_models::filtering::generalised::{FlowLearningConfig, OnlineFlow};
///
/// let flow = Network::start(1, &[4], 1, Activation::Tanh, 1.0, 0)?;
/// let equations = Neural::new(flow, Network::linear(DMatrix::identity(1, 1))?)?;
/// let model = GenerativeModel::single(equations, &[], 25.0, 10.0, 1.0, &[0.0])?;
/// let settings = FlowLearningConfig { every: 20, ..FlowLearningConfig::default() };
/// let mut online = OnlineFlow::new(model, CausalConfig::default(), None, settings, &Device::flex())?;
/// for t in 0..60 {
///     online.update(Some(&[f64::sin(0.3 * f64::from(t))]))?;
/// }
/// assert_eq!(online.lessons(), 3);
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
#[derive(Debug)]
pub struct OnlineFlow {
    filter: CausalGeneralisedFilter<Neural>,
    collector: TransitionCollector,
    m_step: MStep,
    config: FlowLearningConfig,
    model: GenerativeModel<Neural>,
    lessons: u64,
    refused: u64,
}

impl OnlineFlow {
    /// A filter that has seen nothing; arguments as for [`learn`](super::learn).
    ///
    /// # Errors
    /// What of the model or the settings cannot be.
    pub fn new(
        model: GenerativeModel<Neural>,
        assumed: CausalConfig,
        start_covariance: Option<&DMatrix<f64>>,
        config: FlowLearningConfig,
        device: &Device,
    ) -> Result<Self> {
        let m_step = MStep::new(&model, &config, device)?;
        let assumed = config.smoothing.of(assumed);
        let filter = CausalGeneralisedFilter::new(model.clone(), assumed, start_covariance)?;
        let collector = TransitionCollector::new(&filter, config.smoothing, config.capacity)?;
        Ok(Self {
            filter,
            collector,
            m_step,
            config,
            model,
            lessons: 0,
            refused: 0,
        })
    }

    /// The filter, as it is now.
    pub fn filter(&self) -> &CausalGeneralisedFilter<Neural> {
        &self.filter
    }

    /// The model that has been learned so far.
    pub fn model(&self) -> &GenerativeModel<Neural> {
        &self.model
    }

    /// How often the model has changed.
    pub fn lessons(&self) -> u64 {
        self.lessons
    }

    /// How often what was learned could not be filtered with and was given up.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Learns from what is remembered and gives it to the filter.
    fn learn(&mut self) -> Result<()> {
        let points = self.collector.points();
        let next = self.m_step.step(&self.model, points, self.config.rate)?;
        let Some(level) = next.levels.first() else {
            return Ok(());
        };
        let before = self
            .filter
            .model()
            .levels
            .first()
            .map(|l| l.equations.clone());
        self.filter.set_equations(0, level.equations.clone())?;
        let (output, motion) = (level.output.expected(), [level.motion.expected()]);
        if let Err(error) = self.filter.set_precisions(&output, &motion) {
            if let Some(before) = before {
                self.filter.set_equations(0, before)?;
            }
            return Err(error);
        }
        self.model = next;
        self.lessons += 1;
        Ok(())
    }
}

impl Filter for OnlineFlow {
    /// Filters the observation, and learns where it is time to. What the filter refuses changes nothing; a lesson that
    /// fails is given up ([`OnlineFlow::refused`]), and the belief stands.
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let step = self.filter.update(observation)?;
        // What no motion can be read off is not learned from.
        let told = self
            .collector
            .observe(&self.filter, observation)
            .unwrap_or(false);
        let due = self.filter.bins().is_multiple_of(self.config.every as u64);
        if told && due && self.learn().is_err() {
            self.refused += 1;
            self.m_step.return_to(&self.model);
        }
        Ok(step)
    }

    fn belief(&self) -> Belief<'_> {
        self.filter.belief()
    }

    fn elbo(&self) -> f64 {
        self.filter.elbo()
    }

    fn observations(&self) -> u64 {
        self.filter.observations()
    }

    fn width(&self) -> usize {
        self.filter.width()
    }

    fn lag(&self) -> usize {
        self.filter.lag()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        self.filter.predicted_observation()
    }

    fn signal(&self) -> Moments {
        self.filter.signal()
    }
}
