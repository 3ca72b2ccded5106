//! Covariances and precisions: symmetric, positive definite or semi-definite, and factored without jitter.

use nalgebra::{Cholesky, DMatrix, Dyn};

use crate::{Error, Result};

/// How far two mirrored entries may be apart, as a part of the largest entry: tolerates numbers rounded
/// to eight digits in a file.
const SYMMETRY: f64 = 1e-8;

/// A pivot of a matrix `[n, n]` counts as zero below this many times n·ε times its own
/// diagonal entry: rounding leaves a few ε there, never more.
const ZERO_PIVOT: f64 = 16.0;

/// The lower Cholesky factor of `m`. What is left of a diagonal entry is compared with that entry, so that the units of the data
/// do not matter: a variance of 10⁻¹⁸ is one, and a sum of two columns beside them is none.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] with the first pivot that is not positive, or only by rounding.
pub(crate) fn cholesky(name: &str, m: &DMatrix<f64>) -> Result<Cholesky<f64, Dyn>> {
    let n = m.nrows();
    let tiny = ZERO_PIVOT * n as f64 * f64::EPSILON;
    let mut l = DMatrix::zeros(n, n);
    for j in 0..n {
        let pivot = m[(j, j)] - (0..j).map(|k| l[(j, k)] * l[(j, k)]).sum::<f64>();
        if !(pivot > tiny * m[(j, j)].abs() && pivot.is_finite()) {
            return Err(not_positive(name, j, pivot));
        }
        let root = pivot.sqrt();
        l[(j, j)] = root;
        for i in j + 1..n {
            let rest = m[(i, j)] - (0..j).map(|k| l[(i, k)] * l[(j, k)]).sum::<f64>();
            l[(i, j)] = rest / root;
        }
    }
    Ok(Cholesky::pack_dirty(l))
}

/// A lower triangular C `[n, n]` with C Cᵀ = `m`, where `m` may have directions of no variance: their
/// columns of C are zero.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] with the first pivot that is negative.
pub(crate) fn semidefinite_root(name: &str, m: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let n = m.nrows();
    let tiny = ZERO_PIVOT * n as f64 * f64::EPSILON;
    let mut l: DMatrix<f64> = DMatrix::zeros(n, n);
    for j in 0..n {
        let own = m[(j, j)];
        let pivot = own - (0..j).map(|k| l[(j, k)] * l[(j, k)]).sum::<f64>();
        if pivot.is_nan() || pivot < -tiny * own.abs() || own < 0.0 {
            return Err(not_positive(name, j, pivot));
        }
        let root = if pivot > tiny * own {
            pivot.sqrt()
        } else {
            0.0
        };
        l[(j, j)] = root;
        for i in j + 1..n {
            let rest = m[(i, j)] - (0..j).map(|k| l[(i, k)] * l[(j, k)]).sum::<f64>();
            if root > 0.0 {
                l[(i, j)] = rest / root;
            } else if rest.abs() > (tiny * own * m[(i, i)]).abs().sqrt() {
                // No variance, yet a covariance: the 2×2 minor is negative.
                return Err(not_positive(name, j, pivot));
            }
        }
    }
    Ok(l)
}

/// That `m` has no Cholesky factor, said with its least diagonal entry.
pub(crate) fn not_definite(name: &str, m: &DMatrix<f64>) -> Error {
    let least = m.diagonal().iter().copied().fold(f64::NAN, f64::min);
    not_positive(name, 0, least)
}

fn not_positive(name: &str, pivot: usize, value: f64) -> Error {
    Error::NotPositiveDefinite {
        name: name.to_owned(),
        pivot,
        value,
    }
}

/// Checks that `m` is symmetric to [`SYMMETRY`] and returns it exactly so.
///
/// # Errors
/// [`Error::Entry`] with the first entry that differs from its mirror image.
pub(crate) fn check_symmetric(name: &str, m: DMatrix<f64>) -> Result<DMatrix<f64>> {
    let room = SYMMETRY * m.amax();
    for i in 0..m.nrows() {
        for j in 0..i {
            if (m[(i, j)] - m[(j, i)]).abs() > room {
                let expected = format!("{}, as at [{j}][{i}]", m[(j, i)]);
                return Err(Error::entry(name, &[i, j], m[(i, j)], expected));
            }
        }
    }
    Ok(symmetric(m))
}

/// ½(m + mᵀ); a symmetric matrix stays as it is, bit for bit.
pub(crate) fn symmetric(mut m: DMatrix<f64>) -> DMatrix<f64> {
    for i in 0..m.nrows() {
        for j in 0..i {
            let middle = 0.5 * (m[(i, j)] + m[(j, i)]);
            m[(i, j)] = middle;
            m[(j, i)] = middle;
        }
    }
    m
}

/// The inverse of the matrix that was factored, exactly symmetric.
pub(crate) fn inverse(factor: &Cholesky<f64, Dyn>) -> DMatrix<f64> {
    symmetric(factor.inverse())
}

/// ln|m| of the matrix that was factored, in nats.
pub(crate) fn log_det(factor: &Cholesky<f64, Dyn>) -> f64 {
    let l = factor.l_dirty();
    2.0 * (0..l.nrows()).map(|i| libm::log(l[(i, i)])).sum::<f64>()
}

/// aᵀ m a for a symmetric m.
pub(crate) fn quadratic(m: &DMatrix<f64>, a: &nalgebra::DVector<f64>) -> f64 {
    a.dot(&(m * a))
}

/// tr(a b), both `[n, n]`, without the product.
pub(crate) fn trace_of_product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let n = a.nrows();
    (0..n)
        .map(|i| (0..n).map(|k| a[(i, k)] * b[(k, i)]).sum::<f64>())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pivot_is_named() {
        let m = DMatrix::from_row_slice(3, 3, &[4.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let error = cholesky("m", &m).unwrap_err();
        assert!(matches!(error, Error::NotPositiveDefinite { pivot: 1, .. }));
        let root = semidefinite_root("m", &m).unwrap();
        assert!((&root * root.transpose() - m).amax() < 1e-15);
    }

    #[test]
    fn indefinite_matrices_have_no_root() {
        for entries in [
            [0.0, 1.0, 1.0, 1.0],
            [1.0, 2.0, 2.0, 1.0],
            [-1.0, 0.0, 0.0, 1.0],
        ] {
            let m = DMatrix::from_row_slice(2, 2, &entries);
            assert!(semidefinite_root("m", &m).is_err(), "{m}");
        }
        let scales = DMatrix::from_row_slice(2, 2, &[1e8, 0.0, 0.0, 1e-12]);
        assert_eq!(semidefinite_root("m", &scales).unwrap()[(1, 1)], 1e-6);
    }
}
