//! Errors, with place and remedy.

use std::io;
use std::path::{Path, PathBuf};

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A problem with a file, a configuration or the numbers in an array.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}{}", path.display(), io_advice(action, source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb: `open`, `read`, `rename`.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A folder where a file is needed, or the other way round.
    #[error("{}: found {found}, expected {expected}; check the path in the configuration", path.display())]
    WrongKind {
        /// What was looked at.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The bytes of a file are not what its format asks for.
    #[error("{}, byte {offset}{}: found {found}, expected {expected}; {advice}", path.display(), place(part))]
    Format {
        /// The file.
        path: PathBuf,
        /// Which part or stream of the file the offset counts in; empty for the file itself.
        part: String,
        /// Where, counted from the beginning of that part.
        offset: u64,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
        /// What to do.
        advice: &'static str,
    },
    /// A value of the configuration makes no sense.
    #[error("data source `{source_name}`, field `{field}`: found {found}, expected {expected}")]
    Config {
        /// The data source as it is written in the configuration, such as `dead-leaves`.
        source_name: &'static str,
        /// The key.
        field: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A value that describes a stimulus or a choice of images makes no sense.
    #[error("{what}, field `{field}`: found {found}, expected {expected}")]
    Setting {
        /// What it describes, such as "stimulus `grating`".
        what: &'static str,
        /// The key.
        field: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The sizes of arrays do not go together.
    #[error("{name}: {field}: found {found}, expected {expected}")]
    Size {
        /// The array or image set.
        name: String,
        /// Which of its sizes.
        field: &'static str,
        /// The size.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A NaN or an infinity among the pixels.
    #[error(
        "{name}: image {image}, pixel {pixel}: found {found}, expected a finite number; \
         remove or repair this image"
    )]
    NotFinite {
        /// The image set.
        name: String,
        /// Which image, from 0.
        image: usize,
        /// Which value of that image, from 0.
        pixel: usize,
        /// The value.
        found: f32,
    },
    /// A pixel stored as a whole number that is no level of its type.
    #[error(
        "{name}: value {at} is {found}, expected a level from 0 to {brightest}, which the brightest pixel of whole numbers \
         has; store other scales as float32"
    )]
    Level {
        /// The array.
        name: String,
        /// Which value, from 0.
        at: usize,
        /// The value.
        found: f32,
        /// The highest level.
        brightest: f32,
    },
    /// Whole numbers that were meant on a scale with fewer levels than their type has.
    #[error(
        "{name}: no value is above {largest}, and the brightest pixel of this type has {brightest}: {advice}"
    )]
    TooDark {
        /// The array.
        name: String,
        /// The largest value.
        largest: f32,
        /// The highest level of its type.
        brightest: f32,
        /// How to store them.
        advice: &'static str,
    },
    /// Pixels that cannot be on the scale of those that a model was trained on.
    #[error(
        "{name}: values from {} to {}, the model was trained on {} to {}: {advice}", found.0, found.1, trained.0, trained.1
    )]
    Scale {
        /// The input.
        name: String,
        /// Its least and its largest value.
        found: (f32, f32),
        /// Those of the training images.
        trained: (f32, f32),
        /// What to do.
        advice: String,
    },
    /// A row of a series is not what it should be.
    #[error("{name}, line {line}, column {column}: found {found}, expected {expected}")]
    Row {
        /// The file or stream.
        name: String,
        /// Which line of text from 1, or row of an array.
        line: u64,
        /// Which column, by number from 1 or by name.
        column: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// All values are equal, so that they cannot be scaled to unit variance.
    #[error(
        "{name}: the standard deviation is {found}, expected a positive number; \
         the images are blank: check the files, or set `standardise = false`"
    )]
    NoVariance {
        /// The image set.
        name: String,
        /// The standard deviation found.
        found: f64,
    },
    /// A file is whole by its format but is not the file that was meant.
    #[error("{}: sha256 of {what} is {found}, expected {expected}; delete it and fetch it again", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// `the file` or `the uncompressed content`.
        what: &'static str,
        /// The digest computed, in hexadecimal.
        found: String,
        /// The digest on record.
        expected: String,
    },
    /// A download did not succeed; nothing was left behind.
    #[error("{url}: found {found}, expected {expected}; {advice}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// The data.
        found: String,
        /// What should have happened.
        expected: String,
        /// What to do.
        advice: &'static str,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io {
            path,
            action,
            source,
        }
    }

    #[cfg(feature = "images")]
    pub(crate) fn config(
        source_name: &'static str,
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> Error {
        let (found, expected) = (found.to_string(), expected.to_string());
        Error::Config {
            source_name,
            field,
            found,
            expected,
        }
    }

    pub(crate) fn setting(
        what: &'static str,
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> Error {
        let (found, expected) = (found.to_string(), expected.to_string());
        Error::Setting {
            what,
            field,
            found,
            expected,
        }
    }

    pub(crate) fn row(
        name: &str,
        line: u64,
        column: &str,
        found: impl ToString,
        expected: impl ToString,
    ) -> Error {
        let (found, expected) = (found.to_string(), expected.to_string());
        Error::Row {
            name: name.to_owned(),
            line,
            column: column.to_owned(),
            found,
            expected,
        }
    }

    #[cfg(feature = "images")]
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
}

fn place(part: &str) -> String {
    if part.is_empty() {
        String::new()
    } else {
        format!(" of {part}")
    }
}

fn io_advice(action: &str, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound if action == "write" => "; make its folder first",
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; check who may read and write there",
        io::ErrorKind::StorageFull => "; make room on the disk",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_where_and_what_to_do() {
        let missing = Error::io(Path::new("mnist/x.gz"), "open")(io::ErrorKind::NotFound.into());
        let text = missing.to_string();
        assert!(
            text.contains("mnist/x.gz") && text.contains("check the path"),
            "{text}"
        );
        let format = Error::Format {
            path: "a.npz".into(),
            part: "entry `z`".into(),
            offset: 6,
            found: "version 9".into(),
            expected: "version 1, 2 or 3".into(),
            advice: "write it again with numpy.savez",
        };
        let text = format.to_string();
        assert!(
            text.starts_with("a.npz, byte 6 of entry `z`: found version 9"),
            "{text}"
        );
    }
}
