//! How the prior of a step follows from the belief before it.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::inference::{PredictiveTransition, PriorInTime};
use scotopic::posterior::Family;
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

/// c of eq. T1, a log-rate: a prediction that is wrong about a silent neuron costs at most e² = 7.4 nats.
pub const PRIOR_CEILING: f64 = 2.0;

/// a at first: A = sigmoid(2) = 0.88 keeps a belief for some eight frames.
const INITIAL_LOGIT_KEEP: f64 = 2.0;

/// The prior of a step, as configurations name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransitionKind {
    /// u_p = u₀ at every step.
    Static,
    /// u_p = u: the last posterior, as published.
    #[default]
    Carried,
    /// Predicted by learned A, W and b (family poisson).
    Learned,
}

impl TransitionKind {
    /// Checks that the method, `online` where a step updates the belief before it, and the family have such a prior.
    pub(crate) fn validate(self, online: bool, family: Family) -> Result<()> {
        let rule = match self {
            Self::Carried => return Ok(()),
            _ if !online => {
                "only inference.method = \"natural-gradient\" has a prior in time; set it to \"carried\""
            }
            Self::Learned if family != Family::Poisson => {
                "only model.family = \"poisson\" has a learned one; set it to \"static\" or \"carried\""
            }
            _ => return Ok(()),
        };
        Err(self.error(rule))
    }

    fn error(self, rule: &'static str) -> Error {
        let name = match self {
            Self::Static => "static",
            Self::Carried => "carried",
            Self::Learned => "learned",
        };
        Error::setting("model.transition", name, rule)
    }

    /// How many numbers are learned for `latents` latents; saturates.
    pub(crate) fn parameters(self, latents: usize) -> usize {
        match self {
            Self::Learned => latents.saturating_mul(latents.saturating_add(2)),
            Self::Static | Self::Carried => 0,
        }
    }
}

/// The prior in time of a [`Network`](crate::Network).
///
/// ```text
/// u_p = min(c, A∘u + (1 − A)∘u₀ + W σ(e^u) + b),   A = sigmoid(a)                                        (T1)
/// ```
///
/// ```
/// use burn::tensor::Device;
/// use scotopic_models::{Method, NetworkConfig, TransitionKind};
/// let config = NetworkConfig { latents: 8, transition: TransitionKind::Learned, ..Default::default() };
/// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
/// assert_eq!(model.transition.weights.unwrap().weights.val().dims(), [8, 8]);
/// # Ok::<(), scotopic::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Transition {
    /// A, W and b, where they are learned.
    pub weights: Option<TransitionWeights>,
    /// Which prior.
    #[module(skip)]
    pub kind: TransitionKind,
}

/// What a learned transition consists of.
#[derive(Module, Debug)]
pub struct TransitionWeights {
    /// a, `[latent]`: logits of A, how much of a potential is kept.
    pub logit_keep: Param<Tensor<1>>,
    /// Wᵀ, `[latent, latent]`: row j is what neuron j tells all others about the next step.
    pub weights: Param<Tensor<2>>,
    /// b, `[latent]`.
    pub bias: Param<Tensor<1>>,
}

impl Transition {
    /// The last posterior is the prior, as published.
    pub const fn carried() -> Self {
        Self {
            weights: None,
            kind: TransitionKind::Carried,
        }
    }

    /// W = 0, b = 0: at first no neuron says anything about another.
    pub(crate) fn init(kind: TransitionKind, latents: usize, device: &Device) -> Self {
        let vector = |value: f64| Param::from_tensor(Tensor::full([latents], value, device));
        Self {
            weights: (kind == TransitionKind::Learned).then(|| TransitionWeights {
                logit_keep: vector(INITIAL_LOGIT_KEEP),
                weights: Param::from_tensor(Tensor::zeros([latents, latents], device)),
                bias: vector(0.0),
            }),
            kind,
        }
    }

    /// What inference needs of it; none where the last posterior is the prior.
    pub(crate) fn prior(&self) -> Option<PriorInTime> {
        match (&self.weights, self.kind) {
            (Some(weights), _) => Some(PriorInTime::Learned(Box::new(
                weights.transition(PRIOR_CEILING),
            ))),
            (None, TransitionKind::Static) => Some(PriorInTime::Static),
            (None, _) => None,
        }
    }
}

impl TransitionWeights {
    /// The transition as it stands now, with the ceiling c.
    pub fn transition(&self, ceiling: f64) -> PredictiveTransition {
        PredictiveTransition::new(
            self.logit_keep.val().unsqueeze::<2>(),
            self.weights.val(),
            self.bias.val().unsqueeze::<2>(),
            ceiling,
        )
    }
}
