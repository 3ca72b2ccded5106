//! Frames: stimuli as arrays.

use std::path::Path;

use crate::{Error, ImageSet, Result, Standardisation, npy};

/// Frames `[time, batch, pixels]`, the last index the fastest.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, stimulus::Frames};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 1, width: 2 };
/// let images = ImageSet::new("pairs", shape, vec![0.0, 1.0, 2.0, 3.0], None)?;
/// let frames = Frames::static_images(&images, &[1, 0], 3)?;
/// assert_eq!((frames.steps, frames.batch, frames.pixels), (3, 2, 2));
/// assert_eq!(frames.frame(2), [2.0, 3.0, 0.0, 1.0]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// How many time steps.
    pub steps: usize,
    /// How many sequences side by side.
    pub batch: usize,
    /// Pixels of a frame.
    pub pixels: usize,
    /// The values, `steps·batch·pixels` of them.
    pub data: Vec<f32>,
}

impl Frames {
    /// The films with these indices.
    ///
    /// # Errors
    /// As [`Frames::new`], and for an index beyond the last film.
    ///
    /// ```
    /// use scotopic_datasets::{ImageSet, ImageShape, stimulus::Frames};
    /// let shape = ImageShape { channels: 1, height: 1, width: 1 };
    /// let films = ImageSet::new("ramps", shape, (0..6).map(|x| x as f32).collect(), None)?.with_frames(3)?;
    /// let frames = Frames::films(&films, &[1, 0])?;
    /// assert_eq!((frames.steps, frames.batch, frames.frame(2)), (3, 2, &[5.0, 2.0][..]));
    /// # Ok::<(), scotopic_datasets::Error>(())
    /// ```
    pub fn films(set: &ImageSet, indices: &[usize]) -> Result<Self> {
        require_indices(set.name(), set.films(), indices)?;
        let (steps, pixels) = (set.frames(), set.shape().pixels());
        let mut data = Vec::with_capacity(steps * indices.len() * pixels);
        for time in 0..steps {
            for &index in indices {
                data.extend_from_slice(&set.film(index)[time * pixels..(time + 1) * pixels]);
            }
        }
        Self::new(set.name(), steps, indices.len(), pixels, data)
    }

    /// Checks sizes and values.
    ///
    /// # Errors
    /// [`Error::Size`] if a size is 0 or `data` has another length; [`Error::NotFinite`], where
    /// `image` counts frames, `t·batch + b`.
    pub fn new(
        name: &str,
        steps: usize,
        batch: usize,
        pixels: usize,
        data: Vec<f32>,
    ) -> Result<Self> {
        let frames = Self {
            steps,
            batch,
            pixels,
            data,
        };
        frames.check(name)?;
        Ok(frames)
    }

    /// The same images at every step.
    ///
    /// # Errors
    /// [`Error::Size`] if there is no step, no index, or an index beyond the last image.
    pub fn static_images(images: &ImageSet, indices: &[usize], steps: usize) -> Result<Self> {
        require_indices(images.name(), images.len(), indices)?;
        let (batch, pixels) = (indices.len(), images.shape().pixels());
        let sizes = [steps, batch, pixels];
        if volume(sizes).is_none_or(|n| n == 0) {
            return Err(Error::size(
                images.name(),
                "[steps, images, pixels]",
                format!("{sizes:?}"),
                SIZES,
            ));
        }
        Self::new(
            images.name(),
            steps,
            batch,
            pixels,
            images.gather(indices).repeat(steps),
        )
    }

    /// Reads a `.npy` file of rank 3, `[time, batch, pixels]`, or of rank 2, `[time, pixels]`: one
    /// sequence.
    ///
    /// # Errors
    /// What [`npy::read_pixels`] finds, and what [`Frames::new`] checks.
    pub fn from_npy(path: &Path) -> Result<Self> {
        Self::from_array(&path.display().to_string(), npy::read_pixels(path)?)
    }

    /// Frames from an array of rank 3, `[time, batch, pixels]`, or of rank 2, `[time, pixels]`.
    ///
    /// # Errors
    /// [`Error::Size`] for another rank, and what [`Frames::new`] checks.
    pub fn from_array(name: &str, array: npy::Array) -> Result<Self> {
        let (steps, batch, pixels) = match array.shape[..] {
            [steps, batch, pixels] => (steps, batch, pixels),
            [steps, pixels] => (steps, 1, pixels),
            _ => {
                let expected = "[time, batch, pixels] or [time, pixels]";
                let found = format!("{:?}", array.shape);
                return Err(Error::size(name, "shape", found, expected));
            }
        };
        Self::new(name, steps, batch, pixels, array.data)
    }

