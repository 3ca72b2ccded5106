//! Figures: pictures of dictionaries, reconstructions, training curves, spikes and beliefs over time.
//!
//! Every function takes plain slices and returns an [`image::RgbImage`]; nothing here knows of
//! models or tensors. Input that cannot be drawn is refused with a [`FigureError`] that says what
//! is wrong with it.
//!
//! The figures are in [`tiles`], [`chart`], [`heat`], [`raster`], [`animation`] and [`trajectory`]. What they are drawn
//! with is in [`canvas`] (paper, rectangles, lines), [`colour`], [`text`], [`header`] (titles) and [`legend`];
//! [`patch`] and [`strip`] (one tile, rows of tiles); [`axis`], [`plot`], [`curve`] and [`band`] (round ticks,
//! a frame with two axes, one line in it, areas and dashes in it); [`counts`] (spike counts, checked and sorted);
//! [`timeline`], [`shares`] and [`portrait`] (a long series in few columns, probabilities in it, one state against another).

pub mod animation;
pub mod axis;
pub mod band;
pub mod canvas;
pub mod chart;
pub mod colour;
pub mod counts;
pub mod curve;
pub mod header;
pub mod heat;
pub mod legend;
pub mod patch;
pub mod plot;
pub mod portrait;
pub mod raster;
pub mod shares;
pub mod strip;
pub mod text;
pub mod tiles;
pub mod timeline;
pub mod trajectory;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use image::{ImageError, ImageFormat, RgbImage};

pub use chart::{Mark, Panel, Series};
pub use patch::Tile;

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
    /// The picture would be larger than [`canvas::MAX_SIDE`] allows.
    #[error("the picture would be {width} x {height} pixels; at most {max} a side are drawn", max = canvas::MAX_SIDE)]
    TooLarge {
        /// The width asked for, in pixels.
        width: usize,
        /// The height asked for, in pixels.
        height: usize,
    },
    /// The frames of an animation differ in size.
    #[error("frame {index} is {got:?} pixels where the first frame is {first:?}")]
    FrameSize {
        /// The index of the frame, from 0.
        index: usize,
        /// The width and height of that frame.
        got: (u32, u32),
        /// The width and height of the first frame.
        first: (u32, u32),
    },
    /// The file could not be created, written or renamed.
    #[error("cannot write {path}: {source}", path = path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// The picture could not be encoded.
    #[error("cannot encode {path}: {source}", path = path.display())]
    Encode {
        /// The file asked for.
        path: PathBuf,
        /// What the encoder answered.
        source: ImageError,
    },
}

/// Writes `picture` to `path` as PNG.
///
/// The bytes go to a temporary name in the same folder, which is then renamed: a reader sees the
/// whole picture or the one that was there before.
pub fn write_png(path: impl AsRef<Path>, picture: &RgbImage) -> Result<(), FigureError> {
    let path = path.as_ref();
    write_whole(path, |out| {
        // The encoder wants to seek, which a buffer in memory does without surprises.
        let mut bytes = std::io::Cursor::new(Vec::new());
        let encoded = picture.write_to(&mut bytes, ImageFormat::Png);
        let written = encoded.and_then(|()| {
            let bytes = bytes.get_ref();
            out.write_all(bytes).map_err(ImageError::IoError)
        });
        written.map_err(|error| failed(path, error))
    })
}

/// What went wrong with the file, or with the encoder.
fn failed(path: &Path, error: ImageError) -> FigureError {
    let path = path.to_path_buf();
    match error {
        ImageError::IoError(source) => FigureError::Io { path, source },
        source => FigureError::Encode { path, source },
    }
}

/// Writes a file through a temporary name beside it, which is removed if anything fails.
fn write_whole(
    path: &Path,
    encode: impl FnOnce(&mut BufWriter<File>) -> Result<(), FigureError>,
) -> Result<(), FigureError> {
    let io = |source| FigureError::Io {
        path: path.to_path_buf(),
        source,
    };
    let name = path
        .file_name()
        .ok_or_else(|| io(std::io::Error::other("the path has no file name")))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(hidden);

    let written = (|| {
        let mut out = BufWriter::new(File::create(&temporary).map_err(io)?);
        encode(&mut out)?;
        out.flush().map_err(io)?;
        fs::rename(&temporary, path).map_err(io)
    })();
    if written.is_err() {
        // Nothing more can be done if the temporary file cannot be removed either.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_png_comes_back_as_written_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = RgbImage::from_fn(7, 5, |x, y| Rgb([x as u8, y as u8, 200]));
        write_png(&path, &RgbImage::new(1, 1)).unwrap();
        write_png(&path, &picture).unwrap();
        assert_eq!(image::open(&path).unwrap().to_rgb8(), picture);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_keeps_what_was_there_and_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.png");
        write_png(&path, &RgbImage::new(2, 2)).unwrap();
        // A picture without pixels cannot be a PNG.
        let error = write_png(&path, &RgbImage::new(0, 0)).unwrap_err();
        assert!(error.to_string().contains("b.png"), "{error}");
        assert_eq!(image::open(&path).unwrap().width(), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let missing = folder.path().join("missing").join("c.png");
        let error = write_png(&missing, &RgbImage::new(2, 2)).unwrap_err();
        assert!(matches!(error, FigureError::Io { .. }), "{error}");
    }
}
