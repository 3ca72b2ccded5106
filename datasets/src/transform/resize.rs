//! Other sizes: means over areas, centred windows.

use serde::{Deserialize, Serialize};

use super::{Sides, map_planes, window};
use crate::{ImageSet, Result};

/// How an image becomes one of another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeMode {
    /// The largest centred window of the right proportions, then as [`Stretch`](Self::Stretch).
    #[default]
    Cover,
    /// All of the image: each new pixel is the mean of the old ones over its area,
    /// with `s = old size / new size` on each axis,
    ///
    /// ```text
    /// out(i) = Σⱼ in(j)·|[i·s, (i+1)·s] ∩ [j, j+1]| / s
    /// ```
    Stretch,
    /// No change of scale: the middle of a larger image, a margin of 0 about a smaller one. Where the
    /// difference is odd, the extra row or column is at the bottom or on the right.
    Centre,
}

/// Every image with `height` rows and `width` columns.
///
/// # Errors
/// [`Error::Size`](crate::Error::Size) if a size is 0 or the result beyond 2³¹ pixels.
///
/// ```
/// use scotopic_datasets::{ImageSet, ImageShape, transform::{self, ResizeMode}};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let shape = ImageShape { channels: 1, height: 1, width: 4 };
/// let set = ImageSet::new("row", shape, vec![1.0, 2.0, 3.0, 6.0], None)?;
/// assert_eq!(transform::fit_to(&set, 1, 2, ResizeMode::Stretch)?.pixels(), [1.5, 4.5]);
/// assert_eq!(transform::fit_to(&set, 1, 2, ResizeMode::Centre)?.pixels(), [2.0, 3.0]);
/// assert_eq!(transform::fit_to(&set, 1, 6, ResizeMode::Centre)?.pixels(), [0.0, 1.0, 2.0, 3.0, 6.0, 0.0]);
/// # Ok(()) }
/// ```
pub fn fit_to(set: &ImageSet, height: usize, width: usize, fit: ResizeMode) -> Result<ImageSet> {
    let from = (set.shape().height, set.shape().width);
    let name = format!("{} as {height} x {width}", set.name());
    map_planes(set, name, (height, width), |plane, out| {
        fit_plane(plane, from, (height, width), fit, out);
    })
}

/// Appends one plane at its new size; no size may be 0.
pub(crate) fn fit_plane(
    plane: &[f32],
    from: Sides,
    to: Sides,
    fit: ResizeMode,
    out: &mut Vec<f32>,
) {
    match fit {
        ResizeMode::Stretch => average(plane, from, to, out),
        ResizeMode::Centre => window(plane, from, middle(from, to), to, 0.0, out),
        ResizeMode::Cover => {
            let inner = covered(from, to);
            let mut cut = Vec::with_capacity(inner.0 * inner.1);
            window(plane, from, middle(from, inner), inner, 0.0, &mut cut);
            average(&cut, inner, to, out);
        }
    }
}

/// The top left corner of the centred window.
fn middle(from: Sides, to: Sides) -> (i64, i64) {
    let corner = |from: usize, to: usize| (from as i64 - to as i64) / 2;
    (corner(from.0, to.0), corner(from.1, to.1))
}

/// The largest window of `from` with the proportions of `to`, up to rounding.
fn covered(from: Sides, to: Sides) -> Sides {
    let scaled = |by: usize, of: usize, most: usize| {
        let whole = (by as u128 * of as u128 / most as u128) as usize;
        whole.max(1)
    };
    let height = scaled(from.1, to.0, to.1).min(from.0);
    let width = scaled(from.0, to.1, to.0).min(from.1);
    (height, width)
}

fn average(plane: &[f32], from: Sides, to: Sides, out: &mut Vec<f32>) {
    let (rows, columns) = (overlaps(from.0, to.0), overlaps(from.1, to.1));
    let mut across = vec![0.0f64; from.0 * to.1];
    for (line, narrow) in plane
        .chunks_exact(from.1)
        .zip(across.chunks_exact_mut(to.1))
    {
        for (value, (first, weights)) in narrow.iter_mut().zip(&columns) {
            let under = weights.iter().zip(&line[*first..]);
            *value = under.map(|(w, &v)| w * f64::from(v)).sum();
        }
    }
    for (first, weights) in &rows {
        out.extend((0..to.1).map(|x| {
            let terms = weights.iter().enumerate();
            terms
                .map(|(i, w)| w * across[(first + i) * to.1 + x])
                .sum::<f64>() as f32
        }));
    }
}

/// For each new pixel: the first old one under it, and the share of each from there on; the shares
/// sum to 1. In units of 1/`to` old pixels all borders are integers, so that nothing is rounded away.
fn overlaps(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let shares = |i: usize| {
        let (begin, end) = (i * from, (i + 1) * from);
        let (first, last) = (begin / to, (end - 1) / to);
        let share = |j: usize| (end.min((j + 1) * to) - begin.max(j * to)) as f64 / from as f64;
        (first, (first..=last).map(share).collect())
    };
    (0..to).map(shares).collect()
}
