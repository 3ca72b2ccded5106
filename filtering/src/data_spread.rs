//! How the columns of the data vary: the unit of guesses, and whether a covariance can be learned of them.

use crate::{Error, Result, Sequence};

/// Columns that are told apart only by rounding: a variance is lost below this many times (number of columns)·ε of its own size,
/// as the pivots of a covariance are.
const ROUNDING: f64 = 16.0;
/// The weight, between columns of unit variance, from which on a column takes part in a combination.
const TAKES_PART: f64 = 1e-6;

/// The variance that stands for a column: its own or, of one that does not vary, the square of its size; 1 where it is all
/// zeros, which have no size.
pub(crate) fn unit_variance(mean: f64, variance: f64) -> f64 {
    match variance > 0.0 {
        true => variance,
        false if mean != 0.0 => mean * mean,
        false => 1.0,
    }
}

/// Refuses columns that do not vary: no variance can be learned of them.
///
/// # Errors
/// [`Error::Dependent`] with the first one, [`Error::Entry`] with one that was never seen.
pub(crate) fn check_variation(sequences: &[Sequence]) -> Result<()> {
    standardised(sequences).map(|_| ())
}

/// Refuses columns of which one does not vary, or is a linear combination of others: no covariance can be learned of them.
///
/// # Errors
/// [`Error::Dependent`] with all columns that take part, [`Error::Entry`] with one that was never seen.
pub(crate) fn check_independence(sequences: &[Sequence]) -> Result<()> {
    let mut rest = standardised(sequences)?;
    let width = rest.len();
    let least = (ROUNDING * width as f64 * f64::EPSILON).sqrt();
    // Gram–Schmidt, twice over for the digits that are left: column j is combination[j] of the directions before it.
    let mut combination = vec![vec![0.0; width]; width];
    for j in 0..width {
        let (before, own) = rest.split_at_mut(j);
        let own = &mut own[0];
        for _ in 0..2 {
            for (i, direction) in before.iter().enumerate() {
                let share: f64 = direction.iter().zip(&*own).map(|(q, y)| q * y).sum();
                own.iter_mut()
                    .zip(direction)
                    .for_each(|(y, q)| *y -= share * q);
                combination[j][i] += share;
            }
        }
        let left = norm(own);
        if left.is_nan() || left <= least {
            return Err(Error::Dependent {
                columns: taking_part(&combination[..=j]),
            });
        }
        own.iter_mut().for_each(|y| *y /= left);
        combination[j][j] = left;
    }
    Ok(())
}

/// The columns, from 0, among the entries `inputs` of the rows of which something else is seen, that do not vary or are a linear
/// combination of others and a constant: the effects of such inputs cannot be told apart. None where all can.
///
/// ```
/// use scotopic_filtering::{Sequence, dependent_inputs};
/// // y, a and 2a + 1.
/// let rows = Sequence::of_rows([[0.3, 1.0, 3.0], [0.1, 2.0, 5.0], [0.9, 4.0, 9.0]])?;
/// assert_eq!(dependent_inputs(&[rows], 1..3)?, Some(vec![1, 2]));
/// # Ok::<(), scotopic_filtering::Error>(())
/// ```
///
/// # Errors
/// [`Error::Size`] for entries that rows have not.
pub fn dependent_inputs(
    sequences: &[Sequence],
    inputs: std::ops::Range<usize>,
) -> Result<Option<Vec<usize>>> {
    if inputs.is_empty() {
        return Ok(None);
    }
    let mut only = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        if inputs.end > sequence.width() {
            let found = format!("rows of {}", sequence.width());
            return Err(Error::size(
                "inputs",
                found,
                format!("at least {}", inputs.end),
            ));
        }
        let mut part = Sequence::new(inputs.len())?;
        let seen = |row: &&[f64]| row[..inputs.start].iter().any(|y| !y.is_nan());
        for row in sequence.iter().flatten().filter(seen) {
            part.push(Some(&row[inputs.clone()]))?;
        }
        only.push(part);
    }
    match check_independence(&only) {
        Ok(()) => Ok(None),
        Err(Error::Dependent { columns }) => {
            Ok(Some(columns.iter().map(|c| c + inputs.start).collect()))
        }
        // An input that is never there is refused with its first row.
        Err(_) => Ok(None),
    }
}

/// That `column` was never seen.
pub(crate) fn unseen(column: usize) -> Error {
    let expected = "at least one: leave this column out";
    Error::entry("columns", &[column], "no observation", expected)
}

/// The columns of which the last is a combination, and it, from the triangle of all in terms of orthogonal directions.
fn taking_part(combination: &[Vec<f64>]) -> Vec<usize> {
    let last = combination.len() - 1;
    let mut weights = combination[last][..last].to_vec();
    for i in (0..last).rev() {
        weights[i] /= combination[i][i];
        let (lower, w) = (&combination[i][..i], weights[i]);
        weights.iter_mut().zip(lower).for_each(|(v, r)| *v -= w * r);
    }
    let parts = (0..last).filter(|&i| weights[i].abs() > TAKES_PART);
    parts.chain([last]).collect()
}

