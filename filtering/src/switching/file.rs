//! The form of a model in a file.

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use super::model::Slds;
use crate::gaussian::{LinearGaussian, matrix, rows};
use crate::{Error, Result};

/// The keys of a file. `observation`, `offset` and `observation_noise` are of the model, or of every regime. Those that may be left out:
/// `bias` and `offset` (0).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    initial: Vec<f64>,
    transition: Vec<Vec<f64>>,
    initial_mean: Vec<f64>,
    initial_covariance: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observation: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observation_noise: Option<Vec<Vec<f64>>>,
    regimes: Vec<Regime>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regime {
    transition: Vec<Vec<f64>>,
    #[serde(default)]
    bias: Option<Vec<f64>>,
    process_noise: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observation: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observation_noise: Option<Vec<Vec<f64>>>,
}

/// What is said of a key by the model or by regime `k`, not by both.
fn said<'a, T>(
    key: &str,
    k: usize,
    shared: &'a Option<T>,
    own: &'a Option<T>,
) -> Result<Option<&'a T>> {
    match (shared, own) {
        (Some(_), Some(_)) => {
            let expected = "one place: of the model, or of each regime";
            Err(Error::size(
                format!("regimes[{k}].{key}"),
                "a second one",
                expected,
            ))
        }
        (shared, own) => Ok(shared.as_ref().or(own.as_ref())),
    }
}

impl Parts {
    fn regime(&self, k: usize, own: &Regime) -> Result<LinearGaussian> {
        let here = |key: &str| format!("regimes[{k}].{key}");
        let missing = |key: &str| {
            Error::size(
                key,
                "none",
                format!("one of the model, or {} of each regime", here(key)),
            )
        };
        let h = said("observation", k, &self.observation, &own.observation)?;
        let h = h.ok_or_else(|| missing("observation"))?;
        let r = said(
            "observation_noise",
            k,
            &self.observation_noise,
            &own.observation_noise,
        )?;
        let r = r.ok_or_else(|| missing("observation_noise"))?;
        let d = said("offset", k, &self.offset, &own.offset)?;
        // What the model has is called by its own name.
        let shared = [
            ("observation", self.observation.is_some()),
            ("observation_noise", self.observation_noise.is_some()),
            ("offset", self.offset.is_some()),
            ("initial_mean", true),
            ("initial_covariance", true),
        ];
        let called = |name: String| match shared.iter().any(|(key, of)| *of && name == *key) {
            true => name,
            false => here(&name),
        };
        let model = || -> Result<LinearGaussian> {
            let model = LinearGaussian::new(
                matrix("transition", &own.transition)?,
                matrix("process_noise", &own.process_noise)?,
                matrix("observation", h)?,
                matrix("observation_noise", r)?,
            )?;
            let vector = |given: Option<&Vec<f64>>, size: usize| {
                given.map_or_else(|| DVector::zeros(size), |v| DVector::from_column_slice(v))
            };
            let (n, m) = (model.states(), model.width());
            model
                .with_bias(vector(own.bias.as_ref(), n), vector(d, m))?
                .with_initial(
                    DVector::from_column_slice(&self.initial_mean),
                    matrix("initial_covariance", &self.initial_covariance)?,
                )
        };
        model().map_err(|e| e.renamed(called))
    }
}

impl TryFrom<Parts> for Slds {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let regimes = parts.regimes.iter().enumerate();
        let regimes = regimes.map(|(k, own)| parts.regime(k, own));
        let regimes = regimes.collect::<Result<Vec<_>>>()?;
        Self::new(parts.initial, parts.transition, regimes)
    }
}

impl From<Slds> for Parts {
    fn from(model: Slds) -> Self {
        let shared = model.shares_observation();
        let of = |model: &LinearGaussian, wanted: bool| {
            let h = wanted.then(|| rows(model.observation()));
            let d = wanted.then(|| model.offset().as_slice().to_vec());
            (h, d, wanted.then(|| rows(model.observation_noise())))
        };
        let start = model.start();
        let (observation, offset, observation_noise) = of(start, shared);
        let regimes = model.regimes().iter().map(|regime| {
            let (observation, offset, observation_noise) = of(regime, !shared);
            Regime {
                transition: rows(regime.transition()),
                bias: Some(regime.bias().as_slice().to_vec()),
                process_noise: rows(regime.process_noise()),
                observation,
                offset,
                observation_noise,
            }
        });
        let transition = model.transition().chunks_exact(model.regimes_len());
        Self {
            initial: model.initial().to_vec(),
            transition: transition.map(<[f64]>::to_vec).collect(),
            initial_mean: start.initial_mean().as_slice().to_vec(),
            initial_covariance: rows(start.initial_covariance()),
            observation,
            offset,
            observation_noise,
            regimes: regimes.collect(),
        }
    }
}
