//! Approximate posteriors q(z): one family a file.
//!
//! A posterior is a value: the natural state of the network at one moment. [`Posterior`] is all that
//! the inference rule and the free energy need to know of a family, so that a new one is one file.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::noise::Noise;

mod poisson;
pub use poisson::PoissonPosterior;

/// How samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// τ of the relaxed sample; 0 draws exact counts (and stops the gradient through them).
    pub temperature: f64,
    /// Added to the rate before sampling. 0 is the model as written; the published code adds the f32
    /// machine epsilon, 2⁻²³.
    pub rate_floor: f64,
}

impl Sampling {
    /// Exact counts: what evaluation and use of a model want.
    pub const EXACT: Self = Self {
        temperature: 0.0,
        rate_floor: 0.0,
    };

    /// Relaxed samples at this temperature.
    pub fn relaxed(temperature: impl Into<f64>) -> Self {
        Self {
            temperature: temperature.into(),
            rate_floor: 0.0,
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
    /// (docs/ERRATA.md). Published values of β belong to this form.
    Published,
}

/// Bounds of the soft clamps, one for each component of the state, in the component's own unit.
///
/// ```text
/// c = c₀ + ε·(c₁ − c₀)      ε from 0 to 1 while the clamps open during training
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Clamps {
    /// Bounds of the state after the step.
    pub state: Vec<f64>,
    /// Bounds of the step itself.
    pub step: Vec<f64>,
}

/// A family of approximate posteriors over latents `[batch, latent]`.
pub trait Posterior: Clone + std::fmt::Debug {
    /// The names of the state's components, in the order in which they are stored.
    const COMPONENTS: &'static [&'static str];

    /// The posterior with these components, each `[batch, latent]`.
    ///
    /// # Panics
    /// If there are not as many as [`Posterior::COMPONENTS`].
    fn from_components(components: Vec<Tensor<2>>) -> Self;

    /// The components, each `[batch, latent]` (handles, not copies).
    fn components(&self) -> Vec<Tensor<2>>;

    /// z ~ q, `[batch, latent]`.
    ///
    /// # Panics
    /// If the noise is of another family (normal numbers for spikes, say).
    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2>;

    /// E_q\[z\], `[batch, latent]`: what is decoded instead of a sample for the rate reconstruction.
    fn mean(&self) -> Tensor<2>;

    /// KL\[q ‖ prior\] of every latent, `[batch, latent]`, in nats.
    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2>;

    /// The natural gradient of the free energy, one tensor `[batch, latent]` per component.
    ///
    /// - `z`: the sample it is estimated with, `[batch, latent]`
    /// - `pulled_back`: g, the derivative of −ln p(x|z) by z, `[batch, latent]`
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
    fn advance(&self, drives: Vec<Tensor<2>>, clamps: &Clamps) -> Self;

    /// The same values cut off from the graph.
    fn detach(&self) -> Self {
        Self::from_components(self.components().into_iter().map(Tensor::detach).collect())
    }
}
