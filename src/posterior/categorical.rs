//! Categorical posteriors: one active latent.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};

use super::family::{FamilyInfo, LatentFamily, Terminology};
use super::{Clamps, KlForm, Posterior, Sampling, exactly, independent_spread, unit_sample};
use crate::noise::Noise;
use crate::ops::Law;

/// One latent of all is on.
pub(super) const CATEGORICAL: LatentFamily<CategoricalPosterior> = LatentFamily {
    info: FamilyInfo {
        name: "categorical",
        title: "categorical",
        tensors: "`prior.rest.0` holds the logits of the prior",
        terms: Terminology {
            counts: true,
            ..Terminology::SAMPLES
        },
        ..FamilyInfo::DEFAULT
    },
    posterior: |components, _| {
        let [logits] = exactly("categorical posterior", components);
        CategoricalPosterior { logits }
    },
};

/// q(z) = Categorical(π), π = softmax(ℓ); z is one-hot.
///
/// ```text
/// sample          softmax((ℓ + γ)/τ), γ Gumbel;   τ = 0: one-hot at argmax(ℓ + γ)
/// divergence      KL = Σ_k π_k(ln π_k − ln π_{p,k})
/// gradient        π∘(v − πᵀv),  v = g + β(ln π − ln π_p)
/// Fisher          diag π − ππᵀ, so that the natural gradient is v up to a constant that softmax does not see
/// ```
///
/// Jang, Gu, Poole 2017 (the relaxation); a comparison of Vafaii, Galor, Yates (arXiv 2405.14473).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::{CategoricalPosterior, KlForm, Posterior};
/// let device = Device::flex();
/// let even = CategoricalPosterior::new(Tensor::zeros([1, 4], &device));
/// let sure = CategoricalPosterior::new(Tensor::from_floats([[80.0, 0.0, 0.0, 0.0]], &device));
/// let kl: f32 = sure.kl_from(&even, KlForm::Exact).sum().into_scalar();
/// assert!((kl - 4f32.ln()).abs() < 1e-5);
/// ```
#[derive(Debug, Clone)]
pub struct CategoricalPosterior {
    logits: Tensor<2>,
}

impl CategoricalPosterior {
    /// From logits ℓ, `[batch, latent]`, in nats; a constant in them changes nothing.
    pub fn new(logits: Tensor<2>) -> Self {
        Self { logits }
    }

    /// ln π − ln π_p, `[batch, latent]`.
    fn log_ratio(&self, prior: &Self) -> Tensor<2> {
        log_softmax(self.logits.clone(), 1) - log_softmax(prior.logits.clone(), 1)
    }
}

impl Posterior for CategoricalPosterior {
    fn names(&self) -> &'static [&'static str] {
        &["logits"]
    }

    fn components(&self) -> Vec<Tensor<2>> {
        vec![self.logits.clone()]
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        let [logits] = exactly("categorical posterior", components);
        Self { logits }
    }

    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2> {
        unit_sample(&self.logits, Law::Gumbel, noise, |gumbel| {
            let disturbed = self.logits.clone() + gumbel;
            if sampling.temperature > 0.0 {
                return softmax(disturbed * (1.0 / sampling.temperature), 1);
            }
            let (device, dtype) = (disturbed.device(), disturbed.dtype());
            let shape = disturbed.dims();
            let winner = disturbed.detach().argmax(1); // [batch, 1]; the first of equals
            let index = Tensor::<1, Int>::arange(0..shape[1] as i64, &device).unsqueeze::<2>();
            let same = index.expand(shape).equal(winner.expand(shape));
            same.float().cast(dtype)
        })
    }

    fn mean(&self) -> Tensor<2> {
        softmax(self.logits.clone(), 1)
    }

    /// Cov = diag π − ππᵀ.
    fn spread(
        &self,
        diagonal: &Tensor<2>,
        at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        Some(independent_spread(self.mean(), diagonal) - at_mean())
    }

    fn kl_from(&self, prior: &Self, _form: KlForm) -> Tensor<2> {
        self.mean() * self.log_ratio(prior)
    }

    fn gradient(
        &self,
        _z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        let v = pulled_back + self.log_ratio(prior) * beta;
        let pi = self.mean();
        let average = (pi.clone() * v.clone()).sum_dim(1);
        vec![pi * (v - average)]
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
            Some((beta, prior)) => gradient + self.log_ratio(prior) * beta,
        }]
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        _curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let [drive] = exactly("categorical posterior", drives);
        Self {
            logits: clamps.tanh_clamped(0, &self.logits, drive),
        }
    }
}
