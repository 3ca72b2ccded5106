//! What an objective is taken of.

use std::ops::Range;

use super::{PriorInTime, RecordOptions, Stimulus};
use crate::noise::NoiseSource;

/// A window of inference, with the weights of its objective.
pub(super) struct Window<'a, P> {
    /// The input.
    pub(super) stimulus: &'a Stimulus,
    /// The belief before it.
    pub(super) start: &'a P,
    /// Inference times.
    pub(super) times: Range<usize>,
    /// The noise of every draw.
    pub(super) noise: &'a dyn NoiseSource,
    /// The steps over which the objective is a mean.
    pub(super) record: RecordOptions,
    /// The weight of KL.
    pub(super) beta: f64,
    /// The prior of a step; `None` where it is the belief before it.
    pub(super) prior: Option<&'a PriorInTime>,
}
