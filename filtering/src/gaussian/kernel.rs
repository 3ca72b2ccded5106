//! The backward kernel b_t(x_{t−1}|x_t) = N(E x_t + f, L), and the one that is optimal.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::belief::Gaussian;
use super::matrices::{check_covariance, check_matrix, check_vector, matrix, rows};
use super::model::LinearGaussian;
use crate::math::cholesky::{cholesky, semidefinite_root, symmetric};
use crate::{Error, Result};

/// x_{t−1} | x_t ~ N(E x_t + f, L), E `[n, n]`, f `[n]`, L `[n, n]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct GaussianKernel {
    pub(crate) gain: DMatrix<f64>,
    pub(crate) offset: DVector<f64>,
    pub(crate) covariance: DMatrix<f64>,
}

impl GaussianKernel {
    /// A kernel of any kind, optimal or not.
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together,
    /// [`Error::Entry`] for an entry that is not finite or an L that is not symmetric,
    /// [`Error::NotPositiveDefinite`] for an L that is not positive
    /// semi-definite.
    pub fn new(gain: DMatrix<f64>, offset: DVector<f64>, covariance: DMatrix<f64>) -> Result<Self> {
        let n = offset.len();
        check_matrix("E", &gain, n, n)?;
        check_vector("f", &offset, n)?;
        let covariance = check_covariance("covariance of the kernel", covariance, n)?;
        semidefinite_root("covariance of the kernel", &covariance)?;
        Ok(Self {
            gain,
            offset,
            covariance,
        })
    }

    /// E `[n, n]`.
    pub fn gain(&self) -> &DMatrix<f64> {
        &self.gain
    }

    /// f `[n]`.
    pub fn offset(&self) -> &DVector<f64> {
        &self.offset
    }

    /// L `[n, n]`.
    pub fn covariance(&self) -> &DMatrix<f64> {
        &self.covariance
    }

    /// The kernel p(x_{t−1} | x_t, y_{1:t−1}) where the belief about x_{t−1} is N(m, P),
    ///
    /// ```text
    /// E = P Fᵀ (F P Fᵀ + Q)⁻¹,   f = m − E (F m + b),   L = (I − E F) P (I − E F)ᵀ + E Q Eᵀ.
    /// ```
    ///
    /// L is written as a sum of two covariances: the shorter P − E (F P Fᵀ + Q) Eᵀ is a difference of nearly
    /// equal matrices where Q is small.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where a direction of the prediction
    /// has no variance.
    pub fn optimal(model: &LinearGaussian, belief: &Gaussian) -> Result<Self> {
        let (f, q) = (model.transition(), model.process_noise());
        let (m, p) = (&belief.mean, &belief.covariance);
        let moved = f * p;
        let predicted = symmetric(&moved * f.transpose() + q);
        let gain = cholesky("covariance of the predicted state", &predicted)?
            .solve(&moved)
            .transpose();
        let n = m.len();
        let left = DMatrix::identity(n, n) - &gain * f;
        let covariance = &left * p * left.transpose() + &gain * q * gain.transpose();
        Ok(Self {
            offset: m - &gain * (f * m + model.bias()),
            covariance: symmetric(covariance),
            gain,
        })
    }

    /// The belief about x_{t−1} that a belief N(m, P) about x_t implies: N(E m + f, L + E P Eᵀ).
    pub fn push(&self, later: &Gaussian) -> Gaussian {
        let covariance = &self.gain * &later.covariance * self.gain.transpose();
        Gaussian {
            mean: &self.gain * &later.mean + &self.offset,
            covariance: symmetric(covariance + &self.covariance),
        }
    }

    /// Cov(x_{t−1}, x_t) = E P under a belief N(m, P) about x_t, `[n, n]`.
    pub fn cross_covariance(&self, later: &Gaussian) -> DMatrix<f64> {
        &self.gain * &later.covariance
    }
}

/// The form of a kernel in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    gain: Vec<Vec<f64>>,
    offset: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for GaussianKernel {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(
            matrix("gain", &parts.gain)?,
            parts.offset.into(),
            matrix("covariance", &parts.covariance)?,
        )
    }
}

impl From<GaussianKernel> for Parts {
    fn from(kernel: GaussianKernel) -> Self {
        Self {
            gain: rows(&kernel.gain),
            offset: kernel.offset.as_slice().to_vec(),
            covariance: rows(&kernel.covariance),
        }
    }
}
