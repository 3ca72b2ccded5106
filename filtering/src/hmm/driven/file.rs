//! The form of a model in a file.

use serde::{Deserialize, Serialize};

use super::model::DrivenHmm;
use crate::hmm::{AnyEmission, Hmm};
use crate::{Error, Result};

/// The keys of a hidden Markov model, and those of its transitions: `transition_inputs`, `transition_weights` (w), and
/// `transition_origin` (v₀), 0 where it is left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    initial: Vec<f64>,
    transition: Vec<Vec<f64>>,
    transition_inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transition_origin: Vec<f64>,
    transition_weights: Vec<Vec<Vec<f64>>>,
    emission: AnyEmission,
}

impl TryFrom<Parts> for DrivenHmm {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let base = Hmm::new(parts.initial, parts.transition, parts.emission)?;
        let model = Self::new(base, parts.transition_inputs)?;
        let model = model.with_weights(parts.transition_weights)?;
        match parts.transition_origin.is_empty() {
            true => Ok(model),
            false => model.with_origin(parts.transition_origin),
        }
    }
}

impl From<DrivenHmm> for Parts {
    fn from(model: DrivenHmm) -> Self {
        let (k, m) = (model.states(), model.origin().len());
        let base = model.base();
        let of_row =
            |row: &[f64]| -> Vec<Vec<f64>> { row.chunks(m).map(<[f64]>::to_vec).collect() };
        Self {
            initial: base.initial().to_vec(),
            transition: base.transition().chunks(k).map(<[f64]>::to_vec).collect(),
            transition_inputs: model.transition_inputs(),
            transition_origin: match model.origin().iter().all(|v| *v == 0.0) {
                true => Vec::new(),
                false => model.origin().to_vec(),
            },
            transition_weights: model.weights().chunks(k * m).map(of_row).collect(),
            emission: base.emission().clone(),
        }
    }
}
