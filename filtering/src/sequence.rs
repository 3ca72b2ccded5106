//! Series: rows of one width, any of which may be missing, as a whole or in part.

mod joined;

use std::ops::Range;
use std::sync::Arc;

use crate::{Error, Result};

/// Numbers that somebody else holds and does not change, such as an array of another language.
pub type SharedValues = Arc<dyn AsRef<[f64]> + Send + Sync>;

/// Observations o_1 … o_T, rows `[width]` of finite numbers; a missing one has no row. An entry that is NaN is missing from
/// its row, and a row of nothing but NaN is missing. Models that cannot use a part of a row refuse it.
/// (Two sequences with missing entries are not equal: NaN is not.)
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
/// walk.push(Some(&[f64::NAN, 2.0]))?; // the first entry was not measured
/// assert!(walk.has_partial_rows() && walk.whole_rows().get(2).is_none());
/// let dice = Sequence::of_symbols([5, 0, 2])?;
/// assert_eq!(dice.get(2), Some(&[2.0][..]));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Sequence {
    width: usize,
    values: Values,
    seen: Vec<bool>,
    partial: bool,
}

/// `[T·width]`, row after row; a missing row may hold anything.
#[derive(Clone)]
enum Values {
    Own(Vec<f64>),
    Shared(SharedValues, Range<usize>),
}

impl Values {
    fn as_slice(&self) -> &[f64] {
        match self {
            Self::Own(values) => values,
            Self::Shared(values, range) => &(**values).as_ref()[range.clone()],
        }
    }

    /// Changes its own numbers, which are copied first where they are shared.
    fn change(&mut self, change: impl FnOnce(&mut Vec<f64>)) {
        match self {
            Self::Own(values) => change(values),
            Self::Shared(..) => {
                let mut values = self.as_slice().to_vec();
                change(&mut values);
                *self = Self::Own(values);
            }
        }
    }
}

impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.width == other.width && self.iter().eq(other.iter())
    }
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
            values: Values::Own(Vec::new()),
            seen: Vec::new(),
            partial: false,
        })
    }

    /// Rows `[width]` in `range` of numbers that somebody else holds, which are not copied; NaN as in
    /// [`Sequence::push`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let held = Arc::new(vec![0.5, 1.0, f64::NAN, f64::NAN, 2.0, 3.0]);
    /// let walk = Sequence::of_shared(2, held, 0..6)?;
    /// assert_eq!((walk.len(), walk.get(1), walk.get(2)), (3, None, Some(&[2.0, 3.0][..])));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a width of 0; [`Error::Size`] for a range that is not there or no whole number of rows;
    /// [`Error::Observation`] for an infinite entry.
    pub fn of_shared(width: usize, values: SharedValues, range: Range<usize>) -> Result<Self> {
        let mut sequence = Self::new(width)?;
        let held = (*values).as_ref();
        let found = held.get(range.clone());
        let Some(rows) = found.filter(|rows| rows.len() % width == 0) else {
            let expected = format!("whole rows of {width} within {} numbers", held.len());
            return Err(Error::size("range", format!("{range:?}"), expected));
        };
        sequence.seen.reserve(rows.len() / width);
        for (t, row) in rows.chunks_exact(width).enumerate() {
            let seen = observed(Some(row), width, None);
            let seen = seen.map_err(|e| e.at_observation(t as u64))?.is_some();
            sequence.partial |= seen && row.iter().any(|y| y.is_nan());
            sequence.seen.push(seen);
        }
        sequence.values = Values::Shared(values, range);
        Ok(sequence)
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
    /// [`Error::Observation`] for one that is infinite.
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
    /// [`Error::Observation`] for a row of another width than the first, or an infinite
    /// entry; [`Error::Setting`] for no row (the width would be unknown) or rows of no entry.
    pub fn of_rows<R: AsRef<[f64]>>(rows: impl IntoIterator<Item = R>) -> Result<Self> {
        let mut rows = rows.into_iter().peekable();
        let width = rows.peek().map_or(0, |row| row.as_ref().len());
        let mut sequence = Self::new(width)?;
        for row in rows {
            sequence.push(Some(row.as_ref()))?;
        }
        Ok(sequence)
    }

    /// Adds the next observation, `None` for a missing one; NaN stands for a missing entry, and a row of nothing else is a
    /// missing observation.
    ///
    /// # Errors
    /// [`Error::Observation`] for a wrong width or an infinite entry; nothing is added then.
    pub fn push(&mut self, row: Option<&[f64]>) -> Result<()> {
        let row =
            observed(row, self.width, None).map_err(|e| e.at_observation(self.len() as u64))?;
        if let Some(row) = row {
            self.partial |= row.iter().any(|y| y.is_nan());
            self.values.change(|values| values.extend_from_slice(row));
        } else {
            let width = self.width;
            self.values
                .change(|values| values.resize(values.len() + width, 0.0));
        }
        self.seen.push(row.is_some());
        Ok(())
    }

    /// The number of observations T, missing ones included.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// The number of observations of which something was seen, apart from the last `given` entries: a model is given these and predicts
    /// none of them.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// let mut rows = Sequence::new(2)?;
    /// rows.push(Some(&[1.0, 7.0]))?;
    /// rows.push(Some(&[f64::NAN, 8.0]))?;
    /// assert_eq!((rows.seen(0), rows.seen(1)), (2, 1));
    /// # Ok::<(), scotopic_filtering::Error>(())
    /// ```
    pub fn seen(&self, given: usize) -> usize {
        self.iter().filter(|row| is_seen(*row, given)).count()
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
        seen.then(|| &self.values.as_slice()[t * self.width..(t + 1) * self.width])
    }

    /// Whether a row is missing in part: an entry of it is NaN, and another is not.
    pub fn has_partial_rows(&self) -> bool {
        self.partial
    }

    /// The same with every row that is missing in part missing as a whole, for models that use whole rows only.
    pub fn whole_rows(&self) -> Self {
        let mut whole = self.clone();
        if self.partial {
            let rows = self.values.as_slice().chunks_exact(self.width);
            for (row, seen) in rows.zip(&mut whole.seen) {
                *seen &= row.iter().all(|y| !y.is_nan());
            }
            whole.partial = false;
        }
        whole
    }

    /// All observations in order.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = Option<&[f64]>> + ExactSizeIterator + Clone + '_ {
        let rows = self.values.as_slice().chunks_exact(self.width);
        self.seen
            .iter()
            .zip(rows)
            .map(|(seen, row)| seen.then_some(row))
    }

    /// Observations `from` to `to − 1` as a sequence of their own; an end past the last stops at the last.
    pub fn part(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        let values = match &self.values {
            Values::Own(values) => Values::Own(values[from * self.width..to * self.width].to_vec()),
            Values::Shared(values, range) => {
                let at = |t: usize| range.start + t * self.width;
                Values::Shared(values.clone(), at(from)..at(to))
            }
        };
        let mut part = Self {
            width: self.width,
            values,
            seen: self.seen[from..to].to_vec(),
            partial: false,
        };
        // Only rows that are seen can be missing in part.
        part.partial = self.partial && part.iter().flatten().flatten().any(|y| y.is_nan());
        part
    }
}

/// Whether something was seen of a row, apart from its last `given` entries.
///
/// ```
/// use scotopic_filtering::is_seen;
/// assert!(is_seen(Some(&[1.0, 7.0]), 1) && !is_seen(Some(&[f64::NAN, 7.0]), 1) && !is_seen(None, 0));
/// ```
pub fn is_seen(row: Option<&[f64]>, given: usize) -> bool {
    row.is_some_and(|row| {
        let outputs = &row[..row.len().saturating_sub(given)];
        outputs.iter().any(|y| !y.is_nan())
    })
}

/// What of a row was observed: nothing if it is `None` or NaN alone; else the row, NaN where an entry is missing. `whole` says of
/// what takes whole rows only, and why.
///
/// # Errors
/// [`Error::Observation`] of observation 0 for a wrong width, an infinite entry, or a row that is missing in part where whole rows
/// are asked for.
pub(crate) fn observed<'a>(
    row: Option<&'a [f64]>,
    width: usize,
    whole: Option<&str>,
) -> Result<Option<&'a [f64]>> {
    let Some(row) = row else {
        return Ok(None);
    };
    if row.len() == width && row.iter().all(|y| y.is_finite()) {
        return Ok(Some(row));
    }
    check_partial_row(row, width)?;
    if row.iter().all(|y| y.is_nan()) {
        return Ok(None);
    }
    match whole {
        None => Ok(Some(row)),
        Some(whole) => {
            let entry = row.iter().position(|y| y.is_nan()).unwrap_or(0);
            Err(Error::observation(entry, "a missing entry", whole))
        }
    }
}

