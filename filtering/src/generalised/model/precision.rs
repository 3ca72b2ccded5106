//! Precisions of noise with known and unknown parts, and Gaussian priors.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A Gaussian prior N(mean, covariance); a direction without variance is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaussianPrior {
    /// The mean `[n]`.
    pub mean: DVector<f64>,
    /// The covariance `[n, n]`, zero where the value is known.
    pub covariance: DMatrix<f64>,
}

impl GaussianPrior {
    /// Known values: no variance.
    pub fn known(values: &[f64]) -> Self {
        Self {
            mean: DVector::from_column_slice(values),
            covariance: DMatrix::zeros(values.len(), values.len()),
        }
    }

    /// Independent entries with these means and variances, both `[n]`.
    ///
    /// # Errors
    /// [`Error::Size`] if the lengths differ; [`Error::Entry`] for a variance that is negative or not finite.
    pub fn independent(means: &[f64], variances: &[f64]) -> Result<Self> {
        if means.len() != variances.len() {
            return Err(Error::size("variances", variances.len(), means.len()));
        }
        for (i, &v) in variances.iter().enumerate() {
            if !(v >= 0.0 && v.is_finite()) {
                return Err(Error::entry("variances", &[i], v, "a variance, at least 0"));
            }
        }
        Ok(Self {
            mean: DVector::from_column_slice(means),
            covariance: DMatrix::from_diagonal(&DVector::from_column_slice(variances)),
        })
    }

    /// The entries that are not known: those with positive variance.
    pub fn free(&self) -> Vec<usize> {
        let variances = self.covariance.diagonal();
        (0..self.mean.len())
            .filter(|&i| variances[i] > 0.0)
            .collect()
    }

    pub(crate) fn check(&self, name: &str, size: usize) -> Result<()> {
        let n = self.mean.len();
        if n != size {
            return Err(Error::size(format!("{name}.mean"), n, size));
        }
        if self.covariance.shape() != (n, n) {
            let found = format!("{:?}", self.covariance.shape());
            return Err(Error::size(
                format!("{name}.covariance"),
                found,
                format!("({n}, {n})"),
            ));
        }
        let finite = self.mean.iter().chain(self.covariance.iter());
        match finite.copied().find(|v| !v.is_finite()) {
            Some(v) => Err(Error::entry(name, &[], v, "finite numbers")),
            None => Ok(()),
        }
    }
}

/// The precision of one noise, Π(h) = V + Σ_j e^{h_j} Q_j, with log-precisions h ~ N(mean, covariance).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoisePrecision {
    /// The known part V `[n, n]`.
    pub fixed: DMatrix<f64>,
    /// The components Q_j `[n, n]` whose scales e^{h_j} are unknown; often none.
    pub components: Vec<DMatrix<f64>>,
    /// The prior of h, one entry per component.
    pub log_precision: GaussianPrior,
}

impl NoisePrecision {
    /// A known precision matrix.
    pub fn known(precision: DMatrix<f64>) -> Self {
        Self {
            fixed: precision,
            components: Vec::new(),
            log_precision: GaussianPrior::known(&[]),
        }
    }

    /// The known precision `precision`·I of `size` entries.
    pub fn scalar(size: usize, precision: f64) -> Self {
        Self::known(DMatrix::identity(size, size) * precision)
    }

    /// The unknown precision e^h I of `size` entries, h ~ N(mean, variance).
    pub fn unknown(size: usize, mean: f64, variance: f64) -> Self {
        Self {
            fixed: DMatrix::zeros(size, size),
            components: vec![DMatrix::identity(size, size)],
            log_precision: GaussianPrior {
                mean: DVector::from_element(1, mean),
                covariance: DMatrix::from_element(1, 1, variance),
            },
        }
    }

    /// The number of entries of the noise.
    pub fn size(&self) -> usize {
        self.fixed.nrows()
    }

    /// Π(h), `[n, n]`, at the log-precisions `h`, one per component.
    pub fn at(&self, h: &[f64]) -> DMatrix<f64> {
        let mut precision = self.fixed.clone();
        for (component, &h) in self.components.iter().zip(h) {
            precision += component * libm::exp(h);
        }
        precision
    }

    /// Π at the prior mean of the log-precisions.
    pub fn expected(&self) -> DMatrix<f64> {
        self.at(self.log_precision.mean.as_slice())
    }

    /// Checks shapes and that Π at the prior mean is positive definite.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`], [`Error::NotPositiveDefinite`], each naming `name`.
    pub fn check(&self, name: &str, size: usize) -> Result<()> {
        let shape = (size, size);
        for part in std::iter::once(&self.fixed).chain(&self.components) {
            if part.shape() != shape {
                return Err(Error::size(
                    name,
                    format!("{:?}", part.shape()),
                    format!("{shape:?}"),
                ));
            }
            if let Some(v) = part.iter().copied().find(|v| !v.is_finite()) {
                return Err(Error::entry(name, &[], v, "finite numbers"));
            }
        }
        self.log_precision
            .check(&format!("{name}.log_precision"), self.components.len())?;
        let precision = self.expected();
        match precision.clone().cholesky() {
            Some(_) => Ok(()),
            None => Err(Error::NotPositiveDefinite {
                name: name.to_owned(),
                pivot: 0,
                value: precision.diagonal().min(),
            }),
        }
    }
}
