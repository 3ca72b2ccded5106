//! The configuration `source = "idx"`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, ImageSet, Result, Splits};

/// Which IDX files, and how they become [`Splits`]. Paths are relative to the data folder; an empty
/// path for labels or for the test set means that there is none.
///
/// ```
/// use scotopic_datasets::IdxConfig;
/// let fashion = IdxConfig {
///     train_images: "fashion-mnist/train-images-idx3-ubyte.gz".into(),
///     train_labels: "fashion-mnist/train-labels-idx1-ubyte.gz".into(),
///     test_images: "".into(),
///     test_labels: "".into(),
///     ..Default::default()
/// };
/// assert_eq!(fashion.validation, 5000);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdxConfig {
    /// Images to train on and, at the end, to validate with.
    pub train_images: PathBuf,
    /// Their labels.
    pub train_labels: PathBuf,
    /// Images of the test set.
    pub test_images: PathBuf,
    /// Their labels.
    pub test_labels: PathBuf,
    /// How many images are taken from the end of the training file for validation.
    pub validation: usize,
    /// Exchange rows and columns (EMNIST).
    pub transpose: bool,
    /// Shift and scale by mean and standard deviation of the training images; pixels are x/255
    /// otherwise.
    pub standardise: bool,
    /// Keep at most this many images in each split, the first ones: for a quick try.
    pub limit: Option<usize>,
}

impl Default for IdxConfig {
    fn default() -> Self {
        Self {
            train_images: "mnist/train-images-idx3-ubyte.gz".into(),
            train_labels: "mnist/train-labels-idx1-ubyte.gz".into(),
            test_images: "mnist/t10k-images-idx3-ubyte.gz".into(),
            test_labels: "mnist/t10k-labels-idx1-ubyte.gz".into(),
            validation: 5000,
            transpose: false,
            standardise: false,
            limit: None,
        }
    }
}

impl IdxConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong =
            |field, found: &str, expected: &str| Err(Error::config("idx", field, found, expected));
        if self.train_images.as_os_str().is_empty() {
            return wrong(
                "train_images",
                "an empty path",
                "the path of an IDX file of images",
            );
        }
        if self.test_images.as_os_str().is_empty() && !self.test_labels.as_os_str().is_empty() {
            return wrong(
                "test_labels",
                "labels without test images",
                "test_images too, or neither",
            );
        }
        if self.limit == Some(0) {
            return wrong("limit", "0", "at least 1, or no limit at all");
        }
        Ok(())
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let read = |images: &Path, labels: &Path| -> Result<ImageSet> {
            let name = images.display().to_string();
            let labels = (!labels.as_os_str().is_empty()).then(|| root.join(labels));
            super::read_images(&name, &root.join(images), labels.as_deref(), self.transpose)
        };
        let keep = |set: ImageSet| match self.limit {
            Some(n) => set.take(n),
            None => set,
        };
        note(&format!("reading {}", self.train_images.display()));
        let (train, validation) =
            read(&self.train_images, &self.train_labels)?.split_tail(self.validation)?;
        let test = if self.test_images.as_os_str().is_empty() {
            None
        } else {
            note(&format!("reading {}", self.test_images.display()));
            Some(keep(read(&self.test_images, &self.test_labels)?))
        };
        Splits::new(keep(train), keep(validation), test, self.standardise)
    }
}
