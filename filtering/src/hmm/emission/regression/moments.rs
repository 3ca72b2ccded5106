//! The second moments Σ ω x xᵀ of the inputs: packed, solved with, and as the unit of the weights.

use nalgebra::{DMatrix, DVector};

use crate::Result;
use crate::math::cholesky::cholesky;

/// The entries of a lower triangle of M rows.
pub(in crate::hmm::emission) fn packed_len(m: usize) -> usize {
    m * (m + 1) / 2
}

/// The lower triangle as a symmetric matrix.
pub(in crate::hmm::emission) fn unpacked(m: usize, packed: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(m, m, |i, j| {
        let (i, j) = if i < j { (j, i) } else { (i, j) };
        packed[packed_len(i) + j]
    })
}

/// H + share·diag(typical): solvable whatever H is, and so close to it that no step of EM is another. Where `typical` is 0 an input
/// was never anything else, and its weight stays.
pub(in crate::hmm::emission) fn solvable(
    mut h: DMatrix<f64>,
    typical: &[f64],
    n: f64,
) -> DMatrix<f64> {
    /// Of the information of the observations.
    const SHARE: f64 = 1e-10;
    for (i, d) in typical.iter().enumerate() {
        h[(i, i)] += match *d > 0.0 {
            true => SHARE * n * d,
            false => 1.0,
        };
    }
    h
}

/// I⁻¹ of one observation's information, as the coordinates in which a fit moves: w = w₀ + L⁻ᵀ z with I = L Lᵀ.
pub(in crate::hmm::emission) struct Whitening {
    factor: DMatrix<f64>,
}

impl Whitening {
    pub(in crate::hmm::emission) fn new(m: usize, information: &[f64]) -> Result<Self> {
        let h = unpacked(m, information);
        let typical: Vec<f64> = (0..m).map(|i| h[(i, i)]).collect();
        let factor = cholesky("information", &solvable(h, &typical, 1.0))?.l();
        Ok(Self { factor })
    }

    /// L⁻ᵀ z.
    pub(in crate::hmm::emission) fn step(&self, z: &[f64]) -> Vec<f64> {
        let z = DVector::from_column_slice(z);
        let step = self.factor.tr_solve_lower_triangular(&z);
        step.map_or(Vec::new(), |step| step.as_slice().to_vec())
    }

    /// L⁻¹ g.
    pub(in crate::hmm::emission) fn gradient(&self, g: &[f64]) -> Vec<f64> {
        let g = DVector::from_column_slice(g);
        let gradient = self.factor.solve_lower_triangular(&g);
        gradient.map_or(Vec::new(), |g| g.as_slice().to_vec())
    }
}

/// H v.
pub(in crate::hmm::emission) fn times(m: usize, packed: &[f64], v: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; m];
    for i in 0..m {
        for j in 0..=i {
            let h = packed[packed_len(i) + j];
            out[i] += h * v[j];
            if j < i {
                out[j] += h * v[i];
            }
        }
    }
    out
}

pub(in crate::hmm::emission) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
