//! The form of a regression in a file.

use serde::{Deserialize, Serialize};

use super::centre::Centre;
use super::family::Family;
use super::moments::{checked_triangles, packed_len};
use super::{Information, Regression};
use crate::hmm::emission::origin::{checked_origin, written};
use crate::hmm::emission_rows::nested;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exposure: Option<String>,
    weights: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variances: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origin: Vec<f64>,
    /// Lower triangles `[K]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    information: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    centre: Option<Centre>,
}

impl<F: Family> TryFrom<Parts> for Regression<F> {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let mut new = Self::new(parts.inputs, parts.weights)?;
        if let Some(name) = parts.exposure {
            new = new.with_exposure(&name)?;
        }
        new = match parts.variances {
            Some(variances) => new.with_variances(variances)?,
            None if F::VARIANCE => {
                return Err(Error::size("variances", "none", "one for each state"));
            }
            None => new,
        };
        let m = new.weights_len();
        new.origin = checked_origin(parts.origin, m)?;
        let states = new.weights.len() / m;
        let triangles = checked_triangles("information", &parts.information, states, m)?;
        new.information = Information(triangles);
        if let Some(centre) = parts.centre {
            new.centre = centre.checked(m - 1)?;
        }
        Ok(new)
    }
}

impl<F: Family> From<Regression<F>> for Parts {
    fn from(r: Regression<F>) -> Self {
        let m = r.weights_len();
        Self {
            inputs: r.names[..r.inputs_len()].to_vec(),
            exposure: r.names.get(r.inputs_len()).cloned(),
            weights: nested(&r.weights, m),
            variances: F::VARIANCE.then_some(r.variances),
            origin: written(r.origin),
            information: nested(&r.information.0, packed_len(m)),
            centre: r.centre.is_some().then_some(r.centre),
        }
    }
}
