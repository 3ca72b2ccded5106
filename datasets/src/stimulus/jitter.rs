//! Images that drift, like the retinal image between saccades.

use serde::{Deserialize, Serialize};

use super::{Frames, Show};
use crate::rng::{CounterRng, stream};
use crate::transform::window;
use crate::{Error, Result};

/// A random walk of the whole image by whole pixels, bounded by reflection,
///
/// ```text
/// x(t; r, c) = image(r − d_r(t), c − d_c(t)),   background outside
/// d(0) = 0,   d(t + 1) = reflect(d(t) + δ),   δ uniform on {−pixels, …, pixels}, each axis by itself
/// reflect(d) = d if |d| ≤ max_offset,  ±2·max_offset − d beyond
/// ```
///
/// ```
/// use scotopic_datasets::stimulus::Jitter;
/// let jitter = Jitter { pixels: 1, max_offset: 3, ..Default::default() };
/// let walk = jitter.walk(0, 100);
/// assert_eq!(walk[0], (0, 0));
/// assert!(walk.iter().all(|&(down, right)| down.abs() <= 3 && right.abs() <= 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitter {
    /// The most that the image moves in one step, in pixels, down or up and left or right.
    pub pixels: usize,
    /// The farthest that it comes from its place, in pixels; not less than `pixels`.
    #[serde(alias = "reach")]
    pub max_offset: usize,
    /// Names the walks; each index of an image has its own.
    pub seed: u64,
    /// What is shown where the image has moved away: 0 for whitened patches.
    pub background: f32,
}

/// No image of a model is larger.
const LARGEST: usize = 4096;

impl Default for Jitter {
    fn default() -> Self {
        Self {
            pixels: 1,
            max_offset: 3,
            seed: 0,
            background: 0.0,
        }
    }
}

impl Jitter {
    pub(super) const WHAT: &'static str = "stimulus `jitter`";

    pub(super) fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::setting(Self::WHAT, field, found, expected))
        };
        if self.max_offset > LARGEST {
            return wrong("max_offset", self.max_offset.to_string(), "at most 4096");
        }
        if self.pixels > self.max_offset {
            return wrong("pixels", self.pixels.to_string(), "at most `max_offset`");
        }
        if !self.background.is_finite() {
            return wrong("background", self.background.to_string(), "a finite number");
        }
        Ok(())
    }

    /// Where image `index` is at each of so many steps: pixels (down, right).
    pub fn walk(&self, index: usize, steps: usize) -> Vec<(i64, i64)> {
        let mut draws = CounterRng::new(self.seed, &[stream::JITTER, index as u64]);
        let max_offset = self.max_offset.min(LARGEST) as i64;
        let pixels = self.pixels.min(LARGEST) as i64;
        let mut next = |at: i64| {
            let step = draws.below(2 * pixels as u64 + 1) as i64 - pixels;
            let to = at + step;
            match to.abs() > max_offset {
                true => to.signum() * 2 * max_offset - to,
                false => to,
            }
        };
        let mut place = (0, 0);
        let mut walk = Vec::with_capacity(steps);
        for _ in 0..steps {
            walk.push(place);
            let down = next(place.0);
            place = (down, next(place.1));
        }
        walk
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        let images = show.images()?;
        let sides = (show.shape.height, show.shape.width);
        let walks: Vec<Vec<(i64, i64)>> = show
            .indices
            .iter()
            .map(|&i| self.walk(i, show.steps))
            .collect();
        show.each(|t, b, out| {
            let (down, right) = walks[b][t];
            for plane in images
                .image(show.indices[b])
                .chunks_exact(sides.0 * sides.1)
            {
                window(plane, sides, (-down, -right), sides, self.background, out);
            }
        })
    }
}
