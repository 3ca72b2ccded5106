//! The covariance of additive noise, with what densities need of it.

use super::root;
use crate::math::square::{apply, invert_lower, log_determinant, lower_gram, product};
use crate::{Error, Result};

/// Q⁻¹ `[n, n]`, and ln|2πQ|.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Noise {
    pub precision: Vec<f64>,
    pub log_determinant: f64,
    diagonal: bool,
    /// Q itself, not a number before it is known: the same again needs no factor.
    covariance: Vec<f64>,
}

impl Noise {
    pub fn new(name: &str, covariance: &[f64], n: usize) -> Result<Self> {
        let mut noise = Self {
            precision: vec![0.0; n * n],
            log_determinant: 0.0,
            diagonal: false,
            covariance: vec![f64::NAN; n * n],
        };
        let (mut a, mut b) = (vec![0.0; n * n], vec![0.0; n * n]);
        noise.refresh(name, covariance, n, &mut a, &mut b)?;
        Ok(noise)
    }

    /// Takes another covariance; the two scratch matrices are `[n, n]`. After an error the value is of no use.
    pub fn refresh(
        &mut self,
        name: &str,
        covariance: &[f64],
        n: usize,
        factor: &mut [f64],
        inverse: &mut [f64],
    ) -> Result<()> {
        if covariance.len() != n * n {
            let expected = format!("[{n}, {n}]");
            return Err(Error::size(name, covariance.len(), expected));
        }
        if self.covariance == covariance {
            return Ok(());
        }
        self.covariance.fill(f64::NAN);
        factor.copy_from_slice(covariance);
        root::factor(name, factor, n)?;
        let unit = n as f64 * std::f64::consts::TAU.ln();
        self.log_determinant = unit + log_determinant(factor, n);
        invert_lower(factor, inverse, n);
        lower_gram(inverse, &mut self.precision, n);
        self.diagonal = (0..n * n).all(|k| k % (n + 1) == 0 || self.precision[k] == 0.0);
        self.covariance.copy_from_slice(covariance);
        Ok(())
    }

    /// Q⁻¹A.
    pub fn product(&self, a: &[f64], into: &mut [f64], n: usize) {
        if self.diagonal {
            let rows = into.chunks_exact_mut(n).zip(a.chunks_exact(n));
            for (i, (into, row)) in rows.enumerate() {
                let precision = self.precision[i * (n + 1)];
                for (into, a) in into.iter_mut().zip(row) {
                    *into = precision * a;
                }
            }
        } else {
            product(&self.precision, a, into, n);
        }
    }

    pub fn apply(&self, x: &[f64], into: &mut [f64]) {
        if self.diagonal {
            for (i, into) in into.iter_mut().enumerate() {
                *into = self.precision[i * (x.len() + 1)] * x[i];
            }
        } else {
            apply(&self.precision, x, into);
        }
    }
}
