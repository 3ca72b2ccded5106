//! Error and R² of reconstructions.
//!
//! ```text
//! SSE = Σ_p (x_p − x̂_p)²        SST = Σ_p (x_p − mean(x))²       over the pixels p of one image
//! R²        = 1 − SSE/(SST + ε)        ε = 2⁻²³ = 1.1920929e−7
//! R² pooled = 1 − Σ SSE / Σ SST        sums over images
//! ```
//!
//! SST is taken about the image's own mean. ε, the `float32` epsilon, is that of the published
//! implementation of the iterative Poisson VAE (Vafaii, Galor & Yates 2025): a blank image that is
//! reconstructed exactly has R² = 1.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Result, Rows};

/// ε, so that a blank image does not divide by zero.
const EPSILON: f64 = f32::EPSILON as f64;

/// Squared errors and variations of every image, from which the rest follows.
///
/// ```
/// use scotopic_measures::{Rows, reconstruction_score::ReconstructionScore};
/// # fn main() -> scotopic_measures::Result<()> {
/// let images = Rows::new("images", &[0.0, 2.0, 1.0, 5.0], [2, 2])?;
/// let reconstructions = Rows::new("reconstructions", &[0.0, 1.0, 1.0, 5.0], [2, 2])?;
/// let fit = ReconstructionScore::of(images, reconstructions)?;
/// assert_eq!(fit.squared_error, [1.0, 0.0]);
/// assert_eq!(fit.mse(), [0.5, 0.0]);
/// assert!((fit.r2()[0] - 0.5).abs() < 1e-6);
/// assert_eq!(fit.pooled_r2(), Some(1.0 - 1.0 / 10.0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReconstructionScore {
    /// Pixels per image.
    pub pixels: usize,
    /// SSE of each image.
    pub squared_error: Vec<f64>,
    /// SST of each image.
    pub variation: Vec<f64>,
}

impl ReconstructionScore {
    /// Compares `images` `[images, pixels]` with `reconstructions` of the same shape.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) if the shapes differ.
    pub fn of(images: Rows<'_>, reconstructions: Rows<'_>) -> Result<Self> {
        reconstructions.check_rows(images.rows(), images.name())?;
        reconstructions.check_columns(images.columns(), images.name())?;
        let pairs = images.par_iter().zip(reconstructions.par_iter());
        let (squared_error, variation) = pairs.map(|(x, y)| (sse(x, y), sst(x))).unzip();
        Ok(Self {
            pixels: images.columns(),
            squared_error,
            variation,
        })
    }

    /// Mean squared error of each image, SSE divided by the number of pixels.
    pub fn mse(&self) -> Vec<f64> {
        let n = self.pixels as f64;
        self.squared_error.iter().map(|sse| sse / n).collect()
    }

    /// R² of each image.
    pub fn r2(&self) -> Vec<f64> {
        let each = self.squared_error.iter().zip(&self.variation);
        each.map(|(sse, sst)| 1.0 - sse / (sst + EPSILON)).collect()
    }

    /// Mean over the images of R².
    pub fn mean_r2(&self) -> f64 {
        self.r2().iter().sum::<f64>() / self.variation.len().max(1) as f64
    }

    /// R² of all images together; `None` where all images are blank.
    pub fn pooled_r2(&self) -> Option<f64> {
        let sse: f64 = self.squared_error.iter().sum();
        let sst: f64 = self.variation.iter().sum();
        (sst > 0.0).then(|| 1.0 - sse / sst)
    }
}

fn sse(x: &[f32], y: &[f32]) -> f64 {
    let pairs = x.iter().zip(y);
    pairs
        .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2))
        .sum()
}

/// Σ (x − mean(x))²
pub(crate) fn sst(x: &[f32]) -> f64 {
    let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len().max(1) as f64;
    x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(x: &[f32], y: &[f32], shape: [usize; 2]) -> ReconstructionScore {
        let x = Rows::new("x", x, shape).unwrap();
        ReconstructionScore::of(x, Rows::new("y", y, shape).unwrap()).unwrap()
    }

    #[test]
    fn the_mean_explains_nothing_and_the_image_all() {
        let x = [1.0, 2.0, 3.0, 6.0];
        let all = fit(&x, &x, [1, 4]);
        assert_eq!((all.mean_r2(), all.pooled_r2()), (1.0, Some(1.0)));
        let none = fit(&x, &[3.0; 4], [1, 4]);
        assert_eq!(none.variation, [14.0]);
        assert_eq!(none.pooled_r2(), Some(0.0));
        // ε/(SST + ε)
        assert!((none.r2()[0] - EPSILON / 14.0).abs() < 1e-15);
    }

    #[test]
    fn blank_images_do_not_divide_by_zero() {
        let same = fit(&[0.5; 4], &[0.5; 4], [2, 2]);
        assert_eq!((same.r2(), same.pooled_r2()), (vec![1.0, 1.0], None));
        let off = fit(&[0.0; 2], &[1.0, 0.0], [1, 2]);
        assert_eq!(off.r2(), [1.0 - 1.0 / EPSILON]);
    }

    #[test]
    fn shapes_must_agree() {
        let x = Rows::new("images", &[0.0; 4], [2, 2]).unwrap();
        let y = Rows::new("recon", &[0.0; 4], [1, 4]).unwrap();
        let text = ReconstructionScore::of(x, y).unwrap_err().to_string();
        assert_eq!(text, "recon: rows: found 1, expected 2, as images");
    }
}
