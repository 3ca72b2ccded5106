//! Poisson posteriors: spike counts, with membrane potentials as their log-rates.

use burn::tensor::Tensor;

use super::family::{FamilyInfo, LatentFamily, Terminology};
use super::{Clamps, KlForm, Posterior, Sampling, exactly, independent_spread};
use crate::noise::Noise;
use crate::ops::{
    implicit_step, poisson_counts_with, relaxed_poisson, relaxed_poisson_with,
    softplus_clamped_step,
};

/// Spike counts.
pub(super) const POISSON: LatentFamily<PoissonPosterior> = LatentFamily {
    info: FamilyInfo {
        name: "poisson",
        title: "Poisson",
        uniform_rest: true,
        spikes: true,
        tensors: "`prior.rest.0` is u₀, the prior log-rates",
        terms: Terminology {
            samples: "spikes",
            means: "rates",
            one_sample: "one spike sample",
            expected: "firing rates",
            zeros: "zero spike counts",
            drawing: "exact spike counts",
            units: "neurons",
            counts: true,
        },
        ..FamilyInfo::DEFAULT
    },
    posterior: |components, _| {
        let [potential] = exactly("Poisson posterior", components);
        PoissonPosterior { potential }
    },
};

/// q(z) = Poisson(eᵘ), independent over latents; u is the membrane potential.
///
/// ```text
/// mean            E[z] = eᵘ
/// divergence      KL = Σ r(1 + e^δ(δ − 1)) = Σ λδ − λ + r,   r = e^{u_p}, λ = eᵘ, δ = u − u_p
/// Fisher          I(u) = eᵘ, so that the natural gradient of E_q[ℓ(z)] is dℓ/dz itself
/// natural grad.   g + eᵇ + β_in(u − u_p)
/// ```
///
/// Vafaii, Galor, Yates, "Brain-like variational inference" (arXiv 2410.19315), section 3.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{KlForm, PoissonPosterior, Posterior};
/// let device = Device::flex();
/// let prior = PoissonPosterior::new(Tensor::zeros([1, 1], &device));
/// let q = PoissonPosterior::new(Tensor::ones([1, 1], &device));
/// let kl: f32 = q.kl_from(&prior, KlForm::Exact).into_scalar();
/// assert!((kl - 1.0).abs() < 1e-6); // e·1 − e + 1
/// ```
#[derive(Debug, Clone)]
pub struct PoissonPosterior {
    potential: Tensor<2>,
}

impl PoissonPosterior {
    /// From membrane potentials u, `[batch, latent]`, in nats.
    pub fn new(potential: Tensor<2>) -> Self {
        Self { potential }
    }

    /// The membrane potential u, `[batch, latent]`.
    pub fn potential(&self) -> Tensor<2> {
        self.potential.clone()
    }
}

impl Posterior for PoissonPosterior {
    fn names(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        let [potential] = exactly("Poisson posterior", components);
        Self { potential }
    }

    fn components(&self) -> Vec<Tensor<2>> {
        vec![self.potential.clone()]
    }

    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2> {
        if let Noise::Sample(z) = noise {
            return z;
        }
        let u = self.potential.clone();
        let log_rate = match sampling.rate_floor {
            0.0 => u,
            floor => (u.exp() + floor).log(),
        };
        match noise {
            Noise::Keyed(key) => relaxed_poisson(log_rate, sampling.relaxation(), key),
            Noise::Exponentials(e) if sampling.temperature <= 0.0 => {
                poisson_counts_with(log_rate, e)
            }
            Noise::Exponentials(e) => {
                relaxed_poisson_with(log_rate, sampling.temperature, sampling.indicator, e)
            }
            Noise::Unit(_) | Noise::Sample(_) => {
                panic!(
                    "a Poisson sample needs a key, exponentials or recorded counts, not one number a latent"
                )
            }
        }
    }

    fn mean(&self) -> Tensor<2> {
        self.potential.clone().exp()
    }

    fn log_rate(&self) -> Option<Tensor<2>> {
        Some(self.potential.clone())
    }

    fn spread(
        &self,
        diagonal: &Tensor<2>,
        _at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        Some(independent_spread(self.mean(), diagonal))
    }

    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2> {
        let delta = self.potential.clone() - prior.potential.clone();
        let weight = match form {
            KlForm::Exact => prior.potential.clone().exp(),
            KlForm::Published => self.potential.clone().exp(),
        };
        let ratio = delta.clone().exp();
        weight * (ratio * (delta - 1.0) + 1.0)
    }

    fn gradient(
        &self,
        _z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        // d KL/du = λδ; the rate is also the chain rule from E[z] = e^u to u.
        let delta = self.potential.clone() - prior.potential.clone();
        vec![(pulled_back + delta * beta) * self.mean()]
    }

    fn natural_gradient(
        &self,
        _z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let gradient = pulled_back + homeostasis;
        vec![match leak {
            None => gradient,
            Some((beta, prior)) => {
                gradient + (self.potential.clone() - prior.potential.clone()) * beta
            }
        }]
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let [mut drive] = exactly("Poisson posterior", drives);
        if let Some(curvature) = curvature {
            drive = implicit_step(drive, self.mean() * curvature.clone());
        }
        if clamps.step[0].is_infinite() && clamps.state[0].is_infinite() {
            return Self {
                potential: self.potential.clone() + drive,
            };
        }
        Self {
            potential: softplus_clamped_step(
                self.potential.clone(),
                drive,
                clamps.step[0],
                clamps.state[0],
            ),
        }
    }
}
