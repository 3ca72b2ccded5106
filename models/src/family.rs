//! The latent family of a model: prior and posterior.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{
    Activation, Belief, CategoricalPosterior, Cost, GaussianPosterior, LaplacePosterior,
    PointEstimate, PoissonPosterior, Transfer,
};
use serde::{Deserialize, Serialize};

use crate::draw::uniform_vector;

/// Families of latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Spike counts.
    #[default]
    Poisson,
    /// Normal numbers, through `model.transfer`.
    Gaussian,
    /// Double exponentials.
    Laplace,
    /// One latent of all is on.
    Categorical,
    /// A point estimate with a quadratic cost, through `model.transfer`: predictive coding.
    Point,
    /// A point estimate behind a soft threshold: LCA.
    SoftThreshold,
    /// A point estimate behind a hard threshold.
    HardThreshold,
}

impl Family {
    /// Whether there is no distribution, only one best latent.
    pub fn is_point(self) -> bool {
        matches!(
            self,
            Self::Point | Self::SoftThreshold | Self::HardThreshold
        )
    }

    /// Whether the latents pass through `model.transfer`.
    pub fn takes_transfer(self) -> bool {
        matches!(self, Self::Gaussian | Self::Point)
    }

    /// How many numbers describe the belief about one latent.
    pub fn components(self) -> usize {
        match self {
            Self::Gaussian | Self::Laplace => 2,
            _ => 1,
        }
    }
}

/// The prior p(z), learned.
#[derive(Module, Debug)]
pub struct Prior {
    /// Natural states at rest, `[latent]` each: u₀; or μ₀ and ξ₀; or logits. None for point estimates.
    pub rest: Vec<Param<Tensor<1>>>,
    /// γ, `[latent]`: logarithm of the gain of the latent activation, where there is one.
    pub log_gain: Option<Param<Tensor<1>>>,
    /// Which family.
    #[module(skip)]
    pub family: Family,
    /// The activation.
    #[module(skip)]
    pub transfer: Transfer,
    /// λ of the thresholds, or the precision of the quadratic cost.
    #[module(skip)]
    pub threshold: f64,
    /// K.
    #[module(skip)]
    pub latents: usize,
}

impl Prior {
    /// Poisson log-rates drawn uniformly between `low` and `high`; every other family starts at 0, which
    /// is unit scale.
    pub fn init(
        family: Family,
        latents: usize,
        transfer: Transfer,
        threshold: f64,
        [low, high]: [f64; 2],
        device: &Device,
        seed: u64,
    ) -> Self {
        let zeros = || Param::from_tensor(Tensor::zeros([latents], device));
        let rest = match family {
            Family::Poisson => {
                let key = NoiseKey::new(seed).stream(u32::MAX - 1);
                let drawn = uniform_vector(latents, low as f32, high as f32, key, device);
                vec![Param::from_tensor(drawn)]
            }
            family if family.is_point() => Vec::new(),
            family => (0..family.components()).map(|_| zeros()).collect(),
        };
        let gained = family == Family::Gaussian && transfer != Transfer::None;
        Self {
            rest,
            log_gain: gained.then(zeros),
            family,
            transfer,
            threshold,
            latents,
        }
    }

    /// The prior as a belief, one row, on the device of `like`.
    pub fn belief(&self, like: &Tensor<1>) -> Belief {
        let mut rows = self.rest.iter().map(|rest| rest.val().unsqueeze::<2>());
        let zeros = || Tensor::zeros([1, self.latents], (&like.device(), like.dtype()));
        let mut next = || rows.next().unwrap_or_else(zeros);
        match self.family {
            Family::Poisson => PoissonPosterior::new(next()).into(),
            Family::Gaussian => {
                let activation = self.log_gain.as_ref().map(|gain| Activation {
                    transfer: self.transfer,
                    gain: gain.val().exp().unsqueeze::<2>(),
                });
                let (mean, log_deviation) = (next(), next());
                GaussianPosterior::new(mean, log_deviation)
                    .through(activation)
                    .into()
            }
            Family::Laplace => {
                let (location, log_scale) = (next(), next());
                LaplacePosterior::new(location, log_scale).into()
            }
            Family::Categorical => CategoricalPosterior::new(next()).into(),
            Family::Point => PointEstimate::new(
                next(),
                Cost::Quadratic {
                    precision: self.threshold,
                    transfer: self.transfer,
                },
            )
            .into(),
            Family::SoftThreshold => {
                let threshold = self.threshold;
                PointEstimate::new(next(), Cost::Soft { threshold }).into()
            }
            Family::HardThreshold => {
                let threshold = self.threshold;
                PointEstimate::new(next(), Cost::Hard { threshold }).into()
            }
        }
    }
}
