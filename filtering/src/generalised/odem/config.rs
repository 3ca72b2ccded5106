//! Settings of online triple estimation.

use serde::{Deserialize, Serialize};

use crate::generalised::causal::{CausalConfig, Linearisation, NoiseShape};
use crate::{Error, Result};

/// How free parameters are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterRule {
    /// By the score of the innovations, like log-precisions: one more filter for each. Right in the limit
    /// even where parameters multiply states that are hardly known.
    #[default]
    Score,
    /// As states that do not move: one filter for all, and their covariance with the states is carried. With
    /// much noise such estimates can be biased, because the gain's dependence on θ is left out (Ljung 1979).
    State,
}

/// Settings of [`super::Odem`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OdemConfig {
    /// The filter of the fast states. Its `learn_parameters` and `outlier_threshold` are overruled: the first by
    /// `parameters`, the second by never, because the score needs a filter that depends smoothly on what is
    /// learned.
    pub filter: CausalConfig,
    /// How free parameters are estimated.
    pub parameters: ParameterRule,
    /// How much of the information about what is learned slowly is kept from bin to bin: 1 for what does not
    /// change (steps then fall as 1/t), below 1 to follow what does.
    #[serde(alias = "memory")]
    pub forgetting_factor: f64,
    /// The largest change in one bin, in prior standard deviations.
    pub largest_step: f64,
}

impl Default for OdemConfig {
    /// Motion noise of smoothness 2 and order 2: a model
    /// that is wrong is wrong in the same direction for longer than a bin. Tangents, because a filter runs
    /// for each unknown precision. What is learned is constant. Steps up to a quarter of a prior deviation: one
    /// outlier cannot undo what was learned.
    fn default() -> Self {
        let filter = CausalConfig {
            linearisation: Linearisation::Tangent,
            motion: NoiseShape::Sampled {
                smoothness: 2.0,
                order: 2,
            },
            noise_lags: 3,
            ..CausalConfig::default()
        };
        Self {
            filter,
            parameters: ParameterRule::Score,
            forgetting_factor: 1.0,
            largest_step: 0.25,
        }
    }
}

impl OdemConfig {
    pub(super) fn check(&self) -> Result<()> {
        self.filter.check()?;
        if !(self.forgetting_factor > 0.0 && self.forgetting_factor <= 1.0) {
            return Err(Error::setting(
                "forgetting_factor",
                self.forgetting_factor,
                "above 0, up to 1",
            ));
        }
        if !(self.largest_step > 0.0 && self.largest_step.is_finite()) {
            let found = self.largest_step;
            return Err(Error::setting("largest_step", found, "a positive number"));
        }
        Ok(())
    }
}
