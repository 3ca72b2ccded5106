//! Local contrast normalisation (Jarrett and others 2009): the formula is in
//! [`whitening`](crate::whitening).

use crate::Picture;

/// The one-dimensional weights; the window is their outer product, for exp(−(a² + b²)/σ) is a
/// product as well.
pub(crate) struct LocalContrast {
    weights: Vec<f64>,
}

impl LocalContrast {
    /// `window` odd and at least 3.
    pub fn new(window: usize, sigma: f64) -> Self {
        let half = (window / 2) as f64;
        let raw: Vec<f64> = (0..window)
            .map(|i| (i as f64 - half) / half)
            .map(|r| (-r * r / sigma).exp())
            .collect();
        let total: f64 = raw.iter().sum();
        Self {
            weights: raw.iter().map(|w| w / total).collect(),
        }
    }

    pub fn apply(&self, picture: &mut Picture) {
        let mean = self.smooth(picture);
        picture
            .values
            .iter_mut()
            .zip(&mean.values)
            .for_each(|(v, m)| *v -= m);
        let mut contrast = picture.clone();
        contrast.values.iter_mut().for_each(|v| *v *= *v);
        let mut contrast = self.smooth(&contrast);
        contrast.values.iter_mut().for_each(|v| *v = v.sqrt());
        let floor = contrast.mean();
        for (value, contrast) in picture.values.iter_mut().zip(&contrast.values) {
            let divisor = contrast.max(floor);
            // Only a blank picture has no contrast anywhere.
            *value = if divisor > 0.0 { *value / divisor } else { 0.0 };
        }
    }

    /// w∗x, zero outside the picture.
    fn smooth(&self, picture: &Picture) -> Picture {
        let (height, width) = (picture.height, picture.width);
        let half = self.weights.len() / 2;
        let mut across = vec![0.0; picture.values.len()];
        if picture.values.is_empty() {
            return picture.clone();
        }
        for (from, to) in picture
            .values
            .chunks_exact(width)
            .zip(across.chunks_exact_mut(width))
        {
            for (x, out) in to.iter_mut().enumerate() {
                let (first, last) = (x.saturating_sub(half), (x + half).min(width - 1));
                let weights = &self.weights[first + half - x..];
                *out = from[first..=last]
                    .iter()
                    .zip(weights)
                    .map(|(v, w)| v * w)
                    .sum();
            }
        }
        let mut values = vec![0.0; across.len()];
        for (y, to) in values.chunks_exact_mut(width).enumerate() {
            for row in y.saturating_sub(half)..=(y + half).min(height - 1) {
                let weight = self.weights[row + half - y];
                let from = &across[row * width..(row + 1) * width];
                to.iter_mut()
                    .zip(from)
                    .for_each(|(out, v)| *out += weight * v);
            }
        }
        Picture {
            height,
            width,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published kernel, exp(−(x² + y²)/σ) on linspace(−1, 1, window)², normalised, and a plain
    /// two-dimensional sum.
    fn direct(picture: &Picture, window: usize, sigma: f64) -> Picture {
        let half = (window / 2) as isize;
        let weight = |dy: isize, dx: isize| {
            let (b, a) = (dy as f64 / half as f64, dx as f64 / half as f64);
            (-(a * a + b * b) / sigma).exp()
        };
        let offsets = || (-half..=half).flat_map(|dy| (-half..=half).map(move |dx| (dy, dx)));
        let total: f64 = offsets().map(|(dy, dx)| weight(dy, dx)).sum();
        Picture::from_fn(picture.height, picture.width, |y, x| {
            let inside = |(dy, dx): (isize, isize)| {
                let (row, column) = (y.checked_add_signed(dy)?, x.checked_add_signed(dx)?);
                let here = row < picture.height && column < picture.width;
                here.then(|| weight(dy, dx) / total * picture.at(row, column))
            };
            offsets().filter_map(inside).sum()
        })
    }

    #[test]
    fn smoothing_is_the_published_window() {
        for (height, width) in [(9, 20), (4, 3), (1, 1)] {
            let picture =
                Picture::from_fn(height, width, |y, x| ((y * 13 + x * 7) % 10) as f64 - 4.0);
            let fast = LocalContrast::new(13, 0.5).smooth(&picture);
            let slow = direct(&picture, 13, 0.5);
            for (a, b) in fast.values.iter().zip(&slow.values) {
                assert!((a - b).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn the_whole_formula() {
        let picture = Picture::from_fn(12, 15, |y, x| ((y * y * 13 + x * 7) % 10) as f64);
        let mut done = picture.clone();
        LocalContrast::new(5, 0.5).apply(&mut done);
        let mean = direct(&picture, 5, 0.5);
        let v = Picture::from_fn(12, 15, |y, x| picture.at(y, x) - mean.at(y, x));
        let s = direct(&Picture::from_fn(12, 15, |y, x| v.at(y, x).powi(2)), 5, 0.5);
        let floor = s.values.iter().map(|s| s.sqrt()).sum::<f64>() / 180.0;
        for i in 0..180 {
            let expected = v.values[i] / s.values[i].sqrt().max(floor);
            assert!((done.values[i] - expected).abs() < 1e-12);
        }
    }
}
