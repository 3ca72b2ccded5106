//! Static images.

use serde::{Deserialize, Serialize};

use super::{Frames, Show};
use crate::Result;

/// The same image at every step: x(t) = image. It has no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Static {}

impl Static {
    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        Frames::static_images(show.images()?, show.indices, show.steps)
    }
}
