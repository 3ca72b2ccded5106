//! Rotating images.

use serde::{Deserialize, Serialize};

use super::{Frames, Show};
use crate::transform::{Turn, turn_plane};
use crate::{Error, Result};

/// A steady rotation about the centre, counter-clockwise,
///
/// ```text
/// x(t) = the image turned by start + t·degrees         see [`rotate`](crate::transform::rotate)
/// ```
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, StimulusConfig, stimulus::Rotate};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let images = ImageSet::new("four", shape, vec![1.0, 2.0, 3.0, 4.0], None)?;
/// let quarters = StimulusConfig::Rotate(Rotate { degrees: 90.0, ..Default::default() });
/// let frames = quarters.frames(Some(&images), &[0], shape, 3)?;
/// assert_eq!(frames.frame(1), [2.0, 4.0, 1.0, 3.0]);
/// assert_eq!(frames.frame(2), [4.0, 3.0, 2.0, 1.0]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotate {
    /// Degrees per step.
    pub degrees: f64,
    /// Degrees at the first step.
    pub start: f64,
    /// What is shown outside the image: 0 for whitened patches.
    pub background: f32,
}

impl Default for Rotate {
    fn default() -> Self {
        Self {
            degrees: 3.0,
            start: 0.0,
            background: 0.0,
        }
    }
}

impl Rotate {
    pub(super) const WHAT: &'static str = "stimulus `rotate`";

    pub(super) fn validate(&self) -> Result<()> {
        for (field, value) in [
            ("degrees", self.degrees),
            ("start", self.start),
            ("background", f64::from(self.background)),
        ] {
            // Beyond this the angle of a late step has no exact degrees any more.
            if value.is_nan() || value.abs() > 1e6 {
                return Err(Error::setting(Self::WHAT, field, value, "-1e6 to 1e6"));
            }
        }
        Ok(())
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        let images = show.images()?;
        let sides = (show.shape.height, show.shape.width);
        show.each(|t, b, out| {
            let turn = Turn::degrees(self.start + t as f64 * self.degrees);
            for plane in images
                .image(show.indices[b])
                .chunks_exact(sides.0 * sides.1)
            {
                turn_plane(plane, sides, turn, self.background, out);
            }
        })
    }
}
