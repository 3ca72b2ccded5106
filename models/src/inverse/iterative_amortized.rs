//! Iterative amortized inference: a network that refines the posterior.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use scotopic::decoder::Decoder;
use scotopic::inference::{Generative, NaturalGradient, Perception, Refined, ScoredSample};
use scotopic::noise::{Draw, NoiseSource};
use scotopic::posterior::{Posterior, Sampling};

use super::split;
use crate::encoder::EncoderNet;

/// ia-VAE: a gated update computed from the belief and the gradient of F at it.
///
/// ```text
/// (r, ψ) = net(λ − λ₀, norm ∂F/∂λ),   λ_{t+1} = clamp(λ₀ + clamp(σ(r)·(λ_t − λ₀) + (1 − σ(r))·ψ))
/// norm y = (y − mean y)/√(var y + 10⁻⁵) over the latents of one datum
/// ```
///
/// The gradient is normalised because its size varies by orders of magnitude over inference, as the
/// authors do.
///
/// Marino, Yue, Mandt, "Iterative amortized inference", ICML 2018 (single level).
#[derive(Debug)]
pub struct IterativeAmortized<'a, P: Posterior, D: Decoder> {
    /// The generative direction.
    pub generative: Generative<'a, D>,
    /// The prior λ₀, one row.
    pub rest: P,
    /// From `[batch, 2·components·latent]` to as many.
    pub updater: &'a EncoderNet,
    /// Sampling, clamps, and the weight β_in of KL in the gradient as its leak.
    pub rule: NaturalGradient,
}

/// Rows with mean 0 and variance 1.
fn normalised(y: Tensor<2>) -> Tensor<2> {
    let centred = y.clone() - y.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    centred * (variance + 1e-5).sqrt().recip()
}

impl<P: Posterior, D: Decoder> Perception for IterativeAmortized<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.rest.repeated(batch)
    }

    fn refine(
        &self,
        x: &Tensor<2>,
        belief: &P,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<P> {
        let rest = self.prior(belief);
        let draw = noise.noise(time, Draw::Infer { inner: 0 });
        let z = belief.sample(self.rule.sampling, draw);
        let pulled = self.generative.pulled_back(x, belief.activate(z.clone()));
        let gradients = belief.gradient(&z, pulled, self.rule.leak.beta(), &rest);
        let shifts: Vec<_> = belief
            .components()
            .into_iter()
            .zip(rest.components())
            .map(|(now, prior)| now - prior)
            .collect();
        let seen = shifts
            .iter()
            .cloned()
            .chain(gradients.into_iter().map(normalised));
        let answer = self.updater.forward(Tensor::cat(seen.collect(), 1));
        let parts = shifts.len();
        let [_, width] = answer.dims();
        let gates = split(sigmoid(answer.clone().narrow(1, 0, width / 2)), parts);
        let updates = split(answer.narrow(1, width / 2, width - width / 2), parts);
        let moved = shifts.into_iter().zip(gates).zip(updates);
        let moved =
            moved.map(|((shift, gate), update)| shift * gate.clone() + update * (1.0 - gate));
        Refined {
            belief: rest.advance(moved.collect(), None, &self.rule.clamps),
            spikes: z,
        }
    }

    fn prior(&self, before: &P) -> P {
        self.rest(before.components()[0].dims()[0])
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.generative.decoder.decode(a)
    }

    fn score(&self, x: &Tensor<2>, belief: &P, prior: &P, sample: Tensor<2>) -> ScoredSample {
        self.generative.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.rule.sampling
    }
}
