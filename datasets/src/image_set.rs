//! Images as rows of numbers, checked once when they are made.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, PatchOrigin, Result, Standardisation, sha};

/// The layout of one image: channels, then rows, then columns, the last the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Planes: 1 for grey, 3 for colour.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Numbers per image, `channels·height·width`; saturates instead of wrapping round.
    pub fn pixels(&self) -> usize {
        self.channels
            .saturating_mul(self.height)
            .saturating_mul(self.width)
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// A set of images of one shape, `pixels[image, channel·height·width]`, and perhaps a label each.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 1, width: 2 };
/// let set = ImageSet::new("pairs", shape, vec![0.0, 1.0, 2.0, 3.0], None)?;
/// assert_eq!(set.len(), 2);
/// assert_eq!(set.gather(&[1, 0]), [2.0, 3.0, 0.0, 1.0]);
/// let broken = ImageSet::new("pairs", shape, vec![0.0, f32::NAN], None);
/// assert!(broken.unwrap_err().to_string().contains("image 0, pixel 1"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSet {
    name: String,
    shape: ImageShape,
    pixels: Vec<f32>,
    labels: Option<Vec<u8>>,
    /// One for each image, or none at all.
    origins: Vec<PatchOrigin>,
    /// Consecutive images of a film; 1 for still images.
    frames: usize,
}

