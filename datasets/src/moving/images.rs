//! Films of photographs.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CutFilms, FilmCutter, WalkConfig, check_sizes};
use crate::images::{Folder, grey, landscape};
use crate::rng::{CounterRng, stream};
use crate::whitening::Whitener;
use crate::{Error, ImageSet, ImagesConfig, Result, Splits, WhiteningConfig};

const SOURCE: &str = "moving-images";

/// The configuration `source = "moving-images"`: walks over photographs.
///
/// ```
/// use scotopic_datasets::{DataConfig, moving::MovingImagesConfig};
/// let data: DataConfig = serde_json::from_str(r#"{ "source": "moving-images", "size": 16 }"#).unwrap();
/// assert_eq!(data, DataConfig::MovingImages(MovingImagesConfig { size: 16, ..Default::default() }));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MovingImagesConfig {
    /// Folders of pictures to train on.
    pub train: Vec<PathBuf>,
    /// Folders of pictures to validate with.
    pub validation: Vec<PathBuf>,
    /// Side of a frame.
    pub size: usize,
    /// How many films to train on.
    pub train_films: usize,
    /// How many films to validate with.
    pub validation_films: usize,
    /// Frames of a training film.
    pub frames: usize,
    /// Frames of a validation film: longer than a window of learning, so that a prediction that runs away shows.
    pub validation_frames: usize,
    /// Names the pictures and the walks.
    pub seed: u64,
    /// How the window moves.
    pub walk: WalkConfig,
    /// Pixels at every edge of a picture that are not used.
    pub border: usize,
    /// The filter, of each whole picture.
    pub whitening: WhiteningConfig,
    /// Shift and scale by mean and standard deviation of the training frames.
    pub standardise: bool,
}

impl Default for MovingImagesConfig {
    fn default() -> Self {
        let still = ImagesConfig::default();
        Self {
            train: still.train,
            validation: still.validation,
            size: 10,
            train_films: 4000,
            validation_films: 512,
            frames: 12,
            validation_frames: 24,
            seed: still.seed,
            walk: WalkConfig::default(),
            border: still.border,
            whitening: still.whitening,
            standardise: still.standardise,
        }
    }
}

impl MovingImagesConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        // The folders, the border and the filter have the rules of still images.
        ImagesConfig {
            train: self.train.clone(),
            validation: self.validation.clone(),
            patch: self.size,
            border: self.border,
            whitening: self.whitening.clone(),
            ..Default::default()
        }
        .validate()?;
        let counts = [self.train_films, self.validation_films];
        check_sizes(
            SOURCE,
            self.size,
            counts,
            [self.frames, self.validation_frames],
        )?;
        self.walk.validate(SOURCE)
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let mut split = |name, folders: &[PathBuf], films, frames, stream| {
            let mut files = Vec::new();
            for path in folders {
                files.extend(Folder::read(&root.join(path))?.pictures);
            }
            let n = files.len();
            note(&format!(
                "{name}: {films} films of {frames} frames from {n} pictures"
            ));
            let cutter = FilmCutter {
                size: self.size,
                frames,
                border: self.border,
                seed: self.seed,
                stream,
                walk: self.walk,
            };
            self.cut_films(name, &files, films, cutter)
        };
        let train = split(
            "moving images, training",
            &self.train,
            self.train_films,
            self.frames,
            stream::TRAIN_WALK,
        )?;
        let validation = split(
            "moving images, validation",
            &self.validation,
            self.validation_films,
            self.validation_frames,
            stream::VALIDATION_WALK,
        )?;
        Splits::new(train, validation, None, self.standardise)
    }

    /// Each picture is decoded once; one that no film falls on is not opened.
    fn cut_films(
        &self,
        name: &str,
        files: &[PathBuf],
        films: usize,
        cutter: FilmCutter,
    ) -> Result<ImageSet> {
        if files.is_empty() {
            return Err(Error::size(name, "number of pictures", 0, "at least 1"));
        }
        let mut numbers = vec![Vec::new(); files.len()];
        for film in 0..films {
            // Of the same name as the walk, at a place of its own.
            let mut draws = CounterRng::new(self.seed, &[cutter.stream, film as u64, 1]);
            numbers[draws.below(files.len() as u64) as usize].push(film);
        }
        let jobs: Vec<_> = files
            .iter()
            .zip(numbers)
            .filter(|job| !job.1.is_empty())
            .collect();
        let cut = jobs.into_par_iter().map_init(
            || Whitener::new(&self.whitening),
            |whitener, (file, numbers)| -> Result<CutFilms> {
                let least = self.size + 2 * self.border;
                let mut picture = landscape(grey(file)?, file, least)?;
                whitener.apply(&mut picture);
                Ok(cutter.cut(&picture, numbers))
            },
        );
        // Looked through in order: of several bad files the first is named.
        let cut: Vec<Result<CutFilms>> = cut.collect();
        cutter.collect(name, films, cut.into_iter().collect::<Result<_>>()?)
    }
}
