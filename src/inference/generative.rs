//! The generative half of a model: a sample decoded and scored.

use burn::tensor::Tensor;

use crate::decoder::{Decoder, ObservationNoise};
use crate::free_energy::FreeEnergy;
use crate::posterior::{KlForm, Posterior};

/// A sample from the updated belief, what it predicts, and how well that fits.
#[derive(Debug, Clone)]
pub struct ScoredSample {
    /// z' as the decoder saw it, a(z'), `[batch, latent]`.
    pub sample: Tensor<2>,
    /// f(a(z')), `[batch, pixels]`.
    pub mean: Tensor<2>,
    /// F of this step.
    pub free_energy: FreeEnergy,
}

/// How E_q\[−ln p(x|z)\] is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// At one sample.
    #[default]
    Sample,
    /// Exactly, where the decoder is linear: at the mean, plus ½ Σ_k Var\[z_k\]·(ΦᵀΣ⁻¹Φ)_kk.
    Exact,
}

/// The generative half of a perception: decoder and noise, evaluated once, and how F is reported.
#[derive(Debug)]
pub struct Generative<'a, D: Decoder> {
    /// f.
    pub decoder: &'a D,
    /// σ, evaluated once.
    pub noise: ObservationNoise,
    /// The form of KL in the free energy.
    pub kl: KlForm,
    /// How the expectation in it is taken.
    pub expectation: Expectation,
    /// diag ΦᵀΣ⁻¹Φ, `[1, latent]`, where the expectation is exact.
    pub(super) curvature: Option<Tensor<2>>,
}

impl<'a, D: Decoder> Generative<'a, D> {
    /// The decoder with its noise as it stands now.
    pub fn new(decoder: &'a D, kl: KlForm, expectation: Expectation) -> Self {
        let noise = decoder.observation_noise();
        let curvature = match expectation {
            Expectation::Sample => None,
            Expectation::Exact => decoder.atoms().map(|atoms| noise.curvature(atoms)),
        };
        Self {
            decoder,
            noise,
            kl,
            expectation,
            curvature,
        }
    }

    /// g = −J(a)ᵀ Σ⁻¹ (x − f(a)), `[batch, latent]`, for a, `[batch, latent]`.
    pub fn pulled_back(&self, x: &Tensor<2>, a: Tensor<2>) -> Tensor<2> {
        let (mean, tape) = self.decoder.forward(a);
        let error = self.noise.weigh(x.clone() - mean);
        self.decoder.pullback(&tape, error).neg()
    }

    /// As [`Perception::score`](super::Perception::score).
    pub fn score<P: Posterior>(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        sample: Tensor<2>,
    ) -> ScoredSample {
        let sample = belief.activate(sample);
        let mean = self.decoder.decode(sample.clone());
        let reconstruction = self
            .expected(x, belief)
            .unwrap_or_else(|| self.noise.negative_log_likelihood(x.clone(), mean.clone()));
        ScoredSample {
            sample,
            mean,
            free_energy: FreeEnergy {
                reconstruction,
                kl: belief.kl_from(prior, self.kl),
            },
        }
    }

    /// E_q\[−ln p(x|z)\] in closed form, `[batch]`; `None` where there is none or a sample was asked for.
    ///
    /// ```text
    /// −ln p(x|E z) + ½ tr(Cov[z] ΦᵀΣ⁻¹Φ)
    /// ```
    pub fn expected<P: Posterior>(&self, x: &Tensor<2>, belief: &P) -> Option<Tensor<1>> {
        let curvature = self.curvature.as_ref()?;
        let mean = self.decoder.decode(belief.mean());
        let spread = belief.spread(curvature, || self.noise.square_norm(mean.clone()))?;
        Some(self.noise.negative_log_likelihood(x.clone(), mean) + spread * 0.5)
    }
}
