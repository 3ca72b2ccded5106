//! N(μ, Σ): a belief about one state.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::flat::LN_2_PI;
use super::matrices::{check_covariance, check_vector, matrix, rows};
use crate::math::cholesky::{cholesky, log_det, semidefinite_root};
use crate::{Error, Result};

/// A Gaussian N(μ, Σ), μ `[n]`, Σ `[n, n]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Gaussian {
    pub(crate) mean: DVector<f64>,
    pub(crate) covariance: DMatrix<f64>,
}

impl Gaussian {
    /// N(μ, Σ); Σ may have directions of no variance.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`] and [`Error::NotPositiveDefinite`], as for a model's P0.
    pub fn new(mean: DVector<f64>, covariance: DMatrix<f64>) -> Result<Self> {
        let covariance = check_covariance("covariance", covariance, mean.len())?;
        check_vector("mean", &mean, covariance.nrows())?;
        semidefinite_root("covariance", &covariance)?;
        Ok(Self { mean, covariance })
    }

    /// From rows after rows, unchecked.
    pub(crate) fn from_flat(mean: &[f64], covariance: &[f64]) -> Self {
        Self {
            mean: DVector::from_column_slice(mean),
            covariance: DMatrix::from_row_slice(mean.len(), mean.len(), covariance),
        }
    }

    /// μ `[n]`.
    pub fn mean(&self) -> &DVector<f64> {
        &self.mean
    }

    /// Σ `[n, n]`.
    pub fn covariance(&self) -> &DMatrix<f64> {
        &self.covariance
    }

    /// n.
    pub fn states(&self) -> usize {
        self.mean.len()
    }

    /// ½ ln|2πe Σ|, in nats.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where a direction has no variance: the entropy is −∞ there.
    pub fn entropy(&self) -> Result<f64> {
        entropy("covariance", &self.covariance)
    }
}

/// ½ ln|2πe Σ|, in nats.
pub(crate) fn entropy(name: &str, covariance: &DMatrix<f64>) -> Result<f64> {
    let n = covariance.nrows() as f64;
    Ok(0.5 * (n * (LN_2_PI + 1.0) + log_det(&cholesky(name, covariance)?)))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

/// A belief from a file is checked for sizes, finite numbers, symmetry and negative variances. It is not
/// factored: after many exact observations a direction of a filter's belief may have lost all its digits,
/// and a snapshot of that filter must still be read.
impl TryFrom<Parts> for Gaussian {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let mean: DVector<f64> = parts.mean.into();
        let covariance = matrix("covariance", &parts.covariance)?;
        let covariance = check_covariance("covariance", covariance, mean.len())?;
        check_vector("mean", &mean, covariance.nrows())?;
        match (0..mean.len()).find(|&i| covariance[(i, i)] < 0.0) {
            None => Ok(Self { mean, covariance }),
            Some(i) => {
                let found = covariance[(i, i)];
                let expected = "a variance, 0 or above";
                Err(Error::entry("covariance", &[i, i], found, expected))
            }
        }
    }
}

impl From<Gaussian> for Parts {
    fn from(belief: Gaussian) -> Self {
        Self {
            mean: belief.mean.as_slice().to_vec(),
            covariance: rows(&belief.covariance),
        }
    }
}
