//! The form of a model in a file.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::law::CountLaw;
use super::model::Plds;
use crate::gaussian::{matrix, rows};
use crate::math::lyapunov::stationary_covariance;
use crate::{Error, Result};

/// The keys of a file. Those that may be left out: `law` (poisson), `exposure` (1), `bias` (0), and the start: without
/// `initial_mean` and `initial_covariance` that of the stationary distribution, which F must then have.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    #[serde(default = "poisson")]
    law: CountLaw,
    #[serde(default = "one")]
    exposure: f64,
    transition: Vec<Vec<f64>>,
    #[serde(default)]
    bias: Option<Vec<f64>>,
    process_noise: Vec<Vec<f64>>,
    loadings: Vec<Vec<f64>>,
    offset: Vec<f64>,
    #[serde(default)]
    initial_mean: Option<Vec<f64>>,
    #[serde(default)]
    initial_covariance: Option<Vec<Vec<f64>>>,
}

fn poisson() -> CountLaw {
    CountLaw::Poisson
}

fn one() -> f64 {
    1.0
}

impl TryFrom<Parts> for Plds {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let f = matrix("transition", &parts.transition)?;
        let q = matrix("process_noise", &parts.process_noise)?;
        let n = f.nrows();
        let model = Self::from_rows(
            parts.law,
            &parts.transition,
            &parts.process_noise,
            &parts.loadings,
            &parts.offset,
        )?;
        let bias = parts
            .bias
            .map_or_else(|| DVector::zeros(n), DVector::from_vec);
        let model = model
            .with_bias(bias.clone())?
            .with_exposure(parts.exposure)?;
        let covariance = match parts.initial_covariance {
            Some(rows) => matrix("initial_covariance", &rows)?,
            None => stationary_covariance(&f, &q).ok_or_else(|| {
                let expected =
                    "a covariance: these dynamics have no stationary distribution to start from";
                Error::size("initial_covariance", "none", expected)
            })?,
        };
        let mean = match parts.initial_mean {
            Some(mean) => DVector::from_vec(mean),
            None => (DMatrix::identity(n, n) - f)
                .lu()
                .solve(&bias)
                .unwrap_or_else(|| DVector::zeros(n)),
        };
        model.with_initial(mean, covariance)
    }
}

impl From<Plds> for Parts {
    fn from(model: Plds) -> Self {
        Self {
            law: model.law(),
            exposure: model.exposure(),
            transition: rows(model.transition()),
            bias: Some(model.bias().as_slice().to_vec()),
            process_noise: rows(model.process_noise()),
            loadings: rows(model.loadings()),
            offset: model.offset().as_slice().to_vec(),
            initial_mean: Some(model.initial_mean().as_slice().to_vec()),
            initial_covariance: Some(rows(model.initial_covariance())),
        }
    }
}
