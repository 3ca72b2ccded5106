//! Out-of-distribution images for models of digits.
//!
//! | view | images |
//! |---|---|
//! | `rotated-θ` | the test digits turned by θ degrees counter-clockwise; `rotated-0` is the test set itself |
//! | `omniglot` | all drawings, area-averaged |
//! | `cifar` | test photographs, grey, the middle |
//! | `emnist-letters`, `fashion-mnist`, `kmnist` | their test sets |
//!
//! Every view is made in \[0, 1\], ink 1 on paper 0, and then put on the scale of the training images.
//! A view whose files are not there is skipped and said to be; a file that is there and damaged is an
//! error.

mod source;

pub use source::OodSource;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::transform::{self, ResizeMode};
use crate::{Error, ImageSet, Result, Standardisation, idx};

/// Which views, and of what size. Paths are relative to the data folder.
///
/// ```
/// use scotopic_datasets::{OodConfig, Standardisation};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// // There is nothing in this folder: one line for each view says so.
/// let config = OodConfig { angles: vec![30.0], ..Default::default() };
/// let suite = config.load(folder.path(), Standardisation::NONE)?;
/// assert!(suite.views.is_empty());
/// assert_eq!(suite.skipped[0].name, "rotated-30");
/// assert_eq!(suite.skipped.len(), 6);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OodConfig {
    /// IDX file of the digits that are turned.
    pub digits: PathBuf,
    /// Their labels; empty: there are none.
    pub digit_labels: PathBuf,
    /// By how many degrees they are turned, counter-clockwise, one view for each.
    pub angles: Vec<f64>,
    /// The other views.
    pub sources: Vec<OodSource>,
    /// Side of an image.
    pub size: usize,
    /// Keep at most this many images in each view, the first ones.
    pub limit: Option<usize>,
}

impl Default for OodConfig {
    fn default() -> Self {
        Self {
            digits: "mnist/t10k-images-idx3-ubyte.gz".into(),
            digit_labels: "mnist/t10k-labels-idx1-ubyte.gz".into(),
            angles: vec![0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0],
            sources: OodSource::ALL.to_vec(),
            size: 28,
            limit: None,
        }
    }
}

/// The views that could be made, and those that could not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OodSuite {
    /// In the order of the configuration, each under the name of its view.
    pub views: Vec<ImageSet>,
    /// Views whose files are not there.
    pub skipped: Vec<Skipped>,
}

/// A view that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// The first file that is missing.
    pub missing: PathBuf,
}

impl OodSuite {
    /// The view of this name.
    pub fn view(&self, name: &str) -> Option<&ImageSet> {
        self.views.iter().find(|view| view.name() == name)
    }
}

const WHAT: &str = "out-of-distribution views";

impl OodConfig {
    /// Checks every value without touching a file.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the field, what it is and what it may be.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::setting(WHAT, field, found, expected))
        };
        if self.digits.as_os_str().is_empty() && !self.angles.is_empty() {
            return wrong("digits", "an empty path".into(), "the path of an IDX file");
        }
        if let Some(angle) = self.angles.iter().find(|angle| !angle.is_finite()) {
            return wrong("angles", angle.to_string(), "finite numbers of degrees");
        }
        if self.size == 0 || self.size > crate::cifar::SIDE {
            return wrong("size", self.size.to_string(), "1 to 32");
        }
        if self.limit == Some(0) {
            return wrong("limit", "0".into(), "at least 1, or no limit at all");
        }
        Ok(())
    }

    /// Reads and makes the views, on the scale of the training images.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds, and whatever is wrong with files that are there.
    pub fn load(&self, root: &Path, scale: Standardisation) -> Result<OodSuite> {
        self.validate()?;
        let mut suite = OodSuite::default();
        self.turned_digits(root, scale, &mut suite)?;
        for &source in &self.sources {
            let name = source.name().to_owned();
            match source.missing(root) {
                Some(missing) => suite.skipped.push(Skipped { name, missing }),
                None => {
                    let view = self.finish(source.read(root, self.size)?, scale)?;
                    suite.views.push(view.named(name));
                }
            }
        }
        Ok(suite)
    }

    fn turned_digits(
        &self,
        root: &Path,
        scale: Standardisation,
        suite: &mut OodSuite,
    ) -> Result<()> {
        if self.angles.is_empty() {
            return Ok(());
        }
        let names = self.angles.iter().map(|angle| format!("rotated-{angle}"));
        if let Some(missing) = absent(root, [&self.digits, &self.digit_labels]) {
            let skipped = names.map(|name| Skipped {
                name,
                missing: missing.clone(),
            });
            suite.skipped.extend(skipped);
            return Ok(());
        }
        let labels = &self.digit_labels;
        let labels = (!labels.as_os_str().is_empty()).then(|| root.join(labels));
        let digits =
            idx::read_images("digits", &root.join(&self.digits), labels.as_deref(), false)?;
        let digits = match self.limit {
            Some(n) => digits.take(n),
            None => digits,
        };
        for (name, &angle) in names.zip(&self.angles) {
            // Turned before they are made smaller, and before paper is anything but 0.
            let turned = transform::rotate(&digits, angle, 0.0)?;
            suite.views.push(self.finish(turned, scale)?.named(name));
        }
        Ok(())
    }

    /// The first images, in the size and on the scale asked for.
    fn finish(&self, set: ImageSet, scale: Standardisation) -> Result<ImageSet> {
        let set = match self.limit {
            Some(n) => set.take(n),
            None => set,
        };
        let set = match (set.shape().height, set.shape().width) == (self.size, self.size) {
            true => set,
            false => transform::fit_to(&set, self.size, self.size, ResizeMode::Stretch)?,
        };
        set.rescaled(scale)
    }
}

/// The first of these files that is not there; an empty path stands for no file.
fn absent<'a>(root: &Path, files: impl IntoIterator<Item = &'a PathBuf>) -> Option<PathBuf> {
    let mut files = files
        .into_iter()
        .filter(|file| !file.as_os_str().is_empty());
    files.find(|file| !root.join(file).exists()).cloned()
}

#[cfg(test)]
mod tests;
