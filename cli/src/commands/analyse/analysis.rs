//! What one analysis consists of, and what it is given.

use std::path::Path;

use anyhow::{Context, Result};
use scotopic_datasets::{DataConfig, ImageSet, ImageShape, Splits};
use scotopic_models::DecoderKind;
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::checkpoint::Checkpoint;

use super::report::AnalysisReport;
use crate::commands::evaluate::Split;

/// An analysis of a trained model: a constant in the file of the analysis, listed in `ANALYSES`.
#[derive(Debug, Clone, Copy)]
pub struct Analysis {
    /// What `--analysis` is given.
    pub(super) name: &'static str,
    /// One line for the help.
    pub(super) about: &'static str,
    /// Whether it needs the data of the model's configuration.
    pub(super) needs_data: bool,
    /// Why it does not apply to a model, as far as the configuration tells.
    pub(super) excluded: fn(&ModelTraits) -> Option<&'static str>,
    /// Whether labels or files that it needs are missing, which the configuration alone does not tell.
    pub(super) missing: fn(&Request<'_>) -> bool,
    /// Runs it.
    pub(super) run: fn(&Request<'_>) -> Result<AnalysisReport>,
}

/// Traits of a model by which analyses apply to it; each is `None` where it is there, else the reason to give.
pub(in crate::commands) struct ModelTraits {
    pub spikes: Option<&'static str>,
    pub image: Option<&'static str>,
    pub linear: Option<&'static str>,
    pub labels: Option<&'static str>,
    pub small_grey: Option<&'static str>,
    pub grey: Option<&'static str>,
    pub neurons: Option<&'static str>,
    pub films: Option<&'static str>,
}

impl ModelTraits {
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let config = &checkpoint.config;
        let shape = checkpoint.image.shape;
        let labelled = matches!(
            &config.data,
            DataConfig::Idx(_)
                | DataConfig::Npy(_)
                | DataConfig::Cifar(_)
                | DataConfig::Omniglot(_)
        );
        let digits = matches!(&config.data, DataConfig::Idx(_))
            && shape.channels == 1
            && shape.height == shape.width
            && shape.height <= 32;
        let linear = config.model.decoder.kind == DecoderKind::Linear;
        let spikes = config.model.family.info().spikes;
        let needs = |holds: bool, why: &'static str| (!holds).then_some(why);
        Self {
            spikes: needs(spikes, "its latents do not spike"),
            image: needs(
                shape.height > 2 && shape.width > 2,
                "its input is not an image",
            ),
            linear: needs(linear, "its decoder is not linear"),
            labels: needs(labelled, "its data have no labels"),
            small_grey: needs(
                digits,
                "it was not trained on digits or other small grey images of an idx file, as the views are",
            ),
            grey: needs(shape.channels == 1, "its atoms are in colour"),
            films: needs(config.data.are_films(), "it was not trained on films"),
            neurons: needs(config.model.latents >= 2, "it has one neuron"),
        }
    }
}

/// The model, its data and the options of an analysis.
pub(super) struct Request<'a> {
    pub checkpoint: &'a Checkpoint,
    pub model: AnalysedModel<'a>,
    pub splits: Option<&'a Splits>,
    /// Folder of the data sets.
    pub data: &'a Path,
    pub split: Split,
    pub batch: usize,
    /// `--steps` and `--max-images`.
    pub asked_steps: Option<usize>,
    pub max_images: Option<usize>,
}

impl Request<'_> {
    pub fn shape(&self) -> ImageShape {
        self.checkpoint.image.shape
    }

    /// The steps asked for, or as many as in training.
    pub fn steps(&self) -> usize {
        self.asked_steps
            .unwrap_or(self.checkpoint.config.steps_per_image())
    }

    /// The number of images asked for, or `usual`.
    pub fn count(&self, usual: usize) -> usize {
        self.max_images.unwrap_or(usual)
    }

    pub fn splits(&self) -> Result<&Splits> {
        self.splits.context("the data were not loaded")
    }

    pub fn images(&self) -> Result<&ImageSet> {
        let splits = self.splits()?;
        match self.split {
            Split::Train => Ok(&splits.train),
            Split::Validation => Ok(&splits.validation),
            Split::Test => splits
                .test
                .as_ref()
                .context("these data have no test set: take --split validation"),
        }
    }
}
