//! S with S Sᵀ = Σ: the factor of a covariance, and the points that it spreads.

use crate::math::square::{cholesky, combine_rows, invert_lower, transpose};
use crate::{Error, Result};

/// The Cholesky factor of a covariance that is named where it is none, `[n, n]` in place.
pub(super) fn factor(name: &str, covariance: &mut [f64], n: usize) -> Result<()> {
    cholesky(covariance, n).map_err(|(pivot, value)| Error::NotPositiveDefinite {
        name: name.to_owned(),
        pivot,
        value,
    })
}

/// S, Sᵀ and S⁻¹, in memory that is kept.
#[derive(Debug, Clone)]
pub(super) struct Root {
    n: usize,
    /// S `[n, n]`.
    pub lower: Vec<f64>,
    /// Its transpose, whose rows z combines.
    rows: Vec<f64>,
    /// S⁻¹, after [`Root::invert`].
    pub inverse: Vec<f64>,
}

impl Root {
    pub fn zero(n: usize) -> Self {
        let matrix = || vec![0.0; n * n];
        Self {
            n,
            lower: matrix(),
            rows: matrix(),
            inverse: matrix(),
        }
    }

    /// Takes a covariance; `false` if it is not positive definite.
    pub fn take(&mut self, covariance: &[f64]) -> bool {
        self.lower.copy_from_slice(covariance);
        let possible = cholesky(&mut self.lower, self.n).is_ok();
        if possible {
            transpose(&self.lower, &mut self.rows, self.n);
        }
        possible
    }

    pub fn invert(&mut self) {
        invert_lower(&self.lower, &mut self.inverse, self.n);
    }

    /// S z.
    pub fn spread(&self, z: &[f64], into: &mut [f64]) {
        combine_rows(&self.rows, z, into);
    }

    /// mean + S z.
    pub fn point(&self, z: &[f64], mean: &[f64], into: &mut [f64]) {
        self.spread(z, into);
        for (x, m) in into.iter_mut().zip(mean) {
            *x += m;
        }
    }
}
