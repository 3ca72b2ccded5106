//! Embedding orders and smoothness, which the schemes share.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Embedding orders and assumed smoothness, in bins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Embedding {
    /// The highest derivative of states and data that is kept (N).
    pub states: usize,
    /// The highest derivative of causes that is kept (d).
    pub causes: usize,
    /// The smoothness s of the noise in bins: its autocorrelation is exp(−h²/4s²); 0 for white noise.
    pub smoothness: f64,
}

impl Default for Embedding {
    /// N = 6, d = 2 and s = ½: the defaults of the published schemes.
    fn default() -> Self {
        Self {
            states: 6,
            causes: 2,
            smoothness: 0.5,
        }
    }
}

impl Embedding {
    /// Checks that the smoothness is a time and the orders are not absurd.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        /// Noise that is smooth over more bins is sampled too finely to tell anything; work and memory grow with it.
        const SMOOTHEST: f64 = 1000.0;
        if !(0.0..=SMOOTHEST).contains(&self.smoothness) {
            return Err(Error::setting(
                "embedding.smoothness",
                self.smoothness,
                "a time in bins from 0 to 1000; of a smoother series take every n-th bin",
            ));
        }
        for (field, order) in [
            ("embedding.states", self.states),
            ("embedding.causes", self.causes),
        ] {
            if order > 15 {
                return Err(Error::setting(field, order, "an order up to 15"));
            }
        }
        Ok(())
    }
}
