//! The interface of every model, whatever its inference method.

use burn::tensor::Tensor;

use super::{Objective, Record, Stimulus, composed_objective};
use crate::decoder::{Decoder, ObservationNoise};
use crate::free_energy::FreeEnergy;
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{KlForm, Posterior, Sampling};

/// A generative model together with a way to invert it.
///
/// | | iterative | amortized | iterative-amortized | semi-amortized |
/// |---|---|---|---|---|
/// | [`rest`](Perception::rest) | the prior | the prior | the prior | the prior |
/// | [`refine`](Perception::refine) | a natural-gradient step | the encoder's output | a learned step | the output, then gradient steps |
/// | [`prior`](Perception::prior) | the belief before | the prior | the prior | the prior |
///
/// `rest`, `refine`, [`decode`](Perception::decode) and [`score`](Perception::score) are all that training,
/// evaluation and use need of a model; [`unroll`](super::unroll()) puts them together.
pub trait Perception {
    /// The family of the belief.
    type Belief: Posterior;

    /// The belief before anything is seen, for `batch` data.
    fn rest(&self, batch: usize) -> Self::Belief;

    /// One step of inference at time `time`, from `belief`.
    ///
    /// # Shapes
    /// - `x`: `[batch, pixels]`; components of `belief`: `[batch, latent]`
    fn refine(
        &self,
        x: &Tensor<2>,
        belief: &Self::Belief,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<Self::Belief>;

    /// The prior that the belief after a step is measured against, given the belief before it.
    fn prior(&self, before: &Self::Belief) -> Self::Belief;

    /// f(a), `[batch, pixels]`, of what the decoder sees, a = a(z), `[batch, latent]`.
    fn decode(&self, a: Tensor<2>) -> Tensor<2>;

    /// Decodes `sample`, `[batch, latent]`, and scores it: F of `belief` against `prior`.
    fn score(
        &self,
        x: &Tensor<2>,
        belief: &Self::Belief,
        prior: &Self::Belief,
        sample: Tensor<2>,
    ) -> Generated;

    /// How samples are drawn.
    fn sampling(&self) -> Sampling;

    /// The mean free energy of the steps that `record` keeps, with its gradient, as learning needs it. `None` where none
    /// is kept.
    ///
    /// [`composed_objective`] for most; a model that can do the same faster does so here.
    fn objective(
        &self,
        stimulus: &Stimulus,
        start: Self::Belief,
        times: std::ops::Range<usize>,
        noise: &dyn NoiseSource,
        record: Record,
        beta: f64,
    ) -> Option<Objective<Self::Belief>> {
        composed_objective(self, stimulus, start, times, noise, record, beta)
    }

    /// One step, and the fresh sample with its score where it is asked for.
    fn step(
        &self,
        x: &Tensor<2>,
        state: &Self::Belief,
        time: usize,
        noise: &dyn NoiseSource,
        generate: bool,
    ) -> Step<Self::Belief> {
        let Refined { belief, spikes } = self.refine(x, state, time, noise);
        let generated = generate.then(|| {
            let sample = belief.sample(self.sampling(), noise.noise(time, Draw::Generate));
            self.score(x, &belief, &self.prior(state), sample)
        });
        Step {
            state: belief,
            spikes,
            generated,
        }
    }
}

/// What one refinement gives.
#[derive(Debug, Clone)]
pub struct Refined<P: Posterior> {
    /// The belief after it.
    pub belief: P,
    /// The sample that drove it, `[batch, latent]`; of the new belief where none did.
    pub spikes: Tensor<2>,
}

/// What one step gives.
#[derive(Debug, Clone)]
pub struct Step<P: Posterior> {
    /// The belief after the step.
    pub state: P,
    /// The spikes of the last inner iteration, `[batch, latent]`, which drove the potential.
    pub spikes: Tensor<2>,
    /// The fresh sample and its score, where it was asked for.
    pub generated: Option<Generated>,
}

/// A sample from the updated belief, what it predicts, and how well that fits.
#[derive(Debug, Clone)]
pub struct Generated {
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
    curvature: Option<Tensor<2>>,
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

    /// As [`Perception::score`].
    pub fn score<P: Posterior>(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        sample: Tensor<2>,
    ) -> Generated {
        let sample = belief.activate(sample);
        let mean = self.decoder.decode(sample.clone());
        let reconstruction = self
            .expected(x, belief)
            .unwrap_or_else(|| self.noise.negative_log_likelihood(x.clone(), mean.clone()));
        Generated {
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
