//! White noise, for receptive fields by reverse correlation.

use serde::{Deserialize, Serialize};

use super::{Frames, Show};
use crate::rng::{CounterRng, stream};
use crate::{Error, Result};

/// Independent Gaussian pixels, a new frame every `every` steps,
///
/// ```text
/// x(t, p) = mean + sigma·z(⌊t/every⌋, p),     z ~ N(0, 1)
/// ```
///
/// Each index has noise of its own: the same index twice is the same noise twice.
///
/// ```
/// use scotopic_datasets::{ImageShape, StimulusConfig, stimulus::WhiteNoise};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 8, width: 8 };
/// let noise = StimulusConfig::WhiteNoise(WhiteNoise { every: 2, ..Default::default() });
/// let frames = noise.frames(None, &[5], shape, 3)?;
/// assert_eq!(frames.frame(0), frames.frame(1));
/// assert_ne!(frames.frame(1), frames.frame(2));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhiteNoise {
    /// Standard deviation of a pixel.
    pub sigma: f64,
    /// Mean of a pixel.
    pub mean: f64,
    /// How many steps a frame stays.
    pub every: usize,
    /// Names the noise.
    pub seed: u64,
}

impl Default for WhiteNoise {
    fn default() -> Self {
        Self {
            sigma: 1.0,
            mean: 0.0,
            every: 1,
            seed: 0,
        }
    }
}

impl WhiteNoise {
    pub(super) const WHAT: &'static str = "stimulus `white-noise`";

    pub(super) fn validate(&self) -> Result<()> {
        for (field, value, least) in [("sigma", self.sigma, 0.0), ("mean", self.mean, -1e6)] {
            if !(least..=1e6).contains(&value) {
                let expected = format!("{least} to 1e6");
                return Err(Error::setting(Self::WHAT, field, value, expected));
            }
        }
        if self.every == 0 {
            return Err(Error::setting(Self::WHAT, "every", 0, "at least 1 step"));
        }
        Ok(())
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        let pixels = show.shape.pixels();
        let each = show.indices.len() * pixels;
        show.each(|t, b, out| {
            if t % self.every != 0 {
                // The same sequence one step before.
                let start = out.len() - each;
                out.extend_from_within(start..start + pixels);
                return;
            }
            let path = [
                stream::WHITE_NOISE,
                show.indices[b] as u64,
                (t / self.every) as u64,
            ];
            let mut draws = CounterRng::new(self.seed, &path);
            out.extend((0..pixels).map(|_| (self.mean + self.sigma * draws.normal()) as f32));
        })
    }
}
