//! The sets without digits, and their files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::absent;
use crate::{CifarConfig, ImageSet, OmniglotConfig, Result, idx, omniglot};

/// A set of images that are not digits.
///
/// ```
/// use scotopic_datasets::OodSource;
/// let source: OodSource = serde_json::from_str(r#""fashion-mnist""#).unwrap();
/// assert_eq!(source.name(), "fashion-mnist");
/// assert!(source.missing(std::path::Path::new("no-such-folder")).is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OodSource {
    /// Handwritten characters of many alphabets.
    Omniglot,
    /// The middle of small photographs, in grey.
    Cifar,
    /// Handwritten letters.
    EmnistLetters,
    /// Articles of clothing.
    FashionMnist,
    /// Cursive Japanese characters.
    Kmnist,
}

/// The original test set if it is there, or else the subset that is the default of [`CifarConfig`].
fn cifar_file(root: &Path) -> PathBuf {
    let original = PathBuf::from("cifar10/test_batch.bin");
    match root.join(&original).exists() {
        true => original,
        false => CifarConfig::default().test,
    }
}

impl OodSource {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Omniglot,
        Self::Cifar,
        Self::EmnistLetters,
        Self::FashionMnist,
        Self::Kmnist,
    ];

    /// The name of the view, as it is written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Omniglot => "omniglot",
            Self::Cifar => "cifar",
            Self::EmnistLetters => "emnist-letters",
            Self::FashionMnist => "fashion-mnist",
            Self::Kmnist => "kmnist",
        }
    }

    /// The first of its files that is not below `root`, if any is missing.
    pub fn missing(self, root: &Path) -> Option<PathBuf> {
        match self.idx_files() {
            Some(files) => absent(root, &files),
            None if self == Self::Cifar => absent(root, [&cifar_file(root)]),
            None => absent(root, &OmniglotConfig::default().archives),
        }
    }

    /// Images and labels, where the set is in IDX files.
    fn idx_files(self) -> Option<[PathBuf; 2]> {
        let start = match self {
            Self::Omniglot | Self::Cifar => return None,
            Self::EmnistLetters => "emnist/emnist-letters-test",
            Self::FashionMnist => "fashion-mnist/t10k",
            Self::Kmnist => "kmnist/t10k",
        };
        let file = |rest: &str| PathBuf::from(format!("{start}-{rest}-ubyte.gz"));
        Some([file("images-idx3"), file("labels-idx1")])
    }

    /// Reads the images, in \[0, 1\]; those of Omniglot and CIFAR have the size asked for.
    pub(super) fn read(self, root: &Path, size: usize) -> Result<ImageSet> {
        let name = self.name();
        if let Some([images, labels]) = self.idx_files() {
            let (images, labels) = (root.join(images), root.join(labels));
            let transpose = self == Self::EmnistLetters;
            return idx::read_images(name, &images, Some(&labels), transpose);
        }
        if self == Self::Cifar {
            let config = CifarConfig {
                size,
                ..Default::default()
            };
            return config.read(root, &cifar_file(root));
        }
        omniglot::read(name, &OmniglotConfig::default().below(root), size)
    }
}
