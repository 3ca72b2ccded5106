//! Inference in time: the prior of a step is predicted from the belief before it.
//!
//! ```text
//! predict   u_p = min(c, A∘u + (1 − A)∘u₀ + W σ(e^u) + b),   σ(λ) = λ/(1 + λ)                              (T1)
//! correct   u ← clamp(u_p + …), N natural-gradient steps on F with the pull (u − u_p)                       (T2)
//! F         = −E_q[ln p(x|z)] + KL[q(u) ‖ q(u_p)]                                                           (T3)
//! ```
//!
//! The published rule, where the last posterior is the prior ([`Iterative`]), is A = 1, W = 0, b = 0; a prior that is the same
//! for each step is A = 0, W = 0, b = 0. Both are exact to the bit.

use burn::tensor::{Tensor, activation::sigmoid};

use super::{Iterative, Perception, Refined, ScoredSample, Step};
use crate::decoder::Decoder;
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{Posterior, Sampling};

/// A learned transition of log-rates, evaluated once per unroll (eq. T1).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::inference::PredictiveTransition;
/// let device = Device::flex();
/// let (a, b) = (Tensor::<2>::zeros([1, 1], &device), Tensor::<2>::zeros([1, 1], &device));
/// let half = PredictiveTransition::new(a, Tensor::<2>::ones([1, 1], &device), b, 2.0);
/// let u = Tensor::<2>::zeros([1, 1], &device); // rate 1, drive ½
/// let rest = Tensor::<2>::ones([1, 1], &device) * -2.0;
/// assert_eq!(half.predict(u, rest).into_scalar::<f32>(), 0.0 - 1.0 + 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct PredictiveTransition {
    /// A, `[1, latent]`.
    keep: Tensor<2>,
    /// Wᵀ, `[latent, latent]`, from row to column.
    weights: Tensor<2>,
    /// b, `[1, latent]`.
    bias: Tensor<2>,
    /// c.
    ceiling: f64,
}

impl PredictiveTransition {
    /// From a = logit A, `[1, latent]`, Wᵀ, `[latent, latent]` from row to column, b, `[1, latent]`, and the ceiling c.
    pub fn new(logit_keep: Tensor<2>, weights: Tensor<2>, bias: Tensor<2>, ceiling: f64) -> Self {
        Self {
            keep: sigmoid(logit_keep),
            weights,
            bias,
            ceiling,
        }
    }

    /// u_p, `[batch, latent]`, from u, `[batch, latent]`, and u₀, `[1, latent]`.
    pub fn predict(&self, u: Tensor<2>, rest: Tensor<2>) -> Tensor<2> {
        // λ/(1 + λ) is a sigmoid of u: no rate can overflow.
        let drive = sigmoid(u.clone()).matmul(self.weights.clone());
        let forgotten = (self.keep.clone().neg() + 1.0) * rest;
        (u * self.keep.clone() + forgotten + drive + self.bias.clone()).clamp_max(self.ceiling)
    }
}

/// How the prior of a step follows from the belief before it.
#[derive(Debug, Clone)]
pub enum PriorInTime {
    /// The resting state at every step.
    Static,
    /// Predicted.
    Learned(Box<PredictiveTransition>),
}

/// Natural-gradient inference with a prior that is predicted, not carried over.
#[derive(Debug)]
pub struct Predictive<'a, P: Posterior, D: Decoder> {
    /// The rule and the generative model.
    pub iterative: Iterative<'a, P, D>,
    /// The prior.
    pub transition: PriorInTime,
}

impl<P: Posterior, D: Decoder> Predictive<'_, P, D> {
    /// The prior of the next step.
    ///
    /// # Panics
    /// If the transition is learned and the family has no log-rates.
    pub fn predict(&self, before: &P) -> P {
        let rest = &self.iterative.rest;
        let [batch, _] = before.components()[0].dims();
        match &self.transition {
            PriorInTime::Static => rest.repeated(batch),
            PriorInTime::Learned(transition) => match (before.log_rate(), rest.log_rate()) {
                (Some(u), Some(rest)) => before.with_components(vec![transition.predict(u, rest)]),
                _ => panic!("only a Poisson belief has log-rates to predict"),
            },
        }
    }
}

impl<P: Posterior, D: Decoder> Perception for Predictive<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.iterative.rest(batch)
    }

    fn refine(
        &self,
        x: &Tensor<2>,
        before: &P,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<P> {
        self.iterative.refine(x, &self.predict(before), time, noise)
    }

    fn prior(&self, before: &P) -> P {
        self.predict(before)
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.iterative.decode(a)
    }

    fn score(&self, x: &Tensor<2>, belief: &P, prior: &P, sample: Tensor<2>) -> ScoredSample {
        self.iterative.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.iterative.sampling()
    }

    /// The prediction is made once, for inference and score.
    fn step(
        &self,
        x: &Tensor<2>,
        before: &P,
        time: usize,
        noise: &dyn NoiseSource,
        generate: bool,
    ) -> Step<P> {
        let prior = self.predict(before);
        let Refined { belief, spikes } = self.iterative.refine(x, &prior, time, noise);
        let generated = generate.then(|| {
            let sample = belief.sample(self.sampling(), noise.noise(time, Draw::Generate));
            self.score(x, &belief, &prior, sample)
        });
        Step {
            state: belief,
            spikes,
            generated,
        }
    }
}
