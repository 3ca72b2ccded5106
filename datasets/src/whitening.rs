//! Whitening: flattening the 1/f amplitude of natural images without amplifying the noise of the
//! highest frequencies.
//!
//! ```text
//! x ← x − mean(x)                                    per picture
//! X(f) ← X(f) · ρ · exp(−(ρ/f₀)ⁿ)                    ρ = |f| in cycles per pixel, f on the FFT grid
//! x ← Re IFFT X
//! ```
//!
//! and then, if asked, local contrast normalisation (`local_contrast`) and a z-score per picture:
//!
//! ```text
//! v ← x − w∗x                w(d) ∝ exp(−|d/h|²/σ), |dx|, |dy| ≤ h = (window − 1)/2, Σ w = 1
//! s = √(w∗v²)                ∗ pads with zeros
//! x ← v / max(s, mean(s))
//! x ← (x − mean(x)) / sd(x)
//! ```
//!
//! In pixels the weights have a standard deviation of h·√(σ/2): 3 pixels for the published
//! window of 13 and σ = 0.5.
//!
//! Sources: Olshausen & Field (1996), *Nature* 381:607, and (1997), *Vision Research* 37:3311, for
//! the filter; Jarrett, Kavukcuoglu, Ranzato & LeCun (2009), ICCV, for the normalisation.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use serde::{Deserialize, Serialize};

use crate::local_contrast::LocalContrast;
use crate::{Error, Picture, Result};

/// Which filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhiteningKind {
    /// Grey values as they are.
    None,
    /// Mean removed, then ρ·exp(−(ρ/f₀)ⁿ).
    #[default]
    OlshausenField,
}

/// How pictures are filtered before patches are cut.
///
/// ```
/// use scotopic_datasets::{WhiteningConfig, WhiteningKind};
/// let published = WhiteningConfig { f0: 0.5, local_contrast: true, ..Default::default() };
/// assert_eq!(published.kind, WhiteningKind::OlshausenField);
/// assert_eq!((published.window, published.sigma), (13, 0.5));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhiteningConfig {
    /// Which filter.
    pub kind: WhiteningKind,
    /// f₀, where the low-pass takes over, in cycles per pixel (the Nyquist frequency is 0.5).
    pub f0: f64,
    /// n, the steepness of the low-pass.
    pub order: f64,
    /// Even out the local contrast, then z-score each picture.
    pub local_contrast: bool,
    /// Side of the window of the local mean and contrast, odd.
    pub window: usize,
    /// σ of its weights exp(−r²/σ), with r = 1 half a window from the centre.
    pub sigma: f64,
}

impl Default for WhiteningConfig {
    fn default() -> Self {
        Self {
            kind: WhiteningKind::OlshausenField,
            f0: 0.4,
            order: 4.0,
            local_contrast: false,
            window: 13,
            sigma: 0.5,
        }
    }
}

impl WhiteningConfig {
    pub(crate) fn validate(&self, source_name: &'static str) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::config(source_name, field, found, expected))
        };
        if !(self.f0 > 0.0 && self.f0 <= 1.0) {
            return wrong(
                "whitening.f0",
                self.f0.to_string(),
                "cycles per pixel above 0, at most 1",
            );
        }
        if !(self.order > 0.0 && self.order <= 64.0) {
            return wrong(
                "whitening.order",
                self.order.to_string(),
                "above 0, at most 64; 4 is usual",
            );
        }
        if self.window < 3 || self.window > 255 || self.window.is_multiple_of(2) {
            return wrong(
                "whitening.window",
                self.window.to_string(),
                "an odd number from 3 to 255",
            );
        }
        if !(self.sigma > 1e-3 && self.sigma <= 1e3) {
            return wrong(
                "whitening.sigma",
                self.sigma.to_string(),
                "between 0.001 and 1000",
            );
        }
        Ok(())
    }

    /// The gain of the filter at ρ cycles per pixel.
    ///
    /// ```
    /// let whitening = scotopic_datasets::WhiteningConfig::default();
    /// assert_eq!(whitening.gain(0.0), 0.0);
    /// assert!((whitening.gain(0.4) - 0.4 * (-1.0f64).exp()).abs() < 1e-15);
    /// ```
    pub fn gain(&self, rho: f64) -> f64 {
        match self.kind {
            WhiteningKind::None => 1.0,
            WhiteningKind::OlshausenField => rho * (-(rho / self.f0).powf(self.order)).exp(),
        }
    }
}

