//! Images turned, moved, resized or made grey: each function takes a set and returns a new one, with
//! the same labels.
//!
//! | function | out(y, x) |
//! |---|---|
//! | [`rotate`] | in at the point that the rotation brings to (y, x), bilinear |
//! | [`translate`] | in(y − dy, x − dx), bilinear |
//! | [`fit_to`] | the mean of in over the area of (y, x), or a centred window of it |
//! | [`grey`] | 0.299 R + 0.587 G + 0.114 B |
//!
//! What lies outside an image counts as `background`: 0 for ink on paper in \[0, 1\] and for whitened
//! patches, −μ/σ for digits that were standardised.

mod grey;
mod resize;
mod rotate;

pub use grey::grey;
pub use resize::{ResizeMode, fit_to};
pub use rotate::{rotate, translate};

pub(crate) use resize::fit_plane;
pub(crate) use rotate::{Turn, turn_plane};

use crate::images::MAX_PATCH_PIXELS;
use crate::{Error, ImageSet, ImageShape, Result};

/// Height and width of a plane.
pub(crate) type Sides = (usize, usize);

/// Applies `plane` to every channel of every image; it appends `height·width` values.
fn map_planes(
    set: &ImageSet,
    name: String,
    (height, width): Sides,
    mut plane: impl FnMut(&[f32], &mut Vec<f32>),
) -> Result<ImageSet> {
    let from = set.shape();
    let shape = ImageShape {
        channels: from.channels,
        height,
        width,
    };
    let room = shape.pixels().saturating_mul(set.len());
    if shape.pixels() == 0 || room > MAX_PATCH_PIXELS {
        let expected = format!("1 to {MAX_PATCH_PIXELS} pixels in all");
        let found = format!("{} images of {height} x {width}", set.len());
        return Err(Error::size(set.name(), "size asked for", found, expected));
    }
    let mut pixels = Vec::with_capacity(room);
    for values in set.pixels().chunks_exact(from.height * from.width) {
        plane(values, &mut pixels);
    }
    ImageSet::new(name, shape, pixels, set.labels().map(<[u8]>::to_vec))
}

/// out(y, x) = in(y + top, x + left), `background` outside: crops, pads, and moves by whole pixels.
pub(crate) fn window(
    plane: &[f32],
    from: Sides,
    (top, left): (i64, i64),
    to: Sides,
    background: f32,
    out: &mut Vec<f32>,
) {
    let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
    for y in 0..to.0 as i64 {
        match inside(y + top, from.0) {
            None => out.extend(std::iter::repeat_n(background, to.1)),
            Some(row) => {
                let row = &plane[row * from.1..(row + 1) * from.1];
                let value = |x| inside(x + left, from.1).map_or(background, |x| row[x]);
                out.extend((0..to.1 as i64).map(value));
            }
        }
    }
}

#[cfg(test)]
mod tests;
