//! Sequences whose rows are made of the rows of others: with inputs, with lags, in other units.

use std::sync::Arc;

use super::{Sequence, SharedValues, Values};
use crate::{Error, Result};

/// Numbers that were made from those of a holder, who is asked whenever they are read: one who takes the source away, as on an interrupt,
/// takes away what was made of it too.
struct Derived {
    source: SharedValues,
    values: Vec<f64>,
}

impl AsRef<[f64]> for Derived {
    fn as_ref(&self) -> &[f64] {
        let _ = (*self.source).as_ref();
        &self.values
    }
}

impl Sequence {
    /// Rows of these observations followed by `inputs` `[time, input]`: what emissions with inputs take. The inputs of a row that is
    /// missing are kept, with NaN for its outputs.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let choices = Sequence::of_symbols([0, 1])?;
    /// let rows = choices.with_inputs(&Sequence::of_rows([[0.5, 1.0], [-0.25, 1.0]])?)?;
    /// assert_eq!(rows.get(1), Some(&[1.0, -0.25, 1.0][..]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for another number of rows.
    pub fn with_inputs(&self, inputs: &Self) -> Result<Self> {
        if inputs.len() != self.len() {
            let found = format!("{} rows", inputs.len());
            return Err(Error::size(
                "inputs",
                found,
                format!("{}, one an observation", self.len()),
            ));
        }
        let width = self.width + inputs.width;
        let mut joined = Self::new(width)?;
        let mut row = vec![f64::NAN; width];
        for (own, given) in self.iter().zip(inputs.iter()) {
            row.fill(f64::NAN);
            let (outputs, rest) = row.split_at_mut(self.width);
            if let Some(own) = own {
                outputs.copy_from_slice(own);
            }
            if let Some(given) = given {
                rest.copy_from_slice(given);
            }
            joined.push(Some(&row))?;
        }
        Ok(joined.made_of(self))
    }

    /// Rows of an observation and the `lags` before it, newest first, NaN for what is missing or lies before the first: what an
    /// autoregression sees.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let rows = Sequence::of_numbers([1.0, 2.0, 4.0])?.with_lags(2)?;
    /// assert_eq!(rows.get(2), Some(&[4.0, 2.0, 1.0][..]));
    /// assert!(rows.get(0).is_some_and(|row| row[1..].iter().all(|x| x.is_nan())));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a number of lags too large to be one.
    pub fn with_lags(&self, lags: usize) -> Result<Self> {
        let width = lags
            .checked_add(1)
            .and_then(|n| n.checked_mul(self.width))
            .filter(|width| *width <= isize::MAX as usize / 8)
            .ok_or_else(|| Error::setting("lags", lags, "a number of observations before"))?;
        let mut lagged = Self::new(width)?;
        let mut row = vec![f64::NAN; width];
        for own in self.iter() {
            row.copy_within(..width - self.width, self.width);
            match own {
                Some(own) => row[..self.width].copy_from_slice(own),
                None => row[..self.width].fill(f64::NAN),
            }
            lagged.push(Some(&row))?;
        }
        Ok(lagged.made_of(self))
    }

    /// The same rows, each changed by `change`; what is missing as a whole stays so.
    ///
    /// # Errors
    /// [`Error::Observation`] for an infinite entry.
    pub(crate) fn mapped(&self, mut change: impl FnMut(&mut [f64])) -> Result<Self> {
        let mut mapped = Self::new(self.width)?;
        let mut row = vec![0.0; self.width];
        for own in self.iter() {
            mapped.push(match own {
                Some(own) => {
                    row.copy_from_slice(own);
                    change(&mut row);
                    Some(&row)
                }
                None => None,
            })?;
        }
        Ok(mapped.made_of(self))
    }

    /// The same, whose numbers are taken away with those of `source`.
    pub(crate) fn made_of(mut self, source: &Self) -> Self {
        self.values = match (&source.values, self.values) {
            (Values::Shared(source, _), Values::Own(values)) => {
                let range = 0..values.len();
                let source = source.clone();
                Values::Shared(Arc::new(Derived { source, values }), range)
            }
            (_, values) => values,
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often its numbers are read.
    struct Asked(Arc<AtomicUsize>);

    impl AsRef<[f64]> for Asked {
        fn as_ref(&self) -> &[f64] {
            self.0.fetch_add(1, Ordering::Relaxed);
            &[1.0, 2.0, f64::NAN, f64::NAN, 3.0, 4.0]
        }
    }

    /// A holder that ends a computation on an interrupt does so for rows in other units, and for rows with lags, as well.
    #[test]
    fn what_is_made_of_shared_rows_asks_their_holder() {
        let asked = Arc::new(AtomicUsize::new(0));
        let shared = Sequence::of_shared(2, Arc::new(Asked(asked.clone())), 0..6).unwrap();
        let halved = shared.mapped(|row| row[1] *= 0.5).unwrap();
        let mut expected = Sequence::of_rows([[1.0, 1.0]]).unwrap();
        expected.push(None).unwrap();
        expected.push(Some(&[3.0, 2.0])).unwrap();
        assert_eq!(halved, expected);
        let inputs = Sequence::of_rows([[0.0], [1.0], [2.0]]).unwrap();
        let lagged = shared.with_lags(1).unwrap();
        for made in [halved, lagged, shared.with_inputs(&inputs).unwrap()] {
            let before = asked.load(Ordering::Relaxed);
            let _ = made.get(0);
            assert!(asked.load(Ordering::Relaxed) > before);
        }
    }
}
