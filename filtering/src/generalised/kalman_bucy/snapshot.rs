//! Snapshots of the Kalman–Bucy filter.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::{CovarianceMode, KalmanBucy, WhiteNoiseSystem};
use crate::{Error, Result};

/// The system and the belief. A filter serialises as this; going on from it gives the same numbers bit for bit, if
/// the format keeps every digit, because all else is computed again from the same numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KalmanBucySnapshot {
    /// The system.
    pub system: WhiteNoiseSystem,
    /// Δ.
    pub step: f64,
    /// How the covariance moves.
    #[serde(rename = "gain")]
    pub covariance_mode: CovarianceMode,
    /// x̂ `[n]`.
    pub mean: Vec<f64>,
    /// P `[n, n]`.
    pub covariance: DMatrix<f64>,
    /// Samples taken in.
    pub seen: u64,
}

impl From<KalmanBucy> for KalmanBucySnapshot {
    fn from(filter: KalmanBucy) -> Self {
        Self {
            mean: filter.mean.as_slice().to_vec(),
            system: filter.system,
            step: filter.dt,
            covariance_mode: filter.covariance_mode,
            covariance: filter.covariance,
            seen: filter.seen,
        }
    }
}

impl TryFrom<KalmanBucySnapshot> for KalmanBucy {
    type Error = Error;

    /// # Errors
    /// As [`KalmanBucy::new`]; a mean or covariance of another size, not finite, or with a negative variance.
    fn try_from(kept: KalmanBucySnapshot) -> Result<Self> {
        let mut filter = Self::new(kept.system, kept.step, kept.covariance_mode)?;
        let n = filter.mean.len();
        if kept.mean.len() != n {
            return Err(Error::size("snapshot: mean", kept.mean.len(), n));
        }
        if kept.covariance.shape() != (n, n) {
            let found = format!("{:?}", kept.covariance.shape());
            let expected = format!("({n}, {n})");
            return Err(Error::size("snapshot: covariance", found, expected));
        }
        let numbers = kept.mean.iter().chain(kept.covariance.iter());
        if let Some(v) = numbers.copied().find(|v| !v.is_finite()) {
            return Err(Error::entry("snapshot", &[], v, "finite numbers"));
        }
        if let Some((i, &v)) =
            (kept.covariance.diagonal().iter().enumerate()).find(|(_, v)| **v < 0.0)
        {
            let expected = "a variance, at least 0";
            return Err(Error::entry("snapshot: covariance", &[i, i], v, expected));
        }
        filter.mean = DVector::from_vec(kept.mean);
        filter.covariance = kept.covariance;
        filter.seen = kept.seen;
        Ok(filter)
    }
}
