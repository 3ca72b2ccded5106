//! The one error type of this crate.

/// What can be wrong with a request to this crate.
///
/// Shapes that disagree in code are programming errors and panic inside burn, as documented on each
/// function; everything that can come from a configuration or a file is checked and returned as one
/// of these.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting lies outside the values that make sense for it.
    #[error("{key} = {value}: {rule}")]
    Setting {
        /// The name of the setting, as it stands in the configuration.
        key: &'static str,
        /// The value that was given.
        value: String,
        /// What would be accepted, and what to do.
        rule: &'static str,
    },
    /// Two shapes that must agree do not.
    #[error("{what}: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that fits.
        expected: Vec<usize>,
        /// The shape that was found.
        found: Vec<usize>,
    },
}

impl Error {
    /// A [`Error::Setting`] from anything printable.
    pub fn setting(key: &'static str, value: impl std::fmt::Display, rule: &'static str) -> Self {
        Self::Setting {
            key,
            value: value.to_string(),
            rule,
        }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
