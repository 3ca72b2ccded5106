//! The laws of an observation given its linear predictor η, and expectations under η ~ N(μ, v).

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson};
use serde::{Deserialize, Serialize};

use super::nodes::each_node;
use crate::{Error, Result};

/// How an entry of an observation is drawn given its linear predictor η.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountLaw {
    /// Counts: y ~ Poisson(ε exp η).
    Poisson,
    /// A spike or none: y ~ Bernoulli(1/(1 + exp(−η))).
    Bernoulli,
}

/// Expectations of ln p(y|η) and its derivatives under η ~ N(μ, v), nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expected {
    /// E ln p, less what does not depend on μ and v ([`CountLaw::constant`]).
    pub value: f64,
    /// E ∂ ln p/∂η.
    pub slope: f64,
    /// −E ∂² ln p/∂η², 0 or above.
    pub curvature: f64,
}

impl CountLaw {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Bernoulli => "bernoulli",
        }
    }

    /// Expectations under N(mean, variance), of which `mean` has ln ε in it: in closed form for counts (eq. F71), by the
    /// trapezoidal rule for spikes.
    #[inline]
    pub(super) fn expected(self, y: f64, mean: f64, variance: f64) -> Expected {
        match self {
            Self::Poisson => {
                let rate = (mean + 0.5 * variance).exp();
                Expected {
                    value: y * mean - rate,
                    slope: y - rate,
                    curvature: rate,
                }
            }
            Self::Bernoulli => {
                let (mut log, mut probability, mut curvature) = (0.0, 0.0, 0.0);
                each_node(mean, variance, |eta, w| {
                    let small = (-eta.abs()).exp();
                    let p = sigmoid_of(eta, small);
                    log += w * (eta.max(0.0) + small.ln_1p());
                    probability += w * p;
                    curvature += w * small / ((1.0 + small) * (1.0 + small));
                });
                Expected {
                    value: y * mean - log,
                    slope: y - probability,
                    curvature,
                }
            }
        }
    }

    /// What ln p(y|η) has beside [`Expected::value`].
    pub(super) fn constant(self, y: f64) -> f64 {
        match self {
            Self::Poisson => -libm::lgamma(y + 1.0),
            Self::Bernoulli => 0.0,
        }
    }

    /// Mean and variance of E[y|η] under N(mean, variance).
    pub(super) fn rate_moments(self, mean: f64, variance: f64) -> (f64, f64) {
        match self {
            Self::Poisson => {
                let rate = (mean + 0.5 * variance).exp();
                (rate, rate * rate * variance.exp_m1())
            }
            Self::Bernoulli => {
                let (mut first, mut second) = (0.0, 0.0);
                each_node(mean, variance, |eta, w| {
                    let p = sigmoid_of(eta, (-eta.abs()).exp());
                    first += w * p;
                    second += w * p * p;
                });
                (first, (second - first * first).max(0.0))
            }
        }
    }

    /// ln p(y) of a law of this mean, less what does not depend on it.
    pub(super) fn log_probability(self, y: f64, mean: f64) -> f64 {
        // 0 ln 0 = 0.
        let times_log = |y: f64, p: f64| if y == 0.0 { 0.0 } else { y * p.ln() };
        match self {
            Self::Poisson => times_log(y, mean) - mean,
            Self::Bernoulli => times_log(y, mean) + times_log(1.0 - y, 1.0 - mean),
        }
    }

    /// E Var[y|η], of the moments of E[y|η].
    pub(super) fn expected_variance(self, mean: f64, variance: f64) -> f64 {
        match self {
            Self::Poisson => mean,
            Self::Bernoulli => mean * (1.0 - mean) - variance,
        }
    }

    pub(super) fn draw<R: Rng + ?Sized>(self, eta: f64, rng: &mut R) -> f64 {
        match self {
            // A rate too large for the sampler, or too small, has no spread to speak of.
            Self::Poisson => {
                let rate = eta.exp();
                Poisson::new(rate).map_or(rate.round(), |p| p.sample(rng))
            }
            Self::Bernoulli => {
                let p = sigmoid_of(eta, (-eta.abs()).exp());
                f64::from(u8::from(rng.random::<f64>() < p))
            }
        }
    }

    /// Checks the entries of an observation that are not NaN.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is no count, or not 0 or 1, by its entry.
    pub fn check(self, row: &[f64]) -> Result<()> {
        let valid = |y: f64| match self {
            Self::Poisson => y >= 0.0 && y.fract() == 0.0,
            Self::Bernoulli => y == 0.0 || y == 1.0,
        };
        match row.iter().position(|y| !y.is_nan() && !valid(*y)) {
            None => Ok(()),
            Some(entry) => {
                let expected = match self {
                    Self::Poisson => "a count, 0, 1, 2, …",
                    Self::Bernoulli => "0 or 1",
                };
                Err(Error::observation(entry, row[entry], expected))
            }
        }
    }
}

/// 1/(1 + e^{−η}) from e^{−|η|}.
#[inline]
fn sigmoid_of(eta: f64, small: f64) -> f64 {
    match eta >= 0.0 {
        true => 1.0 / (1.0 + small),
        false => small / (1.0 + small),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_expectation() {
        // dE/dμ = E f', d²E/dμ² = E f'' and dE/dv = ½ E f'', by central differences.
        let h = 1e-4;
        for law in [CountLaw::Poisson, CountLaw::Bernoulli] {
            for (mean, variance) in [(0.3, 0.5), (-2.0, 0.01), (1.2, 3.0)] {
                let at = |m: f64, v: f64| law.expected(1.0, m, v).value;
                let found = law.expected(1.0, mean, variance);
                let slope = (at(mean + h, variance) - at(mean - h, variance)) / (2.0 * h);
                assert!((found.slope - slope).abs() < 1e-6 * (1.0 + slope.abs()));
                let by_variance = (at(mean, variance + h) - at(mean, variance - h)) / (2.0 * h);
                let bound = 1e-5 * (1.0 + found.curvature);
                assert!((found.curvature + 2.0 * by_variance).abs() < bound);
            }
        }
    }

    #[test]
    fn a_known_predictor_gives_the_log_likelihood() {
        let spike = CountLaw::Bernoulli.expected(1.0, -1.5, 0.0);
        assert!((spike.value + 1.5f64.exp().ln_1p()).abs() < 1e-14);
        let count = CountLaw::Poisson.expected(3.0, 0.7, 0.0);
        let exact = 3.0 * 0.7 - 0.7f64.exp() - 6f64.ln();
        assert!((count.value + CountLaw::Poisson.constant(3.0) - exact).abs() < 1e-14);
    }

    #[test]
    fn what_is_no_count_is_named() {
        for (law, bad) in [(CountLaw::Poisson, 1.5), (CountLaw::Bernoulli, 2.0)] {
            let error = law.check(&[1.0, f64::NAN, bad]).unwrap_err();
            assert!(matches!(error, Error::Observation { entry: 2, .. }));
        }
    }
}
