//! Coordinates of a normal emission in units of its own covariance.

use nalgebra::{DMatrix, DVector};

use super::FullGaussian;
use crate::Result;
use crate::hmm::{Emission, Learnable};

impl FullGaussian {
    /// μ_s(z) = μ_s + C_s m and Σ_s(z) = C_s M Mᵀ C_sᵀ with M lower triangular, its diagonal e^{z_ii}: whitened, so
    /// that no coordinate has units.
    pub(super) fn displaced_whitened(&self, z: &[f64]) -> Result<Self> {
        let d = self.width;
        let (mut means, mut covariances) = (self.means.clone(), Vec::new());
        for (s, z) in z.chunks_exact(self.coordinates_len()).enumerate() {
            let c = self.factor_of(s);
            let (m, z) = z.split_at(d);
            let moved = &c * DVector::from_row_slice(m);
            let mean = &mut means[s * d..(s + 1) * d];
            mean.iter_mut().zip(&moved).for_each(|(m, x)| *m += x);
            let factor = c * triangle(d, z);
            let covariance = &factor * factor.transpose();
            covariances.extend_from_slice(covariance.as_slice());
        }
        Self::from_flat(self.states(), means, covariances)?.about(self.origin.clone())
    }

    /// ∇_z of the expected log-likelihood of statistics, at this emission, about `base`.
    pub(super) fn score_whitened(&self, base: &Self, statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        let mut plain = vec![0.0; self.states() * self.parameters_len()];
        self.score(statistics, &mut plain);
        let rows = plain.chunks_exact(d + d * d);
        let len = self.coordinates_len();
        for (s, (into, score)) in into.chunks_exact_mut(len).zip(rows).enumerate() {
            // ∂/∂m = Cᵀ ∂/∂μ;  Σ = L Lᵀ with L = C M:  ∂/∂M = 2 Cᵀ (∂/∂Σ) L, below and on the diagonal
            let c = base.factor_of(s);
            let mean = c.transpose() * DVector::from_row_slice(&score[..d]);
            into[..d].copy_from_slice(mean.as_slice());
            let m = base.whitened(s) * self.factor_of(s);
            let covariance = DMatrix::from_row_slice(d, d, &score[d..]);
            let triangle = 2.0 * c.transpose() * covariance * (&c * &m);
            for (n, (i, j)) in lower(d).enumerate() {
                let along = if i == j { m[(i, i)] } else { 1.0 };
                into[d + n] = along * triangle[(i, j)];
            }
        }
    }

    /// Of one observation of each state, at z = 0.
    pub(super) fn information_whitened(&self, into: &mut [f64]) {
        let d = self.width;
        for into in into.chunks_exact_mut(self.coordinates_len()) {
            into[..d].fill(1.0);
            for (n, (i, j)) in lower(d).enumerate() {
                into[d + n] = if i == j { 2.0 } else { 1.0 };
            }
        }
    }

    /// The least eigenvalue of Σ_s relative to the covariance of `pooled`, for each s.
    pub(super) fn least_eigenvalues(&self, pooled: &Self) -> Vec<f64> {
        // The eigenvalues of C⁻¹ Σ_s C⁻ᵀ, C of the pooled covariance.
        let whitened = pooled.whitened(0);
        (0..self.states())
            .map(|s| {
                let factor = &whitened * self.factor_of(s);
                let singular = factor.singular_values();
                singular.iter().fold(f64::INFINITY, |m, v| m.min(v * v))
            })
            .collect()
    }

    /// C_s⁻¹.
    pub(super) fn whitened(&self, state: usize) -> DMatrix<f64> {
        let d = self.width;
        DMatrix::from_row_slice(d, d, &self.whitening[state * d * d..(state + 1) * d * d])
    }

    /// C_s, column after column the solution of C_s⁻¹ c = e.
    fn factor_of(&self, state: usize) -> DMatrix<f64> {
        let d = self.width;
        let whitening = self.whitened(state);
        let unit = DMatrix::identity(d, d);
        whitening.solve_lower_triangular(&unit).unwrap_or(unit)
    }
}

/// The places of a lower triangle, row after row.
fn lower(d: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)))
}

/// M, with e^z on its diagonal and z below.
fn triangle(d: usize, z: &[f64]) -> DMatrix<f64> {
    let mut m = DMatrix::zeros(d, d);
    for ((i, j), z) in lower(d).zip(z) {
        m[(i, j)] = if i == j { z.exp() } else { *z };
    }
    m
}
