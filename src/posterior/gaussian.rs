//! Gaussian posteriors, optionally through an activation.

use burn::tensor::Tensor;

use super::family::{FamilyInfo, LatentFamily};
use super::location_scale::LocationScale;
use super::{
    Activation, Clamps, KlForm, Posterior, Reparameterisation, Sampling, exactly,
    independent_spread,
};
use crate::noise::Noise;
use crate::ops::Law;

/// N(μ, σ²), through `model.activation`.
pub(super) const GAUSSIAN: LatentFamily<GaussianPosterior> = LatentFamily {
    info: FamilyInfo {
        name: "gaussian",
        title: "Gaussian",
        components: 2,
        takes_activation: true,
        learns_gain: true,
        tensors: "`prior.rest.0` and `prior.rest.1` are μ₀ and ξ₀ = ln σ₀ of the prior",
        amortized_reference: "D. P. Kingma, M. Welling, \"Auto-encoding variational Bayes\", arXiv 1312.6114.",
        ..FamilyInfo::DEFAULT
    },
    posterior: |components, settings| GaussianPosterior {
        state: LocationScale::from_components("Gaussian posterior", components),
        activation: settings.gain.clone().map(|gain| Activation {
            kind: settings.activation,
            gain,
        }),
    },
};

/// q(z) = N(μ, σ²), independent over latents; ξ = ln σ. What is decoded is a(z) = e^γ·f(z).
///
/// ```text
/// sample          z = μ + σε,  ε ~ N(0, 1)
/// divergence      KL = ½[(μ − μ_p)²/σ_p² + σ²/σ_p² − ln(σ²/σ_p²) − 1]
/// gradient        ∂μ: g·a'(z),  ∂ξ: g·a'(z)·σε;   of KL: (μ − μ_p)/σ_p²,  σ²/σ_p² − 1
/// Fisher          I(μ) = 1/σ²,  I(ξ) = 2
/// natural grad.   σ²∂μ + eᵇ,  ½∂ξ
/// ```
///
/// With f = relu this is the iG_relu-VAE, without an activation the iG-VAE of Vafaii, Galor, Yates,
/// "Brain-like variational inference" (arXiv 2410.19315).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{GaussianPosterior, KlForm, Posterior};
/// let zero = Tensor::<2>::zeros([1, 1], &Device::flex());
/// let prior = GaussianPosterior::new(zero.clone(), zero.clone());
/// let q = GaussianPosterior::new(zero.ones_like() * 2.0, zero);
/// let kl: f32 = q.kl_from(&prior, KlForm::Exact).into_scalar();
/// assert!((kl - 2.0).abs() < 1e-6); // ½·2²
/// ```
#[derive(Debug, Clone)]
pub struct GaussianPosterior {
    /// μ and ξ.
    state: LocationScale,
    activation: Option<Activation>,
}

impl GaussianPosterior {
    /// From μ and ξ = ln σ, both `[batch, latent]`.
    pub fn new(mean: Tensor<2>, log_deviation: Tensor<2>) -> Self {
        Self {
            state: LocationScale {
                location: mean,
                log_scale: log_deviation,
            },
            activation: None,
        }
    }

    /// The same, decoded through `activation`.
    pub fn through(self, activation: Option<Activation>) -> Self {
        Self { activation, ..self }
    }

    /// The derivative by z of a derivative by a(z).
    fn behind_activation(&self, z: &Tensor<2>, pulled_back: Tensor<2>) -> Tensor<2> {
        match &self.activation {
            None => pulled_back,
            Some(activation) => pulled_back * activation.slope(z.clone()),
        }
    }
}

impl Posterior for GaussianPosterior {
    fn names(&self) -> &'static [&'static str] {
        &["mu", "log_sigma"]
    }

    fn components(&self) -> Vec<Tensor<2>> {
        self.state.components()
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        Self {
            state: LocationScale::from_components("Gaussian posterior", components),
            activation: self.activation.clone(),
        }
    }

    fn sample(&self, _sampling: Sampling, noise: Noise) -> Tensor<2> {
        self.state.sample(Law::Normal, noise)
    }

    fn activate(&self, z: Tensor<2>) -> Tensor<2> {
        match &self.activation {
            None => z,
            Some(activation) => activation.value(z),
        }
    }

    /// a(μ): the most probable latent, as the field decodes it.
    fn mean(&self) -> Tensor<2> {
        self.activate(self.state.location.clone())
    }

    fn reparameterisation(&self) -> Option<Reparameterisation> {
        Some(Reparameterisation {
            law: Law::Normal,
            activation: self.activation.clone(),
        })
    }

    fn representation(&self) -> Tensor<2> {
        self.state.location.clone()
    }

    fn spread(
        &self,
        diagonal: &Tensor<2>,
        _at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        let plain = self.activation.is_none();
        plain.then(|| independent_spread(self.state.square(), diagonal))
    }

    fn kl_from(&self, prior: &Self, _form: KlForm) -> Tensor<2> {
        let shift = self.state.location.clone() - prior.state.location.clone();
        let precision = (prior.state.log_scale.clone() * -2.0).exp();
        let twice = (self.state.log_scale.clone() - prior.state.log_scale.clone()) * 2.0;
        (shift.square() * precision + twice.clone().exp() - twice - 1.0) * 0.5
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        let g = self.behind_activation(z, pulled_back);
        let by_log_deviation = g.clone() * self.state.excursion(z);
        if beta == 0.0 {
            return vec![g, by_log_deviation];
        }
        let precision = (prior.state.log_scale.clone() * -2.0).exp();
        let shift = self.state.location.clone() - prior.state.location.clone();
        let twice = (self.state.log_scale.clone() - prior.state.log_scale.clone()) * 2.0;
        vec![
            g + shift * precision * beta,
            by_log_deviation + (twice.exp() - 1.0) * beta,
        ]
    }

    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let (beta, prior) = leak.unwrap_or((0.0, self));
        let [by_mean, by_log_deviation] = exactly(
            "Gaussian posterior",
            self.gradient(z, pulled_back, beta, prior),
        );
        let variance = self.state.square();
        vec![by_mean * variance + homeostasis, by_log_deviation * 0.5]
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let state = self
            .state
            .advance("Gaussian posterior", drives, curvature, clamps);
        Self {
            state,
            activation: self.activation.clone(),
        }
    }
}
