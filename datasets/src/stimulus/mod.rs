//! Stimuli, frame by frame.
//!
//! ```text
//! x[t, b, p]     t: time step,  b: sequence of the batch,  p: pixel (channel, row, column)
//! ```
//!
//! | `kind =` | [`StimulusConfig`] | frames |
//! |---|---|---|
//! | `static` | [`Static`] | the same image at every step |
//! | `jitter` | [`Jitter`] | an image that drifts in a bounded random walk |
//! | `rotate` | [`Rotate`] | an image that turns steadily |
//! | `grating` | [`Grating`] | a drifting sinusoid, or a plaid of two |
//! | `white-noise` | [`WhiteNoise`] | independent Gaussian pixels |
//! | `video` | [`Video`] | a folder of pictures in the order of their names |
//! | `npy` or `npz` | [`Sequence`] | an array made elsewhere |

mod array;
mod config;
mod frames;
mod grating;
mod jitter;
mod noise;
mod rotate;
mod static_image;
mod video;

pub use array::Sequence;
pub use config::StimulusConfig;
pub use frames::Frames;
pub use grating::Grating;
pub use jitter::Jitter;
pub use noise::WhiteNoise;
pub use rotate::Rotate;
pub use static_image::Static;
pub use video::Video;

use crate::images::MAX_PATCH_PIXELS;
use crate::{Error, ImageSet, ImageShape, Result};

/// What is asked of a stimulus: for whom, and for how long.
#[derive(Debug, Clone, Copy)]
struct Show<'a> {
    /// The key `kind` of the stimulus, for messages.
    what: &'static str,
    images: Option<&'a ImageSet>,
    indices: &'a [usize],
    shape: ImageShape,
    steps: usize,
}

impl<'a> Show<'a> {
    /// Refuses what has no frames or more than fit into memory; what passes can be reserved.
    fn check(&self) -> Result<()> {
        let sizes = [self.steps, self.indices.len(), self.shape.pixels()];
        if (1..=MAX_PATCH_PIXELS).contains(&self.volume()) {
            return Ok(());
        }
        let expected = format!("no zero in it, and at most {MAX_PATCH_PIXELS} values");
        let found = format!("{sizes:?}");
        Err(Error::setting(
            self.what,
            "[steps, sequences, pixels]",
            found,
            expected,
        ))
    }

    fn volume(&self) -> usize {
        self.steps
            .saturating_mul(self.indices.len())
            .saturating_mul(self.shape.pixels())
    }

    /// The images that move, which must be of the shape that is shown.
    fn images(&self) -> Result<&'a ImageSet> {
        let Some(images) = self.images else {
            let expected = "a set of images, which is what this stimulus shows";
            return Err(Error::setting(self.what, "images", "none", expected));
        };
        if images.shape() != self.shape {
            let expected = format!("{:?}, which is what the model sees", self.shape);
            let found = format!("{:?}", images.shape());
            return Err(Error::size(images.name(), "image shape", found, expected));
        }
        frames::require_indices(images.name(), images.len(), self.indices)?;
        Ok(images)
    }

    /// The frames `frame(t, b, out)` appends, one after the other.
    fn each(&self, mut frame: impl FnMut(usize, usize, &mut Vec<f32>)) -> Result<Frames> {
        self.check()?;
        let mut data = Vec::with_capacity(self.volume());
        for t in 0..self.steps {
            (0..self.indices.len()).for_each(|b| frame(t, b, &mut data));
        }
        let (batch, pixels) = (self.indices.len(), self.shape.pixels());
        Frames::new(self.what, self.steps, batch, pixels, data)
    }
}

/// Which of `length` recorded frames is shown at step `t`.
fn recorded(t: usize, length: usize, repeat: bool) -> usize {
    match repeat {
        true => t % length,
        false => t.min(length - 1),
    }
}

/// Refuses a recording that ends before it should, unless it is repeated.
fn require_length(what: &'static str, length: usize, steps: usize, repeat: bool) -> Result<()> {
    if repeat || length >= steps {
        return Ok(());
    }
    let found = format!("{length} steps");
    let expected = format!("{steps} or more, or `repeat = true`, or fewer steps");
    Err(Error::setting(what, "path", found, expected))
}

#[cfg(test)]
mod tests;
