//! A bistable state with quadratic observations.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{log_normal, log_variance_score, number, over_state, positive};
use crate::nonlinear::model::check_parameters;
use crate::nonlinear::{Simulate, StateSpace};
use crate::{Error, Law, Predictive, Result};

/// The slope of the linear part of the transition.
const LINEAR: f64 = 0.9;
/// The size of its sine.
const SINE: f64 = 0.8;
/// The size of the square in an observation.
const SQUARE: f64 = 0.2;

/// A bistable state,
///
/// ```text
/// x_1 ~ N(m_0, v_0),  x_t = 0.9 x_{t−1} + 0.8 sin x_{t−1} + N(0, q),  y_t = x_t + 0.2 x_t² + N(0, r),  θ = (ln q, ln r).
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct SinQuadratic {
    q: [f64; 1],
    r: f64,
    m0: [f64; 1],
    v0: [f64; 1],
}

impl SinQuadratic {
    /// The model of these variances.
    ///
    /// # Errors
    /// [`Error::Entry`] for a number that is not finite, or a variance that is not positive.
    pub fn new(q: f64, r: f64, m0: f64, v0: f64) -> Result<Self> {
        Ok(Self {
            q: [positive("q", q)?],
            r: positive("r", r)?,
            m0: [number("m0", m0)?],
            v0: [positive("v0", v0)?],
        })
    }

    fn observation_mean(x: f64) -> f64 {
        x + SQUARE * x * x
    }
}

impl StateSpace for SinQuadratic {
    super::one_dimension!();

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        into[0] = LINEAR * state[0] + SINE * state[0].sin();
    }

    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        into[0] = LINEAR + SINE * state[0].cos();
    }

    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        mean[0] = Self::observation_mean(state[0]);
        variance[0] = self.r;
        true
    }

    fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Option<Vec<Predictive>> {
        over_state(mean, covariance, |x| Law::Normal {
            mean: Self::observation_mean(x),
            variance: self.r,
        })
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        log_normal(observation[0] - Self::observation_mean(state[0]), self.r)
    }

    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let residual = observation[0] - Self::observation_mean(state[0]);
        let slope = 1.0 + 2.0 * SQUARE * state[0];
        gradient[0] = residual * slope / self.r;
        hessian[0] = (2.0 * SQUARE * residual - slope * slope) / self.r;
        log_normal(residual, self.r)
    }

    fn parameters_len(&self) -> usize {
        2
    }

    fn parameter_names(&self) -> Vec<String> {
        ["ln q", "ln r"].map(String::from).to_vec()
    }

    fn parameters(&self, into: &mut [f64]) {
        into.copy_from_slice(&[self.q[0].ln(), self.r.ln()]);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        check_parameters(theta, 2)?;
        let (q, r) = (
            positive("q", theta[0].exp())?,
            positive("r", theta[1].exp())?,
        );
        (self.q, self.r) = ([q], r);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let mut mean = [0.0];
        self.mean(previous, &mut mean);
        into[0] = log_variance_score(state[0] - mean[0], self.q[0]);
        into[1] = 0.0;
    }

    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        into[0] = 0.0;
        into[1] = log_variance_score(observation[0] - Self::observation_mean(state[0]), self.r);
    }
}

impl Simulate for SinQuadratic {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        let noise: f64 = StandardNormal.sample(rng);
        into[0] = Self::observation_mean(state[0]) + self.r.sqrt() * noise;
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    q: f64,
    r: f64,
    m0: f64,
    v0: f64,
}

impl TryFrom<Parts> for SinQuadratic {
    type Error = Error;
    fn try_from(p: Parts) -> Result<Self> {
        Self::new(p.q, p.r, p.m0, p.v0)
    }
}

impl From<SinQuadratic> for Parts {
    fn from(m: SinQuadratic) -> Self {
        Self {
            q: m.q[0],
            r: m.r,
            m0: m.m0[0],
            v0: m.v0[0],
        }
    }
}
