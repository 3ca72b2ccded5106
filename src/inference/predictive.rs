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

use burn::tensor::Tensor;

use super::window::Window;
use super::{
    Iterative, Objective, Perception, PriorInTime, RecordOptions, Refined, ScoredSample, Step,
    Stimulus, composed_objective,
};
use crate::decoder::Decoder;
use crate::error::Result;
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{Posterior, Sampling};
use crate::spiking::{DriveMethod, Engine};

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

impl<P: Posterior, D: Decoder> Predictive<'_, P, D> {
    /// Inference with exact counts outside tensors, as [`Iterative::engine`] with this prior.
    ///
    /// # Errors
    /// As [`Iterative::engine`].
    pub fn engine(&self, form: DriveMethod) -> Result<Engine> {
        self.iterative.engine_with(Some(&self.transition), form)
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

    /// Poisson posteriors over a linear decoder, and static priors of others, have a fused implementation on the CPU.
    fn objective(
        &self,
        stimulus: &Stimulus,
        start: P,
        times: std::ops::Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        let window = Window {
            stimulus,
            start: &start,
            times: times.clone(),
            noise,
            record,
            beta,
            prior: Some(&self.transition),
        };
        self.iterative
            .fused_objective(window)
            .or_else(|| composed_objective(self, stimulus, start, times, noise, record, beta))
    }
}