/// Checks one observation: its width, and that what is seen of it, all but NaN, is finite. The error is of observation 0.
pub(crate) fn check_partial_row(row: &[f64], width: usize) -> Result<()> {
    check_size(row, width)?;
    match row.iter().position(|v| v.is_infinite()) {
        None => Ok(()),
        Some(entry) => {
            let expected = "a finite number (NaN for a missing entry)";
            Err(Error::observation(entry, row[entry], expected))
        }
    }
}

fn check_size(row: &[f64], width: usize) -> Result<()> {
    if row.len() == width {
        return Ok(());
    }
    let (found, expected) = (
        format!("a row of {}", row.len()),
        format!("{width} entries"),
    );
    Err(Error::observation(row.len().min(width), found, expected))
}

/// Checks one observation: its width, and that it is finite. The error is of observation 0.
pub(crate) fn check_row(row: &[f64], width: usize) -> Result<()> {
    check_size(row, width)?;
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
        for bad in [
            &[1.0][..],
            &[1.0, f64::INFINITY],
            &[f64::NAN, f64::INFINITY],
            &[1.0, 2.0, 3.0],
        ] {
            let error = s.push(Some(bad)).unwrap_err();
            assert!(
                matches!(error, Error::Observation { index: 1, .. }),
                "{error}"
            );
            assert_eq!(s.len(), 1);
        }
    }

    #[test]
    fn nan_is_a_missing_entry_and_nan_alone_a_missing_row() {
        let mut s = Sequence::new(2).unwrap();
        s.push(Some(&[1.0, f64::NAN])).unwrap();
        s.push(Some(&[f64::NAN; 2])).unwrap();
        s.push(Some(&[1.0, 2.0])).unwrap();
        assert!(s.get(0).is_some_and(|row| row[0] == 1.0 && row[1].is_nan()));
        assert_eq!(s.get(1), None);
        assert!(s.has_partial_rows() && s.part(0, 1).has_partial_rows());
        assert!(!s.part(1, 3).has_partial_rows() && !s.whole_rows().has_partial_rows());
        assert_eq!(s.whole_rows().iter().flatten().count(), 1);
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

    #[test]
    fn shared_rows_are_read_in_place_and_equal_their_copies() {
        const NAN: f64 = f64::NAN;
        let held: SharedValues = Arc::new(vec![9.0, 1.0, 2.0, NAN, NAN, 5.0, 6.0]);
        let mut shared = Sequence::of_shared(2, held.clone(), 1..7).unwrap();
        let mut own = Sequence::of_rows([[1.0, 2.0]]).unwrap();
        own.push(None).unwrap();
        own.push(Some(&[5.0, 6.0])).unwrap();
        assert_eq!(shared, own);
        let place = |s: &Sequence| s.get(0).unwrap().as_ptr();
        assert_eq!(place(&shared), (*held).as_ref()[1..].as_ptr());
        assert_eq!(place(&shared.part(2, 3)), (*held).as_ref()[5..].as_ptr());
        assert_eq!(shared.part(1, 9), own.part(1, 9));
        // What is added makes it its own.
        shared.push(Some(&[7.0, 8.0])).unwrap();
        assert_eq!((shared.len(), (*held).as_ref().len()), (4, 7));
        assert_eq!(shared.get(2), own.get(2));
    }

    #[test]
    fn shared_rows_are_checked() {
        let held: SharedValues = Arc::new(vec![1.0, 2.0, f64::NAN, 4.0, 5.0, f64::INFINITY]);
        let partial = Sequence::of_shared(2, held.clone(), 0..4).unwrap();
        assert!(partial.has_partial_rows() && !partial.part(0, 1).has_partial_rows());
        assert_eq!(partial.whole_rows().get(1), None);
        let of = |range| Sequence::of_shared(2, held.clone(), range);
        assert!(of(0..2).is_ok() && of(0..0).is_ok());
        for bad in [0..3, 4..8, Range { start: 5, end: 4 }] {
            assert!(matches!(of(bad), Err(Error::Size { .. })));
        }
        for (range, at) in [(0..6, 2), (2..6, 1), (4..6, 0)] {
            let error = of(range).unwrap_err();
            assert!(
                matches!(error, Error::Observation { index, .. } if index == at),
                "{error}"
            );
        }
    }
}