    /// The frames on another scale, (x − μ)/σ: for pixels in \[0, 1\] shown to a model that was trained
    /// on standardised ones.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a value leaves the range of `f32`, or the scale is not a scale.
    ///
    /// ```
    /// use scotopic_datasets::{Standardisation, stimulus::Frames};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let frames = Frames::new("two", 2, 1, 1, vec![0.0, 1.0])?;
    /// let scale = Standardisation { mean: 0.5, std: 0.25 };
    /// assert_eq!(frames.rescaled("two", scale)?.data, [-2.0, 2.0]);
    /// # Ok(()) }
    /// ```
    pub fn rescaled(mut self, name: &str, scale: Standardisation) -> Result<Self> {
        scale.apply(&mut self.data);
        self.check(name)?;
        Ok(self)
    }

    /// All sequences at step `t`, `[batch, pixels]`.
    ///
    /// # Panics
    /// If `t` is not below `steps`.
    pub fn frame(&self, t: usize) -> &[f32] {
        let each = self.batch * self.pixels;
        &self.data[t * each..(t + 1) * each]
    }

    /// Sizes and values, as [`Frames::new`] checks them: for frames whose fields were set by hand.
    ///
    /// # Errors
    /// As [`Frames::new`].
    pub fn check(&self, name: &str) -> Result<()> {
        let sizes = [self.steps, self.batch, self.pixels];
        let count = volume(sizes);
        if count.is_none_or(|n| n == 0) {
            return Err(Error::size(
                name,
                "[time, batch, pixels]",
                format!("{sizes:?}"),
                SIZES,
            ));
        }
        if count != Some(self.data.len()) {
            let expected = format!("the product of {sizes:?}");
            return Err(Error::size(
                name,
                "number of values",
                self.data.len(),
                expected,
            ));
        }
        match self.data.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (image, pixel, found) = (at / self.pixels, at % self.pixels, self.data[at]);
                Err(Error::NotFinite {
                    name: name.to_owned(),
                    image,
                    pixel,
                    found,
                })
            }
        }
    }

    /// Refuses frames that a model of `pixels` pixels cannot see.
    ///
    /// # Errors
    /// [`Error::Size`]
    pub fn check_pixels(&self, name: &str, pixels: usize) -> Result<()> {
        if self.pixels == pixels {
            return Ok(());
        }
        let expected = format!("{pixels}, which is what the model was trained on");
        Err(Error::size(
            name,
            "pixels of a frame",
            self.pixels,
            expected,
        ))
    }
}

/// Refuses an index that is beyond the last of `count` images.
pub(super) fn require_indices(name: &str, count: usize, indices: &[usize]) -> Result<()> {
    match indices.iter().find(|&&i| i >= count) {
        None => Ok(()),
        Some(beyond) => {
            let expected = format!("below {count}, the number of images");
            Err(Error::size(name, "index of an image", beyond, expected))
        }
    }
}

const SIZES: &str = "no zero in it, and a product that fits into memory";

fn volume(sizes: [usize; 3]) -> Option<usize> {
    let [a, b, c] = sizes;
    // What a Vec<f32> can hold at most.
    a.checked_mul(b)?
        .checked_mul(c)
        .filter(|&n| n <= isize::MAX as usize / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    fn images() -> ImageSet {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        };
        ImageSet::new("pairs", shape, vec![0.0, 1.0, 2.0, 3.0], None).unwrap()
    }

    #[test]
    fn sequences_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.npy");
        let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
        npy::write(&path, &[2, 3, 2], &values).unwrap();
        let frames = Frames::from_npy(&path).unwrap();
        assert_eq!((frames.steps, frames.batch, frames.pixels), (2, 3, 2));
        assert_eq!(frames.frame(1), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        npy::write(&path, &[6, 2], &values).unwrap();
        let one = Frames::from_npy(&path).unwrap();
        assert_eq!((one.steps, one.batch), (6, 1));
        assert!(one.check_pixels("s", 2).is_ok());
        let text = one.check_pixels("s", 144).unwrap_err().to_string();
        assert!(text.contains("found 2, expected 144"), "{text}");
        for shape in [&[12][..], &[1, 2, 3, 2]] {
            npy::write(&path, shape, &values).unwrap();
            assert!(matches!(Frames::from_npy(&path), Err(Error::Size { .. })));
        }
        npy::write(&path, &[0, 2], &[]).unwrap();
        assert!(Frames::from_npy(&path).is_err());
        let mut holes = values;
        holes[9] = f32::NAN;
        npy::write(&path, &[2, 3, 2], &holes).unwrap();
        let error = Frames::from_npy(&path).unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFinite {
                    image: 4,
                    pixel: 1,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn static_frames_are_checked() {
        assert!(Frames::static_images(&images(), &[0, 2], 1).is_err());
        assert!(Frames::static_images(&images(), &[], 1).is_err());
        assert!(Frames::static_images(&images(), &[0], 0).is_err());
        assert!(Frames::static_images(&images(), &[0], usize::MAX).is_err());
        assert!(Frames::new("x", 2, 1, 1, vec![0.0]).is_err());
        assert!(Frames::new("x", usize::MAX, 2, 1, vec![0.0]).is_err());
    }
}
