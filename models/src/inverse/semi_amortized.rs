//! Semi-amortized inference: the output of an encoder, refined for each datum by gradient steps.

use burn::tensor::Tensor;
use scotopic::decoder::Decoder;
use scotopic::inference::{Perception, Refined, ScoredSample};
use scotopic::noise::{Draw, NoiseSource};
use scotopic::posterior::{Posterior, Sampling};

use super::Amortized;

/// sa-VAE: step 0 is the encoder's q(z|x), every further step is plain gradient descent on F.
///
/// ```text
/// λ₀ = enc(x),   λ_{t+1} = clamp(λ_t + clamp(−η ∂F/∂λ)),   F with weight β_in of its KL
/// ```
///
/// The gradient is written out by decoder and posterior, so that learning differentiates through it.
///
/// Kim, Wiseman, Miller, Sontag, Rush, "Semi-amortized variational autoencoders", ICML 2018.
#[derive(Debug)]
pub struct SemiAmortized<'a, P: Posterior, D: Decoder> {
    /// The encoder, the prior and the generative direction.
    pub start: Amortized<'a, P, D>,
    /// η, one `[1, 1]` tensor per component.
    pub step_size: Vec<Tensor<2>>,
}

impl<P: Posterior, D: Decoder> Perception for SemiAmortized<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.start.rest(batch)
    }

    fn refine(
        &self,
        x: &Tensor<2>,
        belief: &P,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<P> {
        if time == 0 {
            return self.start.refine(x, belief, time, noise);
        }
        let Amortized {
            generative, rule, ..
        } = &self.start;
        let z = belief.sample(rule.sampling, noise.noise(time, Draw::Infer { inner: 0 }));
        let pulled = generative.pulled_back(x, belief.activate(z.clone()));
        let drives = belief
            .gradient(&z, pulled, rule.leak.beta(), &self.prior(belief))
            .into_iter()
            .zip(&self.step_size)
            .map(|(gradient, step_size)| gradient * step_size.clone().neg())
            .collect();
        Refined {
            belief: belief.advance(drives, None, &rule.clamps),
            spikes: z,
        }
    }

    fn prior(&self, before: &P) -> P {
        self.start.prior(before)
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.start.decode(a)
    }

    fn score(&self, x: &Tensor<2>, belief: &P, prior: &P, sample: Tensor<2>) -> ScoredSample {
        self.start.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.start.sampling()
    }
}
