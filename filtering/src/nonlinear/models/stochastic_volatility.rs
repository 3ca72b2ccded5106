//! Stochastic volatility: returns with an AR(1) log-variance.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{log_normal, log_variance_score, number, over_state, positive};
use crate::nonlinear::model::check_parameters;
use crate::nonlinear::{Simulate, StateSpace};
use crate::{Error, Law, Predictive, Result};

/// Stochastic volatility,
///
/// ```text
/// x_1 ~ N(m_0, v_0),   x_t = a x_{t−1} + N(0, q),   y_t ~ N(0, β² exp x_t),   θ = (a, ln q, ln β).
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct StochasticVolatility {
    a: f64,
    q: [f64; 1],
    beta: f64,
    m0: [f64; 1],
    v0: [f64; 1],
}

impl StochasticVolatility {
    /// The model of these numbers.
    ///
    /// # Errors
    /// [`Error::Entry`] for one that is not finite, or a variance or β that is not positive.
    pub fn new(a: f64, q: f64, beta: f64, m0: f64, v0: f64) -> Result<Self> {
        Ok(Self {
            a: number("a", a)?,
            q: [positive("q", q)?],
            beta: positive("beta", beta)?,
            m0: [number("m0", m0)?],
            v0: [positive("v0", v0)?],
        })
    }

    /// The model whose log-variance starts in its stationary law, N(0, q/(1 − a²)).
    ///
    /// # Errors
    /// As [`StochasticVolatility::new`], and [`Error::Entry`] for |a| ≥ 1.
    pub fn stationary(a: f64, q: f64, beta: f64) -> Result<Self> {
        if a.abs() >= 1.0 {
            return Err(Error::entry("a", &[], a, "a slope between −1 and 1"));
        }
        Self::new(a, q, beta, 0.0, q / (1.0 - a * a))
    }

    /// y²/(β² eˣ).
    fn standardised(&self, observation: &[f64], state: &[f64]) -> f64 {
        let scaled = observation[0] / self.beta;
        scaled * scaled * (-state[0]).exp()
    }
}

impl StateSpace for StochasticVolatility {
    super::one_dimension!();

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        into[0] = self.a * state[0];
    }

    fn mean_slope(&self, _state: &[f64], into: &mut [f64]) {
        into[0] = self.a;
    }

    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        mean[0] = 0.0;
        variance[0] = self.beta * self.beta * state[0].exp();
        true
    }

    fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Option<Vec<Predictive>> {
        over_state(mean, covariance, |x| Law::Normal {
            mean: 0.0,
            variance: self.beta * self.beta * x.exp(),
        })
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let square = self.standardised(observation, state);
        log_normal(0.0, self.beta * self.beta) - 0.5 * (state[0] + square)
    }

    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let square = self.standardised(observation, state);
        gradient[0] = 0.5 * (square - 1.0);
        hessian[0] = -0.5 * square;
        log_normal(0.0, self.beta * self.beta) - 0.5 * (state[0] + square)
    }

    fn parameters_len(&self) -> usize {
        3
    }

    fn parameter_names(&self) -> Vec<String> {
        ["a", "ln q", "ln β"].map(String::from).to_vec()
    }

    fn parameters(&self, into: &mut [f64]) {
        into.copy_from_slice(&[self.a, self.q[0].ln(), self.beta.ln()]);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        check_parameters(theta, 3)?;
        let (q, beta) = (
            positive("q", theta[1].exp())?,
            positive("beta", theta[2].exp())?,
        );
        (self.a, self.q, self.beta) = (theta[0], [q], beta);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let residual = state[0] - self.a * previous[0];
        into[0] = residual * previous[0] / self.q[0];
        into[1] = log_variance_score(residual, self.q[0]);
        into[2] = 0.0;
    }

    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        into[2] = self.standardised(observation, state) - 1.0;
    }
}

impl Simulate for StochasticVolatility {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        let noise: f64 = StandardNormal.sample(rng);
        into[0] = self.beta * (0.5 * state[0]).exp() * noise;
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    a: f64,
    q: f64,
    beta: f64,
    m0: f64,
    v0: f64,
}

impl TryFrom<Parts> for StochasticVolatility {
    type Error = Error;
    fn try_from(p: Parts) -> Result<Self> {
        Self::new(p.a, p.q, p.beta, p.m0, p.v0)
    }
}

impl From<StochasticVolatility> for Parts {
    fn from(m: StochasticVolatility) -> Self {
        Self {
            a: m.a,
            q: m.q[0],
            beta: m.beta,
            m0: m.m0[0],
            v0: m.v0[0],
        }
    }
}
