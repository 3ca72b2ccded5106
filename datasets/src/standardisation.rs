//! The one scale of all pixels.

use serde::{Deserialize, Serialize};

/// One mean and one standard deviation for all pixels of all images,
///
/// ```text
/// μ = Σ x / N      σ² = Σ (x − μ)² / N      x' = (x − μ)/σ
/// ```
///
/// taken from the **training** images alone, so that nothing of the validation or test images
/// leaks into what the model sees.
///
/// ```
/// use scotopic_datasets::Standardisation;
/// let s = Standardisation { mean: 2.0, std: 4.0 };
/// let mut pixels = [2.0, 6.0];
/// s.apply(&mut pixels);
/// assert_eq!(pixels, [0.0, 1.0]);
/// s.undo(&mut pixels);
/// assert_eq!(pixels, [2.0, 6.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardisation {
    /// μ
    pub mean: f32,
    /// σ
    pub std: f32,
}

impl Default for Standardisation {
    fn default() -> Self {
        Self::NONE
    }
}

impl Standardisation {
    /// μ = 0, σ = 1: pixels stay as they are.
    pub const NONE: Self = Self {
        mean: 0.0,
        std: 1.0,
    };

    /// (x − μ)/σ in words, of a pixel of this name.
    ///
    /// ```
    /// let scale = scotopic_datasets::Standardisation { mean: -0.5, std: 2.0 };
    /// assert_eq!(scale.formula("v"), "(v + 0.5) / 2");
    /// ```
    pub fn formula(&self, name: &str) -> String {
        let sign = if self.mean < 0.0 { '+' } else { '−' };
        format!("({name} {sign} {}) / {}", self.mean.abs(), self.std)
    }

    /// x ← (x − μ)/σ
    pub fn apply(&self, pixels: &mut [f32]) {
        pixels
            .iter_mut()
            .for_each(|x| *x = (*x - self.mean) / self.std);
    }

    /// x ← σ·x + μ
    pub fn undo(&self, pixels: &mut [f32]) {
        pixels
            .iter_mut()
            .for_each(|x| *x = *x * self.std + self.mean);
    }
}
