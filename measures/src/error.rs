//! Errors about measured arrays, with the position.

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A problem with an array or a setting.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sizes of arrays do not go together, or are too small for the measure.
    #[error("{name}: {field}: found {found}, expected {expected}")]
    Size {
        /// The array.
        name: String,
        /// Which of its sizes.
        field: &'static str,
        /// The size.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A NaN or an infinity in an array.
    #[error(
        "{name}: row {row}, column {column}: found {found}, expected a finite number; \
         the model that made it has diverged, or an entry was never written"
    )]
    NotFinite {
        /// The array.
        name: String,
        /// Which row, from 0; 0 for a list.
        row: usize,
        /// Which column, or entry of a list, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A number that is finite but cannot be what the array holds.
    #[error("{name}, entry {index}: found {found}, expected {expected}")]
    Value {
        /// The array.
        name: String,
        /// Which entry, from 0, row after row.
        index: usize,
        /// The value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A setting of a measure makes no sense.
    #[error("setting `{field}`: found {found}, expected {expected}")]
    Setting {
        /// The field or argument.
        field: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl Error {
    pub(crate) fn size(
        name: impl ToString,
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> Error {
        let (name, found, expected) = (name.to_string(), found.to_string(), expected.to_string());
        Error::Size {
            name,
            field,
            found,
            expected,
        }
    }

    pub(crate) fn value(
        name: impl ToString,
        index: usize,
        found: impl ToString,
        expected: &'static str,
    ) -> Error {
        let (name, found) = (name.to_string(), found.to_string());
        Error::Value {
            name,
            index,
            found,
            expected,
        }
    }

    pub(crate) fn setting(
        field: &'static str,
        found: impl ToString,
        expected: &'static str,
    ) -> Error {
        let found = found.to_string();
        Error::Setting {
            field,
            found,
            expected,
        }
    }
}

/// Checks that a list is long enough and that all of it is finite.
pub(crate) fn check_list(name: &str, values: &[f64], least: usize) -> Result<()> {
    if values.len() < least {
        let expected = format!("at least {least}");
        return Err(Error::size(name, "entries", values.len(), expected));
    }
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(column) => Err(Error::NotFinite {
            name: name.to_owned(),
            row: 0,
            column,
            found: values[column],
        }),
    }
}

/// Checks a list of responses or rates: as [`check_list`], and none of them negative.
pub(crate) fn check_rates(name: &str, values: &[f64], least: usize) -> Result<()> {
    check_list(name, values, least)?;
    match values.iter().position(|&v| v < 0.0) {
        None => Ok(()),
        Some(at) => Err(Error::value(name, at, values[at], "a rate, 0 or more")),
    }
}

/// Checks that two arrays have the same number of something.
pub(crate) fn check_same(
    name: &str,
    field: &'static str,
    found: usize,
    expected: usize,
    of: &str,
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let expected = format!("{expected}, as {of}");
    Err(Error::size(name, field, found, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_where() {
        let text = check_list("curve", &[0.0, f64::NAN], 1)
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("curve: row 0, column 1: found NaN"),
            "{text}"
        );
        let text = check_rates("rates", &[0.0, 1.0, -2.0], 1)
            .unwrap_err()
            .to_string();
        assert!(text.starts_with("rates, entry 2: found -2"), "{text}");
        let text = check_list("curve", &[], 2).unwrap_err().to_string();
        assert!(text.contains("found 0, expected at least 2"), "{text}");
        let text = check_same("recon", "rows", 3, 4, "images")
            .unwrap_err()
            .to_string();
        assert_eq!(text, "recon: rows: found 3, expected 4, as images");
    }
}
