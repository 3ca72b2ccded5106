//! The interface of every model, whatever its inference method.

use std::ops::Range;

use burn::tensor::Tensor;

use super::generative::ScoredSample;
use super::stimulus::Stimulus;
use super::trajectory::{Objective, RecordOptions, StepRecord, Trajectory};
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{Posterior, Sampling};

/// A generative model together with a way to invert it.
///
/// | | iterative | amortized | iterative-amortized | semi-amortized |
/// |---|---|---|---|---|
/// | [`rest`](Perception::rest) | the prior | the prior | the prior | the prior |
/// | [`refine`](Perception::refine) | a natural-gradient step | the encoder's output | a learned step | the output, then gradient steps |
/// | [`prior`](Perception::prior) | the belief before | the prior | the prior | the prior |
///
/// `rest`, `refine`, [`decode`](Perception::decode) and [`score`](Perception::score) are all that training,
/// evaluation and use need of a model; [`unroll()`] puts them together.
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
    ) -> ScoredSample;

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
        times: Range<usize>,
        noise: &dyn NoiseSource,
        record: RecordOptions,
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
    pub generated: Option<ScoredSample>,
}

/// `steps` steps of inference from `start`, beginning at inference time `from`.
///
/// A long unroll can be cut anywhere: `unroll(0..a)` and then `unroll(a..b)` from its final state is
/// the same as `unroll(0..b)`, because noise is keyed by time and state is a value.
///
/// ```no_run
/// use scotopic::inference::{Perception, RecordOptions, Stimulus, unroll};
/// use scotopic::noise::NoiseKey;
/// # fn example(perception: &impl Perception, image: burn::tensor::Tensor<2>) {
/// let rest = perception.rest(image.dims()[0]);
/// let seen = unroll(perception, &Stimulus::Static(image), rest, 0..16, &NoiseKey::new(0), RecordOptions::GENERATED);
/// let free_energy = seen.objective(1.0);
/// # }
/// ```
pub fn unroll<M: Perception + ?Sized>(
    perception: &M,
    stimulus: &Stimulus,
    start: M::Belief,
    times: Range<usize>,
    noise: &dyn NoiseSource,
    record: RecordOptions,
) -> Trajectory<M::Belief> {
    let mut state = start;
    let mut records = Vec::new();
    let end = times.end;
    for time in times {
        let keep = record.keeps(time, end);
        let x = stimulus.at(time);
        let step = perception.step(&x, &state, time, noise, keep && record.generated);
        state = step.state;
        if keep && (record.spikes || record.states || record.generated) {
            records.push(StepRecord {
                time,
                spikes: record.spikes.then_some(step.spikes),
                state: record.states.then(|| state.clone()),
                generated: step.generated,
            });
        }
    }
    Trajectory { state, records }
}

/// The objective of the steps that `record` keeps, from tensor operations: what
/// [`Perception::objective`] is for every model, and the check of those that have a faster way.
///
/// Returns `None` where nothing is kept, for `times` without a step.
pub fn composed_objective<M: Perception + ?Sized>(
    perception: &M,
    stimulus: &Stimulus,
    start: M::Belief,
    times: Range<usize>,
    noise: &dyn NoiseSource,
    record: RecordOptions,
    beta: f64,
) -> Option<Objective<M::Belief>> {
    let seen = unroll(perception, stimulus, start, times, noise, record);
    Some(Objective {
        value: seen.objective(beta)?,
        terms: seen.mean_terms()?.detach(),
        state: seen.state.detach(),
    })
}
