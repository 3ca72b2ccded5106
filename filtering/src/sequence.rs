//! Series: rows of one width, any of which may be missing.

use crate::{Error, Result};

/// Observations o_1 … o_T, rows `[width]` of finite numbers; a missing one has no row.
///
/// A symbol of an alphabet of M is a row of one number from 0 to M − 1; a count is a whole number.
///
/// ```
/// use scotopic_filtering::Sequence;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let mut walk = Sequence::new(2)?;
/// walk.push(Some(&[0.5, 1.0]))?;
/// walk.push(None)?;
/// assert_eq!(walk.len(), 2);
/// assert_eq!(walk.get(0), Some(&[0.5, 1.0][..]));
/// assert_eq!(walk.get(1), None);
/// let dice = Sequence::of_symbols([5, 0, 2])?;
/// assert_eq!(dice.get(2), Some(&[2.0][..]));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    width: usize,
    values: Vec<f64>,
    seen: Vec<bool>,
}

impl Sequence {
    /// No observations yet, of `width` entries each.
    ///
    /// # Errors
    /// [`Error::Setting`] for a width of 0.
    pub fn new(width: usize) -> Result<Self> {
        if width == 0 {
            return Err(Error::setting(
                "width",
                width,
                "at least one entry an observation",
            ));
        }
        Ok(Self {
            width,
            values: Vec::new(),
            seen: Vec::new(),
        })
    }

    /// Symbols 0, 1, … of an alphabet, none missing.
    ///
    /// # Errors
    /// None today; a `Result` as for the other constructors.
    pub fn of_symbols(symbols: impl IntoIterator<Item = usize>) -> Result<Self> {
        Self::of_numbers(symbols.into_iter().map(|symbol| symbol as f64))
    }

    /// Observations of one number each, none missing.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is not finite.
    pub fn of_numbers(numbers: impl IntoIterator<Item = f64>) -> Result<Self> {
        let mut sequence = Self::new(1)?;
        for number in numbers {
            sequence.push(Some(&[number]))?;
        }
        Ok(sequence)
    }

    /// Rows of equal width, none missing.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of another width than the first, or an entry that is not
    /// finite; [`Error::Setting`] for no row (the width would be unknown) or rows of no entry.
    pub fn of_rows<R: AsRef<[f64]>>(rows: impl IntoIterator<Item = R>) -> Result<Self> {
        let mut rows = rows.into_iter().peekable();
        let width = rows.peek().map_or(0, |row| row.as_ref().len());
        let mut sequence = Self::new(width)?;
        for row in rows {
            sequence.push(Some(row.as_ref()))?;
        }
        Ok(sequence)
    }

    /// Adds the next observation, `None` for a missing one.
    ///
    /// # Errors
    /// [`Error::Observation`] for a wrong width or an entry that is not finite; nothing is added then.
    pub fn push(&mut self, row: Option<&[f64]>) -> Result<()> {
        if let Some(row) = row {
            check_row(row, self.width).map_err(|e| e.at_observation(self.len() as u64))?;
            self.values.extend_from_slice(row);
        } else {
            self.values.resize(self.values.len() + self.width, 0.0);
        }
        self.seen.push(row.is_some());
        Ok(())
    }

    /// The number of observations T, missing ones included.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there is no observation at all.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Observation `t` from 0; `None` if it is missing or past the end.
    pub fn get(&self, t: usize) -> Option<&[f64]> {
        let seen = *self.seen.get(t)?;
        seen.then(|| &self.values[t * self.width..(t + 1) * self.width])
    }

    /// All observations in order.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = Option<&[f64]>> + ExactSizeIterator + Clone + '_ {
        (0..self.len()).map(|t| self.get(t))
    }

    /// Observations `from` to `to − 1` as a sequence of their own; an end past the last stops at the last.
    pub fn part(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        Self {
            width: self.width,
            values: self.values[from * self.width..to * self.width].to_vec(),
            seen: self.seen[from..to].to_vec(),
        }
    }
}

/// Checks one observation: its width, and that it is finite. The error is of observation 0.
pub(crate) fn check_row(row: &[f64], width: usize) -> Result<()> {
    if row.len() != width {
        let (found, expected) = (
            format!("a row of {}", row.len()),
            format!("{width} entries"),
        );
        return Err(Error::observation(row.len().min(width), found, expected));
    }
    match row.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(entry) => {
            let expected = "a finite number (say None for a missing observation)";
            Err(Error::observation(entry, row[entry], expected))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_is_named_and_not_kept() {
        let mut s = Sequence::new(2).unwrap();
        s.push(Some(&[1.0, 2.0])).unwrap();
        for bad in [&[1.0][..], &[1.0, f64::NAN], &[1.0, 2.0, 3.0]] {
            let error = s.push(Some(bad)).unwrap_err();
            assert!(
                matches!(error, Error::Observation { index: 1, .. }),
                "{error}"
            );
            assert_eq!(s.len(), 1);
        }
    }

    #[test]
    fn a_part_keeps_the_gaps() {
        let mut s = Sequence::of_numbers([1.0, 2.0]).unwrap();
        s.push(None).unwrap();
        s.push(Some(&[4.0])).unwrap();
        let part = s.part(1, 99);
        assert_eq!(
            part.iter().collect::<Vec<_>>(),
            [Some(&[2.0][..]), None, Some(&[4.0][..])]
        );
    }
}
