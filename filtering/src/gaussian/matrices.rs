//! Matrices and vectors of a model: their checks, and their rows in files.

use nalgebra::{DMatrix, DVector};

use crate::math::cholesky::check_symmetric;
use crate::{Error, Result};

pub(crate) fn check_matrix(
    name: &str,
    m: &DMatrix<f64>,
    rows: usize,
    columns: usize,
) -> Result<()> {
    if m.shape() != (rows, columns) {
        let found = format!("{}×{}", m.nrows(), m.ncols());
        return Err(Error::size(name, found, format!("{rows}×{columns}")));
    }
    for i in 0..rows {
        for j in 0..columns {
            if !m[(i, j)].is_finite() {
                return Err(Error::entry(name, &[i, j], m[(i, j)], "a finite number"));
            }
        }
    }
    Ok(())
}

pub(crate) fn check_vector(name: &str, v: &DVector<f64>, size: usize) -> Result<()> {
    if v.len() != size {
        return Err(Error::size(name, v.len(), size));
    }
    match v.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::entry(name, &[i], v[i], "a finite number")),
    }
}

pub(crate) fn check_covariance(name: &str, m: DMatrix<f64>, size: usize) -> Result<DMatrix<f64>> {
    check_matrix(name, &m, size, size)?;
    check_symmetric(name, m)
}

/// A matrix from its rows in a file.
pub(crate) fn matrix(name: &str, rows: &[impl AsRef<[f64]>]) -> Result<DMatrix<f64>> {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    if let Some(i) = rows.iter().position(|row| row.as_ref().len() != columns) {
        let found = format!("{} entries", rows[i].as_ref().len());
        let expected = format!("{columns}, as in row 0");
        return Err(Error::size(format!("{name}[{i}]"), found, expected));
    }
    let entries = rows.iter().flat_map(|row| row.as_ref().iter().copied());
    Ok(DMatrix::from_row_iterator(rows.len(), columns, entries))
}

/// The rows of a matrix, as a file has them.
pub(crate) fn rows(m: &DMatrix<f64>) -> Vec<Vec<f64>> {
    m.row_iter()
        .map(|row| row.iter().copied().collect())
        .collect()
}
