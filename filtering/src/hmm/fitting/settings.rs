//! Settings of a fit, with the reason for each default.

use serde::{Deserialize, Serialize};

use crate::hmm::Covariates;
use crate::{Error, Result};

/// How the maximum of ln p(o; θ) is looked for; [`Hmm::fit_states`](crate::hmm::Hmm::fit_states).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitSettings {
    /// Starts from the data in each round of a search. Fourteen times as many runs are followed, or fewer where these agree.
    pub restarts: usize,
    /// At most so many evaluations of the gradient in a run.
    pub max_iterations: usize,
    /// A run is at its maximum when its gradient promises less than this, in nats per observation: ½ gᵀHg for the
    /// gradient g and the quasi-Newton estimate H of the inverse of the information.
    pub tolerance: f64,
    /// ε pseudo-observations per state, as in [`BatchEm`](crate::hmm::BatchEm). With any, what is maximised is
    /// ln p times a prior, by EM.
    pub pseudo_count: f64,
    /// The least variance of a state, in units of the variance of all data. A run that falls below it has collapsed
    /// and is left out: ln p has no maximum there, it grows without end as the variance goes to zero.
    pub variance_floor: f64,
    /// Seed of the starts. The same seed gives the same fit, bit for bit, on any number of threads.
    pub seed: u64,
    /// Threads that runs are divided between; 0 is one a core.
    pub threads: usize,
    /// The columns that are given, for an emission with inputs or an exposure.
    pub covariates: Covariates,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            restarts: 10,
            // A quasi-Newton run takes tens; where it takes more than this, states can hardly be told apart.
            max_iterations: 500,
            // On ten thousand observations a ten-thousandth of a nat.
            tolerance: 1e-8,
            pseudo_count: 0.0,
            // A deviation of 1/300 of the data's: a sensor at rest among motion has more, two readings that are equal
            // by chance have less.
            variance_floor: 1e-5,
            seed: 0,
            threads: 0,
            covariates: Covariates::default(),
        }
    }
}

impl FitSettings {
    /// Refuses numbers outside their range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the field.
    pub fn check(&self) -> Result<()> {
        let at_least_one = [
            ("restarts", self.restarts),
            ("max_iterations", self.max_iterations),
        ];
        for (field, number) in at_least_one {
            if number == 0 {
                return Err(Error::setting(field, number, "at least 1"));
            }
        }
        let not_negative = [
            ("tolerance", self.tolerance),
            ("pseudo_count", self.pseudo_count),
        ];
        for (field, number) in not_negative {
            if !(number >= 0.0 && number.is_finite()) {
                return Err(Error::setting(
                    field,
                    number,
                    "0 or a positive finite number",
                ));
            }
        }
        match (0.0..1.0).contains(&self.variance_floor) {
            true => Ok(()),
            false => Err(Error::setting(
                "variance_floor",
                self.variance_floor,
                "0 or more, and below 1",
            )),
        }
    }
}
