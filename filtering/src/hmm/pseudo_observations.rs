//! Observations that were never made, against probabilities and variances of zero.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// ε observations per state that say nothing of it: of the mean of all data, with a variance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PseudoObservations {
    /// ε.
    pub count: f64,
    /// The variance of each entry.
    pub variance: PseudoVariance,
}

impl PseudoObservations {
    /// None at all.
    pub const NONE: Self = Self::of_data(0.0);

    /// So many, that vary as the data do.
    pub const fn of_data(count: f64) -> Self {
        Self {
            count,
            variance: PseudoVariance::OfData,
        }
    }
}

/// The variance of pseudo-observations.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PseudoVariance {
    /// That of all data, entry by entry: the unit of the data does not matter.
    #[default]
    OfData,
    /// A number, in the units of the data squared.
    #[serde(untagged)]
    Number(f64),
}

impl PseudoVariance {
    pub(in crate::hmm) fn check(self) -> Result<()> {
        match self {
            Self::Number(v) if !(v > 0.0 && v.is_finite()) => Err(Error::setting(
                "pseudo_variance",
                v,
                "of-data, or a variance above 0",
            )),
            _ => Ok(()),
        }
    }
}
