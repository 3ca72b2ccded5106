//! The `[stimulus]` table of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Frames, Grating, Jitter, Rotate, Sequence, Show, Static, Video, WhiteNoise};
use crate::{ImageSet, ImageShape, Result};

/// One of the stimuli, named by the key `kind`; the other keys are those of the stimulus, all with
/// defaults, and an unknown one is an error.
///
/// ```
/// use scotopic_datasets::{ImageShape, StimulusConfig, stimulus::Grating};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{ "kind": "grating", "orientation": 45.0 }"#;
/// let stimulus: StimulusConfig = serde_json::from_str(text)?;
/// let oblique = Grating { orientation: 45.0, ..Default::default() };
/// assert_eq!(stimulus, StimulusConfig::Grating(oblique));
/// // Ten steps, two sequences side by side, no images needed.
/// let shape = ImageShape { channels: 1, height: 12, width: 12 };
/// let frames = stimulus.frames(None, &[0, 1], shape, 10)?;
/// assert_eq!((frames.steps, frames.batch, frames.pixels), (10, 2, 144));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StimulusConfig {
    /// The same image at every step.
    Static(Static),
    /// An image that drifts in a bounded random walk.
    Jitter(Jitter),
    /// An image that turns steadily.
    Rotate(Rotate),
    /// A drifting sinusoid, or a plaid of two.
    Grating(Grating),
    /// Independent Gaussian pixels.
    WhiteNoise(WhiteNoise),
    /// A folder of pictures in the order of their names.
    Video(Video),
    /// An array made elsewhere.
    #[serde(rename = "npy", alias = "npz")]
    Sequence(Sequence),
}

impl Default for StimulusConfig {
    fn default() -> Self {
        Self::Static(Static::default())
    }
}

impl StimulusConfig {
    /// Every kind with its defaults, in the order of the table in [`stimulus`](crate::stimulus).
    pub fn all() -> [Self; 7] {
        [
            Self::Static(Static::default()),
            Self::Jitter(Jitter::default()),
            Self::Rotate(Rotate::default()),
            Self::Grating(Grating::default()),
            Self::WhiteNoise(WhiteNoise::default()),
            Self::Video(Video::default()),
            Self::Sequence(Sequence::default()),
        ]
    }

    /// The key `kind` as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Static(_) => "static",
            Self::Jitter(_) => "jitter",
            Self::Rotate(_) => "rotate",
            Self::Grating(_) => "grating",
            Self::WhiteNoise(_) => "white-noise",
            Self::Video(_) => "video",
            Self::Sequence(_) => "npy",
        }
    }

    /// Whether it shows images of a set, and needs one.
    pub fn shows_images(&self) -> bool {
        matches!(self, Self::Static(_) | Self::Jitter(_) | Self::Rotate(_))
    }

    /// Whether its frames are pixels in \[0, 1\], which [`Frames::rescaled`] puts on the scale of the
    /// training images; all other frames are on that scale already.
    pub fn shows_pixels(&self) -> bool {
        match self {
            Self::Video(_) => true,
            Self::Sequence(sequence) => sequence.raw,
            _ => false,
        }
    }

    /// The same stimulus with its relative path looked up in `root`.
    #[must_use]
    pub fn below(mut self, root: &Path) -> Self {
        let join = |path: &mut PathBuf| {
            if !path.as_os_str().is_empty() {
                *path = root.join(&*path);
            }
        };
        match &mut self {
            Self::Video(video) => join(&mut video.path),
            Self::Sequence(sequence) => join(&mut sequence.path),
            _ => {}
        }
        self
    }

    /// Checks every value without touching a file.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) naming the field, what it is and what it may be.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Static(_) => Ok(()),
            Self::Jitter(jitter) => jitter.validate(),
            Self::Rotate(rotate) => rotate.validate(),
            Self::Grating(grating) => grating.validate(),
            Self::WhiteNoise(noise) => noise.validate(),
            Self::Video(video) => video.validate(),
            Self::Sequence(sequence) => sequence.validate(),
        }
    }

    /// The frames `[steps, indices, pixels]` of images of this shape.
    ///
    /// Each index is a sequence of the batch. It names an image of `images` where the stimulus shows
    /// images, a sequence where an array holds several, a stream of random numbers where there is
    /// noise; otherwise all sequences are the same. Sequence `i` is the same whatever the others are.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds; [`Error::Size`](crate::Error::Size) if sizes do not go
    /// together; whatever is wrong with the files.
    pub fn frames(
        &self,
        images: Option<&ImageSet>,
        indices: &[usize],
        shape: ImageShape,
        steps: usize,
    ) -> Result<Frames> {
        self.validate()?;
        let show = Show {
            what: self.what(),
            images,
            indices,
            shape,
            steps,
        };
        show.check()?;
        match self {
            Self::Static(still) => still.frames(&show),
            Self::Jitter(jitter) => jitter.frames(&show),
            Self::Rotate(rotate) => rotate.frames(&show),
            Self::Grating(grating) => grating.frames(&show),
            Self::WhiteNoise(noise) => noise.frames(&show),
            Self::Video(video) => video.frames(&show),
            Self::Sequence(sequence) => sequence.frames(&show),
        }
    }

    /// For messages.
    fn what(&self) -> &'static str {
        match self {
            Self::Static(_) => "stimulus `static`",
            Self::Jitter(_) => Jitter::WHAT,
            Self::Rotate(_) => Rotate::WHAT,
            Self::Grating(_) => Grating::WHAT,
            Self::WhiteNoise(_) => WhiteNoise::WHAT,
            Self::Video(_) => Video::WHAT,
            Self::Sequence(_) => Sequence::WHAT,
        }
    }
}
