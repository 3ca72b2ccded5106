//! Approximate posteriors q(z), one file per family.
//!
//! A posterior is a value: the natural state of the network at one moment. [`Posterior`] is all that
//! the inference rule and the free energy need to know of a family, [`FamilyInfo`] all that configurations and reports
//! do. So a new one is its own file and its lines in this one. (One of a user's own needs no line here: see the example
//! `custom_posterior`.)
//!
//! | family | state | sample | metric of its natural gradient |
//! |---|---|---|---|
//! | [`PoissonPosterior`] | log-rate u | counts, relaxed at τ > 0 | e^u |
//! | [`GaussianPosterior`] | μ, ξ = ln σ | μ + σε, perhaps through an [`Activation`] | σ⁻², 2 |
//! | [`LaplacePosterior`] | μ, ξ = ln b | μ + bε | b⁻², 1 |
//! | [`CategoricalPosterior`] | logits | one-hot, relaxed at τ > 0 | diag π − ππᵀ |
//! | [`PointEstimate`] | u | a(u) itself | 1: a plain gradient |
//! | [`AnyPosterior`] | any of these, chosen at run time | | |

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::noise::Noise;
use crate::ops::{Indicator, Law, Relaxation, tanh_clamped_step, unit_noise};

mod activation;
mod categorical;
mod family;
mod gaussian;
mod laplace;
mod location_scale;
mod point;
mod poisson;

/// Every posterior, and every family that configurations know, with the file that says what it is.
macro_rules! families {
    ($define:ident) => {
        $define! {
            posteriors {
                /// Spike counts.
                Poisson(PoissonPosterior),
                /// Normal numbers, perhaps through an activation.
                Gaussian(GaussianPosterior),
                /// Double exponentials.
                Laplace(LaplacePosterior),
                /// One of many.
                Categorical(CategoricalPosterior),
                /// No distribution.
                Point(PointEstimate),
            }
            families {
                /// Spike counts.
                #[default]
                Poisson = poisson::POISSON,
                /// Normal numbers, through `model.activation`.
                Gaussian = gaussian::GAUSSIAN,
                /// Double exponentials.
                Laplace = laplace::LAPLACE,
                /// One latent of all is on.
                Categorical = categorical::CATEGORICAL,
                /// A point estimate with a quadratic cost, through `model.activation`: predictive coding.
                Point = point::POINT,
                /// A point estimate behind a soft threshold: LCA.
                SoftThreshold = point::SOFT_THRESHOLD,
                /// A point estimate behind a hard threshold.
                HardThreshold = point::HARD_THRESHOLD,
            }
        }
    };
}
mod any_posterior;

pub use activation::{Activation, ActivationKind};
pub use any_posterior::{AnyPosterior, Family};
pub use categorical::CategoricalPosterior;
pub use family::{FamilyInfo, LatentSettings, Terminology};
pub use gaussian::GaussianPosterior;
pub use laplace::LaplacePosterior;
pub use point::{Cost, PointEstimate};
pub use poisson::PoissonPosterior;

/// How samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// τ of the relaxed sample; 0 draws exact counts (and stops the gradient through them).
    pub temperature: f64,
    /// f of the relaxed sample of a count.
    pub indicator: Indicator,
    /// Added to the rate before sampling. 0 is the model as written; the published code adds the f32
    /// machine epsilon, 2⁻²³.
    pub rate_floor: f64,
}

impl Sampling {
    /// Exact counts, for evaluation and use of a model.
    pub const EXACT: Self = Self {
        temperature: 0.0,
        indicator: Indicator::Sigmoid,
        rate_floor: 0.0,
    };

    /// Relaxed samples at this temperature, under the published indicator.
    pub fn relaxed(temperature: impl Into<f64>) -> Self {
        Self {
            temperature: temperature.into(),
            indicator: Indicator::Sigmoid,
            rate_floor: 0.0,
        }
    }

    /// How counts are relaxed.
    pub(crate) fn relaxation(&self) -> Relaxation {
        Relaxation {
            temperature: self.temperature as f32,
            indicator: self.indicator,
        }
    }
}

/// Which expression stands for the divergence from the prior in the learning objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KlForm {
    /// KL\[q ‖ p\] itself.
    #[default]
    Exact,
    /// What the published iterative Poisson code computes: the exact KL times e^δ, δ = u − u_prior
    /// (docs/differences.md, 1; eq. I8). Published values of β belong to this form.
    Published,
}

/// Bounds of the soft clamps, one for each component of the state, in the component's own unit.
///
/// ```text
/// c = c₀ + ε·(c₁ − c₀)      ε from 0 to 1 while the clamps open during training
/// ```
///
/// Poisson latents take infinite bounds as no clamp at all ([`Clamps::none`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Clamps {
    /// Bounds of the state after the step.
    pub state: Vec<f64>,
    /// Bounds of the step itself.
    pub step: Vec<f64>,
}

impl Clamps {
    /// No clamps of so many components.
    pub fn none(components: usize) -> Self {
        Self {
            state: vec![f64::INFINITY; components],
            step: vec![f64::INFINITY; components],
        }
    }

    /// Component number `component` after a drive, both `[batch, latent]`, bounded on both sides.
    pub fn tanh_clamped(&self, component: usize, state: &Tensor<2>, drive: Tensor<2>) -> Tensor<2> {
        tanh_clamped_step(
            state.clone(),
            drive,
            self.step[component],
            self.state[component],
        )
    }
}

