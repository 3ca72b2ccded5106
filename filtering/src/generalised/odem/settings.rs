//! Settings of online triple estimation.

use serde::{Deserialize, Serialize};

use crate::generalised::causal::{CausalSettings, Linearisation, NoiseShape};
use crate::{Error, Result};

/// Settings of [`super::Odem`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OdemSettings {
    /// The filter of the fast states.
    pub filter: CausalSettings,
    /// How much of the information about log-precisions is kept from bin to bin: 1 for precisions that do
    /// not change (steps then fall as 1/t), below 1 to follow them.
    pub memory: f64,
    /// The largest change of a log-precision in one bin.
    pub largest_step: f64,
}

impl Default for OdemSettings {
    /// Free parameters are filtered along with the states. Motion noise of smoothness 2 and order 2: a model
    /// that is wrong is wrong in the same direction for longer than a bin. Tangents, because a filter runs
    /// for each unknown precision. Precisions are constant. A step of ½ changes a standard deviation by a
    /// quarter: one outlier cannot undo what was learned.
    fn default() -> Self {
        let filter = CausalSettings {
            learn_parameters: true,
            linearisation: Linearisation::Tangent,
            motion: NoiseShape::Sampled {
                smoothness: 2.0,
                order: 2,
            },
            memory: 3,
            ..CausalSettings::default()
        };
        Self {
            filter,
            memory: 1.0,
            largest_step: 0.5,
        }
    }
}

impl OdemSettings {
    pub(super) fn check(&self) -> Result<()> {
        self.filter.check()?;
        if !(self.memory > 0.0 && self.memory <= 1.0) {
            return Err(Error::setting("memory", self.memory, "above 0, up to 1"));
        }
        if !(self.largest_step > 0.0 && self.largest_step.is_finite()) {
            let found = self.largest_step;
            return Err(Error::setting("largest_step", found, "a positive number"));
        }
        Ok(())
    }
}
