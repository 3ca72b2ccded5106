//! The second moments Σ ω x xᵀ of the inputs: packed, solved with, and as the unit of the weights.

use nalgebra::{DMatrix, DVector};

use crate::error::check_finite;
use crate::hmm::emission_rows::width_of;
use crate::math::binary::power_of_two;
use crate::math::cholesky::cholesky;
use crate::{Error, Result};

/// The entries of a lower triangle of M rows.
pub(in crate::hmm::emission) fn packed_len(m: usize) -> usize {
    m * (m + 1) / 2
}

/// The lower triangles of a file, one a state, in one piece; none stays none.
///
/// # Errors
/// [`Error::Size`] for another number of states or entries, [`Error::Entry`] for an entry that is not finite or a second moment
/// below 0.
pub(in crate::hmm::emission) fn checked_triangles(
    name: &str,
    triangles: &[Vec<f64>],
    states: usize,
    m: usize,
) -> Result<Vec<f64>> {
    if triangles.is_empty() {
        return Ok(Vec::new());
    }
    let len = packed_len(m);
    if triangles.len() != states {
        let found = format!("{} rows", triangles.len());
        return Err(Error::size(name, found, format!("{states}, one a state")));
    }
    width_of(name, triangles, len, "the lower triangle of a state")?;
    let all = triangles.concat();
    check_finite(name, len, &all)?;
    for (k, triangle) in triangles.iter().enumerate() {
        let mut squares = (0..m).map(|i| packed_len(i) + i);
        if let Some(at) = squares.find(|&at| triangle[at] < 0.0) {
            let expected = "a second moment, 0 or more";
            return Err(Error::entry(name, &[k, at], triangle[at], expected));
        }
    }
    Ok(all)
}

/// The lower triangle as a symmetric matrix.
pub(in crate::hmm::emission) fn unpacked(m: usize, packed: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(m, m, |i, j| {
        let (i, j) = if i < j { (j, i) } else { (i, j) };
        packed[packed_len(i) + j]
    })
}

/// What the entries of x are of, by their second moments H with x_0 = 1: their variance about their mean, and their square.
pub(in crate::hmm::emission) struct Typical(Vec<(f64, f64)>);

impl Typical {
    pub(in crate::hmm::emission) fn of(h: &DMatrix<f64>) -> Self {
        let of = |i: usize| {
            let square = h[(i, i)];
            let mean = if i == 0 {
                0.0
            } else {
                h[(i, 0)] * (h[(i, 0)] / h[(0, 0)])
            };
            ((square - mean).max(0.0), square)
        };
        Self((0..h.nrows()).map(of).collect())
    }
}

/// H and a small part of what is typical on its diagonal: solvable whatever H is, and so close to it that no step of EM is another,
/// wherever the inputs are counted from. Where that is 0 an input was never anything else, and its weight stays.
pub(in crate::hmm::emission) fn solvable(
    mut h: DMatrix<f64>,
    typical: &Typical,
    n: f64,
) -> DMatrix<f64> {
    /// Of the information of the observations.
    const SHARE: f64 = 1e-10;
    /// Of the squares: what their sums round, many times over.
    const ROUNDING: f64 = 1e-13;
    for (i, (variance, square)) in typical.0.iter().enumerate() {
        let least = n * (SHARE * variance).max(ROUNDING * square);
        h[(i, i)] = match (*square > 0.0, i) {
            (false, _) => h[(i, i)] + 1.0,
            // The constant: as much of it as there is weight, and where one observation says all, it has the whole step.
            (true, 0) => h[(0, 0)].max(least),
            (true, _) => h[(i, i)] + least,
        };
    }
    h
}

/// Moments Σ x xᵀ of a lower triangle, of x less δ in place of x; δ_0 = 0, x_0 = 1.
pub(in crate::hmm::emission) fn move_origin(h: &mut [f64], delta: &[f64]) {
    let first: Vec<f64> = (0..delta.len()).map(|i| h[packed_len(i)]).collect();
    let n = first.first().copied().unwrap_or(0.0);
    for i in 0..delta.len() {
        for j in 0..=i {
            h[packed_len(i) + j] +=
                n * delta[i] * delta[j] - delta[i] * first[j] - delta[j] * first[i];
        }
    }
}

/// Moments Σ x xᵀ of a lower triangle, of x 2^n in place of x.
pub(in crate::hmm::emission) fn rescale(h: &mut [f64], n: &[i32]) {
    for i in 0..n.len() {
        for j in 0..=i {
            h[packed_len(i) + j] *= power_of_two(n[i]) * power_of_two(n[j]);
        }
    }
}

/// I⁻¹ of one observation's information, as the coordinates in which a fit moves: w = w₀ + L⁻ᵀ z with I = L Lᵀ.
pub(in crate::hmm::emission) struct Whitening {
    factor: DMatrix<f64>,
}

impl Whitening {
    pub(in crate::hmm::emission) fn new(m: usize, information: &[f64]) -> Result<Self> {
        let h = unpacked(m, information);
        let typical = Typical::of(&h);
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