/// Samples of a location and a scale: z = μ + e^ξ·ε, of which the decoder sees a(z).
#[derive(Debug, Clone)]
pub struct Reparameterisation {
    /// The law of ε.
    pub law: Law,
    /// a; `None` for a(z) = z.
    pub activation: Option<Activation>,
}

/// A family of approximate posteriors over latents `[batch, latent]`.
///
/// What is decoded is not always what is sampled: a Gaussian latent may pass through an activation.
/// z is the sample, a(z) what the decoder sees.
pub trait Posterior: Clone + std::fmt::Debug {
    /// The names of the state's components, in the order in which they are stored.
    fn names(&self) -> &'static [&'static str];

    /// The components, each `[batch, latent]` (handles, not copies).
    fn components(&self) -> Vec<Tensor<2>>;

    /// The same family with these components.
    ///
    /// # Panics
    /// If there are not as many as [`Posterior::names`].
    fn with_components(&self, components: Vec<Tensor<2>>) -> Self;

    /// z ~ q, `[batch, latent]`.
    ///
    /// # Panics
    /// If the noise is of another family (normal numbers for spikes, say).
    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2>;

    /// a(z), `[batch, latent]`: what the decoder sees of a sample.
    fn activate(&self, z: Tensor<2>) -> Tensor<2> {
        z
    }

    /// What is decoded instead of a sample, `[batch, latent]`: E_q\[z\], behind the activation if there is one.
    fn mean(&self) -> Tensor<2>;

    /// Log-rates u, `[batch, latent]`, of a Poisson belief; `None` for every other.
    fn log_rate(&self) -> Option<Tensor<2>> {
        None
    }

    /// What a latent costs, of a point estimate; `None` for every other.
    fn cost(&self) -> Option<Cost> {
        None
    }

    /// How its samples are made of unit numbers, for a belief of two components μ and ξ; `None` for every other.
    fn reparameterisation(&self) -> Option<Reparameterisation> {
        None
    }

    /// What a read-out sees of the belief, `[batch, latent]`: rates, or μ itself where the latents pass through an
    /// activation that may hide it.
    fn representation(&self) -> Tensor<2> {
        self.mean()
    }

    /// tr(Cov_q\[z\]·H), `[batch]`, for a matrix H of which the diagonal `[1, latent]` is given and E\[z\]ᵀH E\[z\],
    /// `[batch]`, on demand; what the exact expectation over a linear decoder adds. `None` without a closed form.
    fn spread(
        &self,
        _diagonal: &Tensor<2>,
        _at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        None
    }

    /// KL\[q ‖ prior\] of every latent, `[batch, latent]`, in nats.
    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2>;

    /// The gradient of E_q\[−ln p(x|z)\] + β·KL\[q ‖ prior\] by the components, one `[batch, latent]` each.
    ///
    /// - `z`: the sample it is estimated with, `[batch, latent]`
    /// - `pulled_back`: g, the derivative of −ln p(x|a) by a = a(z), `[batch, latent]`
    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>>;

    /// The natural gradient of the free energy, one tensor `[batch, latent]` per component.
    ///
    /// - `z`, `pulled_back`: as for [`Posterior::gradient`]
    /// - `leak`: β_in and the prior, where the divergence from the prior pulls on the state
    /// - `homeostasis`: exp(b), `[1, latent]`, the learned constant term
    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>>;

    /// The state after the drives −η·gradient, with the soft clamps of the family.
    ///
    /// - `curvature`: η·H, `[1, latent]`, H_k the curvature of −ln p(x|z) by z_k, where the step is to be taken
    ///   implicitly ([`StepForm`](crate::inference::StepForm)); a family for which that means nothing ignores it
    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self;

    /// A belief of one row, held about `batch` data.
    fn repeated(&self, batch: usize) -> Self {
        let rows = self.components().into_iter().map(|row| {
            let [_, latent] = row.dims();
            row.expand([batch, latent])
        });
        self.with_components(rows.collect())
    }

    /// The same values cut off from the graph.
    fn detach(&self) -> Self {
        self.with_components(self.components().into_iter().map(Tensor::detach).collect())
    }
}

/// Exactly `N` components, or a panic that names the family.
pub(crate) fn exactly<const N: usize>(family: &str, parts: Vec<Tensor<2>>) -> [Tensor<2>; N] {
    match <[Tensor<2>; N]>::try_from(parts) {
        Ok(parts) => parts,
        Err(other) => panic!("a {family} has {N} components, not {}", other.len()),
    }
}

/// The sample that `from_unit` makes of unit numbers of `law`, `[batch, latent]`, or the one that the noise brings.
///
/// # Panics
/// If the noise is exponentials, which no family of this kind is made from.
pub fn unit_sample(
    like: &Tensor<2>,
    law: Law,
    noise: Noise,
    from_unit: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    match noise {
        Noise::Sample(z) => z,
        Noise::Keyed(key) => from_unit(unit_noise(like, law, key)),
        Noise::Unit(unit) => from_unit(unit),
        Noise::Exponentials(_) => {
            panic!("this sample needs a key or {law:?} numbers, not exponentials")
        }
    }
}

/// Σ_k Var_k·H_kk, `[batch]`, of independent latents.
pub(crate) fn independent_spread(variance: Tensor<2>, diagonal: &Tensor<2>) -> Tensor<1> {
    let [batch, _] = variance.dims();
    (variance * diagonal.clone()).sum_dim(1).reshape([batch])
}