/// Filters pictures; keeps the plans and gains of every picture size it has met.
///
/// ```
/// use scotopic_datasets::{Picture, WhiteningConfig, whitening::Whitener};
/// let mut picture = Picture::from_fn(8, 10, |y, x| (y * x) as f64);
/// Whitener::new(&WhiteningConfig::default()).apply(&mut picture);
/// assert!(picture.mean().abs() < 1e-12);
/// ```
pub struct Whitener {
    config: WhiteningConfig,
    local_contrast: LocalContrast,
    planner: FftPlanner<f64>,
    gains: BTreeMap<(usize, usize), Arc<[f64]>>,
}

impl Whitener {
    /// A whitener for this configuration.
    pub fn new(config: &WhiteningConfig) -> Self {
        Self {
            config: config.clone(),
            local_contrast: LocalContrast::new(config.window, config.sigma),
            planner: FftPlanner::new(),
            gains: BTreeMap::new(),
        }
    }

    /// Filters one picture in place.
    pub fn apply(&mut self, picture: &mut Picture) {
        if self.config.kind == WhiteningKind::OlshausenField && !picture.values.is_empty() {
            self.filter(picture);
        }
        if self.config.local_contrast {
            self.local_contrast.apply(picture);
            picture.z_score();
        }
    }

    fn filter(&mut self, picture: &mut Picture) {
        let (height, width) = (picture.height, picture.width);
        let mean = picture.mean();
        let mut grid: Vec<Complex<f64>> = picture
            .values
            .iter()
            .map(|&v| Complex::new(v - mean, 0.0))
            .collect();
        let along = |planner: &mut FftPlanner<f64>, inverse: bool| {
            let direction = if inverse {
                rustfft::FftDirection::Inverse
            } else {
                rustfft::FftDirection::Forward
            };
            (
                planner.plan_fft(width, direction),
                planner.plan_fft(height, direction),
            )
        };
        let (rows, columns) = along(&mut self.planner, false);
        transform(&mut grid, height, width, &*rows, &*columns);
        let config = &self.config;
        let gains = self
            .gains
            .entry((height, width))
            .or_insert_with(|| gains(config, height, width));
        grid.iter_mut()
            .zip(gains.iter())
            .for_each(|(value, gain)| *value *= gain);
        let (rows, columns) = along(&mut self.planner, true);
        transform(&mut grid, height, width, &*rows, &*columns);
        picture
            .values
            .iter_mut()
            .zip(&grid)
            .for_each(|(v, z)| *v = z.re);
    }
}

/// Frequency of bin `k` of `n`, in cycles per pixel, as numpy.fft.fftfreq.
fn frequency(k: usize, n: usize) -> f64 {
    let signed = if k < n.div_ceil(2) {
        k as f64
    } else {
        k as f64 - n as f64
    };
    signed / n as f64
}

/// Gains on the FFT grid, divided by the number of pixels, which the two transforms multiply by.
fn gains(config: &WhiteningConfig, height: usize, width: usize) -> Arc<[f64]> {
    let pixels = (height * width) as f64;
    let gain = |y, x| {
        let (fy, fx) = (frequency(y, height), frequency(x, width));
        config.gain((fy * fy + fx * fx).sqrt()) / pixels
    };
    (0..height * width)
        .map(|i| gain(i / width, i % width))
        .collect()
}

/// Two-dimensional FFT: every row, then every column.
fn transform(
    grid: &mut [Complex<f64>],
    height: usize,
    width: usize,
    rows: &dyn Fft<f64>,
    columns: &dyn Fft<f64>,
) {
    rows.process(grid);
    let mut turned = vec![Complex::default(); grid.len()];
    turn(grid, &mut turned, height, width);
    columns.process(&mut turned);
    turn(&turned, grid, width, height);
}

