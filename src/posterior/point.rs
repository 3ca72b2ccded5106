//! Point estimates: predictive coding and sparse coding, without a distribution.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::family::{FamilyInfo, LatentFamily, LatentSettings, Terminology};
use super::{ActivationKind, Clamps, KlForm, Posterior, Sampling, exactly};
use crate::noise::Noise;

/// What a latent costs, which is −ln of the prior up to a constant, and the code a(u) that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cost {
    /// ½·π·u² with a = f(u): predictive coding (Rao and Ballard 1999).
    Quadratic {
        /// π, the precision of the prior.
        precision: f64,
        /// f.
        #[serde(alias = "transfer")]
        activation: ActivationKind,
    },
    /// λ|a| with a = sgn(u)·max(|u| − λ, 0): the soft-threshold LCA (Rozell et al. 2008).
    Soft {
        /// λ.
        threshold: f64,
    },
    /// ½λ² for every a ≠ 0, with a = u where |u| > λ and 0 elsewhere: the hard-threshold LCA.
    Hard {
        /// λ.
        threshold: f64,
    },
}

/// What every point estimate is.
const ESTIMATE: FamilyInfo = FamilyInfo {
    is_point: true,
    // Nothing is drawn: the sample is the state itself, and what it causes is the only reconstruction.
    terms: Terminology {
        samples: "states",
        means: "activities",
        one_sample: "one state",
        expected: "activities",
        zeros: "silent units",
        drawing: "point estimates",
        units: "units",
        counts: false,
    },
    ..FamilyInfo::DEFAULT
};

const LCA: &str = "C. J. Rozell, D. H. Johnson, R. G. Baraniuk, B. A. Olshausen, \"Sparse coding via thresholding and \
                   local competition in neural circuits\", Neural Computation 20, 2008.";

/// A quadratic cost, through `model.activation`: predictive coding.
pub(super) const POINT: LatentFamily<PointEstimate> = LatentFamily {
    info: FamilyInfo {
        name: "point",
        model_title: Some("Predictive coding"),
        takes_activation: true,
        reference: Some(
            "R. P. N. Rao, D. H. Ballard, \"Predictive coding in the visual cortex\", Nature Neuroscience 2, 1999.",
        ),
        ..ESTIMATE
    },
    posterior: |components, settings| {
        let cost = Cost::Quadratic {
            precision: settings.threshold,
            activation: settings.activation,
        };
        estimate(components, cost)
    },
};

/// The soft-threshold LCA.
pub(super) const SOFT_THRESHOLD: LatentFamily<PointEstimate> = LatentFamily {
    info: FamilyInfo {
        name: "soft-threshold",
        model_title: Some("Sparse coding (LCA, soft threshold)"),
        reference: Some(LCA),
        ..ESTIMATE
    },
    posterior: |components, &LatentSettings { threshold, .. }| {
        estimate(components, Cost::Soft { threshold })
    },
};

/// The hard-threshold LCA.
pub(super) const HARD_THRESHOLD: LatentFamily<PointEstimate> = LatentFamily {
    info: FamilyInfo {
        name: "hard-threshold",
        model_title: Some("Sparse coding (LCA, hard threshold)"),
        reference: Some(LCA),
        ..ESTIMATE
    },
    posterior: |components, &LatentSettings { threshold, .. }| {
        estimate(components, Cost::Hard { threshold })
    },
};

fn estimate(components: Vec<Tensor<2>>, cost: Cost) -> PointEstimate {
    let [state] = exactly("point estimate", components);
    PointEstimate { state, cost }
}

/// q(z) = δ(z − u): the state of a membrane, and the activity a(u) that it causes.
///
/// ```text
/// F = −ln p(x|a(u)) + C(u)
/// predictive coding   ∇ = g·f'(u) + π·u                         u̇ = −∇
/// LCA                 ∇ = g + u − a,   g = −Φᵀ(x − Φa)/σ²        u̇ = Φᵀx − u − (ΦᵀΦ − 1)a  for σ = 1
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{Cost, PointEstimate, Posterior};
/// let u = Tensor::<2>::from_floats([[-3.0, 0.5, 3.0]], &Device::flex());
/// let q = PointEstimate::new(u, Cost::Soft { threshold: 1.0 });
/// let a: Vec<f32> = q.mean().try_into_vec_as().unwrap();
/// assert_eq!(a, [-2.0, 0.0, 2.0]);
/// ```
#[derive(Debug, Clone)]
pub struct PointEstimate {
    state: Tensor<2>,
    cost: Cost,
}

impl PointEstimate {
    /// From the state u, `[batch, latent]`.
    pub fn new(state: Tensor<2>, cost: Cost) -> Self {
        Self { state, cost }
    }
}

impl Posterior for PointEstimate {
    fn names(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn components(&self) -> Vec<Tensor<2>> {
        vec![self.state.clone()]
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        let [state] = exactly("point estimate", components);
        Self { state, ..*self }
    }

    /// u itself: nothing is drawn.
    fn sample(&self, _sampling: Sampling, noise: Noise) -> Tensor<2> {
        match noise {
            Noise::Sample(z) => z,
            _ => self.state.clone(),
        }
    }

    fn activate(&self, z: Tensor<2>) -> Tensor<2> {
        match self.cost {
            Cost::Quadratic { activation, .. } => activation.value(z),
            // sgn(u)·max(|u| − λ, 0) without the sign, whose derivative autodiff does not know.
            Cost::Soft { threshold } => z.clone() - z.clamp(-threshold, threshold),
            Cost::Hard { threshold } => {
                let silent = z.clone().abs().lower_equal_elem(threshold);
                z.mask_fill(silent, 0.0)
            }
        }
    }

    fn mean(&self) -> Tensor<2> {
        self.activate(self.state.clone())
    }

    fn cost(&self) -> Option<Cost> {
        Some(self.cost)
    }

    /// Nothing is spread: the expectation is the value.
    fn spread(
        &self,
        _diagonal: &Tensor<2>,
        at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        Some(at_mean() * 0.0)
    }

    /// C(u) of every latent; the prior is part of the cost, so the argument is not looked at.
    fn kl_from(&self, _prior: &Self, _form: KlForm) -> Tensor<2> {
        match self.cost {
            Cost::Quadratic { precision, .. } => self.state.clone().square() * (0.5 * precision),
            Cost::Soft { threshold } => self.mean().abs() * threshold,
            Cost::Hard { threshold } => {
                let dtype = self.state.dtype();
                let active = self.state.clone().abs().greater_elem(threshold);
                active.float().cast(dtype) * (0.5 * threshold * threshold)
            }
        }
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        _prior: &Self,
    ) -> Vec<Tensor<2>> {
        let u = self.state.clone();
        vec![match self.cost {
            Cost::Quadratic {
                precision,
                activation: ActivationKind::None,
            } => pulled_back + u * (precision * beta),
            Cost::Quadratic {
                precision,
                activation,
            } => pulled_back * activation.slope(z.clone()) + u * (precision * beta),
            // Rozell's dynamics; u − a is β times the slope of the cost by a where a ≠ 0.
            Cost::Soft { .. } | Cost::Hard { .. } => pulled_back + u - self.activate(z.clone()),
        }]
    }

    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        _leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let [gradient] = exactly("point estimate", self.gradient(z, pulled_back, 1.0, self));
        vec![gradient + homeostasis]
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let [mut drive] = exactly("point estimate", drives);
        if let Some(curvature) = curvature {
            drive = drive / (curvature.clone() + 1.0);
        }
        Self {
            state: clamps.tanh_clamped(0, &self.state, drive),
            ..*self
        }
    }
}
