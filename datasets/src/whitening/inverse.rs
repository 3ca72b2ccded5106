//! What the filter did, undone.
//!
//! ```text
//! X(f) ← X(f) / (ρ · exp(−(ρ/f₀)ⁿ))      ρ > 0, and below the peak ρ* = f₀·n^(−1/n) or with a gain of at least 1/20 of its gain
//! X(f) ← 0                               at other frequencies
//! x ← x + mean                           the mean that was removed
//! ```
//!
//! Beyond the peak the gain falls steeply: a reconstruction has errors there of which the picture had nothing left, and
//! without the bound these would be all that one sees. Local contrast normalisation is not undone: its divisor is that of the
//! picture itself, which a reconstruction does not have.

use super::{Whitener, WhiteningConfig, WhiteningKind, frequency};
use crate::Picture;

/// The least gain that is undone beyond the peak, as a portion of the gain at the peak.
const LEAST: f64 = 0.05;

impl WhiteningConfig {
    /// Whether [`Whitener::undo`] gives grey values; not with local contrast normalisation.
    pub fn can_be_undone(&self) -> bool {
        !self.local_contrast
    }

    /// The gain that undoes the one at ρ.
    fn inverse_gain(&self, rho: f64) -> f64 {
        let peak = self.f0 * self.order.powf(-1.0 / self.order);
        let gain = self.gain(rho);
        let heard = rho <= peak || gain >= LEAST * self.gain(peak);
        if gain > 0.0 && heard { 1.0 / gain } else { 0.0 }
    }
}

impl Whitener {
    /// Undoes [`apply`](Self::apply) on a picture whose mean was `mean`; false, with nothing done, where that is not possible.
    ///
    /// ```
    /// use scotopic_datasets::{Picture, WhiteningConfig, whitening::Whitener};
    /// let picture = Picture::from_fn(6, 8, |_, x| if x < 4 { 0.25 } else { 0.75 });
    /// let mut whitener = Whitener::new(&WhiteningConfig::default());
    /// let mut filtered = picture.clone();
    /// whitener.apply(&mut filtered);
    /// assert!(whitener.undo(&mut filtered, picture.mean()));
    /// let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
    /// assert!(filtered.values.iter().zip(&picture.values).all(close));
    /// ```
    pub fn undo(&mut self, picture: &mut Picture, mean: f64) -> bool {
        if !self.config.can_be_undone() {
            return false;
        }
        if self.config.kind == WhiteningKind::OlshausenField && !picture.values.is_empty() {
            let (height, width) = (picture.height, picture.width);
            let pixels = picture.values.len() as f64;
            let gains: Vec<f64> = (0..picture.values.len())
                .map(|i| {
                    let (fy, fx) = (frequency(i / width, height), frequency(i % width, width));
                    self.config.inverse_gain((fy * fy + fx * fx).sqrt()) / pixels
                })
                .collect();
            self.multiply(picture, &gains);
            picture.values.iter_mut().for_each(|v| *v += mean);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn waves_of_the_axes_come_back() {
        // Gains at 0.5 cycles per pixel are .044 with f₀ = 0.4: the rounding of patches to f32 is multiplied by 23 there, and
        // by the number of columns, 40, at the lowest frequency.
        let picture = Picture::from_fn(30, 40, |y, x| {
            let wave = |cycles: f64, at: usize, n: f64| (TAU * cycles * at as f64 / n).cos();
            0.5 + 0.1 * (wave(1.0, x, 40.0) + wave(20.0, x, 40.0) + wave(15.0, y, 30.0))
        });
        let mut whitener = Whitener::new(&WhiteningConfig::default());
        let mut filtered = picture.clone();
        whitener.apply(&mut filtered);
        filtered
            .values
            .iter_mut()
            .for_each(|v| *v = f64::from(*v as f32));
        assert!(whitener.undo(&mut filtered, picture.mean()));
        for (a, b) in filtered.values.iter().zip(&picture.values) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn what_is_not_undone_says_so() {
        let lcn = WhiteningConfig {
            local_contrast: true,
            ..Default::default()
        };
        let mut picture = Picture::from_fn(3, 3, |y, _| y as f64);
        assert!(!Whitener::new(&lcn).undo(&mut picture, 1.0));
        assert_eq!(picture.at(2, 0), 2.0);
        let none = WhiteningConfig {
            kind: WhiteningKind::None,
            ..Default::default()
        };
        assert!(Whitener::new(&none).undo(&mut picture, 1.0));
        assert_eq!(picture.at(2, 0), 2.0);
        assert_eq!(WhiteningConfig::default().inverse_gain(0.0), 0.0);
        assert_eq!(WhiteningConfig::default().inverse_gain(0.7), 0.0);
    }
}
