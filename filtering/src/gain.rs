//! The gain of running averages.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The gain γ_t = (t + t₀)^−α of observation t (from 0) in a running average.
///
/// The average before the first observation is what the initial model expects of a stationary stream; its weight
/// is ∏_t (1 − γ_t). t₀ = 1 therefore starts from nothing, γ_0 = 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gain {
    /// α ∈ (½, 1].
    pub exponent: f64,
    /// t₀ ≥ 1.
    pub offset: f64,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            // Slow enough that early, bad statistics are forgotten (α = 1 never does), fast enough that the
            // average over t^α observations is not noise (α = 0.6 is: an excess of 0.04 nats per observation
            // after 1e5 observations of 16 states, against 0.0004 with 0.8).
            exponent: 0.8,
            // The first M-steps see about 250 observations' worth of the initial model: it takes that many
            // before some thirty counts a state say more than the start.
            offset: 1000.0,
        }
    }
}

impl Gain {
    /// γ_t.
    pub(crate) fn at(&self, t: u64) -> f64 {
        // The same bits on every machine: a snapshot can continue elsewhere.
        libm::pow(t as f64 + self.offset, -self.exponent)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if !(self.exponent > 0.5 && self.exponent <= 1.0) {
            let expected = "above 0.5 (or the noise stays) and at most 1 (or learning stops)";
            return Err(Error::setting("gain.exponent", self.exponent, expected));
        }
        if !(self.offset >= 1.0 && self.offset.is_finite()) {
            return Err(Error::setting("gain.offset", self.offset, "at least 1"));
        }
        Ok(())
    }
}
