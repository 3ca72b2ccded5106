//! The change of the bound by one observation.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One step of an online scheme: the newest increment of the recursive ELBO, and its sum, in nats.
///
/// With optimal factors the bound is tight: `elbo` is ln p(o_1…o_t) and `increment` is ln p(o_t|o_<t), the
/// log predictive score. Schemes that are not exact return the same two numbers of their own bound; only
/// the sum is then sure to stay below the log evidence, an increment may be above ln p(o_t|o_<t).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// L_t − L_{t−1}.
    pub increment: f64,
    /// L_t.
    pub elbo: f64,
}

impl Step {
    /// Of a scheme that bounds no evidence of the samples: not numbers.
    pub(crate) const NO_EVIDENCE: Self = Self {
        increment: f64::NAN,
        elbo: f64::NAN,
    };

    /// −(L_t − L_{t−1}): how unexpected the observation was, −ln p(o_t|o_<t) where the bound is tight.
    pub fn surprise(&self) -> f64 {
        -self.increment
    }

    /// F_t = −L_t, the free energy of all observations so far.
    pub fn free_energy(&self) -> f64 {
        -self.elbo
    }
}

/// Σ x over any number of terms, with the rounding error of each addition carried along (A. Neumaier,
/// "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974): the evidence of a
/// stream of 10⁹ observations is as exact as that of ten.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

/// A sum in a file.
#[derive(Deserialize)]
struct Saved {
    total: f64,
    lost: f64,
}

impl TryFrom<Saved> for Sum {
    type Error = Error;
    fn try_from(Saved { total, lost }: Saved) -> Result<Self> {
        let sum = Self { total, lost };
        match sum.value().is_finite() {
            true => Ok(sum),
            false => Err(Error::entry(
                "evidence",
                &[],
                sum.value(),
                "a finite number",
            )),
        }
    }
}

impl Sum {
    /// The sum with one term more.
    pub(crate) fn plus(self, x: f64) -> Self {
        let total = self.total + x;
        let lost = if self.total.abs() >= x.abs() {
            (self.total - total) + x
        } else {
            (x - total) + self.total
        };
        Self {
            total,
            lost: self.lost + lost,
        }
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_are_not_lost_in_a_large_sum() {
        let sum = (0..1000).fold(Sum::default().plus(1e16), |s, _| s.plus(0.1));
        assert!((sum.plus(-1e16).value() - 100.0).abs() < 1e-10);
    }
}