impl ImageSet {
    /// Checks that the sizes go together and that every pixel is finite.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::NotFinite`], the latter naming image and pixel.
    pub fn new(
        name: impl Into<String>,
        shape: ImageShape,
        pixels: Vec<f32>,
        labels: Option<Vec<u8>>,
    ) -> Result<Self> {
        let name = name.into();
        let each = shape.pixels();
        if each == 0 {
            return Err(Error::size(name, "image shape", shape, "no zero in it"));
        }
        if !pixels.len().is_multiple_of(each) {
            let expected = format!("a multiple of {each} (one image of {shape})");
            return Err(Error::size(
                name,
                "number of pixels",
                pixels.len(),
                expected,
            ));
        }
        let count = pixels.len() / each;
        if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != count) {
            let expected = format!("{count}, one for each image");
            return Err(Error::size(
                name,
                "number of labels",
                labels.len(),
                expected,
            ));
        }
        if let Some(at) = pixels.iter().position(|value| !value.is_finite()) {
            let (image, pixel) = (at / each, at % each);
            return Err(Error::NotFinite {
                name,
                image,
                pixel,
                found: pixels[at],
            });
        }
        Ok(Self {
            name,
            shape,
            pixels,
            labels,
            origins: Vec::new(),
            frames: 1,
        })
    }

    /// The same images as films: each `frames` consecutive ones are one.
    ///
    /// # Errors
    /// [`Error::Size`] if the images are not a whole number of films.
    ///
    /// ```
    /// use scotopic_datasets::{ImageSet, ImageShape};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let shape = ImageShape { channels: 1, height: 1, width: 1 };
    /// let films = ImageSet::new("ramps", shape, (0..6).map(|x| x as f32).collect(), None)?.with_frames(3)?;
    /// assert_eq!((films.films(), films.film(1)), (2, &[3.0, 4.0, 5.0][..]));
    /// # Ok(()) }
    /// ```
    pub fn with_frames(mut self, frames: usize) -> Result<Self> {
        if frames == 0 || !self.len().is_multiple_of(frames) {
            let expected = format!("a multiple of {frames}, the frames of a film");
            return Err(Error::size(
                self.name.clone(),
                "number of images",
                self.len(),
                expected,
            ));
        }
        self.frames = frames;
        Ok(self)
    }

    /// Frames of a film; 1 for still images.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// How many films; of still images, how many images.
    pub fn films(&self) -> usize {
        self.len() / self.frames
    }

    /// Film `i`, `[frames, channel·height·width]`.
    ///
    /// # Panics
    /// If `i` is not below [`films`](Self::films).
    pub fn film(&self, i: usize) -> &[f32] {
        let each = self.frames * self.shape.pixels();
        &self.pixels[i * each..(i + 1) * each]
    }

    /// The same images as patches of pictures.
    ///
    /// # Errors
    /// [`Error::Size`] if there is not one origin for each image.
    pub fn with_origins(mut self, origins: Vec<PatchOrigin>) -> Result<Self> {
        if origins.len() != self.len() {
            let expected = format!("{}, one for each image", self.len());
            return Err(Error::size(
                self.name,
                "number of origins",
                origins.len(),
                expected,
            ));
        }
        self.origins = origins;
        Ok(self)
    }

    /// Where each image was cut from a picture; empty where the images are none that were cut.
    pub fn origins(&self) -> &[PatchOrigin] {
        &self.origins
    }

    /// Where the images come from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The layout of each image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.shape.pixels()
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Image `i`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    pub fn image(&self, i: usize) -> &[f32] {
        let each = self.shape.pixels();
        &self.pixels[i * each..(i + 1) * each]
    }

    /// All images, one after the other.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// One label for each image, where the source has labels.
    pub fn labels(&self) -> Option<&[u8]> {
        self.labels.as_deref()
    }

    /// A batch: the films (still images are films of one frame) with these indices, one after the other.
    ///
    /// # Panics
    /// If an index is not below [`films`](Self::films).
    pub fn gather(&self, indices: &[usize]) -> Vec<f32> {
        let mut batch = Vec::with_capacity(indices.len() * self.frames * self.shape.pixels());
        indices
            .iter()
            .for_each(|&i| batch.extend_from_slice(self.film(i)));
        batch
    }

    /// The images of several sets, in their order, under the name of the first; the labels stay where
    /// every set has them.
    ///
    /// # Errors
    /// [`Error::Size`] if there is no set, or one with images of another shape.
    pub fn concatenated(sets: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut sets = sets.into_iter();
        let Some(mut all) = sets.next() else {
            return Err(Error::size("concatenation", "image sets", 0, "at least 1"));
        };
        for mut next in sets {
            let all_cut = all.origins.len() == all.len() && next.origins.len() == next.len();
            if next.shape != all.shape {
                let expected = format!("{:?} as in {}", all.shape, all.name);
                let found = format!("{:?}", next.shape);
                return Err(Error::size(next.name, "image shape", found, expected));
            }
            if next.frames != all.frames {
                let expected = format!("{} as in {}", all.frames, all.name);
                return Err(Error::size(
                    next.name,
                    "frames of a film",
                    next.frames,
                    expected,
                ));
            }
            all.pixels.append(&mut next.pixels);
            match all_cut {
                true => all.origins.append(&mut next.origins),
                false => all.origins.clear(),
            }
            all.labels = all.labels.zip(next.labels).map(|(mut labels, more)| {
                labels.extend(more);
                labels
            });
        }
        Ok(all)
    }

    /// The first `n` films (still images are films of one frame), or all if there are fewer.
    #[must_use]
    pub fn take(mut self, n: usize) -> Self {
        let n = n.min(self.films()) * self.frames;
        self.pixels.truncate(n * self.shape.pixels());
        if let Some(labels) = &mut self.labels {
            labels.truncate(n);
        }
        self.origins.truncate(n);
        self
    }

    /// Splits the last `n` films (still images are films of one frame) off: (the rest, the last `n`), both in their order.
    ///
    /// # Errors
    /// [`Error::Size`] if nothing would be left in front.
    pub fn split_tail(mut self, n: usize) -> Result<(Self, Self)> {
        let count = self.films();
        if n >= count {
            let expected = match count {
                0 => "an image to begin with, and there are none".to_owned(),
                count => format!("below {count}, the number of images"),
            };
            return Err(Error::size(
                self.name,
                "images to split off the end",
                n,
                expected,
            ));
        }
        let films = count - n;
        let head = films * self.frames;
        let tail = Self {
            name: format!("{} (last {n})", self.name),
            shape: self.shape,
            pixels: self.pixels.split_off(head * self.shape.pixels()),
            labels: self.labels.as_mut().map(|labels| labels.split_off(head)),
            origins: match self.origins.is_empty() {
                true => Vec::new(),
                false => self.origins.split_off(head),
            },
            frames: self.frames,
        };
        self.name = format!("{} (first {films})", self.name);
        Ok((self, tail))
    }

    /// SHA-256, in hexadecimal, over the shape (three little-endian `u64`), the frames where they are films, and the bits of every
    /// pixel (little-endian): the same digest means the same images.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for size in [self.shape.channels, self.shape.height, self.shape.width] {
            hash.update((size as u64).to_le_bytes());
        }
        // Still images keep the digest that they had before there were films.
        if self.frames > 1 {
            hash.update((self.frames as u64).to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(4 * 4096);
        for chunk in self.pixels.chunks(4096) {
            bytes.clear();
            chunk
                .iter()
                .for_each(|v| bytes.extend_from_slice(&v.to_bits().to_le_bytes()));
            hash.update(&bytes);
        }
        sha::hex(hash)
    }

    /// The images on another scale, (x − μ)/σ.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a pixel leaves the range of `f32`, or the scale is not a scale.
    ///
    /// ```
    /// use scotopic_datasets::{ImageSet, ImageShape, Standardisation};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let shape = ImageShape { channels: 1, height: 1, width: 2 };
    /// let set = ImageSet::new("pair", shape, vec![1.0, 5.0], None)?;
    /// let scale = Standardisation { mean: 3.0, std: 2.0 };
    /// assert_eq!(set.rescaled(scale)?.pixels(), [-1.0, 1.0]);
    /// # Ok(()) }
    /// ```
    pub fn rescaled(mut self, scale: Standardisation) -> Result<Self> {
        scale.apply(&mut self.pixels);
        let frames = self.frames;
        let set =
            Self::new(self.name, self.shape, self.pixels, self.labels)?.with_frames(frames)?;
        match self.origins.is_empty() {
            true => Ok(set),
            false => set.with_origins(self.origins),
        }
    }

    /// The same images under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
