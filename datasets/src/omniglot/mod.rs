//! Omniglot: characters of many alphabets, each drawn once by twenty people, as zip files of 1-bit
//! pictures of 105 × 105 pixels in folders `alphabet/character/`.
//!
//! ```text
//! ink = 1 − grey                      black on white becomes 1 on 0
//! out(y, x) = mean of the ink over the area of (y, x)         see [`ResizeMode::Stretch`]
//! ```
//!
//! Source: Lake, Salakhutdinov & Tenenbaum (2015), *Human-level concept learning through
//! probabilistic program induction*, Science 350:1332–1338.

mod archive;
mod config;

pub use archive::SIDE;
pub use config::OmniglotConfig;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::transform::{ResizeMode, fit_plane};
use crate::{Error, ImageSet, ImageShape, Result};
use archive::{Ink, Key};

/// A label is a `u8`.
const MAX_LABELS: usize = 256;

/// All drawings of these archives, `[1, size, size]`, ink 1 on paper 0.
///
/// They are ordered by how often their character came before, and then by alphabet and character: the
/// first drawing of every character, then the second of each, and so on, so that the first few are
/// of different characters. A drawing that is in two archives is taken once. The labels number the
/// characters from 0 in the order of alphabet and name; if there are more than 256, there are none.
///
/// # Errors
/// [`Error::Format`] naming the archive and the entry: it is damaged, declares more than it can
/// hold, or is not a picture of 105 × 105; [`Error::Size`] if there is no drawing.
///
/// ```no_run
/// use scotopic_datasets::omniglot;
/// let archives = ["omniglot/images_background_small1.zip".into()];
/// let set = omniglot::read("omniglot", &archives, 28)?;
/// assert_eq!(set.len(), 136 * 20);
/// # Ok::<(), scotopic_datasets::Error>(())
/// ```
pub fn read(name: &str, archives: &[PathBuf], size: usize) -> Result<ImageSet> {
    let drawings = Drawings::read(name, archives)?;
    drawings.set(name, size, |_, _| true)
}

/// The drawings with the number of their character and their own number within it.
struct Drawings {
    characters: usize,
    /// Sorted by number, then character.
    all: Vec<Drawing>,
}

struct Drawing {
    number: usize,
    character: usize,
    ink: Ink,
}

impl Drawings {
    fn read(name: &str, archives: &[PathBuf]) -> Result<Self> {
        let mut drawings: BTreeMap<Key, Ink> = BTreeMap::new();
        for path in archives {
            archive::read(Path::new(path), &mut drawings)?;
        }
        if drawings.is_empty() {
            let expected = "at least one, as alphabet/character/name.png in the archives";
            return Err(Error::size(name, "number of drawings", 0, expected));
        }
        let mut all: Vec<Drawing> = Vec::with_capacity(drawings.len());
        let mut before: Option<(String, String)> = None;
        let (mut characters, mut number) = (0, 0);
        for ((alphabet, character, _), ink) in drawings {
            let this = Some((alphabet, character));
            number += 1;
            if this != before {
                (characters, number) = (characters + 1, 0);
                before = this;
            }
            all.push(Drawing {
                number,
                character: characters - 1,
                ink,
            });
        }
        all.sort_by_key(|drawing| (drawing.number, drawing.character));
        Ok(Self { characters, all })
    }

    /// How many drawings each character has.
    fn per_character(&self) -> Vec<usize> {
        let mut counts = vec![0; self.characters];
        self.all.iter().for_each(|d| counts[d.character] += 1);
        counts
    }

    /// The drawings that `keep` chooses by (number within the character, drawings of the character).
    fn set(
        &self,
        name: &str,
        size: usize,
        keep: impl Fn(usize, usize) -> bool,
    ) -> Result<ImageSet> {
        let counts = self.per_character();
        let kept: Vec<&Drawing> = self
            .all
            .iter()
            .filter(|d| keep(d.number, counts[d.character]))
            .collect();
        let shape = ImageShape {
            channels: 1,
            height: size,
            width: size,
        };
        if size == 0 || size > SIDE {
            return Err(Error::size(
                name,
                "side of an image",
                size,
                format!("1 to {SIDE}"),
            ));
        }
        let mut pixels = Vec::with_capacity(kept.len() * shape.pixels());
        for drawing in &kept {
            fit_plane(
                &drawing.ink,
                (SIDE, SIDE),
                (size, size),
                ResizeMode::Stretch,
                &mut pixels,
            );
        }
        let labels = (self.characters <= MAX_LABELS)
            .then(|| kept.iter().map(|d| d.character as u8).collect());
        ImageSet::new(name, shape, pixels, labels)
    }
}

#[cfg(test)]
mod tests;
