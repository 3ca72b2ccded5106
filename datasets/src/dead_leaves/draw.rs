//! One image, drawn from front to back.
//!
//! Leaves falling for ever leave a stationary picture of which only the topmost are visible. Drawing
//! it in the order of falling needs a guess of when to stop; drawing the topmost leaf first, and of
//! every further leaf only what is not covered yet, is exact and ends when all is covered
//! (Kendall & Thönnes 1999, *Perfect simulation in stochastic geometry*).
//!
//! Centres are uniform over the canvas enlarged by the largest radius on every side, so that a point
//! at the edge is covered as often as one in the middle.

use super::PowerLaw;
use crate::Picture;
use crate::rng::CounterRng;

/// What a picture is drawn with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaves {
    /// Side of the picture, in pixels.
    pub canvas: usize,
    /// Samples across a pixel, and down.
    pub supersample: usize,
    /// The distribution of the radii, in pixels.
    pub radii: PowerLaw,
}

impl Leaves {
    /// About how many leaves it takes until all samples are covered: after n leaves a sample is
    /// bare with probability (1 − p)ⁿ, with p = π·E\[r²\]/window², and ln(samples) + 3 lets the
    /// last of them be covered too.
    pub fn expected(&self) -> f64 {
        let window = self.canvas as f64 + 2.0 * self.radii.max;
        let p = std::f64::consts::PI * self.radii.mean_square() / (window * window);
        let samples = (self.canvas * self.supersample).max(1) as f64;
        (2.0 * samples.ln() + 3.0) / p.min(1.0)
    }
}

/// The samples of one row that no leaf covers yet. `next[i]` leads, in one or more steps, to the
/// first bare sample at or after i; following it shortens the way (union–find), so that covered
/// stretches are stepped over and not walked through.
struct Bare {
    next: Vec<u32>,
    stride: usize,
}

impl Bare {
    fn new(side: usize) -> Self {
        let stride = side + 1;
        let next = (0..side).flat_map(|_| 0..stride as u32).collect();
        Self { next, stride }
    }

    /// Calls `cover` with every bare sample of `row` in `from..=to` and makes them covered.
    fn cover(&mut self, row: usize, from: usize, to: usize, mut cover: impl FnMut(usize)) {
        let next = &mut self.next[row * self.stride..(row + 1) * self.stride];
        let mut at = first(next, from);
        while at <= to {
            cover(at);
            next[at] = at as u32 + 1;
            at = first(next, at + 1);
        }
    }
}

fn first(next: &mut [u32], mut at: usize) -> usize {
    while next[at] as usize != at {
        next[at] = next[next[at] as usize];
        at = next[at] as usize;
    }
    at
}

/// Draws the picture that `path` names under `seed`: grey values in \[0, 1\].
///
/// A sample at (x, y) shows the first leaf with (x − cx)² + (y − cy)² ≤ r²; a pixel is the mean of
/// its samples. Only exact operations are used (+, −, ×, ÷, √, for the exponent 3), so that a
/// picture is the same on every machine.
///
/// ```
/// use scotopic_datasets::dead_leaves::{Leaves, PowerLaw, draw};
/// let radii = PowerLaw { min: 2.0, max: 16.0, exponent: 3.0 };
/// let picture = draw(&Leaves { canvas: 32, supersample: 2, radii }, 0, &[0]);
/// assert!(picture.values.iter().all(|v| (0.0..=1.0).contains(v)));
/// ```
pub fn draw(leaves: &Leaves, seed: u64, path: &[u64]) -> Picture {
    draw_counted(leaves, seed, path).0
}

/// The picture, and how many samples of each pixel were covered.
pub(super) fn draw_counted(leaves: &Leaves, seed: u64, path: &[u64]) -> (Picture, Vec<u32>) {
    let Leaves {
        canvas,
        supersample,
        radii,
    } = *leaves;
    let side = canvas * supersample;
    let fine = supersample as f64;
    let window = canvas as f64 + 2.0 * radii.max;
    let mut draws = CounterRng::new(seed, path);
    let mut bare = Bare::new(side);
    let mut left = side * side;
    let mut sums = vec![0.0; canvas * canvas];
    let mut counts = vec![0; canvas * canvas];
    while left > 0 {
        let r = radii.quantile(draws.unit());
        let cx = draws.unit() * window - radii.max;
        let cy = draws.unit() * window - radii.max;
        let grey = draws.unit();
        let Some((top, bottom)) = samples(cy - r, cy + r, fine, side) else {
            continue;
        };
        for row in top..=bottom {
            let dy = (row as f64 + 0.5) / fine - cy;
            // Rounding at the topmost row may give a negative square: the disc misses it then.
            let half = (r * r - dy * dy).max(0.0).sqrt();
            let Some((from, to)) = samples(cx - half, cx + half, fine, side) else {
                continue;
            };
            let line = (row / supersample) * canvas;
            bare.cover(row, from, to, |column| {
                let pixel = line + column / supersample;
                sums[pixel] += grey;
                counts[pixel] += 1;
                left -= 1;
            });
        }
    }
    let each = fine * fine;
    sums.iter_mut().for_each(|v| *v /= each);
    (
        Picture {
            height: canvas,
            width: canvas,
            values: sums,
        },
        counts,
    )
}

/// First and last sample with low ≤ (i + ½)/fine ≤ high, if there is any on the canvas.
fn samples(low: f64, high: f64, fine: f64, side: usize) -> Option<(usize, usize)> {
    let first = (low * fine - 0.5).ceil().max(0.0);
    let last = (high * fine - 0.5).floor().min(side as f64 - 1.0);
    (first <= last).then_some((first as usize, last as usize))
}
