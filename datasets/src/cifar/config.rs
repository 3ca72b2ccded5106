//! The configuration `source = "cifar"`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SIDE;
use crate::transform::{self, ResizeMode};
use crate::{Error, ImageSet, Result, Splits};

/// Which files of CIFAR-10, and how they become [`Splits`]. Paths are relative to the data folder.
///
/// ```
/// use scotopic_datasets::CifarConfig;
/// let whole = CifarConfig {
///     train: (1..=5).map(|i| format!("cifar10/data_batch_{i}.bin").into()).collect(),
///     test: "cifar10/test_batch.bin".into(),
///     colour: true,
///     ..Default::default()
/// };
/// assert_eq!(whole.shape().pixels(), 3 * 32 * 32);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CifarConfig {
    /// Files to train on and, at the end of the last, to validate with.
    pub train: Vec<PathBuf>,
    /// The file of the test set; empty: there is none.
    pub test: PathBuf,
    /// Keep red, green and blue; grey = 0.299 R + 0.587 G + 0.114 B otherwise.
    pub colour: bool,
    /// Side of an image: 32 is all of it, less is the middle.
    pub size: usize,
    /// How many images are taken from the end of the training files for validation.
    pub validation: usize,
    /// Shift and scale by mean and standard deviation of the training images; pixels are x/255
    /// otherwise.
    pub standardise: bool,
    /// Keep at most this many images in each split, the first ones: for a quick try.
    pub limit: Option<usize>,
}

impl Default for CifarConfig {
    fn default() -> Self {
        Self {
            train: vec!["cifar10/train_subset.bin.gz".into()],
            test: "cifar10/test_subset.bin.gz".into(),
            colour: false,
            size: SIDE,
            validation: 1000,
            standardise: false,
            limit: None,
        }
    }
}

impl CifarConfig {
    /// The layout of the images that come out.
    pub fn shape(&self) -> crate::ImageShape {
        crate::ImageShape {
            channels: if self.colour { 3 } else { 1 },
            height: self.size,
            width: self.size,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::config("cifar", field, found, expected))
        };
        if self.train.is_empty() || self.train.iter().any(|p| p.as_os_str().is_empty()) {
            let found = format!("{:?}", self.train);
            return wrong("train", found, "at least one file, and no empty path");
        }
        if self.size == 0 || self.size > SIDE {
            return wrong("size", self.size.to_string(), "1 to 32");
        }
        if self.limit == Some(0) {
            return wrong("limit", "0".into(), "at least 1, or no limit at all");
        }
        Ok(())
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let keep = |set: ImageSet| match self.limit {
            Some(n) => set.take(n),
            None => set,
        };
        let mut parts = Vec::with_capacity(self.train.len());
        for path in &self.train {
            note(&format!("reading {}", path.display()));
            parts.push(self.read(root, path)?);
        }
        let all = ImageSet::concatenated(parts)?;
        let (train, validation) = all.split_tail(self.validation)?;
        let test = if self.test.as_os_str().is_empty() {
            None
        } else {
            note(&format!("reading {}", self.test.display()));
            Some(keep(self.read(root, &self.test)?))
        };
        Splits::new(keep(train), keep(validation), test, self.standardise)
    }

    /// One file in the colours and the size asked for, pixels x/255.
    pub(crate) fn read(&self, root: &Path, path: &Path) -> Result<ImageSet> {
        let name = path.display().to_string();
        let mut set = super::read(&name, &root.join(path))?;
        if !self.colour {
            set = transform::grey(&set)?;
        }
        if self.size != SIDE {
            set = transform::fit_to(&set, self.size, self.size, ResizeMode::Centre)?;
        }
        Ok(set.named(name))
    }
}
