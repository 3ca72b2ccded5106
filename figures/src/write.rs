//! Files of figures: SVG, PNG and GIF.

use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

use crate::error::{FigureError, MAX_SIDE};
use crate::figure::Figure;
use crate::gif;
use crate::layout::Layout;
use crate::paint;
use crate::picture::RgbImage;
use crate::scene::TextBox;

/// The pixels of a PNG for each pixel of its figure: screens have two, and printed lines are smooth.
const FINE: f32 = 2.0;
/// The most pixels of a PNG that is drawn so finely.
const MANY: f32 = 12e6;

/// What a figure is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines and text that can be edited.
    Svg,
    /// Pixels.
    Png,
    /// Frames, one after the other.
    Gif,
}

impl Format {
    /// By the ending of the name: .svg, .png or .gif.
    ///
    /// # Errors
    /// [`FigureError::Ending`] for any other.
    pub fn of(path: &Path) -> Result<Self, FigureError> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Ok(Self::Svg),
            "png" => Ok(Self::Png),
            "gif" => Ok(Self::Gif),
            _ => Err(FigureError::Ending(path.to_path_buf())),
        }
    }
}

impl Figure {
    /// Writes the figure in the format that the ending of `path` names; one that moves is written with everything in
    /// place unless it is a GIF.
    ///
    /// The bytes go to a temporary name in the same folder, which is then renamed: a reader sees the whole figure or
    /// what was there before.
    ///
    /// # Errors
    /// For another ending, a figure that is too large, or a file that cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FigureError> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let io = |source| FigureError::Io {
            path: path.to_path_buf(),
            source,
        };
        let layout = Layout::new(self);
        refuse_large(layout.size)?;
        let mut bytes = Vec::new();
        match format {
            Format::Svg => bytes = layout.svg().into_bytes(),
            Format::Png => self.pixels().write_png(&mut bytes).map_err(io)?,
            Format::Gif => gif::write(self, &layout, &mut bytes, path)?,
        }
        whole(path, &bytes)
    }

    /// The figure as SVG.
    pub fn svg(&self) -> String {
        Layout::new(self).svg()
    }

    /// The figure as pixels, as it is written into a PNG.
    pub fn pixels(&self) -> RgbImage {
        let layout = Layout::new(self);
        let (width, height) = layout.size;
        let scale = match width * height * FINE * FINE <= MANY {
            true => FINE,
            false => 1.0,
        };
        paint::picture(&layout.shapes(), layout.size, scale)
    }

    /// The pixels that every text takes, as the font measures it.
    pub fn text_boxes(&self) -> Vec<TextBox> {
        Layout::new(self).text_boxes()
    }

    /// The width and height in pixels.
    pub fn size(&self) -> (f32, f32) {
        Layout::new(self).size
    }

    /// The figure itself, if it is not too large to be drawn.
    pub(crate) fn checked(self) -> Result<Self, FigureError> {
        refuse_large(self.size())?;
        Ok(self)
    }
}

/// Writes pixels as they are to `path` as PNG, as whole as [`Figure::write`] does: a photograph.
///
/// # Errors
/// For a picture without pixels, or a file that cannot be written.
pub fn write_png(path: impl AsRef<Path>, picture: &RgbImage) -> Result<(), FigureError> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    picture
        .write_png(&mut bytes)
        .map_err(|source| FigureError::Io {
            path: path.to_path_buf(),
            source,
        })?;
    whole(path, &bytes)
}

fn refuse_large((width, height): (f32, f32)) -> Result<(), FigureError> {
    let (width, height) = (width as usize, height as usize);
    match width.max(height) > MAX_SIDE {
        true => Err(FigureError::TooLarge { width, height }),
        false => Ok(()),
    }
}

/// Writes a file through a temporary name beside it, which is removed if anything fails; a symbolic link is followed, and a device
/// or a pipe is written to as it is.
///
/// The bytes are there before the file is: whatever ends the drawing leaves no temporary file.
fn whole(path: &Path, bytes: &[u8]) -> Result<(), FigureError> {
    let io = |source| FigureError::Io {
        path: path.to_path_buf(),
        source,
    };
    if path.metadata().is_ok_and(|found| !found.is_file()) && !path.is_dir() {
        let mut opened = File::options().write(true).open(path).map_err(io)?;
        return opened.write_all(bytes).map_err(io);
    }
    let pointed = match path.is_symlink() {
        true => path.canonicalize().ok(),
        false => None,
    };
    let path = pointed.as_deref().unwrap_or(path);
    let name = path
        .file_name()
        .ok_or_else(|| io(std::io::Error::other("the path has no file name")))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    // Nobody can guess it and put a link in its way: the standard hasher is seeded by the system's randomness.
    let random = RandomState::new().hash_one(std::process::id());
    hidden.push(format!(".{random:016x}.part"));
    let temporary = path.with_file_name(hidden);

    let written = (|| {
        let mut out = File::create_new(&temporary).map_err(io)?;
        out.write_all(bytes).map_err(io)?;
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
    use crate::axis::Axis;
    use crate::figure::{Plot, Side, Ticks};

    fn figure(width: f32) -> Figure {
        let side = || Side::new(Axis::linear(0.0, 1.0), "x", Ticks::Round);
        Figure {
            plots: vec![Plot::new(
                (0, 0),
                (width, 100.0),
                side(),
                side(),
                Vec::new(),
            )],
            ..Figure::default()
        }
    }

    #[test]
    fn the_ending_chooses_the_format_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a.svg", "a.PNG", "a.gif", "a.svg"] {
            figure(400.0).write(path(name)).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert!(
            fs::read_to_string(path("a.svg"))
                .unwrap()
                .starts_with("<svg")
        );
        let png = image::open(path("a.PNG")).unwrap().to_rgb8();
        let expected = figure(400.0).pixels();
        assert_eq!(png.dimensions(), expected.dimensions());
        assert_eq!(png.into_raw(), expected.bytes());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("a.PNG", path("link.png")).unwrap();
            write_png(path("link.png"), &RgbImage::new(3, 5)).unwrap();
            assert!(path("link.png").is_symlink());
            assert_eq!(image::open(path("a.PNG")).unwrap().width(), 3);
        }
        write_png(path("a.PNG"), &RgbImage::new(7, 5)).unwrap();
        assert_eq!(image::open(path("a.PNG")).unwrap().width(), 7);
        assert!(write_png(path("a.PNG"), &RgbImage::new(0, 5)).is_err());
        let gif = image::open(path("a.gif")).unwrap();
        assert_eq!(
            (gif.width() as f32, gif.height() as f32),
            figure(400.0).size()
        );
    }

    #[test]
    fn an_unknown_ending_is_told_the_known_ones() {
        for name in ["a.jpg", "a", "svg"] {
            let error = figure(10.0).write(name).unwrap_err().to_string();
            for known in [".svg", ".png", ".gif", name] {
                assert!(error.contains(known), "{error}");
            }
        }
    }

    #[test]
    fn a_failed_write_keeps_what_was_there_and_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.svg");
        figure(10.0).write(&path).unwrap();
        let before = fs::read(&path).unwrap();
        let error = figure(20_000.0).write(&path).unwrap_err();
        assert!(matches!(error, FigureError::TooLarge { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
        let missing = folder.path().join("missing").join("c.png");
        let error = figure(10.0).write(&missing).unwrap_err().to_string();
        assert!(error.contains("c.png"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
