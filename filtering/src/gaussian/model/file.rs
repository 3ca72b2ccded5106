//! The form of a linear-Gaussian model in a file.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::LinearGaussian;
use crate::gaussian::matrices::{matrix, rows};
use crate::gaussian::start_kind::Start;
use crate::{Error, Result};

/// The keys of a file. Those that may be left out: `bias` and `offset` (0), `state_names`, and the start: without `initial_mean`,
/// `initial_covariance` and `diffuse`, that of the stationary distribution where F has one, and else diffuse in all states.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::gaussian) struct Parts {
    pub transition: Vec<Vec<f64>>,
    #[serde(default)]
    pub bias: Option<Vec<f64>>,
    pub process_noise: Vec<Vec<f64>>,
    pub observation: Vec<Vec<f64>>,
    #[serde(default)]
    pub offset: Option<Vec<f64>>,
    pub observation_noise: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_mean: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_covariance: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffuse: Vec<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_names: Vec<String>,
}

impl TryFrom<Parts> for LinearGaussian {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let model = Self::new(
            matrix("transition", &parts.transition)?,
            matrix("process_noise", &parts.process_noise)?,
            matrix("observation", &parts.observation)?,
            matrix("observation_noise", &parts.observation_noise)?,
        )?;
        let (n, m) = (model.states(), model.width());
        let vector = |given: Option<Vec<f64>>, size: usize| {
            given.map_or_else(|| DVector::zeros(size), DVector::from_vec)
        };
        let model = model
            .with_bias(vector(parts.bias, n), vector(parts.offset, m))?
            .with_state_names(parts.state_names)?;
        let (mean, covariance) = (parts.initial_mean, parts.initial_covariance);
        if mean.is_none() && covariance.is_none() && parts.diffuse.is_empty() {
            return match model.stationary() {
                Some(_) => model.with_stationary_start(),
                None => model.with_diffuse(&vec![true; n]),
            };
        }
        let covariance = match covariance {
            Some(rows) => matrix("initial_covariance", &rows)?,
            None if parts.diffuse.is_empty() => {
                let expected = "a covariance beside initial_mean";
                return Err(Error::size("initial_covariance", "none", expected));
            }
            None => DMatrix::zeros(n, n),
        };
        let model = model.with_initial(vector(mean, n), covariance)?;
        match parts.diffuse.is_empty() {
            true => Ok(model),
            false => model.with_diffuse(&parts.diffuse),
        }
    }
}

impl From<LinearGaussian> for Parts {
    fn from(model: LinearGaussian) -> Self {
        // A stationary start is left out: it is that of the other parameters.
        let given = model.start == Start::Given;
        Self {
            transition: rows(&model.transition),
            bias: Some(model.bias.as_slice().to_vec()),
            process_noise: rows(&model.process_noise),
            observation: rows(&model.observation),
            offset: Some(model.offset.as_slice().to_vec()),
            observation_noise: rows(&model.observation_noise),
            initial_mean: given.then(|| model.initial_mean.as_slice().to_vec()),
            initial_covariance: given.then(|| rows(&model.initial_covariance)),
            diffuse: model.diffuse,
            state_names: model.state_names,
        }
    }
}
