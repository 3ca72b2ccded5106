//! Expectation–maximisation over whole series: filter, learn from the beliefs, filter again.

use burn::tensor::Device;
use scotopic::filtering::Filter as _;
use scotopic::filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, TransitionCollector,
};
use scotopic::filtering::generalised::model::{GenerativeModel, Neural};
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Result, Sequence};
use serde::{Deserialize, Serialize};

use super::config::{FlowLearningConfig, setting};
use super::m_step::MStep;

/// What one round found before it learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Σ ln p(y_t | y_1 … y_{t−1}) of all series under the model that the round before made, in nats; none where that
    /// model left the numbers, after which the best model so far is taken up again at half the rate.
    pub log_evidence: Option<f64>,
}

/// A model that was learned, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowFit {
    /// The model of greatest evidence of all rounds.
    pub model: GenerativeModel<Neural>,
    /// Its evidence, in nats.
    pub log_evidence: f64,
    /// Every round, the start first; one more than were learned from, because the last one is filtered too.
    pub rounds: Vec<Round>,
}

/// Learns f, and g where asked, and the precisions of both noises from series, each filtered from the model's start:
/// `config.rounds` times by the causal filter of `assumed` (see [`SmoothingLag`] for the order of its noise), and down
/// the expected energy under its beliefs. See the [module](super) for why the evidence rises.
///
/// ```
/// use burn::tensor::Device;
/// use scotopic::filtering::Sequence;
/// use scotopic::filtering::generalised::causal::CausalConfig;
/// use scotopic::filtering::generalised::model::{Activation, GenerativeModel, Network, Neural};
/// use scotopic::filtering::generalised::scheme::Embedding;
/// use scotopic::filtering::nalgebra::DMatrix;
/// use scotopic_models::filtering::generalised::{FlowLearningConfig, learn};
///
/// let flow = Network::start(1, &[4], 1, Activation::Tanh, 1.0, 0)?;
/// let equations = Neural::new(flow, Network::linear(DMatrix::identity(1, 1))?)?;
/// let start = GenerativeModel::single(equations, &[], 100.0, 10.0, 1.0, &[2.0])?;
/// // A state that falls to rest.
/// let data = Sequence::of_numbers((0..60).map(|t| 2.0 * f64::exp(-0.1 * f64::from(t))))?;
/// let assumed = CausalConfig::from(Embedding { states: 0, causes: 0, smoothness: 0.0 });
/// let settings = FlowLearningConfig { rounds: 3, ..FlowLearningConfig::default() };
/// let learned = learn(&start, &[data], assumed, None, &settings, &Device::flex())?;
/// assert!(learned.log_evidence > learned.rounds[0].log_evidence.unwrap_or(f64::INFINITY));
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
///
/// [`SmoothingLag`]: scotopic::filtering::generalised::causal::SmoothingLag
///
/// # Errors
/// What of the model, the settings or the data cannot be; a start that cannot be filtered; what the device reports.
pub fn learn(
    start: &GenerativeModel<Neural>,
    series: &[Sequence],
    assumed: CausalConfig,
    start_covariance: Option<&DMatrix<f64>>,
    config: &FlowLearningConfig,
    device: &Device,
) -> Result<FlowFit> {
    if series.iter().all(Sequence::is_empty) {
        return Err(setting(
            "series",
            "no observation",
            "at least one observation",
        ));
    }
    let mut m_step = MStep::new(start, config, device)?;
    let mut model = start.clone();
    let mut best: Option<(f64, GenerativeModel<Neural>)> = None;
    let mut rounds = Vec::with_capacity(config.rounds + 1);
    let mut slower = 1.0;
    for round in 0..=config.rounds {
        let passed = pass(&model, series, assumed, start_covariance, config);
        let (log_evidence, collector) = match (passed, &best) {
            (Ok(passed), _) => passed,
            (Err(error), None) => return Err(error),
            (Err(_), Some((_, good))) => {
                rounds.push(Round { log_evidence: None });
                model = good.clone();
                m_step.return_to(&model);
                slower *= 0.5;
                continue;
            }
        };
        rounds.push(Round {
            log_evidence: Some(log_evidence),
        });
        if best.as_ref().is_none_or(|(e, _)| log_evidence > *e) {
            best = Some((log_evidence, model.clone()));
        }
        if round < config.rounds {
            let rate = slower * config.rate_of(round);
            model = m_step.step(&model, collector.points(), rate)?;
        }
    }
    match best {
        Some((log_evidence, model)) => Ok(FlowFit {
            model,
            log_evidence,
            rounds,
        }),
        None => Err(setting("rounds", config.rounds, "at least 1")),
    }
}

/// The evidence of all series, and the beliefs of the filter.
fn pass(
    model: &GenerativeModel<Neural>,
    series: &[Sequence],
    assumed: CausalConfig,
    start_covariance: Option<&DMatrix<f64>>,
    config: &FlowLearningConfig,
) -> Result<(f64, TransitionCollector)> {
    let assumed = config.smoothing.of(assumed);
    let fresh = CausalGeneralisedFilter::new(model.clone(), assumed, start_covariance)?;
    let mut collector = TransitionCollector::new(&fresh, config.smoothing, usize::MAX)?;
    let mut log_evidence = 0.0;
    for sequence in series {
        let mut filter = fresh.clone();
        for y in sequence.iter() {
            filter.update(y)?;
            collector.observe(&filter, y)?;
        }
        log_evidence += filter.elbo();
    }
    Ok((log_evidence, collector))
}
