//! Films of dead leaves.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CutFilms, FilmCutter, WalkConfig, check_sizes};
use crate::dead_leaves::draw;
use crate::rng::stream;
use crate::whitening::Whitener;
use crate::{DeadLeavesConfig, ImageSet, Result, Splits, WhiteningConfig};

const SOURCE: &str = "moving-dead-leaves";

/// The configuration `source = "moving-dead-leaves"`: films that need no data.
///
/// ```
/// use scotopic_datasets::{DataConfig, moving::MovingDeadLeavesConfig};
/// let long = MovingDeadLeavesConfig { validation_frames: 100, ..Default::default() };
/// DataConfig::MovingDeadLeaves(long).validate().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MovingDeadLeavesConfig {
    /// Side of a frame.
    pub size: usize,
    /// How many films to train on.
    pub train: usize,
    /// How many films to validate with, from other pictures.
    pub validation: usize,
    /// Frames of a training film.
    pub frames: usize,
    /// Frames of a validation film: longer than a window of learning, so that a prediction that runs away shows.
    pub validation_frames: usize,
    /// Names the pictures and the walks.
    pub seed: u64,
    /// How the window moves.
    pub walk: WalkConfig,
    /// Films per picture.
    pub films_per_picture: usize,
    /// Side of one picture, in pixels.
    pub canvas: usize,
    /// Pixels at every edge of a picture that are not used.
    pub border: usize,
    /// The smallest radius, in pixels.
    pub radius_min: f64,
    /// The largest radius, in pixels.
    pub radius_max: f64,
    /// α of p(r) ∝ r^−α.
    pub exponent: f64,
    /// Samples across a pixel, and down.
    pub supersample: usize,
    /// The filter, of each whole picture.
    pub whitening: WhiteningConfig,
    /// Shift and scale by mean and standard deviation of the training frames.
    pub standardise: bool,
}

impl Default for MovingDeadLeavesConfig {
    fn default() -> Self {
        let still = DeadLeavesConfig::default();
        Self {
            size: 10,
            train: 4000,
            validation: 512,
            frames: 12,
            validation_frames: 24,
            seed: still.seed,
            walk: WalkConfig::default(),
            films_per_picture: 32,
            canvas: still.canvas,
            border: still.border,
            radius_min: still.radius_min,
            radius_max: still.radius_max,
            exponent: still.exponent,
            supersample: still.supersample,
            whitening: still.whitening,
            standardise: still.standardise,
        }
    }
}

impl MovingDeadLeavesConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        self.still().validate()?;
        let counts = [self.train, self.validation];
        check_sizes(
            SOURCE,
            self.size,
            counts,
            [self.frames, self.validation_frames],
        )?;
        self.walk.validate(SOURCE)
    }

    /// What one picture is drawn with, and its limits.
    pub(super) fn still(&self) -> DeadLeavesConfig {
        DeadLeavesConfig {
            size: self.size,
            seed: self.seed,
            canvas: self.canvas,
            patches_per_picture: self.films_per_picture,
            border: self.border,
            radius_min: self.radius_min,
            radius_max: self.radius_max,
            exponent: self.exponent,
            supersample: self.supersample,
            min_contrast: 0.0,
            whitening: self.whitening.clone(),
            ..Default::default()
        }
    }

    pub(crate) fn load(&self, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let mut split = |name, films: usize, frames, pictures, walks| {
            let n = films.div_ceil(self.films_per_picture);
            note(&format!(
                "{name}: {films} films of {frames} frames from {n} pictures of dead leaves"
            ));
            let cutter = FilmCutter {
                size: self.size,
                frames,
                border: self.border,
                seed: self.seed,
                stream: walks,
                walk: self.walk,
            };
            self.cut_films(name, films, pictures, cutter)
        };
        let (pictures, walks) = (stream::TRAIN_PICTURE, stream::TRAIN_WALK);
        let train = split(
            "moving dead leaves, training",
            self.train,
            self.frames,
            pictures,
            walks,
        )?;
        let (pictures, walks) = (stream::VALIDATION_PICTURE, stream::VALIDATION_WALK);
        let validation = split(
            "moving dead leaves, validation",
            self.validation,
            self.validation_frames,
            pictures,
            walks,
        )?;
        Splits::new(train, validation, None, self.standardise)
    }

    fn cut_films(
        &self,
        name: &str,
        films: usize,
        pictures: u64,
        cutter: FilmCutter,
    ) -> Result<ImageSet> {
        let n = films.div_ceil(self.films_per_picture);
        let leaves = self.still().leaves();
        let cut: Vec<CutFilms> = (0..n)
            .into_par_iter()
            .map_init(
                || Whitener::new(&self.whitening),
                |whitener, i| {
                    let mut picture = draw(&leaves, self.seed, &[pictures, i as u64]);
                    whitener.apply(&mut picture);
                    // Neighbouring films of the set come from different pictures.
                    cutter.cut(&picture, (i..films).step_by(n).collect())
                },
            )
            .collect();
        cutter.collect(name, films, cut)
    }
}
