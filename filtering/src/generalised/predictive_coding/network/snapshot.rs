//! Snapshots of the predictive coding network.

use serde::{Deserialize, Serialize};

use super::{PredictiveCoding, PredictiveCodingConfig};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result};

/// The model, the settings and the belief. A network serialises as this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictiveCodingSnapshot<E> {
    /// The model.
    pub model: GenerativeModel<E>,
    /// The settings.
    #[serde(rename = "settings")]
    pub config: PredictiveCodingConfig,
    /// μ, then μ' `[2n]`.
    pub belief: Vec<f64>,
    /// F after the last observation.
    pub free_energy: f64,
    /// Σ F.
    pub action: f64,
    /// Observations taken in.
    pub seen: u64,
}

impl<E: Equations> From<PredictiveCoding<E>> for PredictiveCodingSnapshot<E> {
    fn from(network: PredictiveCoding<E>) -> Self {
        network.into_snapshot()
    }
}

impl<E: Equations> TryFrom<PredictiveCodingSnapshot<E>> for PredictiveCoding<E> {
    type Error = Error;

    fn try_from(kept: PredictiveCodingSnapshot<E>) -> Result<Self> {
        Self::restore(kept)
    }
}