/// The deviation of each column over what is seen, that of [`unit_variance`].
pub(crate) fn deviations(sequences: &[Sequence]) -> Vec<f64> {
    let width = sequences.first().map_or(0, Sequence::width);
    let deviation = |d: usize| {
        let rows = sequences.iter().flat_map(|s| s.iter().flatten());
        let values: Vec<f64> = rows.map(|row| row[d]).filter(|y| !y.is_nan()).collect();
        let size = values.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        if size == 0.0 {
            return 1.0;
        }
        let n = values.len() as f64;
        let mean = values.iter().map(|y| y / size / n).sum::<f64>();
        let variance = values
            .iter()
            .map(|y| (y / size - mean).powi(2))
            .sum::<f64>()
            / n;
        size * unit_variance(mean, variance).sqrt()
    };
    (0..width).map(deviation).collect()
}

/// The columns of all rows that are seen, each with mean 0 and norm 1; entries that are missing have the mean.
fn standardised(sequences: &[Sequence]) -> Result<Vec<Vec<f64>>> {
    let width = sequences.first().map_or(0, Sequence::width);
    let column = |d: usize| {
        let rows = sequences.iter().flat_map(|s| s.iter().flatten());
        let mut values: Vec<f64> = rows.filter_map(|row| row.get(d).copied()).collect();
        let n = values.iter().filter(|y| !y.is_nan()).count() as f64;
        if n == 0.0 {
            return Err(unseen(d));
        }
        // Divided by the largest first: squares leave the range of numbers.
        let size = values.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        // About one of them first: what does not vary is 0 then, however many rows there are.
        let one = values.iter().copied().find(|y| !y.is_nan()).unwrap_or(0.0);
        let about = |y: f64| (y - one) / size;
        let seen = values.iter().filter(|y| !y.is_nan());
        let mean = seen.map(|y| about(*y) / n).sum::<f64>();
        for y in &mut values {
            *y = if y.is_nan() { 0.0 } else { about(*y) - mean };
        }
        let deviation = norm(&values) / n.sqrt();
        if deviation.is_nan() || deviation <= ROUNDING * f64::EPSILON {
            return Err(Error::Dependent { columns: vec![d] });
        }
        let norm = norm(&values);
        values.iter_mut().for_each(|y| *y /= norm);
        Ok(values)
    };
    (0..width).map(column).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|y| y * y).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(row: impl Fn(f64) -> Vec<f64>) -> [Sequence; 1] {
        // Fractions of multiples of the golden ratio: as good as noise, and never twice the same.
        let noise = (1..200).map(|t| (f64::from(t) * 0.618_033_988_749_895).fract());
        [Sequence::of_rows(noise.map(row)).unwrap()]
    }

    /// The rounding of a mean over many rows is no variation.
    #[test]
    fn a_constant_does_not_vary_however_often_it_is_seen() {
        for rows in [1, 2, 300, 800, 4001] {
            for constant in [1.0, 0.1, -3e-9, 7e11] {
                let data = Sequence::of_numbers(vec![constant; rows]).unwrap();
                let refused = check_variation(std::slice::from_ref(&data)).is_err();
                assert!(refused, "{rows} rows of {constant}");
            }
        }
    }

    fn found(row: impl Fn(f64) -> Vec<f64>) -> Option<Vec<usize>> {
        match check_independence(&data(row)) {
            Ok(()) => None,
            Err(Error::Dependent { columns }) => Some(columns),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_columns_of_a_combination_are_named_in_any_unit() {
        for k in -9..=9 {
            let u = 10f64.powi(k);
            assert_eq!(found(|x| vec![x, (7.0 * x).sin() * u]), None);
            assert_eq!(found(|x| vec![x * u, 2.0 * x]), Some(vec![0, 1]));
            let three = |x: f64| {
                vec![
                    x,
                    x * x * u,
                    (9.0 * x).cos(),
                    5.0 + x - 3.0 * (9.0 * x).cos(),
                ]
            };
            assert_eq!(found(three), Some(vec![0, 2, 3]));
            assert_eq!(found(|x| vec![x, 4.3 * u]), Some(vec![1]));
            // A thousandth of a millionth of its own variation is one.
            assert_eq!(found(|x| vec![x, (x + 1e-6 * (50.0 * x).sin()) * u]), None);
        }
        assert_eq!(found(|_| vec![0.0]), Some(vec![0]));
        assert!(check_variation(&data(|x| vec![x, 2.0 * x])).is_ok());
        assert!(check_variation(&data(|x| vec![x, 2.0])).is_err());
    }

    #[test]
    fn a_column_that_was_never_seen_is_no_constant() {
        let data = data(|x| vec![x, f64::NAN]);
        for found in [check_variation(&data), check_independence(&data)] {
            let Err(Error::Entry { at, found, .. }) = found else {
                panic!("{found:?}");
            };
            assert_eq!(
                (at.as_slice(), found.as_str()),
                (&[1][..], "no observation")
            );
        }
    }
}
