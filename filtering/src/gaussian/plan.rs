//! A model as the inner loops of the filter read it.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::model::LinearGaussian;
use crate::Result;
use crate::math::cholesky::{cholesky, log_det};

/// F, b, Q, and H and d whitened, rows after rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub n: usize,
    pub m: usize,
    /// F `[n, n]`.
    pub f: Vec<f64>,
    /// Fᵀ `[n, n]`.
    pub f_transposed: Vec<f64>,
    pub b: Vec<f64>,
    pub q: Vec<f64>,
    /// C⁻¹ `[m, m]`, lower triangular.
    pub whiten: Vec<f64>,
    /// H̃ `[m, n]`.
    pub h: Vec<f64>,
    pub d: Vec<f64>,
    /// ½ ln|2πR|.
    pub log_norm: f64,
}

impl Plan {
    pub fn new(model: &LinearGaussian) -> Result<Self> {
        let (h, d) = (model.observation().clone(), model.offset().clone());
        Self::of_rows(model, &h, &d, model.observation_noise())
    }

    /// The plan of the entries of an observation that are not NaN, and these: rows of H, of d, and of R in both directions
    /// (eq. F53).
    pub fn of_seen(model: &LinearGaussian, y: &[f64]) -> Result<(Self, Vec<f64>)> {
        let seen: Vec<usize> = (0..y.len()).filter(|&i| !y[i].is_nan()).collect();
        let h = model.observation().select_rows(&seen);
        let d = model.offset().select_rows(&seen);
        let r = model.observation_noise();
        let r = r.select_rows(&seen).select_columns(&seen);
        let values = seen.iter().map(|&i| y[i]).collect();
        Ok((Self::of_rows(model, &h, &d, &r)?, values))
    }

    fn of_rows(
        model: &LinearGaussian,
        h: &DMatrix<f64>,
        d: &DVector<f64>,
        r: &DMatrix<f64>,
    ) -> Result<Self> {
        let (n, m) = (model.states(), h.nrows());
        let factor: Cholesky<f64, Dyn> = cholesky("observation_noise", r)?;
        let log_norm = 0.5 * (m as f64 * LN_2_PI + log_det(&factor));
        let mut whiten = DMatrix::identity(m, m);
        factor
            .l_dirty()
            .solve_lower_triangular_unchecked_mut(&mut whiten);
        Ok(Self {
            n,
            m,
            f: flat(model.transition()),
            f_transposed: flat(&model.transition().transpose()),
            b: model.bias().as_slice().to_vec(),
            q: flat(model.process_noise()),
            h: flat(&(&whiten * h)),
            whiten: flat(&whiten),
            d: d.as_slice().to_vec(),
            log_norm,
        })
    }

    /// ½ ln|2πR|.
    pub fn log_norm(&self) -> f64 {
        self.log_norm
    }

    /// Row r of H̃ `[n]`, and the number ỹ that belongs to it.
    pub fn whitened(&self, r: usize, y: &[f64]) -> (&[f64], f64) {
        let weights = &self.whiten[r * self.m..r * self.m + r + 1];
        let entries = y.iter().zip(&self.d);
        let white = weights.iter().zip(entries).map(|(c, (y, d))| c * (y - d));
        (&self.h[r * self.n..(r + 1) * self.n], white.sum())
    }

    /// The numbers that [`advance`] needs for its own use.
    pub fn scratch(&self) -> usize {
        2 * self.n * self.n + 3 * self.n + self.m
    }
}

/// ln 2π.
pub(crate) const LN_2_PI: f64 = 1.837_877_066_409_345_3;

/// Rows after rows.
pub(crate) fn flat(m: &DMatrix<f64>) -> Vec<f64> {
    m.transpose().as_slice().to_vec()
}
