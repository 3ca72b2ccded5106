//! The learning objective of an unroll: a value with a gradient, its terms, and the final state.

use std::ops::Range;

use burn::tensor::Tensor;

use super::{Perception, Record, Stimulus, unroll};
use crate::noise::NoiseSource;
use crate::posterior::Posterior;

/// The mean free energy of an unroll.
#[derive(Debug, Clone)]
pub struct Objective<P: Posterior> {
    /// `1/T Σ_t 1/B Σ_b [ −ln p(x_t|z_t) + β KL_t ]`, `[1]`, in nats, differentiable.
    pub value: Tensor<1>,
    /// Both means without β, `[2]`, constants.
    pub terms: Tensor<1>,
    /// The belief after the last step, a constant.
    pub state: P,
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
    record: Record,
    beta: f64,
) -> Option<Objective<M::Belief>> {
    let seen = unroll(perception, stimulus, start, times, noise, record);
    Some(Objective {
        value: seen.objective(beta)?,
        terms: seen.mean_terms()?.detach(),
        state: seen.state.detach(),
    })
}
