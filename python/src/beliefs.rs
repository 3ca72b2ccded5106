//! Normal beliefs one after the other.

use numpy::{PyArray2, PyArray3};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::Gaussian;

use crate::arrays::{matrix, stack};
use crate::errors::Result;
use crate::observations::Observations;

/// Means `[T, n]`, covariances `[T, n, n]` and nats.
pub type Beliefs<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray3<f64>>, f64);

/// Those of all sequences about states of `n` entries, and the sum of their nats: `each` adds the rows of one sequence.
///
/// # Errors
/// Those of `each`, and an interrupt between sequences.
pub fn beliefs<'py>(
    py: Python<'py>,
    n: usize,
    data: &Observations,
    each: impl Fn(&Sequence, &mut Rows) -> scotopic_filtering::Result<f64> + Sync,
) -> Result<Beliefs<'py>> {
    let mut rows = Rows::new(n, data.rows())?;
    let total = data.total(py, |sequence| each(sequence, &mut rows))?;
    rows.arrays(py, total)
}

/// Beliefs one after the other.
pub struct Rows {
    states: usize,
    /// `[T·n]`.
    means: Vec<f64>,
    /// `[T·n·n]`.
    covariances: Vec<f64>,
}

impl Rows {
    /// None yet; room for `rows` of `states` entries.
    ///
    /// # Errors
    /// `MemoryError` where there is none.
    pub fn new(states: usize, rows: usize) -> Result<Self> {
        let (mut means, mut covariances) = (Vec::new(), Vec::new());
        let numbers = rows.saturating_mul(states);
        let squares = numbers.saturating_mul(states);
        let had = means.try_reserve_exact(numbers);
        had.and_then(|()| covariances.try_reserve_exact(squares))
            .map_err(|_| {
                let gigabytes = (numbers as f64 + squares as f64) * 8e-9;
                PyMemoryError::new_err(format!(
                    "means and covariances of {rows} rows of {states} entries take {gigabytes:.1} GB, which are not there: take \
                     fewer rows at once"
                ))
            })?;
        Ok(Self {
            states,
            means,
            covariances,
        })
    }

    /// Adds the next.
    pub fn push(&mut self, belief: &Gaussian) {
        self.means.extend_from_slice(belief.mean().as_slice());
        // Symmetric: its columns are its rows.
        self.covariances
            .extend_from_slice(belief.covariance().as_slice());
    }

    /// Adds the next: its mean, and its covariance row after row.
    pub fn push_parts(&mut self, mean: &[f64], covariance: &[f64]) {
        self.means.extend_from_slice(mean);
        self.covariances.extend_from_slice(covariance);
    }

    /// As arrays, beside `nats`.
    ///
    /// # Errors
    /// None.
    pub fn arrays(self, py: Python<'_>, nats: f64) -> Result<Beliefs<'_>> {
        let n = self.states;
        Ok((
            matrix(py, self.means, n)?,
            stack(py, self.covariances, [n, n])?,
            nats,
        ))
    }
}
