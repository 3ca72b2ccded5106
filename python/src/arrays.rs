//! Numbers in and out: parameters as flat vectors, results as arrays that take the vector's memory.

use numpy::{
    PyArray1, PyArray2, PyArray3, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{Error, Sequence};

use crate::errors::Result;

/// A vector `[n]`.
pub fn vector(py: Python<'_>, values: Vec<f64>) -> Bound<'_, PyArray1<f64>> {
    PyArray1::from_vec(py, values)
}

/// A matrix `[rows, columns]` of numbers row after row.
pub fn matrix(
    py: Python<'_>,
    values: Vec<f64>,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let rows = values.len() / columns.max(1);
    PyArray1::from_vec(py, values).reshape([rows, columns])
}

/// Matrices `[count, rows, columns]` of numbers row after row.
pub fn stack(
    py: Python<'_>,
    values: Vec<f64>,
    [rows, columns]: [usize; 2],
) -> PyResult<Bound<'_, PyArray3<f64>>> {
    let count = values.len() / (rows * columns).max(1);
    PyArray1::from_vec(py, values).reshape([count, rows, columns])
}

/// A matrix of the library, which holds columns.
///
/// # Errors
/// None.
pub fn matrix_of<'py>(py: Python<'py>, m: &DMatrix<f64>) -> PyResult<Bound<'py, PyArray2<f64>>> {
    PyArray1::from_vec(py, m.transpose().as_slice().to_vec()).reshape([m.nrows(), m.ncols()])
}

/// A vector of the library.
pub fn vector_of<'py>(py: Python<'py>, v: &DVector<f64>) -> Bound<'py, PyArray1<f64>> {
    vector(py, v.as_slice().to_vec())
}

/// A parameter that is a matrix.
///
/// # Errors
/// [`Error::Size`] for an array that has not two axes.
pub fn read_matrix(name: &'static str, array: &Bound<'_, PyArrayDyn<f64>>) -> Result<DMatrix<f64>> {
    Parameter::read(name, array).into_matrix()
}

/// A parameter that is a vector.
///
/// # Errors
/// [`Error::Size`] for an array that has not one axis.
pub fn read_vector(name: &'static str, array: &Bound<'_, PyArrayDyn<f64>>) -> Result<DVector<f64>> {
    Ok(DVector::from_vec(
        Parameter::read(name, array).of_shape(&[0])?,
    ))
}

/// What a model draws: observations `[T, width]`, the first entries of rows, and the states `[T, n]` that made them.
pub type Drawn<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>);

/// As arrays.
///
/// # Errors
/// None.
pub fn drawn<'py>(
    py: Python<'py>,
    rows: &Sequence,
    width: usize,
    states: Vec<f64>,
    n: usize,
) -> Result<Drawn<'py>> {
    let rows = rows.iter().flatten().flat_map(|row| &row[..width]);
    Ok((
        matrix(py, rows.copied().collect(), width)?,
        matrix(py, states, n)?,
    ))
}

/// A parameter: any array of numbers, with its shape.
pub struct Parameter {
    name: &'static str,
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Parameter {
    /// Reads an array in any order of its axes.
    pub fn read(name: &'static str, array: &Bound<'_, PyArrayDyn<f64>>) -> Self {
        let array: PyReadonlyArrayDyn<'_, f64> = array.readonly();
        Self {
            name,
            shape: array.shape().to_vec(),
            values: array.as_array().iter().copied().collect(),
        }
    }

    /// The numbers, row after row, of an array of this shape; 0 stands for any length.
    ///
    /// # Errors
    /// [`Error::Size`] for another shape.
    pub fn of_shape(self, shape: &[usize]) -> Result<Vec<f64>> {
        let fits = self.shape.len() == shape.len()
            && self
                .shape
                .iter()
                .zip(shape)
                .all(|(found, wanted)| *wanted == 0 || found == wanted);
        if fits {
            return Ok(self.values);
        }
        let sizes: Vec<String> = shape
            .iter()
            .map(|n| {
                if *n == 0 {
                    "any".to_owned()
                } else {
                    n.to_string()
                }
            })
            .collect();
        Err(Error::Size {
            name: self.name.to_owned(),
            found: format!("an array of shape {:?}", self.shape),
            expected: format!("[{}]", sizes.join(", ")),
        }
        .into())
    }

    /// Its shape, and the numbers row after row.
    pub fn into_parts(self) -> (Vec<usize>, Vec<f64>) {
        (self.shape, self.values)
    }

    /// Its last axis.
    fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(0)
    }

    /// Its first axis.
    fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// As a matrix of the library.
    ///
    /// # Errors
    /// [`Error::Size`] for an array that has not two axes.
    fn into_matrix(self) -> Result<DMatrix<f64>> {
        let (rows, columns) = (self.rows(), self.columns());
        let values = self.of_shape(&[0, 0])?;
        Ok(DMatrix::from_row_slice(rows, columns, &values))
    }
}
