//! Settings of the bounds, with the reasons for the defaults.

use serde::{Deserialize, Serialize};

use crate::error::check_count;
use crate::{Error, Result};

/// Settings of [`lower_bound`](super::lower_bound) and [`upper_bound`](super::upper_bound).
///
/// All of them have to be chosen before the estimates are seen: a bound picked from several tries no longer holds with 1 − δ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoundSettings {
    /// N, particles of a run. By default 500.
    pub particles: usize,
    /// R, independent runs. By default 10: ln(1/δ)/R is then 0.37 nats at δ = 2.5 %.
    pub runs: usize,
    /// δ, the probability that a bound does not hold, of each of the two. By default 2.5 %: both hold with 95 %.
    pub delta: f64,
    /// How the runs of a lower bound are put together.
    pub confidence: Confidence,
}

/// How independent unbiased estimates Ẑ_r certify a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Markov's inequality for ∏ Ẑ_r, whose mean is Z^R: the mean of ln Ẑ_r less ln(1/δ)/R (eq. F82).
    #[default]
    Product,
    /// Markov's inequality for the mean of Ẑ_r: its logarithm less ln(1/δ) (eq. F81). Better where the estimates spread by
    /// more than ln(1/δ) nats.
    Mean,
}

impl Default for BoundSettings {
    fn default() -> Self {
        Self {
            particles: 500,
            runs: 10,
            delta: 0.025,
            confidence: Confidence::Product,
        }
    }
}

impl BoundSettings {
    /// Whether they make sense.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than two particles or no run, and for a δ that is no probability.
    pub fn check(&self) -> Result<()> {
        check_count("particles", self.particles, 2..=10_000_000)?;
        check_count("runs", self.runs, 1..=1_000_000)?;
        match self.delta > 0.0 && self.delta < 1.0 {
            true => Ok(()),
            false => Err(Error::setting(
                "delta",
                self.delta,
                "a probability between 0 and 1",
            )),
        }
    }
}
