//! Amortized inference: one pass of an encoder.

use burn::tensor::Tensor;
use scotopic::decoder::Decoder;
use scotopic::inference::{Generative, NaturalGradient, Perception, Refined, ScoredSample};
use scotopic::noise::{Draw, NoiseSource};
use scotopic::posterior::{Posterior, Sampling};

use super::split;
use crate::encoder::EncoderNet;

/// q(z|x) = the prior displaced by the output of an encoder, in every component: u = clamp(u₀ + clamp(enc(x))).
///
/// With Poisson latents this is the P-VAE (the residual parameterisation of its log-rates), with Gaussian
/// ones the standard VAE (Kingma and Welling 2014). Every step gives the same output for the same input;
/// one step is enough.
///
/// Vafaii, Galor, Yates, "Poisson variational autoencoder", arXiv 2405.14473.
#[derive(Debug)]
pub struct Amortized<'a, P: Posterior, D: Decoder> {
    /// The generative direction.
    pub generative: Generative<'a, D>,
    /// The prior, one row.
    pub rest: P,
    /// From an image to a displacement of the prior.
    pub encoder: &'a EncoderNet,
    /// Sampling and clamps; the rest of it has no meaning here.
    pub rule: NaturalGradient,
}

impl<P: Posterior, D: Decoder> Amortized<'_, P, D> {
    /// q(z|x) for images `[batch, pixels]`.
    pub fn encode(&self, x: &Tensor<2>) -> P {
        let prior = self.rest.repeated(x.dims()[0]);
        let shifts = split(self.encoder.forward(x.clone()), self.rest.names().len());
        prior.advance(shifts, None, &self.rule.clamps)
    }
}

impl<P: Posterior, D: Decoder> Perception for Amortized<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.rest.repeated(batch)
    }

    fn refine(&self, x: &Tensor<2>, _: &P, time: usize, noise: &dyn NoiseSource) -> Refined<P> {
        let belief = self.encode(x);
        let draw = noise.noise(time, Draw::Infer { inner: 0 });
        Refined {
            spikes: belief.sample(self.rule.sampling, draw),
            belief,
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
