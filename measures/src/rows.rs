//! A table of numbers, checked once when it is made.

use rayon::prelude::*;

use crate::{Error, Result};

/// A table `values[row, column]`, row after row: samples by units, filters by pixels, time by pixels.
///
/// It has at least one row and one column, and every number in it is finite; what takes a `Rows` need
/// not look again.
///
/// ```
/// use scotopic_measures::Rows;
/// # fn main() -> scotopic_measures::Result<()> {
/// let table = Rows::new("counts", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
/// assert_eq!((table.rows(), table.columns()), (2, 3));
/// assert_eq!(table.row(1), [4.0, 5.0, 6.0]);
/// let broken = Rows::new("counts", &[0.0, f32::NAN], [1, 2]);
/// assert!(broken.unwrap_err().to_string().contains("row 0, column 1"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a> {
    name: &'a str,
    values: &'a [f32],
    columns: usize,
}

impl<'a> Rows<'a> {
    /// A view of `values` as `[rows, columns]`; `name` appears in errors.
    ///
    /// # Errors
    /// [`Error::Size`] if a size is zero or the sizes do not give the number of values,
    /// [`Error::NotFinite`] for a NaN or an infinity.
    pub fn new(name: &'a str, values: &'a [f32], [rows, columns]: [usize; 2]) -> Result<Rows<'a>> {
        if rows == 0 || columns == 0 {
            let found = format!("{rows}×{columns}");
            return Err(Error::size(name, "rows × columns", found, "no zero in it"));
        }
        if rows.checked_mul(columns) != Some(values.len()) {
            let expected = format!("{rows}×{columns}");
            return Err(Error::size(name, "values", values.len(), expected));
        }
        let bad = values.par_iter().position_first(|v| !v.is_finite());
        if let Some(at) = bad {
            return Err(Error::NotFinite {
                name: name.to_owned(),
                row: at / columns,
                column: at % columns,
                found: f64::from(values[at]),
            });
        }
        Ok(Rows {
            name,
            values,
            columns,
        })
    }

    /// What it is called in errors.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// How many rows, at least 1.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// How many columns, at least 1.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i` is not below [`rows`](Self::rows).
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// The rows from first to last.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.columns)
    }

    /// The rows, for several threads.
    pub(crate) fn par_iter(&self) -> rayon::slice::ChunksExact<'a, f32> {
        self.values.par_chunks_exact(self.columns)
    }

    /// Sums over rows: `f` adds one row to an accumulator of `width` numbers.
    ///
    /// The rows are cut into at most 64 pieces, by their number alone, and the pieces added in order:
    /// the same bits for any number of threads.
    pub(crate) fn sum_rows(
        &self,
        width: usize,
        f: impl Fn(usize, &[f32], &mut [f64]) + Sync,
    ) -> Vec<f64> {
        let piece = self.rows().div_ceil(64).max(256);
        let pieces: Vec<Vec<f64>> = self
            .values
            .par_chunks(piece * self.columns)
            .enumerate()
            .map(|(p, chunk)| {
                let mut sum = vec![0.0; width];
                for (i, row) in chunk.chunks_exact(self.columns).enumerate() {
                    f(p * piece + i, row, &mut sum);
                }
                sum
            })
            .collect();
        let mut total = vec![0.0; width];
        for sum in &pieces {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
        total
    }

    pub(crate) fn check_columns(&self, columns: usize, of: &str) -> Result<()> {
        crate::error::check_same(self.name, "columns", self.columns, columns, of)
    }

    pub(crate) fn check_rows(&self, rows: usize, of: &str) -> Result<()> {
        crate::error::check_same(self.name, "rows", self.rows(), rows, of)
    }

    pub(crate) fn check_not_negative(&self) -> Result<()> {
        match self.values.iter().position(|&v| v < 0.0) {
            None => Ok(()),
            Some(at) => Err(Error::value(
                self.name,
                at,
                self.values[at],
                "a count or rate, 0 or more",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_go_together() {
        for (values, shape) in [(3, [2, 2]), (0, [0, 2]), (0, [2, 0]), (6, [usize::MAX, 3])] {
            let values = vec![0.0; values];
            let error = Rows::new("x", &values, shape).unwrap_err();
            assert!(matches!(error, Error::Size { .. }), "{error}");
        }
    }

    #[test]
    fn not_finite_is_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let values = [0.0, 0.0, 0.0, bad, bad, 0.0];
            let error = Rows::new("x", &values, [3, 2]).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::NotFinite {
                        row: 1,
                        column: 1,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn sums_visit_every_row_once() {
        for rows in [1, 255, 256, 257, 1000, 20_000] {
            let values: Vec<f32> = (0..2 * rows).map(|i| (i % 7) as f32).collect();
            let table = Rows::new("x", &values, [rows, 2]).unwrap();
            let sums = table.sum_rows(3, |i, row, sum| {
                sum[0] += f64::from(row[0]);
                sum[1] += f64::from(row[1]);
                sum[2] += i as f64;
            });
            let even: f32 = values.iter().step_by(2).sum();
            assert_eq!(sums[0], f64::from(even));
            assert_eq!(sums[2], (rows * (rows - 1) / 2) as f64);
        }
    }
}
