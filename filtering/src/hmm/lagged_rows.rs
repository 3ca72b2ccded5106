//! The rows that an emission sees of a sequence: those of the sequence or, of an autoregression, with the rows before.

use std::borrow::Cow;

use super::{Emission, Hmm};
use crate::{Error, Result, Sequence};

/// The rows that `emission` sees: with its lags, if they are not there already.
///
/// # Errors
/// [`Error::Observation`] for a width that is neither that of outputs nor of outputs with their lags.
pub(super) fn lagged<'a, E: Emission>(
    emission: &E,
    sequence: &'a Sequence,
) -> Result<Cow<'a, Sequence>> {
    if emission.lags() == 0 || sequence.width() == emission.width() {
        return Ok(Cow::Borrowed(sequence));
    }
    let outputs = emission.width() - emission.inputs().len();
    if sequence.width() != outputs {
        let found = format!("a row of {}", sequence.width());
        let entry = sequence.width().min(outputs);
        return Err(Error::observation(
            entry,
            found,
            format!("{outputs} entries"),
        ));
    }
    sequence.with_lags(emission.lags()).map(Cow::Owned)
}

impl<E: Emission> Hmm<E> {
    /// The rows that the emission sees of a sequence.
    pub(crate) fn lagged<'a>(&self, sequence: &'a Sequence) -> Result<Cow<'a, Sequence>> {
        lagged(self.emission(), sequence)
    }

    /// The same of several.
    pub(super) fn all_lagged<'a>(&self, sequences: &'a [Sequence]) -> Result<Cow<'a, [Sequence]>> {
        if self.emission().lags() == 0 {
            return Ok(Cow::Borrowed(sequences));
        }
        let all = sequences
            .iter()
            .map(|s| self.lagged(s).map(Cow::into_owned));
        all.collect::<Result<Vec<Sequence>>>().map(Cow::Owned)
    }
}