fn turn(from: &[Complex<f64>], to: &mut [Complex<f64>], height: usize, width: usize) {
    // Tiles keep both sides in the cache.
    const TILE: usize = 16;
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..(top + TILE).min(height) {
                for x in left..(left + TILE).min(width) {
                    to[x * height + y] = from[y * width + x];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn a_sinusoid_is_scaled_by_the_formula() {
        // 3 cycles down 21 rows, 5 across 35 columns: ρ = √((3/21)² + (5/35)²) = √2/7.
        let (height, width) = (21, 35);
        let wave = |y: usize, x: usize| {
            (TAU * (3.0 * y as f64 / 21.0 + 5.0 * x as f64 / 35.0) + 0.3).cos()
        };
        let rho = 2.0f64.sqrt() / 7.0;
        for (f0, order) in [(0.4, 4.0), (0.2, 2.0), (0.5, 4.0)] {
            let config = WhiteningConfig {
                f0,
                order,
                ..Default::default()
            };
            let mut picture = Picture::from_fn(height, width, |y, x| 9.0 + 2.0 * wave(y, x));
            Whitener::new(&config).apply(&mut picture);
            let gain = rho * (-(rho / f0).powf(order)).exp();
            for y in 0..height {
                for x in 0..width {
                    assert!((picture.at(y, x) - 2.0 * gain * wave(y, x)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn frequencies_are_those_of_numpy() {
        let f: Vec<f64> = (0..5).map(|k| frequency(k, 5)).collect();
        assert_eq!(f, [0.0, 0.2, 0.4, -0.4, -0.2]);
        let f: Vec<f64> = (0..4).map(|k| frequency(k, 4)).collect();
        assert_eq!(f, [0.0, 0.25, -0.5, -0.25]);
        assert_eq!(frequency(0, 1), 0.0);
    }

    #[test]
    fn none_changes_nothing_and_odd_shapes_work() {
        let config = WhiteningConfig {
            kind: WhiteningKind::None,
            ..Default::default()
        };
        let picture = Picture::from_fn(7, 3, |y, x| (y * x) as f64);
        let mut same = picture.clone();
        Whitener::new(&config).apply(&mut same);
        assert_eq!(same, picture);
        for (height, width) in [(1, 1), (1, 13), (17, 2), (107, 37)] {
            let mut picture =
                Picture::from_fn(height, width, |y, x| ((y * 31 + x * 17) % 11) as f64);
            Whitener::new(&WhiteningConfig::default()).apply(&mut picture);
            assert!(picture.values.iter().all(|v| v.is_finite()));
            assert!(picture.mean().abs() < 1e-12);
        }
    }

    #[test]
    fn local_contrast_ends_with_a_z_score() {
        let config = WhiteningConfig {
            local_contrast: true,
            ..Default::default()
        };
        let mut picture = Picture::from_fn(40, 50, |y, x| ((y * 31 + x * 17) % 23) as f64);
        Whitener::new(&config).apply(&mut picture);
        let variance = picture.values.iter().map(|v| v * v).sum::<f64>() / 2000.0;
        assert!(picture.mean().abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        let mut blank = Picture::from_fn(40, 50, |_, _| 0.5);
        Whitener::new(&config).apply(&mut blank);
        assert!(blank.values.iter().all(|&v| v == 0.0));
    }

    #[test]
    fn nonsense_is_named() {
        let good = WhiteningConfig::default();
        for (bad, field) in [
            (
                WhiteningConfig {
                    f0: 0.0,
                    ..good.clone()
                },
                "whitening.f0",
            ),
            (
                WhiteningConfig {
                    f0: f64::NAN,
                    ..good.clone()
                },
                "whitening.f0",
            ),
            (
                WhiteningConfig {
                    order: -1.0,
                    ..good.clone()
                },
                "whitening.order",
            ),
            (
                WhiteningConfig {
                    window: 12,
                    ..good.clone()
                },
                "whitening.window",
            ),
            (
                WhiteningConfig {
                    sigma: f64::INFINITY,
                    ..good.clone()
                },
                "whitening.sigma",
            ),
        ] {
            let text = bad.validate("images").unwrap_err().to_string();
            assert!(text.contains(field), "{text}");
        }
    }
}
