//! From colour to grey.

use std::borrow::Cow;

use crate::{Error, ImageSet, ImageShape, Result};

/// The weights of red, green and blue in a grey value (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// One channel from three, 0.299 R + 0.587 G + 0.114 B; grey images stay as they are.
///
/// # Errors
/// [`Error::Size`] for another number of channels.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, transform};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 3, height: 1, width: 1 };
/// let green = ImageSet::new("green", shape, vec![0.0, 1.0, 0.0], None)?;
/// assert_eq!(transform::grey(&green)?.pixels(), [0.587]);
/// # Ok(()) }
/// ```
pub fn grey(set: &ImageSet) -> Result<ImageSet> {
    let from = set.shape();
    let shape = ImageShape {
        channels: 1,
        ..from
    };
    let pixels = match from.channels {
        1 => Cow::Borrowed(set.pixels()),
        3 => {
            let plane = shape.pixels();
            let mut pixels = Vec::with_capacity(set.len() * plane);
            for image in set.pixels().chunks_exact(3 * plane) {
                let mix = |i: usize| (0..3).map(|c| LUMA[c] * image[c * plane + i]).sum::<f32>();
                pixels.extend((0..plane).map(mix));
            }
            Cow::Owned(pixels)
        }
        other => {
            return Err(Error::size(set.name(), "channels", other, "1 or 3"));
        }
    };
    let labels = set.labels().map(<[u8]>::to_vec);
    ImageSet::new(set.name(), shape, pixels.into_owned(), labels)
}
