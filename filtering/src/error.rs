//! Errors about models and observations, with their place.

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A problem with a model, an observation or a setting.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has the wrong size.
    #[error("{name}: found {found}, expected {expected}")]
    Size {
        /// The array.
        name: String,
        /// Its size.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// An entry of a model's array is not what it can be: negative, NaN, too large.
    #[error("{name}{}: found {found}, expected {expected}", place(.at))]
    Entry {
        /// The array.
        name: String,
        /// The entry, one index an axis, from 0; none for the array as a whole.
        at: Vec<usize>,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A matrix that should be a covariance or a precision is not positive definite.
    #[error(
        "{name}: not positive definite (pivot {pivot} of its Cholesky factor is {value:e}); \
         check that it is symmetric and that entry {pivot} is not a combination of those before it"
    )]
    NotPositiveDefinite {
        /// The matrix.
        name: String,
        /// The first pivot that is not positive, from 0.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// Columns of the data do not vary, or one is a combination of others: no variance or covariance is the best.
    #[error("{}", dependent(.columns))]
    Dependent {
        /// One that does not vary, or all that take part in the combination; from 0. Of an autoregression those after the observation's
        /// own are its lags: where one of them takes part, the observation is given by those before it exactly, and no noise is left. Of
        /// a regression, an output and inputs: it is given by them exactly.
        columns: Vec<usize>,
    },
    /// An observation has the wrong width, is not finite, or is not a symbol or count where one is needed.
    #[error("observation {index}, entry {entry}: found {found}, expected {expected}")]
    Observation {
        /// Which observation, from 0.
        index: u64,
        /// Which of its entries, from 0.
        entry: usize,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// No state can have made the observation.
    #[error(
        "observation {index}: its probability is zero in every state that can be reached; \
         the model rules it out (smooth its probabilities with a pseudo-count), or it is wrong"
    )]
    Impossible {
        /// Which observation, from 0.
        index: u64,
    },
    /// A computation has left the range of numbers.
    #[error(
        "observation {index}: {what} is {found}; the parameters have diverged or are badly scaled"
    )]
    NotFinite {
        /// Which observation, from 0.
        index: u64,
        /// What was computed.
        what: &'static str,
        /// The value.
        found: f64,
    },
    /// A setting makes no sense.
    #[error("setting `{field}`: found {found}, expected {expected}")]
    Setting {
        /// The field or argument.
        field: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Something was asked that a factorisation or a model cannot do.
    #[error("{what} cannot {asked}: {why}")]
    Unsupported {
        /// The factorisation or model.
        what: String,
        /// What was asked of it.
        asked: &'static str,
        /// Why it cannot, and what can.
        why: &'static str,
    },
}

/// A number of the size of 1e-300 in some twenty characters.
fn short(found: impl ToString) -> String {
    /// Longer than any number of 17 digits with its sign, point and exponent.
    const LONGEST: usize = 24;
    let text = found.to_string();
    match text.parse::<f64>() {
        Ok(number) if text.len() > LONGEST => format!("{number:e}"),
        _ => text,
    }
}

fn dependent(columns: &[usize]) -> String {
    let names: Vec<String> = columns.iter().map(usize::to_string).collect();
    match names.as_slice() {
        [one] => format!(
            "entry {one} of the observations does not vary: no variance can be learned of it; leave it out, or add pseudo-observations \
             (`pseudo_count`)"
        ),
        _ => format!(
            "entries {} of the observations are collinear: each is a linear combination of the others, and no covariance can be \
             learned of them; leave one out, or add pseudo-observations (`pseudo_count`)",
            names.join(", ")
        ),
    }
}

fn place(at: &[usize]) -> String {
    at.iter().map(|index| format!("[{index}]")).collect()
}

impl Error {
    pub(crate) fn size(name: impl ToString, found: impl ToString, expected: impl ToString) -> Self {
        let (name, found, expected) = (name.to_string(), found.to_string(), expected.to_string());
        Error::Size {
            name,
            found,
            expected,
        }
    }

    pub(crate) fn entry(
        name: impl ToString,
        at: &[usize],
        found: impl ToString,
        expected: impl ToString,
    ) -> Self {
        let (name, found, expected) = (name.to_string(), short(found), expected.to_string());
        Error::Entry {
            name,
            at: at.to_vec(),
            found,
            expected,
        }
    }

    pub(crate) fn observation(entry: usize, found: impl ToString, expected: impl ToString) -> Self {
        let (found, expected) = (short(found), expected.to_string());
        Error::Observation {
            index: 0,
            entry,
            found,
            expected,
        }
    }

    pub(crate) fn setting(
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> Self {
        let (found, expected) = (short(found), expected.to_string());
        Error::Setting {
            field,
            found,
            expected,
        }
    }

    pub(crate) fn not_finite(index: u64, what: &'static str, found: f64) -> Self {
        Error::NotFinite { index, what, found }
    }

    /// The same error with the array called by another name.
    pub(crate) fn renamed(mut self, called: impl FnOnce(String) -> String) -> Self {
        if let Error::Size { name, .. }
        | Error::Entry { name, .. }
        | Error::NotPositiveDefinite { name, .. } = &mut self
        {
            *name = called(std::mem::take(name));
        }
        self
    }

    /// The same error, said of observation `index`. Emissions see one observation and cannot know its
    /// number; the caller that counts inserts it.
    pub fn at_observation(mut self, number: u64) -> Self {
        match &mut self {
            Error::Observation { index, .. }
            | Error::Impossible { index }
            | Error::NotFinite { index, .. } => *index = number,
            _ => {}
        }
        self
    }
}

/// Checks that `values` is a probability vector: entries from 0 to 1 that sum to one within `1e-6`
/// (tolerating numbers rounded to seven digits in a file), and makes the sum one to rounding.
pub(crate) fn check_distribution(name: &str, at: &[usize], values: &mut [f64]) -> Result<()> {
    for (k, &p) in values.iter().enumerate() {
        if !(0.0..=1.0 + 1e-6).contains(&p) {
            let place: Vec<usize> = at.iter().copied().chain([k]).collect();
            return Err(Error::entry(name, &place, p, "a probability, from 0 to 1"));
        }
    }
    let total: f64 = values.iter().sum();
    if (total - 1.0).abs() > 1e-6 {
        let found = format!("a sum of {total}");
        return Err(Error::entry(name, at, found, "probabilities that sum to 1"));
    }
    // Exactly stochastic input is left as it is, bit for bit.
    if (total - 1.0).abs() > 1e-12 {
        values.iter_mut().for_each(|p| *p /= total);
    }
    Ok(())
}

/// Checks that every entry of an array `[rows, columns]` is finite.
pub(crate) fn check_finite(name: &str, columns: usize, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let place = [at / columns, at % columns];
            Err(Error::entry(name, &place, values[at], "a finite number"))
        }
    }
}

/// Checks that a number of steps, bins or the like is within bounds: what grows with it are time and memory.
pub(crate) fn check_count(
    field: &'static str,
    value: usize,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<()> {
    match bounds.contains(&value) {
        true => Ok(()),
        false => {
            let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
            Err(Error::setting(field, value, expected))
        }
    }
}
