//! Gradient descent on the energy of a point estimate: predictive coding and LCA.

use std::ops::Range;

use burn::tensor::Tensor;
use scotopic::decoder::Decoder;
use scotopic::inference::{
    Iterative, Objective, Perception, RecordOptions, Refined, ScoredSample, Stimulus,
    composed_objective,
};
use scotopic::noise::NoiseSource;
use scotopic::posterior::{Posterior, Sampling};

/// The dynamics of a state under a fixed step size, with local learning: what is learned is learned from
/// the state where inference has arrived, not through the way it took.
///
/// ```text
/// u ← clamp(u − clamp(η∇F)),  then ∂F/∂Φ at u held fixed
/// ```
///
/// With a quadratic cost this is predictive coding (Rao and Ballard 1999); learning at every inference step
/// (`inference.steps = 1`, `train.bptt_windows = T`) makes it incremental. With a threshold it is the locally
/// competitive algorithm (Rozell et al. 2008) and, learning, sparse coding (Olshausen and Field 1996).
#[derive(Debug)]
pub struct Descent<'a, P: Posterior, D: Decoder>(pub Iterative<'a, P, D>);

impl<P: Posterior, D: Decoder> Perception for Descent<'_, P, D> {
    type Belief = P;

    fn rest(&self, batch: usize) -> P {
        self.0.rest(batch)
    }

    fn refine(
        &self,
        x: &Tensor<2>,
        belief: &P,
        time: usize,
        noise: &dyn NoiseSource,
    ) -> Refined<P> {
        let Refined { belief, spikes } = self.0.refine(x, belief, time, noise);
        Refined {
            belief: belief.detach(),
            spikes: spikes.detach(),
        }
    }

    /// The cost is part of the family; there is no online prior.
    fn prior(&self, before: &P) -> P {
        before.clone()
    }

    fn decode(&self, a: Tensor<2>) -> Tensor<2> {
        self.0.decode(a)
    }

    fn score(&self, x: &Tensor<2>, belief: &P, prior: &P, sample: Tensor<2>) -> ScoredSample {
        self.0.score(x, belief, prior, sample)
    }

    fn sampling(&self) -> Sampling {
        self.0.rule.sampling
    }

    /// Over a linear decoder, on the CPU, without tensors and without a graph.
    fn objective(
        &self,
        stimulus: &Stimulus,
        start: P,
        times: Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
        beta: f64,
    ) -> Option<Objective<P>> {
        self.0
            .descended(stimulus, &start, times.clone(), record, beta)
            .or_else(|| composed_objective(self, stimulus, start, times, noise, record, beta))
    }
}
