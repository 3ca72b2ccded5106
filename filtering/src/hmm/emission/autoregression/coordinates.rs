//! Coordinates of an autoregression in units of its own noise and of the lags of the data.

use nalgebra::DMatrix;

use super::Autoregression;
use super::statistics::Row;
use crate::Result;
use crate::hmm::emission::Emission;
use crate::hmm::emission::regression::moments::{Typical, solvable, unpacked};
use crate::math::cholesky::cholesky;
use crate::{Coordinate, Slope};

impl Autoregression {
    /// The free entries of a factor: its diagonal, and what is below of a full covariance.
    fn places(&self) -> Vec<(usize, usize)> {
        let all = (0..self.width).flat_map(|i| (0..=i).map(move |j| (i, j)));
        all.filter(|(i, j)| !self.diagonal || i == j).collect()
    }

    /// D·M, and the free entries of Σ.
    pub(super) fn free_len(&self) -> usize {
        self.width * self.weights_len() + self.places().len()
    }

    /// L of the moments L Lᵀ of an observation's lags in state `k`; before they were measured, lags are as large as the noise.
    fn lag_factor(&self, k: usize) -> Result<DMatrix<f64>> {
        let (d, m) = (self.width, self.weights_len());
        let moments = match self.moments_of(k) {
            Some(packed) => unpacked(m, packed),
            None => DMatrix::from_fn(m, m, |i, j| match (i == j, i) {
                (false, _) => 0.0,
                (true, 0) => 1.0,
                (true, i) => self.covariances[k * d * d + ((i - 1) % d) * (d + 1)],
            }),
        };
        let typical = Typical::of(&moments);
        Ok(cholesky("lags", &solvable(moments, &typical, 1.0))?.l())
    }

    /// B(z) = B + C Z L⁻¹ and Σ(z) = C M Mᵀ Cᵀ, M lower triangular with the diagonal e^{z_ii}: no coordinate has units.
    pub(super) fn displaced_whitened(&self, z: &[f64]) -> Result<Self> {
        let (d, m) = (self.width, self.weights_len());
        let (mut weights, mut covariances) = (Vec::new(), Vec::new());
        for (k, z) in z.chunks_exact(self.free_len()).enumerate() {
            let (b, z) = z.split_at(d * m);
            let c = self.factor_of(k);
            let step = &c * DMatrix::from_row_slice(d, m, b);
            // Z L⁻¹ = (L⁻ᵀ Zᵀ)ᵀ
            let turned = self
                .lag_factor(k)?
                .tr_solve_lower_triangular(&step.transpose());
            let moved = self.centred(k) + turned.unwrap_or(DMatrix::zeros(m, d)).transpose();
            weights.extend(self.uncentred(moved));
            let mut triangle = DMatrix::zeros(d, d);
            for ((i, j), z) in self.places().into_iter().zip(z) {
                triangle[(i, j)] = if i == j { z.exp() } else { *z };
            }
            let factor = c * triangle;
            covariances.extend_from_slice((&factor * factor.transpose()).as_slice());
        }
        self.with_values(weights, covariances)
    }

    /// ∇_z of the expected log-likelihood of statistics, at this emission, about `base`.
    pub(super) fn score_whitened(
        &self,
        base: &Self,
        statistics: &[f64],
        into: &mut [f64],
    ) -> Result<()> {
        let (d, m) = (self.width, self.weights_len());
        let rows = statistics.chunks_exact(self.row_len());
        for (k, (into, row)) in into.chunks_exact_mut(self.free_len()).zip(rows).enumerate() {
            let (row, b) = (Row::of(row, d, m), self.centred(k));
            let (c, own) = (base.factor_of(k), self.whitened(k));
            let precision = own.transpose() * &own;
            let slope = c.transpose() * &precision * row.gradient(&b);
            let turned = base
                .lag_factor(k)?
                .solve_lower_triangular(&slope.transpose());
            // Column i of the M×D matrix is row i of Z.
            let turned = turned.unwrap_or(DMatrix::from_element(m, d, f64::NAN));
            into[..d * m].copy_from_slice(turned.as_slice());
            // Σ = L Lᵀ with L = C M:  ∂/∂M = 2 Cᵀ (∂/∂Σ) L, where M is free
            let of_covariance =
                (&precision * row.scatter(&b) * &precision - &precision * row.n) * 0.5;
            let own = self.factor_of(k);
            let moved = base.whitened(k) * &own;
            let triangle = c.transpose() * of_covariance * own * 2.0;
            for (into, (i, j)) in into[d * m..].iter_mut().zip(self.places()) {
                let along = if i == j { moved[(i, i)] } else { 1.0 };
                *into = along * triangle[(i, j)];
            }
        }
        Ok(())
    }

    /// The slopes of the expected log-likelihood of statistics by b, A and Σ as files have them: with G = Σ⁻¹ Σ (r − B g) gᵀ about
    /// the origin c, that by b is the first column of G, and by A_l what belongs to it plus (∂/∂b) cᵀ.
    pub(super) fn slopes_of_parameters(&self, statistics: &[f64]) -> Vec<Slope> {
        let (k, d, m) = (self.states(), self.width, self.weights_len());
        let (mut intercepts, mut coefficients, mut noise) = (Vec::new(), Vec::new(), Vec::new());
        for (k, row) in statistics.chunks_exact(self.row_len()).enumerate() {
            let (row, b, own) = (Row::of(row, d, m), self.centred(k), self.whitened(k));
            let precision = own.transpose() * &own;
            let slope = &precision * row.gradient(&b);
            intercepts.extend(slope.column(0).iter());
            for lag in 0..self.order {
                for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))) {
                    let about_origin = slope[(i, 1 + lag * d + j)];
                    coefficients.push(about_origin + slope[(i, 0)] * self.origin[j]);
                }
            }
            let by = (&precision * row.scatter(&b) * &precision - &precision * row.n) * 0.5;
            match self.diagonal {
                false => noise.extend_from_slice(by.as_slice()),
                true => noise.extend((0..d).map(|i| by[(i, i)] * self.covariance(k)[(i, i)])),
            }
        }
        let slope = |parameter, by, shape: &[usize], values| Slope {
            parameter,
            by,
            shape: [&[k], shape].concat(),
            values,
        };
        let value = Coordinate::Value;
        vec![
            slope("intercepts", value, &[d], intercepts),
            slope("coefficients", value, &[self.order, d, d], coefficients),
            match self.diagonal {
                false => slope("covariances", value, &[d, d], noise),
                true => slope("variances", Coordinate::Log, &[d], noise),
            },
        ]
    }

    /// Of one observation of each state, at z = 0.
    pub(super) fn information_whitened(&self, into: &mut [f64]) {
        let weights = self.width * self.weights_len();
        for into in into.chunks_exact_mut(self.free_len()) {
            into[..weights].fill(1.0);
            for (into, (i, j)) in into[weights..].iter_mut().zip(self.places()) {
                *into = if i == j { 2.0 } else { 1.0 };
            }
        }
    }

    /// The least eigenvalue of Σ_k relative to the covariance of `pooled`, for each k.
    pub(super) fn least_eigenvalues(&self, pooled: &Self) -> Vec<f64> {
        let whitened = pooled.whitened(0);
        let least = |k: usize| {
            let singular = (&whitened * self.factor_of(k)).singular_values();
            singular.iter().fold(f64::INFINITY, |m, v| m.min(v * v))
        };
        (0..self.states()).map(least).collect()
    }
}
