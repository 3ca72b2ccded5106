//! Normal densities of a few dimensions: draws, logarithms, and the mixture of two.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::math::square::{cholesky, log_determinant};
use crate::{Error, Result, log_sum_exp};

/// N(·, C), C = G Gᵀ `[n, n]`.
#[derive(Debug, Clone)]
pub(super) struct Density {
    lower: Vec<f64>,
    /// ln|2πC|.
    log_determinant: f64,
}

impl Density {
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a C with a direction of no variance.
    pub fn new(name: &str, covariance: &[f64], n: usize) -> Result<Self> {
        let mut lower = covariance.to_vec();
        cholesky(&mut lower, n).map_err(|(pivot, value)| Error::NotPositiveDefinite {
            name: name.to_owned(),
            pivot,
            value,
        })?;
        Ok(Self {
            log_determinant: n as f64 * std::f64::consts::TAU.ln() + log_determinant(&lower, n),
            lower,
        })
    }

    /// Adds a draw of N(0, C) to `mean`.
    pub fn draw<R: Rng + ?Sized>(&self, mut mean: Vec<f64>, rng: &mut R) -> Vec<f64> {
        let n = mean.len();
        for j in 0..n {
            let z: f64 = rng.sample(StandardNormal);
            let column = self.lower[j..].iter().step_by(n);
            for (mean, g) in mean.iter_mut().zip(column).skip(j) {
                *mean += g * z;
            }
        }
        mean
    }

    /// ln N(x; mean, C).
    pub fn log(&self, x: &[f64], mean: &[f64]) -> f64 {
        let n = x.len();
        let mut z = vec![0.0; n];
        let mut square = 0.0;
        for i in 0..n {
            let row = &self.lower[i * n..i * n + i];
            let known: f64 = row.iter().zip(&z).map(|(l, z)| l * z).sum();
            z[i] = (x[i] - mean[i] - known) / self.lower[i * n + i];
            square += z[i] * z[i];
        }
        -0.5 * (square + self.log_determinant)
    }
}

/// x' | x ~ N(E x + f, C); with E = 0 a density.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// E `[n, n]`, row by row.
    pub gain: Vec<f64>,
    /// f `[n]`.
    pub offset: Vec<f64>,
    pub density: Density,
}

impl Component {
    fn mean(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.gain.chunks_exact(x.len()).zip(&self.offset);
        rows.map(|(row, f)| f + row.iter().zip(x).map(|(e, x)| e * x).sum::<f64>())
            .collect()
    }
}

/// (1 − ε) fitted + ε safe.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    pub fitted: Component,
    pub safe: Component,
}

impl Mixture {
    /// ε: no weight is above 1/ε times the one of the safe component alone.
    const DEFENCE: f64 = 0.25;

    pub fn draw<R: Rng + ?Sized>(&self, given: &[f64], rng: &mut R) -> Vec<f64> {
        let from = match rng.random::<f64>() < Self::DEFENCE {
            true => &self.safe,
            false => &self.fitted,
        };
        from.density.draw(from.mean(given), rng)
    }

    pub fn log(&self, x: &[f64], given: &[f64]) -> f64 {
        let part = |weight: f64, of: &Component| weight.ln() + of.density.log(x, &of.mean(given));
        log_sum_exp(&[
            part(1.0 - Self::DEFENCE, &self.fitted),
            part(Self::DEFENCE, &self.safe),
        ])
    }
}
