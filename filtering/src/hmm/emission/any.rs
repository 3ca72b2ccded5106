//! The emission chosen at run time, by name in files.

use serde::{Deserialize, Serialize};

use super::{Categorical, DiagonalGaussian, Emission, FullGaussian, Learnable, Poisson};
use crate::{PredictedObservation, Result};

/// One of the emissions of this crate; `kind` names it in a file.
///
/// ```
/// use scotopic_filtering::hmm::{AnyEmission, Emission, Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let emission: AnyEmission = Poisson::new(vec![vec![2.0], vec![9.0]])?.into();
/// assert_eq!(emission.states(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AnyEmission {
    /// Symbols: `kind = "categorical"`.
    Categorical(Categorical),
    /// Counts: `kind = "poisson"`.
    Poisson(Poisson),
    /// Independent normal entries: `kind = "diagonal-gaussian"`.
    DiagonalGaussian(DiagonalGaussian),
    /// Normal vectors: `kind = "full-gaussian"`.
    FullGaussian(FullGaussian),
}

macro_rules! each {
    ($self:expr, $e:ident => $body:expr) => {
        match $self {
            AnyEmission::Categorical($e) => $body,
            AnyEmission::Poisson($e) => $body,
            AnyEmission::DiagonalGaussian($e) => $body,
            AnyEmission::FullGaussian($e) => $body,
        }
    };
}

impl Emission for AnyEmission {
    fn states(&self) -> usize {
        each!(self, e => e.states())
    }
    fn width(&self) -> usize {
        each!(self, e => e.width())
    }
    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        each!(self, e => e.log_likelihood(observation, into))
    }
    fn likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        each!(self, e => e.likelihood(observation, into))
    }
    fn relabelled(&self, order: &[usize]) -> Self {
        each!(self, e => e.relabelled(order).into())
    }
    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        each!(self, e => e.expected(weights))
    }
}

impl Learnable for AnyEmission {
    fn statistic_len(&self) -> usize {
        each!(self, e => e.statistic_len())
    }
    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        each!(self, e => e.statistic(observation, into))
    }
    fn accumulate(
        &self,
        observation: &[f64],
        weights: &[f64],
        statistic: &mut [f64],
        into: &mut [f64],
    ) {
        each!(self, e => e.accumulate(observation, weights, statistic, into))
    }
    fn expected_statistic(&self, into: &mut [f64]) {
        each!(self, e => e.expected_statistic(into))
    }
    fn maximise(&self, statistics: &[f64], pseudo_count: f64) -> Result<Self> {
        each!(self, e => e.maximise(statistics, pseudo_count).map(Into::into))
    }
    fn parameters_len(&self) -> usize {
        each!(self, e => e.parameters_len())
    }
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        each!(self, e => e.score(statistics, into))
    }
    fn ascended(&self, step: &[f64]) -> Result<Self> {
        each!(self, e => e.ascended(step).map(Into::into))
    }
    fn recentred(self) -> Self {
        each!(self, e => e.recentred().into())
    }
}

macro_rules! from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for AnyEmission {
            fn from(emission: $kind) -> Self {
                AnyEmission::$kind(emission)
            }
        }
    )*};
}
from!(Categorical, Poisson, DiagonalGaussian, FullGaussian);
