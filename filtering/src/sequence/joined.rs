//! Sequences whose rows are made of the rows of others: with inputs, with lags.

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
        Ok(joined)
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
        lagged.values = match (&self.values, lagged.values) {
            (Values::Shared(source, _), Values::Own(values)) => {
                let range = 0..values.len();
                let source = source.clone();
                Values::Shared(Arc::new(Derived { source, values }), range)
            }
            (_, values) => values,
        };
        Ok(lagged)
    }
}
