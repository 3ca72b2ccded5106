//! # Figures
//!
//! Pictures of dictionaries, reconstructions, training curves, spikes and beliefs over time.
//!
//! Every function takes plain slices and returns an [`RgbImage`]; there are no models and no
//! tensors. Input that cannot be drawn is refused with a [`FigureError`] that names the reason.
//!
//! The figures are in [`tiles`], [`chart`], [`heat`], [`raster`], [`animation`] and [`trajectory`]. Their
//! elements are in [`canvas`] (paper, rectangles, lines), [`colour`], [`text`], [`header`] (titles) and [`legend`];
//! [`patch`] and [`strip`] (one tile, rows of tiles); [`axis`], [`plot`], [`curve`] and [`band`] (round ticks,
//! a frame with two axes, one line in it, areas and dashes in it); [`counts`] (spike counts, checked and sorted);
//! [`timeline`], [`shares`] and [`phase_portrait`] (a long series in few columns, probabilities in it, one state against another).

pub mod animation;
pub mod axis;
pub mod band;
pub mod canvas;
pub mod chart;
pub mod colour;
pub mod counts;
pub mod curve;
mod error;
pub mod header;
pub mod heat;
pub mod legend;
pub mod patch;
pub mod phase_portrait;
mod picture;
pub mod plot;
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
use std::path::Path;

pub use chart::{Mark, Panel, Series};
pub use error::FigureError;
pub use patch::Tile;
pub use picture::{Rgb, RgbImage};

/// Writes `picture` to `path` as PNG.
///
/// The bytes go to a temporary name in the same folder, which is then renamed: a reader sees the
/// whole picture or the one that was there before.
pub fn write_png(path: impl AsRef<Path>, picture: &RgbImage) -> Result<(), FigureError> {
    let path = path.as_ref();
    write_whole(path, |out| {
        picture.write_png(out).map_err(|source| FigureError::Io {
            path: path.to_path_buf(),
            source,
        })
    })
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

    #[test]
    fn a_png_comes_back_as_written_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = RgbImage::from_fn(7, 5, |x, y| Rgb([x as u8, y as u8, 200]));
        write_png(&path, &RgbImage::new(1, 1)).unwrap();
        write_png(&path, &picture).unwrap();
        let read = image::open(&path).unwrap().to_rgb8();
        assert_eq!(read.dimensions(), picture.dimensions());
        assert_eq!(read.into_raw(), picture.bytes());
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
