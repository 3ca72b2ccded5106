//! The model chosen at run time, by name in files.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Ar1Poisson, DiagonalLinear, SinQuadratic, StochasticVolatility};
use crate::nonlinear::{Simulate, StateSpace};
use crate::{Moments, Predictive, Result};

/// One of the nonlinear models of this crate; `kind` names it in a file.
///
/// ```
/// use scotopic_filtering::nonlinear::{StateSpace, models::{AnyStateSpace, StochasticVolatility}};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let market: AnyStateSpace = StochasticVolatility::stationary(0.95, 0.1, 0.6)?.into();
/// assert_eq!(market.dim(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AnyStateSpace {
    /// Counts driven by an autoregression: `kind = "ar1-poisson"`.
    Ar1Poisson(Ar1Poisson),
    /// A sine map with quadratic observations: `kind = "sin-quadratic"`.
    SinQuadratic(SinQuadratic),
    /// Returns with a hidden volatility: `kind = "stochastic-volatility"`.
    StochasticVolatility(StochasticVolatility),
    /// Independent coordinates: `kind = "diagonal-linear"`.
    DiagonalLinear(DiagonalLinear),
}

macro_rules! each {
    ($self:expr, $m:ident => $body:expr) => {
        match $self {
            AnyStateSpace::Ar1Poisson($m) => $body,
            AnyStateSpace::SinQuadratic($m) => $body,
            AnyStateSpace::StochasticVolatility($m) => $body,
            AnyStateSpace::DiagonalLinear($m) => $body,
        }
    };
}

impl AnyStateSpace {
    /// The name of the model in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ar1Poisson(_) => "ar1-poisson",
            Self::SinQuadratic(_) => "sin-quadratic",
            Self::StochasticVolatility(_) => "stochastic-volatility",
            Self::DiagonalLinear(_) => "diagonal-linear",
        }
    }
}

impl StateSpace for AnyStateSpace {
    fn dim(&self) -> usize {
        each!(self, m => m.dim())
    }
    fn observed(&self) -> usize {
        each!(self, m => m.observed())
    }
    fn initial_mean(&self) -> &[f64] {
        each!(self, m => m.initial_mean())
    }
    fn initial_covariance(&self) -> &[f64] {
        each!(self, m => m.initial_covariance())
    }
    fn noise(&self) -> &[f64] {
        each!(self, m => m.noise())
    }
    fn mean(&self, state: &[f64], into: &mut [f64]) {
        each!(self, m => m.mean(state, into))
    }
    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        each!(self, m => m.mean_slope(state, into))
    }
    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        each!(self, m => m.log_likelihood(observation, state))
    }
    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        each!(self, m => m.log_likelihood_slopes(observation, state, gradient, hessian))
    }
    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        each!(self, m => m.observation_moments(state, mean, variance))
    }
    fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Option<Vec<Predictive>> {
        each!(self, m => m.predictive(mean, covariance))
    }
    fn signal(&self, mean: &[f64], covariance: &[f64]) -> Option<Moments> {
        each!(self, m => m.signal(mean, covariance))
    }
    fn check(&self, observation: &[f64]) -> Result<()> {
        each!(self, m => m.check(observation))
    }
    fn parameters_len(&self) -> usize {
        each!(self, m => m.parameters_len())
    }
    fn parameter_names(&self) -> Vec<String> {
        each!(self, m => m.parameter_names())
    }
    fn parameters(&self, into: &mut [f64]) {
        each!(self, m => m.parameters(into))
    }
    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        each!(self, m => m.set_parameters(theta))
    }
    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        each!(self, m => m.transition_score(previous, state, into))
    }
    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        each!(self, m => m.observation_score(observation, state, into))
    }
    fn initial_score(&self, state: &[f64], into: &mut [f64]) {
        each!(self, m => m.initial_score(state, into))
    }
}

impl Simulate for AnyStateSpace {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        each!(self, m => m.draw(state, rng, into))
    }
}

macro_rules! from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for AnyStateSpace {
            fn from(model: $kind) -> Self {
                AnyStateSpace::$kind(model)
            }
        }
    )*};
}
from!(
    Ar1Poisson,
    SinQuadratic,
    StochasticVolatility,
    DiagonalLinear
);
