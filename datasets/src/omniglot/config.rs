//! The configuration `source = "omniglot"`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Drawings, SIDE};
use crate::{Error, ImageSet, Result, Splits};

/// Which archives of Omniglot, and how they become [`Splits`]: of every character the last `test`
/// drawings are for the test, the `validation` ones before them for validation, the others to train
/// on. Paths are relative to the data folder.
///
/// ```
/// use scotopic_datasets::{DataConfig, OmniglotConfig};
/// let one = OmniglotConfig {
///     archives: vec!["omniglot/images_background.zip".into()],
///     size: 14,
///     ..Default::default()
/// };
/// DataConfig::Omniglot(one).validate().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OmniglotConfig {
    /// Zip files of pictures; a drawing that is in two of them counts once.
    pub archives: Vec<PathBuf>,
    /// Side of an image, from 105 pixels down.
    pub size: usize,
    /// How many drawings of each character, of usually 20, are for validation.
    pub validation: usize,
    /// How many drawings of each character are for the test; 0: there is no test set.
    pub test: usize,
    /// Shift and scale by mean and standard deviation of the training images; ink is 1 and paper 0
    /// otherwise.
    pub standardise: bool,
    /// Keep at most this many images in each split, the first ones: for a quick try.
    pub limit: Option<usize>,
}

impl Default for OmniglotConfig {
    fn default() -> Self {
        Self {
            archives: vec![
                "omniglot/images_background_small1.zip".into(),
                "omniglot/images_background_small2.zip".into(),
            ],
            size: 28,
            validation: 2,
            test: 2,
            standardise: false,
            limit: None,
        }
    }
}

impl OmniglotConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::config("omniglot", field, found, expected))
        };
        if self.archives.is_empty() || self.archives.iter().any(|p| p.as_os_str().is_empty()) {
            let found = format!("{:?}", self.archives);
            return wrong(
                "archives",
                found,
                "at least one zip file, and no empty path",
            );
        }
        if self.size == 0 || self.size > SIDE {
            return wrong("size", self.size.to_string(), "1 to 105");
        }
        for (field, drawings) in [("validation", self.validation), ("test", self.test)] {
            if drawings > 1000 {
                return wrong(
                    field,
                    drawings.to_string(),
                    "drawings of one character, of 20",
                );
            }
        }
        if self.limit == Some(0) {
            return wrong("limit", "0".into(), "at least 1, or no limit at all");
        }
        Ok(())
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let archives = self.below(root);
        self.archives
            .iter()
            .for_each(|path| note(&format!("reading {}", path.display())));
        let drawings = Drawings::read("omniglot", &archives)?;
        // Drawing `number` of `count`: how many from the end, counted from 1.
        let split = |name: &str, last: usize, first: usize| -> Result<ImageSet> {
            let chosen = |number, count| (last + 1..=first).contains(&(count - number));
            let set = drawings.set(&format!("omniglot, {name}"), self.size, chosen)?;
            Ok(match self.limit {
                Some(n) => set.take(n),
                None => set,
            })
        };
        let (test, kept) = (self.test, self.test + self.validation);
        Splits::new(
            split("training drawings", kept, usize::MAX)?,
            split("validation drawings", test, kept)?,
            match test {
                0 => None,
                _ => Some(split("test drawings", 0, test)?),
            },
            self.standardise,
        )
    }

    /// The archives below the data folder.
    pub(crate) fn below(&self, root: &Path) -> Vec<PathBuf> {
        self.archives.iter().map(|path| root.join(path)).collect()
    }
}
