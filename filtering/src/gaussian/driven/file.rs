//! The form of a model with inputs in a file.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::elapsed::stationary_of_rates;
use super::model::DrivenGaussian;
use crate::gaussian::LinearGaussian;
use crate::gaussian::matrices::{matrix, rows};
use crate::gaussian::model::file;
use crate::{Error, Result};

/// The keys of a linear-Gaussian model, and `inputs`, `control` (B), `direct` (D); entries of `observation` may be names of
/// inputs. With `time`, a model of continuous time has `drift` (A) in place of `transition` and `diffusion` (Q_c) in place of
/// `process_noise`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transition: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    bias: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    control: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process_noise: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    diffusion: Option<Vec<Vec<f64>>>,
    observation: Vec<Vec<Entry>>,
    #[serde(default)]
    offset: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direct: Option<Vec<Vec<f64>>>,
    observation_noise: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial_mean: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial_covariance: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diffuse: Vec<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    state_names: Vec<String>,
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
        let timed = parts.time.is_some();
        if parts.inputs.is_empty() {
            let of_inputs = [("control", &parts.control), ("direct", &parts.direct)];
            if let Some((key, _)) = of_inputs.iter().find(|(_, matrix)| matrix.is_some()) {
                let expected = format!("the names of the columns that {key} multiplies");
                return Err(Error::size("inputs", "none", expected));
            }
        }
        let f = one_of(
            timed,
            parts.transition,
            parts.drift,
            ["transition", "drift"],
        )?;
        let names = ["process_noise", "diffusion"];
        let q = one_of(timed, parts.process_noise, parts.diffusion, names)?;
        let without_start = parts.initial_mean.is_none()
            && parts.initial_covariance.is_none()
            && parts.diffuse.is_empty();
        let observed = parts.observation.iter();
        let base = LinearGaussian::try_from(file::Parts {
            transition: f,
            bias: parts.bias,
            process_noise: q,
            observation: observed
                .map(|row| row.iter().map(number).collect())
                .collect(),
            offset: parts.offset,
            observation_noise: parts.observation_noise,
            initial_mean: parts.initial_mean,
            initial_covariance: parts.initial_covariance,
            diffuse: parts.diffuse,
            state_names: parts.state_names,
        });
        let mut base = base.map_err(|error| if timed { of_rates(error) } else { error })?;
        if timed && without_start {
            base = match stationary_of_rates(&base) {
                Some(_) => base.with_stationary_start_of_rates()?,
                None => {
                    let all = vec![true; base.states()];
                    base.with_diffuse(&all)?
                }
            };
        }
        let mut model = match &parts.time {
            Some(time) => Self::continuous(base, parts.inputs, time)?,
            None => Self::new(base, parts.inputs)?,
        };
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

/// The matrix of discrete or of continuous time, `names` being those of both.
fn one_of(
    timed: bool,
    discrete: Option<Vec<Vec<f64>>>,
    continuous: Option<Vec<Vec<f64>>>,
    names: [&str; 2],
) -> Result<Vec<Vec<f64>>> {
    match (timed, discrete, continuous) {
        (false, Some(matrix), None) | (true, None, Some(matrix)) => Ok(matrix),
        _ => {
            let (found, expected) = match timed {
                true => (
                    "the name of a column",
                    format!("{} in place of {}", names[1], names[0]),
                ),
                false => (
                    "none",
                    format!("the column of times, or {}, and not {}", names[0], names[1]),
                ),
            };
            Err(Error::size("time", found, expected))
        }
    }
}

/// The same error, of a model of continuous time: F and Q are its `drift` and `diffusion`.
fn of_rates(mut error: Error) -> Error {
    if let Error::Size { name, .. }
    | Error::Entry { name, .. }
    | Error::NotPositiveDefinite { name, .. } = &mut error
    {
        *name = name.replace("transition", "drift");
        *name = name.replace("process_noise", "diffusion");
    }
    error
}

impl From<DrivenGaussian> for Parts {
    fn from(model: DrivenGaussian) -> Self {
        let base = file::Parts::from(model.base);
        let mut names = model.names.clone();
        let time = if model.timed { names.pop() } else { None };
        let only = |own: bool, matrix: &Vec<Vec<f64>>| own.then(|| matrix.clone());
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
            inputs: names,
            time,
            transition: only(!model.timed, &base.transition),
            drift: only(model.timed, &base.transition),
            bias: base.bias,
            process_noise: only(!model.timed, &base.process_noise),
            diffusion: only(model.timed, &base.process_noise),
            observation,
            offset: base.offset,
            observation_noise: base.observation_noise,
            initial_mean: base.initial_mean,
            initial_covariance: base.initial_covariance,
            diffuse: base.diffuse,
            state_names: base.state_names,
        }
    }
}
