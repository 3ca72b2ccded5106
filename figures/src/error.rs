//! Why a figure could not be drawn or written.

use std::path::PathBuf;

/// The most pixels that a side of a figure may have.
pub const MAX_SIDE: usize = 16_384;

/// Why a figure could not be drawn or written.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// There is nothing to draw.
    #[error("nothing to draw: {0}")]
    Empty(String),
    /// A slice does not have the length that the sizes call for.
    #[error("{what} has {got} values where {expected} were expected")]
    Length {
        /// The slice in question.
        what: String,
        /// The length that the sizes call for, in words.
        expected: String,
        /// The length found.
        got: usize,
    },
    /// A value is NaN or infinite where a picture needs a number.
    #[error("{what} is {value} at position {position}; only finite values can be drawn")]
    NotFinite {
        /// The slice in question.
        what: String,
        /// The index of the first such value.
        position: usize,
        /// The value found.
        value: f32,
    },
    /// A spike count is below zero.
    #[error("the spike count at step {step} of unit {unit} is {value}; counts cannot be negative")]
    NegativeCount {
        /// The step, from 0.
        step: usize,
        /// The unit, from 0.
        unit: usize,
        /// The value found.
        value: f32,
    },
    /// Only grey tiles and red-green-blue tiles can be shown.
    #[error("a tile has {0} channels; only tiles of 1 or 3 channels can be drawn")]
    Channels(usize),
    /// The picture would be larger than `MAX_SIDE` allows.
    #[error("the picture would be {width} x {height} pixels; at most {max} a side are drawn", max = MAX_SIDE)]
    TooLarge {
        /// The width asked for, in pixels.
        width: usize,
        /// The height asked for, in pixels.
        height: usize,
    },
    /// The name of the file does not say how to draw the figure.
    #[error("{path} has no ending that tells how to draw it: end the name in .svg for lines that can be edited, .png for a picture, .gif for an animation", path = .0.display())]
    Ending(PathBuf),
    /// The file could not be created, written or renamed.
    #[error("cannot write {path}: {source}", path = path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The picture could not be encoded.
    #[error("cannot encode {path}: {source}", path = path.display())]
    Encode {
        /// The file asked for.
        path: PathBuf,
        /// The error of the encoder.
        source: gif::EncodingError,
    },
}
