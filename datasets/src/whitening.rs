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
use crate::uniform::is_uniform;
use crate::{Error, Picture, Result};

mod inverse;

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

    /// Filters one picture in place. A uniform one, at any grey level, becomes 0: what rounding leaves of it would otherwise
    /// be raised to full contrast. Where nothing is to be done to pictures, it stays as it is.
    pub fn apply(&mut self, picture: &mut Picture) {
        let filtered = self.config.kind != WhiteningKind::None || self.config.local_contrast;
        if filtered && is_uniform(picture.values.iter().copied()) {
            picture.values.fill(0.0);
            return;
        }
        if self.config.kind == WhiteningKind::OlshausenField && !picture.values.is_empty() {
            self.filter(picture);
        }
        if self.config.local_contrast {
            self.local_contrast.apply(picture);
            picture.z_score();
        }
    }

    fn filter(&mut self, picture: &mut Picture) {
        let mean = picture.mean();
        picture.values.iter_mut().for_each(|v| *v -= mean);
        let size = (picture.height, picture.width);
        let config = &self.config;
        let gains = self
            .gains
            .entry(size)
            .or_insert_with(|| gains(config, size.0, size.1));
        let gains = Arc::clone(gains);
        self.multiply(picture, &gains);
    }

    /// Multiplies the transform of the picture by gains on the FFT grid.
    fn multiply(&mut self, picture: &mut Picture, gains: &[f64]) {
        let (height, width) = (picture.height, picture.width);
        let mut grid: Vec<Complex<f64>> = picture
            .values
            .iter()
            .map(|&v| Complex::new(v, 0.0))
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
        grid.iter_mut()
            .zip(gains)
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
mod tests;
