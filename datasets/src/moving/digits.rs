//! Films of digits that bounce off the edges of a dark field ("moving MNIST").
//!
//! Source: Srivastava, Mansimov, Salakhutdinov, *Unsupervised learning of video representations using LSTMs*, arXiv 1502.04681.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{WalkConfig, check_sizes, walk};
use crate::rng::{CounterRng, stream};
use crate::{Error, IdxConfig, ImageSet, ImageShape, Result, Splits};

const SOURCE: &str = "moving-digits";

/// The configuration `source = "moving-digits"`: digits of MNIST, or other images in IDX files, that move over a dark field and are
/// reflected at its edges. Where they overlap the brighter is seen.
///
/// ```
/// use scotopic_datasets::{DataConfig, moving::MovingDigitsConfig};
/// let two = MovingDigitsConfig { size: 64, digits: 2, ..Default::default() };
/// DataConfig::MovingDigits(two).validate().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MovingDigitsConfig {
    /// The IDX file of the digits.
    pub images: PathBuf,
    /// How many digits are taken from the end of the file for the films of validation.
    pub held_out: usize,
    /// Side of a frame.
    pub size: usize,
    /// Digits in a film.
    pub digits: usize,
    /// How many films to train on.
    pub train: usize,
    /// How many films to validate with.
    pub validation: usize,
    /// Frames of a training film.
    pub frames: usize,
    /// Frames of a validation film: longer than a window of learning, so that a prediction that runs away shows.
    pub validation_frames: usize,
    /// Names the digits and their walks.
    pub seed: u64,
    /// How a digit moves.
    pub walk: WalkConfig,
    /// Shift and scale by mean and standard deviation of the training frames.
    pub standardise: bool,
}

impl Default for MovingDigitsConfig {
    fn default() -> Self {
        Self {
            images: IdxConfig::default().train_images,
            held_out: IdxConfig::default().validation,
            size: 36,
            digits: 1,
            train: 2000,
            validation: 200,
            frames: 12,
            validation_frames: 24,
            seed: 0,
            walk: WalkConfig {
                speed_min: 1.0,
                speed_max: 3.0,
                saccade: 0.0,
            },
            standardise: false,
        }
    }
}

impl MovingDigitsConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let counts = [self.train, self.validation];
        let frames = [self.frames, self.validation_frames];
        check_sizes(SOURCE, self.size, counts, frames)?;
        if self.images.as_os_str().is_empty() {
            let expected = "the path of an IDX file of images";
            return Err(Error::config(SOURCE, "images", "an empty path", expected));
        }
        if !(1..=100).contains(&self.digits) {
            let found = self.digits.to_string();
            return Err(Error::config(SOURCE, "digits", found, "1 to 100"));
        }
        self.walk.validate(SOURCE)
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        note(&format!("reading {}", self.images.display()));
        let (name, path) = (self.images.display().to_string(), root.join(&self.images));
        let (train, held_out) =
            crate::idx::read_images(&name, &path, None, false)?.split_tail(self.held_out)?;
        let mut split = |name: &str, digits, films, frames, stream| {
            note(&format!("{name}: {films} films of {frames} frames"));
            self.films(name, digits, films, frames, stream)
        };
        let (films, frames) = (self.train, self.frames);
        let train = split(
            "moving digits, training",
            &train,
            films,
            frames,
            stream::TRAIN_WALK,
        )?;
        let validation = split(
            "moving digits, validation",
            &held_out,
            self.validation,
            self.validation_frames,
            stream::VALIDATION_WALK,
        )?;
        Splits::new(train, validation, None, self.standardise)
    }

    /// Films number 0 to `films` of these digits.
    fn films(
        &self,
        name: &str,
        digits: &ImageSet,
        films: usize,
        frames: usize,
        stream: u64,
    ) -> Result<ImageSet> {
        let ImageShape { height, width, .. } = digits.shape();
        if height.max(width) > self.size {
            let expected = format!("at least {}, the side of a digit", height.max(width));
            return Err(Error::config(
                SOURCE,
                "size",
                self.size.to_string(),
                &expected,
            ));
        }
        if digits.is_empty() && films > 0 {
            return Err(Error::size(name, "number of digits", 0, "at least 1"));
        }
        let room = [self.size - height, self.size - width];
        let film = |number: usize| {
            let mut values = vec![0f32; frames * self.size * self.size];
            for digit in 0..self.digits {
                let path = [stream, number as u64, digit as u64];
                // Of the same name as the walk, at a place of its own.
                let mut draws = CounterRng::new(self.seed, &[path[0], path[1], path[2], 1]);
                let image = digits.image(draws.below(digits.len() as u64) as usize);
                let places = walk(&self.walk, room, frames, self.seed, &path);
                for (frame, [top, left]) in places.into_iter().enumerate() {
                    for (row, line) in image.chunks_exact(width).enumerate() {
                        let start = (frame * self.size + top + row) * self.size + left;
                        for (seen, &value) in values[start..start + width].iter_mut().zip(line) {
                            *seen = seen.max(value);
                        }
                    }
                }
            }
            values
        };
        let pixels = (0..films).into_par_iter().flat_map_iter(film).collect();
        let shape = ImageShape {
            channels: 1,
            height: self.size,
            width: self.size,
        };
        ImageSet::new(name, shape, pixels, None)?.with_frames(frames)
    }
}
