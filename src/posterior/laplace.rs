//! Laplace posteriors.

use burn::tensor::Tensor;

use super::family::{FamilyInfo, LatentFamily};
use super::location_scale::LocationScale;
use super::{Clamps, KlForm, Posterior, Reparameterisation, Sampling, exactly, independent_spread};
use crate::noise::Noise;
use crate::ops::Law;

/// Laplace(μ, b).
pub(super) const LAPLACE: LatentFamily<LaplacePosterior> = LatentFamily {
    info: FamilyInfo {
        name: "laplace",
        title: "Laplace",
        components: 2,
        tensors: "`prior.rest.0` and `prior.rest.1` are μ₀ and ξ₀ = ln b₀ of the prior",
        ..FamilyInfo::DEFAULT
    },
    posterior: |components, _| LaplacePosterior {
        state: LocationScale::from_components("Laplace posterior", components),
    },
};

/// q(z) = Laplace(μ, b), independent over latents; ξ = ln b.
///
/// ```text
/// sample          z = μ + bε,  ε a difference of two unit exponentials
/// divergence      KL = ln(b_p/b) + |μ − μ_p|/b_p + (b/b_p)·e^{−|μ − μ_p|/b} − 1
/// gradient        ∂μ: g,  ∂ξ: g·bε;   of KL, d = μ − μ_p:
///                 sgn(d)(1 − e^{−|d|/b})/b_p,   −1 + e^{−|d|/b}(b + |d|)/b_p
/// Fisher          I(μ) = 1/b²,  I(ξ) = 1
/// natural grad.   b²∂μ + eᵇ⁰,  ∂ξ
/// ```
///
/// (The homeostatic constant is written eᵇ⁰ here, b being the scale.) The Laplace VAE is one of the
/// comparisons of Vafaii, Galor, Yates, "Poisson variational autoencoder" (arXiv 2405.14473).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{KlForm, LaplacePosterior, Posterior};
/// let zero = Tensor::<2>::zeros([1, 1], &Device::flex());
/// let prior = LaplacePosterior::new(zero.clone(), zero.clone());
/// let q = LaplacePosterior::new(zero.ones_like(), zero);
/// let kl: f32 = q.kl_from(&prior, KlForm::Exact).into_scalar();
/// assert!((kl - (-1f32).exp()).abs() < 1e-6); // 0 + 1 + e⁻¹ − 1
/// ```
#[derive(Debug, Clone)]
pub struct LaplacePosterior {
    /// μ and ξ.
    state: LocationScale,
}

impl LaplacePosterior {
    /// From μ and ξ = ln b, both `[batch, latent]`.
    pub fn new(location: Tensor<2>, log_scale: Tensor<2>) -> Self {
        let state = LocationScale {
            location,
            log_scale,
        };
        Self { state }
    }
}

impl Posterior for LaplacePosterior {
    fn names(&self) -> &'static [&'static str] {
        &["mu", "log_scale"]
    }

    fn components(&self) -> Vec<Tensor<2>> {
        self.state.components()
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        let state = LocationScale::from_components("Laplace posterior", components);
        Self { state }
    }

    fn sample(&self, _sampling: Sampling, noise: Noise) -> Tensor<2> {
        self.state.sample(Law::Laplace, noise)
    }

    fn mean(&self) -> Tensor<2> {
        self.state.location.clone()
    }

    fn reparameterisation(&self) -> Option<Reparameterisation> {
        Some(Reparameterisation {
            law: Law::Laplace,
            activation: None,
        })
    }

    fn spread(
        &self,
        diagonal: &Tensor<2>,
        _at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        // Var = 2b².
        let variance = self.state.square() * 2.0;
        Some(independent_spread(variance, diagonal))
    }

    fn kl_from(&self, prior: &Self, _form: KlForm) -> Tensor<2> {
        let distance = (self.state.location.clone() - prior.state.location.clone()).abs();
        let log_ratio = self.state.log_scale.clone() - prior.state.log_scale.clone();
        let within = (distance.clone() * self.state.log_scale.clone().neg().exp()).neg();
        // The two exponents are added first: e^{ξ − ξ_p} alone may overflow where the product does not.
        distance * prior.state.log_scale.clone().neg().exp() + (log_ratio.clone() + within).exp()
            - log_ratio
            - 1.0
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        let by_log_scale = pulled_back.clone() * self.state.excursion(z);
        if beta == 0.0 {
            return vec![pulled_back, by_log_scale];
        }
        let shift = self.state.location.clone() - prior.state.location.clone();
        let distance = shift.clone().abs();
        let scale = self.state.log_scale.clone().exp();
        let inverse_prior = prior.state.log_scale.clone().neg().exp();
        let near = (distance.clone() * self.state.log_scale.clone().neg().exp())
            .neg()
            .exp();
        let kl_by_location = shift.sign() * (1.0 - near.clone()) * inverse_prior.clone();
        let kl_by_log_scale = near * (scale + distance) * inverse_prior - 1.0;
        vec![
            pulled_back + kl_by_location * beta,
            by_log_scale + kl_by_log_scale * beta,
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
        let [by_location, by_log_scale] = exactly(
            "Laplace posterior",
            self.gradient(z, pulled_back, beta, prior),
        );
        let square = self.state.square();
        vec![by_location * square + homeostasis, by_log_scale]
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let state = self
            .state
            .advance("Laplace posterior", drives, curvature, clamps);
        Self { state }
    }
}
