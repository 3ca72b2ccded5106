//! What a filter carries from one observation to the next.

use serde::{Deserialize, Serialize};

use super::kernel::Kernel;
use super::score::Score;
use super::{NonlinearConfig, StateSpace, Value};
use crate::step::Sum;

/// What a filter knows after t observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub time: u64,
    pub elbo: Sum,
    pub increment: f64,
    /// What q lost in bending f at the missing observations since the last one that was seen: they are no
    /// evidence, so the bound does not fall for them, but what comes next is bounded by way of this q.
    #[serde(default)]
    pub owed: f64,
    pub mean: Vec<f64>,
    pub covariance: Vec<f64>,
    pub precision: Vec<f64>,
    pub value: Value,
    pub kernel: Kernel,
    pub score: Option<Score>,
    pub evaluations: usize,
    pub unsettled: u64,
}

impl State {
    /// The state of a filter that has seen nothing, with P_0⁻¹ `[n, n]`.
    pub fn start<M: StateSpace>(model: &M, config: &NonlinearConfig, precision: &[f64]) -> Self {
        let (n, parameters) = (model.dim(), model.parameters_len());
        Self {
            time: 0,
            elbo: Sum::default(),
            increment: 0.0,
            owed: 0.0,
            mean: model.initial_mean().to_vec(),
            covariance: model.initial_covariance().to_vec(),
            precision: precision.to_vec(),
            value: Value::zero(config.carried(), n),
            kernel: Kernel::zero(n),
            score: config.score.map(|shape| Score::zero(shape, parameters, n)),
            evaluations: 0,
            unsettled: 0,
        }
    }
}
