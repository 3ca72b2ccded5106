//! The form of a model with inputs in a file.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::model::DrivenGaussian;
use crate::gaussian::LinearGaussian;
use crate::gaussian::model::{file, matrix, rows};
use crate::{Error, Result};

/// The keys of a linear-Gaussian model, and `inputs`, `control` (B), `direct` (D); entries of `observation` may be names of
/// inputs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    inputs: Vec<String>,
    transition: Vec<Vec<f64>>,
    #[serde(default)]
    bias: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    control: Option<Vec<Vec<f64>>>,
    process_noise: Vec<Vec<f64>>,
    observation: Vec<Vec<Entry>>,
    #[serde(default)]
    offset: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direct: Option<Vec<Vec<f64>>>,
    observation_noise: Vec<Vec<f64>>,
    #[serde(default)]
    initial_mean: Option<Vec<f64>>,
    #[serde(default)]
    initial_covariance: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diffuse: Vec<bool>,
}

/// An entry of H.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Number(f64),
    Input(String),
}

impl TryFrom<Parts> for DrivenGaussian {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let number = |entry: &Entry| match entry {
            Entry::Number(v) => *v,
            Entry::Input(_) => 0.0,
        };
        let observed = parts.observation.iter();
        let base = LinearGaussian::try_from(file::Parts {
            transition: parts.transition,
            bias: parts.bias,
            process_noise: parts.process_noise,
            observation: observed
                .map(|row| row.iter().map(number).collect())
                .collect(),
            offset: parts.offset,
            observation_noise: parts.observation_noise,
            initial_mean: parts.initial_mean,
            initial_covariance: parts.initial_covariance,
            diffuse: parts.diffuse,
        })?;
        let mut model = Self::new(base, parts.inputs)?;
        if let Some(b) = parts.control {
            model = model.with_control(matrix("control", &b)?)?;
        }
        if let Some(d) = parts.direct {
            model = model.with_direct(matrix("direct", &d)?)?;
        }
        for (i, row) in parts.observation.iter().enumerate() {
            for (j, entry) in row.iter().enumerate() {
                if let Entry::Input(name) = entry {
                    model = model.with_regressor(i, j, name)?;
                }
            }
        }
        Ok(model)
    }
}

impl From<DrivenGaussian> for Parts {
    fn from(model: DrivenGaussian) -> Self {
        let base = file::Parts::from(model.base);
        let mut observation: Vec<Vec<Entry>> = base
            .observation
            .into_iter()
            .map(|row| row.into_iter().map(Entry::Number).collect())
            .collect();
        for r in &model.regressors {
            observation[r.row][r.state] = Entry::Input(model.names[r.input].clone());
        }
        let some = |m: &DMatrix<f64>| m.iter().any(|v| *v != 0.0).then(|| rows(m));
        Self {
            control: some(&model.control),
            direct: some(&model.direct),
            inputs: model.names,
            transition: base.transition,
            bias: base.bias,
            process_noise: base.process_noise,
            observation,
            offset: base.offset,
            observation_noise: base.observation_noise,
            initial_mean: base.initial_mean,
            initial_covariance: base.initial_covariance,
            diffuse: base.diffuse,
        }
    }
}
