//! Sequences of images.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Frames, Show, recorded, require_length};
use crate::transform::{ResizeMode, fit_plane};
use crate::{Error, Result, images};

/// The PNG and JPEG files of a folder in the byte order of their names (write numbers with leading
/// zeros), grey in \[0, 1\], in the size of the model. All sequences of a batch are the same.
///
/// ```
/// use scotopic_datasets::{StimulusConfig, stimulus::Video};
/// let film = Video { path: "films/cat".into(), steps_per_frame: 4, ..Default::default() };
/// // Its pixels are to be put on the scale of the training images.
/// assert!(StimulusConfig::Video(film).shows_pixels());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Video {
    /// The folder; must be given.
    pub path: PathBuf,
    /// How many steps a picture stays.
    #[serde(alias = "hold")]
    pub steps_per_frame: usize,
    /// How a picture becomes one of the model's size.
    pub fit: ResizeMode,
    /// Begin again at the end; a video that is too short is an error otherwise.
    pub repeat: bool,
}

impl Default for Video {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            steps_per_frame: 1,
            fit: ResizeMode::Cover,
            repeat: false,
        }
    }
}

impl Video {
    pub(super) const WHAT: &'static str = "stimulus `video`";

    pub(super) fn validate(&self) -> Result<()> {
        let wrong =
            |field, found, expected| Err(Error::setting(Self::WHAT, field, found, expected));
        if self.path.as_os_str().is_empty() {
            return wrong("path", "an empty path", "the path of a folder of pictures");
        }
        if self.steps_per_frame == 0 {
            return wrong("steps_per_frame", "0", "at least 1 step");
        }
        Ok(())
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        if show.shape.channels != 1 {
            let expected = "1, since pictures are read as grey values";
            let found = show.shape.channels;
            return Err(Error::setting(Self::WHAT, "channels", found, expected));
        }
        let mut files = images::folder(&self.path)?;
        let length = files.len().saturating_mul(self.steps_per_frame);
        require_length(Self::WHAT, length, show.steps, self.repeat)?;
        // Those that are not reached need not be whole.
        files.truncate(show.steps.div_ceil(self.steps_per_frame));
        let pictures: Vec<Result<Vec<f32>>> = files
            .par_iter()
            .map(|file| self.picture(file, show))
            .collect();
        // Looked through in order: of several bad files the first is named.
        let pictures: Vec<Vec<f32>> = pictures.into_iter().collect::<Result<_>>()?;
        show.each(|t, _, out| {
            let at = recorded(t / self.steps_per_frame, pictures.len(), self.repeat);
            out.extend_from_slice(&pictures[at]);
        })
    }

    fn picture(&self, file: &Path, show: &Show<'_>) -> Result<Vec<f32>> {
        let picture = images::grey(file)?;
        let values: Vec<f32> = picture.values.iter().map(|&v| v as f32).collect();
        let to = (show.shape.height, show.shape.width);
        let mut out = Vec::with_capacity(show.shape.pixels());
        fit_plane(
            &values,
            (picture.height, picture.width),
            to,
            self.fit,
            &mut out,
        );
        Ok(out)
    }
}
