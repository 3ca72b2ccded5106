//! The configuration `source = "npy"`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, ImageSet, ImageShape, Result, Splits};

/// Images in `.npy` files, for instance patches whitened elsewhere.
///
/// | rank | read as |
/// |---|---|
/// | 2 | `[n, pixels]`; the shape is `channels·height·width` if given, else a grey square |
/// | 3 | `[n, height, width]`, grey |
/// | 4 | `[n, channels, height, width]` |
///
/// Values of type `u1` are divided by 255, others are taken as they are.
///
/// ```
/// use scotopic_datasets::NpyConfig;
/// let config = NpyConfig { train: "patches.npy".into(), validation_count: 1000, ..Default::default() };
/// assert!(config.standardise);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NpyConfig {
    /// Training images; must be given.
    pub train: PathBuf,
    /// Validation images; empty: `validation_count` images from the end of the training file.
    pub validation: PathBuf,
    /// How many images to split off the end of `train` when `validation` is empty.
    pub validation_count: usize,
    /// Channels of an image; 0: as the file says.
    pub channels: usize,
    /// Rows of an image; 0: as the file says.
    pub height: usize,
    /// Columns of an image; 0: as the file says.
    pub width: usize,
    /// Shift and scale by mean and standard deviation of the training images.
    pub standardise: bool,
}

impl Default for NpyConfig {
    fn default() -> Self {
        Self {
            train: PathBuf::new(),
            validation: PathBuf::new(),
            validation_count: 2000,
            channels: 0,
            height: 0,
            width: 0,
            standardise: true,
        }
    }
}

impl NpyConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        if self.train.as_os_str().is_empty() {
            let expected = "the path of a .npy file, relative to the data folder";
            return Err(Error::config("npy", "train", "an empty path", expected));
        }
        Ok(())
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        note(&format!("reading {}", self.train.display()));
        let train = self.read(root, &self.train)?;
        let (train, validation) = if self.validation.as_os_str().is_empty() {
            let name = |error| match error {
                Error::Size {
                    name,
                    found,
                    expected,
                    ..
                } => Error::size(name, "data.validation_count", found, expected),
                other => other,
            };
            train.split_tail(self.validation_count).map_err(name)?
        } else {
            note(&format!("reading {}", self.validation.display()));
            (train, self.read(root, &self.validation)?)
        };
        Splits::new(train, validation, None, self.standardise)
    }

    fn read(&self, root: &Path, path: &Path) -> Result<ImageSet> {
        let name = path.display().to_string();
        let array = super::read_pixels(&root.join(path))?;
        let shape = self.image_shape(&name, &array.shape)?;
        ImageSet::new(name, shape, array.data, None)
    }

    fn image_shape(&self, name: &str, shape: &[usize]) -> Result<ImageShape> {
        // What the file says, 0 where it leaves it open.
        let (channels, height, width, pixels) = match *shape {
            [_, pixels] => (0, 0, 0, pixels),
            [_, height, width] => (1, height, width, height.saturating_mul(width)),
            [_, c, h, w] => (c, h, w, c.saturating_mul(h).saturating_mul(w)),
            _ => {
                let expected = "[n, pixels], [n, height, width] or [n, channels, height, width]";
                return Err(Error::size(name, "shape", format!("{shape:?}"), expected));
            }
        };
        let asked = [self.channels, self.height, self.width];
        for (asked, there) in asked.into_iter().zip([channels, height, width]) {
            if asked != 0 && there != 0 && asked != there {
                let expected =
                    format!("channels, height, width = {asked:?} of the configuration, or 0 there");
                return Err(Error::size(name, "shape", format!("{shape:?}"), expected));
            }
        }
        let either = |there: usize, asked: usize| if there == 0 { asked } else { there };
        let channels = either(channels, self.channels).max(1);
        let plane = pixels / channels;
        let (height, width) = match (either(height, self.height), either(width, self.width)) {
            (0, 0) => (plane.isqrt(), plane.isqrt()),
            (0, width) => (plane / width, width),
            (height, 0) => (height, plane / height),
            both => both,
        };
        let found = ImageShape {
            channels,
            height,
            width,
        };
        if pixels == 0 || found.pixels() != pixels {
            let expected =
                "channels, height and width in the configuration whose product is the last size";
            return Err(Error::size(name, "shape", format!("{shape:?}"), expected));
        }
        Ok(found)
    }
}
