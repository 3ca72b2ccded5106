//! Which gradient of F is learned from.

use serde::{Deserialize, Serialize};

/// A gradient of the mean free energy by the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningGradient {
    /// Of F as a function of the parameters, by backpropagation through the steps of inference.
    #[default]
    ThroughInference,
    /// With all beliefs held fixed ([`FixedBelief`](scotopic::inference::FixedBelief)): local rules, in memory that
    /// does not grow with the steps.
    FixedBeliefs,
}
