//! Rotation and translation with bilinear interpolation.
//!
//! ```text
//! (y, x) from the centre ((h−1)/2, (w−1)/2), y downwards, θ counter-clockwise as seen:
//! out(y, x) = in(y cos θ + x sin θ,  x cos θ − y sin θ)
//! ```
//!
//! A value between four pixels is their mean, weighted by nearness in y and in x. Multiples of 90°
//! move pixels without any rounding.

use super::{Sides, map_planes};
use crate::{Error, ImageSet, Result};

/// The cosine and sine of an angle, exact at multiples of 90°.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    pub cos: f64,
    pub sin: f64,
}

impl Turn {
    pub fn degrees(angle: f64) -> Self {
        let angle = angle.rem_euclid(360.0);
        let quarters = (angle / 90.0).round();
        let (sin, cos) = (angle - 90.0 * quarters).to_radians().sin_cos();
        let (cos, sin) = match quarters as u32 % 4 {
            0 => (cos, sin),
            1 => (-sin, cos),
            2 => (-cos, -sin),
            _ => (sin, -cos),
        };
        Self { cos, sin }
    }
}

/// Turns every image counter-clockwise about its centre; its size stays.
///
/// # Errors
/// [`Error::Size`] if the angle is not finite, [`Error::NotFinite`] if `background` is not.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, transform};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let set = ImageSet::new("four", shape, vec![1.0, 2.0, 3.0, 4.0], None)?;
/// assert_eq!(transform::rotate(&set, 90.0, 0.0)?.pixels(), [2.0, 4.0, 1.0, 3.0]);
/// # Ok(()) }
/// ```
pub fn rotate(set: &ImageSet, degrees: f64, background: f32) -> Result<ImageSet> {
    require_finite(set, "angle in degrees", degrees)?;
    let sides = (set.shape().height, set.shape().width);
    let turn = Turn::degrees(degrees);
    let name = format!("{} rotated by {degrees} degrees", set.name());
    map_planes(set, name, sides, |plane, out| {
        turn_plane(plane, sides, turn, background, out);
    })
}

/// Moves every image `dy` pixels down and `dx` to the right; its size stays.
///
/// # Errors
/// [`Error::Size`] if a distance is not finite, [`Error::NotFinite`] if `background` is not.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, transform};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 1, width: 3 };
/// let set = ImageSet::new("row", shape, vec![1.0, 2.0, 3.0], None)?;
/// assert_eq!(transform::translate(&set, 0.0, 1.0, 9.0)?.pixels(), [9.0, 1.0, 2.0]);
/// assert_eq!(transform::translate(&set, 0.0, -0.5, 0.0)?.pixels(), [1.5, 2.5, 1.5]);
/// # Ok(()) }
/// ```
pub fn translate(set: &ImageSet, dy: f64, dx: f64, background: f32) -> Result<ImageSet> {
    require_finite(set, "pixels down", dy)?;
    require_finite(set, "pixels to the right", dx)?;
    let sides = (set.shape().height, set.shape().width);
    let name = format!("{} moved by ({dy}, {dx})", set.name());
    map_planes(set, name, sides, |plane, out| {
        for y in 0..sides.0 {
            let y = y as f64 - dy;
            let value = |x: usize| sample(plane, sides, y, x as f64 - dx, background);
            out.extend((0..sides.1).map(value));
        }
    })
}

fn require_finite(set: &ImageSet, what: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::size(set.name(), what, value, "a finite number"))
}

/// Appends one plane, turned.
pub(crate) fn turn_plane(
    plane: &[f32],
    sides: Sides,
    turn: Turn,
    background: f32,
    out: &mut Vec<f32>,
) {
    let (cy, cx) = ((sides.0 as f64 - 1.0) / 2.0, (sides.1 as f64 - 1.0) / 2.0);
    for y in 0..sides.0 {
        let dy = y as f64 - cy;
        out.extend((0..sides.1).map(|x| {
            let dx = x as f64 - cx;
            let from_y = cy + dy * turn.cos + dx * turn.sin;
            let from_x = cx + dx * turn.cos - dy * turn.sin;
            sample(plane, sides, from_y, from_x, background)
        }));
    }
}

/// The value at (y, x) between the pixels; a neighbour outside is `background`.
fn sample(plane: &[f32], (height, width): Sides, y: f64, x: f64, background: f32) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = (y - top, x - left);
    let at = |y: f64, x: f64| {
        let inside = y >= 0.0 && x >= 0.0 && y < height as f64 && x < width as f64;
        f64::from(match inside {
            true => plane[y as usize * width + x as usize],
            false => background,
        })
    };
    let row = |y: f64| (1.0 - right) * at(y, left) + right * at(y, left + 1.0);
    ((1.0 - down) * row(top) + down * row(top + 1.0)) as f32
}
