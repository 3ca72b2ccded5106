//! What is free of the parameters, and the priors of parameters and log-precisions.

use nalgebra::{DMatrix, DVector};

use super::stacked_precision::StackedPrecision;
use crate::Result;
use crate::generalised::embedded::energy::regular_inverse;
use crate::generalised::model::{Equations, GaussianPrior, GenerativeModel};

/// Priors as learning needs them.
pub(crate) struct Priors {
    pub free: Free,
    /// P_p `[free, free]`.
    pub parameters: DMatrix<f64>,
    /// P_h.
    pub log_precisions: DMatrix<f64>,
}

impl Priors {
    pub fn new<E: Equations>(model: &GenerativeModel<E>, noise: &StackedPrecision) -> Result<Self> {
        let free = Free::new(model.levels.iter().map(|l| &l.parameters));
        let parameters = regular_inverse("prior of the parameters", &free.covariance)?;
        let log_precisions = regular_inverse("prior of the log-precisions", &noise.covariance)?;
        Ok(Self {
            free,
            parameters,
            log_precisions,
        })
    }
}

/// The free directions of the parameters of all levels, with their prior.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Free {
    /// U `[parameters, free]`.
    pub basis: DMatrix<f64>,
    /// The prior mean of θ.
    pub mean: DVector<f64>,
    /// The prior covariance of ε `[free, free]`.
    pub covariance: DMatrix<f64>,
}

impl Free {
    pub fn new<'a>(priors: impl Iterator<Item = &'a GaussianPrior>) -> Self {
        let priors: Vec<_> = priors.collect();
        let size = priors.iter().map(|p| p.mean.len()).sum();
        let mut covariance = DMatrix::zeros(size, size);
        let mut mean = DVector::zeros(size);
        let mut at = 0;
        for prior in priors {
            let n = prior.mean.len();
            mean.rows_mut(at, n).copy_from(&prior.mean);
            let mut place = covariance.view_mut((at, at), (n, n));
            place.copy_from(&prior.covariance);
            at += n;
        }
        let diagonal = DMatrix::from_diagonal(&covariance.diagonal()) == covariance;
        let columns: Vec<DVector<f64>> = if diagonal {
            (0..size)
                .filter(|&i| covariance[(i, i)] > 0.0)
                .map(|i| DVector::from_fn(size, |j, _| f64::from(u8::from(i == j))))
                .collect()
        } else {
            let eigen = covariance.clone().symmetric_eigen();
            let largest = eigen.eigenvalues.amax();
            (0..size)
                .filter(|&i| eigen.eigenvalues[i] > 1e-12 * largest)
                .map(|i| eigen.eigenvectors.column(i).into_owned())
                .collect()
        };
        let mut basis = DMatrix::zeros(size, columns.len());
        for (p, column) in columns.iter().enumerate() {
            basis.set_column(p, column);
        }
        Self {
            covariance: basis.transpose() * covariance * &basis,
            basis,
            mean,
        }
    }

    pub fn len(&self) -> usize {
        self.basis.ncols()
    }

    /// θ at ε.
    pub fn at(&self, deviation: &DVector<f64>) -> Vec<f64> {
        (&self.mean + &self.basis * deviation).as_slice().to_vec()
    }

    /// The covariance of θ for that of ε.
    pub fn covariance_of(&self, spread: &DMatrix<f64>) -> DMatrix<f64> {
        &self.basis * spread * self.basis.transpose()
    }
}
