//! A row of the statistics of an autoregression: n, Σ r rᵀ, Σ r gᵀ, Σ g gᵀ with r = x − c and g = (1, lags − c).

use nalgebra::DMatrix;

use super::{Autoregression, says};
use crate::hmm::emission::regression::moments::{packed_len, unpacked};

/// One state's statistics.
pub(super) struct Row {
    pub(super) n: f64,
    /// Σ r rᵀ `[D, D]`.
    pub(super) rr: DMatrix<f64>,
    /// Σ r gᵀ `[D, M]`.
    pub(super) rg: DMatrix<f64>,
    /// Σ g gᵀ `[M, M]`.
    pub(super) gg: DMatrix<f64>,
}

impl Row {
    pub(super) fn of(row: &[f64], d: usize, m: usize) -> Self {
        let (rr, rest) = row[1..].split_at(packed_len(d));
        let (rg, gg) = rest.split_at(d * m);
        Self {
            n: row[0],
            rr: unpacked(d, rr),
            rg: DMatrix::from_row_slice(d, m, rg),
            gg: unpacked(m, gg),
        }
    }

    /// Σ (r − B g) gᵀ.
    pub(super) fn gradient(&self, b: &DMatrix<f64>) -> DMatrix<f64> {
        &self.rg - b * &self.gg
    }

    /// Σ (r − B g)(r − B g)ᵀ.
    pub(super) fn scatter(&self, b: &DMatrix<f64>) -> DMatrix<f64> {
        let cross = b * self.rg.transpose();
        let scatter = &self.rr - &cross - cross.transpose() + b * &self.gg * b.transpose();
        (&scatter + scatter.transpose()) * 0.5
    }
}

/// The lower triangle of a symmetric matrix, row after row.
pub(super) fn packed(matrix: &DMatrix<f64>) -> impl Iterator<Item = f64> + '_ {
    (0..matrix.nrows()).flat_map(move |i| (0..=i).map(move |j| matrix[(i, j)]))
}

impl Autoregression {
    /// 1 + D(D + 1)/2 + DM + M(M + 1)/2.
    pub(super) fn row_len(&self) -> usize {
        let (d, m) = (self.width, self.weights_len());
        1 + packed_len(d) + d * m + packed_len(m)
    }

    /// g `[M]`.
    pub(super) fn centred_lags(&self, lags: &[f64]) -> Vec<f64> {
        let around = lags.iter().zip(self.origin.iter().cycle());
        std::iter::once(1.0)
            .chain(around.map(|(x, c)| x - c))
            .collect()
    }

    /// B_k about the origin, r = B g: with b − c + Σ_l A_l c for a constant.
    pub(super) fn centred(&self, k: usize) -> DMatrix<f64> {
        let mut b = self.regression(k);
        self.shift(&mut b, -1.0);
        b
    }

    /// Moves the constants of B by c − Σ_l A_l c, `sign` times.
    fn shift(&self, b: &mut DMatrix<f64>, sign: f64) {
        for i in 0..self.width {
            let lags = self.origin.iter().cycle().zip(1..b.ncols());
            let moved: f64 = lags.map(|(c, at)| b[(i, at)] * c).sum();
            b[(i, 0)] += sign * (self.origin[i] - moved);
        }
    }

    /// The rows of B about the origin as weights.
    pub(super) fn uncentred(&self, mut b: DMatrix<f64>) -> Vec<f64> {
        self.shift(&mut b, 1.0);
        b.transpose().as_slice().to_vec()
    }

    /// Adds w φ(x, lags) of state `k`, in expectation over the entries of x that are missing.
    pub(super) fn add_statistic(&self, k: usize, observation: &[f64], w: f64, into: &mut [f64]) {
        let (d, m) = (self.width, self.weights_len());
        let (x, lags) = observation.split_at(d);
        if !says(x, lags) {
            return;
        }
        let g = self.centred_lags(lags);
        let completed = self.completed_outputs(k, x, lags);
        let r: Vec<f64> = completed
            .mean
            .iter()
            .zip(&self.origin)
            .map(|(x, c)| x - c)
            .collect();
        into[0] += w;
        let (rr, rest) = into[1..].split_at_mut(packed_len(d));
        let (rg, gg) = rest.split_at_mut(d * m);
        for i in 0..d {
            for j in 0..=i {
                rr[packed_len(i) + j] += w * (r[i] * r[j] + completed.covariance(i, j));
            }
            let row = rg[i * m..(i + 1) * m].iter_mut().zip(&g);
            row.for_each(|(s, g)| *s += w * r[i] * g);
        }
        for i in 0..m {
            let row = gg[packed_len(i)..].iter_mut().zip(&g[..=i]);
            row.for_each(|(s, h)| *s += w * g[i] * h);
        }
    }
}
