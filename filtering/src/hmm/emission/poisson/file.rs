//! The form of Poisson emissions in a file.

use serde::{Deserialize, Serialize};

use super::Poisson;
use crate::hmm::emission::covariates::Unit;
use crate::hmm::emission_rows::nested;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    rates: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exposure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_exposure: Option<f64>,
}

impl TryFrom<Parts> for Poisson {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let new = Self::new(parts.rates)?;
        let mut new = match parts.exposure {
            Some(name) => new.with_exposure(&name)?,
            None => new,
        };
        new.unit = Unit::read(parts.mean_exposure)?;
        Ok(new)
    }
}

impl From<Poisson> for Parts {
    fn from(p: Poisson) -> Self {
        Self {
            rates: nested(p.rates(), p.width),
            mean_exposure: p.unit.written(),
            exposure: p.exposure.first().cloned(),
        }
    }
}
