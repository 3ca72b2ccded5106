//! Poisson counts with an AR(1) log-rate.

use rand::Rng;
use rand_distr::{Distribution, Poisson};
use serde::{Deserialize, Serialize};

use super::{log_variance_score, number, over_state, positive};
use crate::nonlinear::model::check_parameters;
use crate::nonlinear::{Simulate, StateSpace};
use crate::{Error, Law, Predictive, Result};

/// A first-order autoregression seen through counts,
///
/// ```text
/// x_1 ~ N(m_0, v_0),   x_t = a x_{t−1} + N(0, q),   y_t ~ Poisson(exp(c + x_t)),   θ = (a, c, ln q).
/// ```
///
/// ```
/// use scotopic_filtering::nonlinear::{NonlinearFilter, NonlinearConfig, models::Ar1Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0)?;
/// let mut filter = NonlinearFilter::new(model, NonlinearConfig::default())?;
/// for count in [5.0, 5.0, 10.0] {
///     filter.update(Some(&[count]))?;
/// }
/// assert!(filter.mean()[0] > 1.0 && filter.elbo() < 0.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Ar1Poisson {
    a: f64,
    c: f64,
    q: [f64; 1],
    m0: [f64; 1],
    v0: [f64; 1],
}

impl Ar1Poisson {
    /// The model of these numbers.
    ///
    /// # Errors
    /// [`Error::Entry`] for one that is not finite, or a variance that is not positive.
    pub fn new(a: f64, c: f64, q: f64, m0: f64, v0: f64) -> Result<Self> {
        Ok(Self {
            a: number("a", a)?,
            c: number("c", c)?,
            q: [positive("q", q)?],
            m0: [number("m0", m0)?],
            v0: [positive("v0", v0)?],
        })
    }
}

impl StateSpace for Ar1Poisson {
    super::one_dimension!();

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        into[0] = self.a * state[0];
    }

    fn mean_slope(&self, _state: &[f64], into: &mut [f64]) {
        into[0] = self.a;
    }

    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        mean[0] = (self.c + state[0]).exp();
        variance[0] = mean[0];
        true
    }

    fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Option<Vec<Predictive>> {
        over_state(mean, covariance, |x| Law::Poisson {
            rate: (self.c + x).exp(),
        })
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let (y, log_rate) = (observation[0], self.c + state[0]);
        y * log_rate - log_rate.exp() - libm::lgamma(y + 1.0)
    }

    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let rate = (self.c + state[0]).exp();
        gradient[0] = observation[0] - rate;
        hessian[0] = -rate;
        self.log_likelihood(observation, state)
    }

    fn check(&self, observation: &[f64]) -> Result<()> {
        crate::sequence::check_row(observation, 1)?;
        if observation[0] < 0.0 || observation[0].fract() != 0.0 {
            let expected = "a count, 0, 1, 2, …";
            return Err(Error::observation(0, observation[0], expected));
        }
        Ok(())
    }

    fn parameters_len(&self) -> usize {
        3
    }

    fn parameter_names(&self) -> Vec<String> {
        ["a", "c", "ln q"].map(String::from).to_vec()
    }

    fn parameters(&self, into: &mut [f64]) {
        into.copy_from_slice(&[self.a, self.c, self.q[0].ln()]);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        check_parameters(theta, 3)?;
        let q = positive("q", theta[2].exp())?;
        (self.a, self.c, self.q) = (theta[0], theta[1], [q]);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let residual = state[0] - self.a * previous[0];
        into[0] = residual * previous[0] / self.q[0];
        into[1] = 0.0;
        into[2] = log_variance_score(residual, self.q[0]);
    }

    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        into[1] = observation[0] - (self.c + state[0]).exp();
    }
}

impl Simulate for Ar1Poisson {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        // A rate too large for the sampler, or too small, has no spread to speak of.
        let rate = (self.c + state[0]).exp();
        into[0] = Poisson::new(rate).map_or(rate.round(), |p| p.sample(rng));
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    a: f64,
    c: f64,
    q: f64,
    m0: f64,
    v0: f64,
}

impl TryFrom<Parts> for Ar1Poisson {
    type Error = Error;
    fn try_from(p: Parts) -> Result<Self> {
        Self::new(p.a, p.c, p.q, p.m0, p.v0)
    }
}

impl From<Ar1Poisson> for Parts {
    fn from(m: Ar1Poisson) -> Self {
        Self {
            a: m.a,
            c: m.c,
            q: m.q[0],
            m0: m.m0[0],
            v0: m.v0[0],
        }
    }
}
