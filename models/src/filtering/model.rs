//! State-space models as functions of tensors.

use burn::tensor::Tensor;
use scotopic::filtering::{Error, Result};

use super::theta::Theta;

/// ½ ln 2π.
pub(super) const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_7;

/// N(mean, diag exp(2·log_deviation)); both `[rows, n]`, rows 1 or the batch.
#[derive(Debug, Clone)]
pub struct DiagonalNormal {
    /// The mean.
    pub mean: Tensor<2>,
    /// ln of the standard deviation.
    pub log_deviation: Tensor<2>,
}

impl DiagonalNormal {
    /// ln N(x), in nats: `[batch, n]` → `[batch]`.
    pub fn log_density(self, x: Tensor<2>) -> Tensor<1> {
        let [_, n] = x.dims();
        let z = (x - self.mean) * self.log_deviation.clone().neg().exp();
        sum_rows(z.square() * -0.5 - self.log_deviation) - n as f64 * HALF_LN_2_PI
    }
}

/// Σ over the second axis: `[batch, n]` → `[batch]`.
pub(super) fn sum_rows(x: Tensor<2>) -> Tensor<1> {
    let [batch, _] = x.dims();
    x.sum_dim(1).reshape([batch])
}

/// A state-space model on tensors, x ∈ ℝⁿ, y ∈ ℝᵐ, θ ∈ ℝᴾ (eq. F35),
///
/// ```text
/// x_1 ~ p_θ(x),   x_t = f_θ(x_{t−1}) + noise,   y_t ~ g_θ(·|x_t).
/// ```
///
/// Every function is differentiated by autodiff, by x and by θ: what it does to its arguments must be tensor
/// operations. Samples are rows and must not touch each other. θ has one row, or one for each sample.
pub trait TensorStateSpace {
    /// The dimension n of the state.
    fn dim(&self) -> usize;

    /// The width m of an observation.
    fn observed(&self) -> usize;

    /// θ `[P]` as the model was made.
    fn parameters(&self) -> Vec<f64>;

    /// What the entries of θ are called, `[P]`.
    fn parameter_names(&self) -> Vec<String>;

    /// p_θ(x_1), rows 1 or those of θ.
    fn initial(&self, theta: &Theta) -> DiagonalNormal;

    /// p_θ(x_t|x_{t−1}) given x_{t−1} `[batch, n]`: the mean f_θ `[batch, n]` and the noise, whose rows may be 1.
    fn transition(&self, theta: &Theta, previous: Tensor<2>) -> DiagonalNormal;

    /// ln p_θ(x_t|x_{t−1}), `[batch]`; x_{t−1} and x_t `[batch, n]`. By default that of [`Self::transition`]; a model
    /// whose noise is not diagonal says it here, and its diagonal there.
    fn log_transition(&self, theta: &Theta, previous: Tensor<2>, x: Tensor<2>) -> Tensor<1> {
        self.transition(theta, previous).log_density(x)
    }

    /// ln g_θ(y|x), `[batch]`, up to [`Self::log_base`]; y `[1, m]`, x `[batch, n]`.
    fn log_likelihood(&self, theta: &Theta, y: Tensor<2>, x: Tensor<2>) -> Tensor<1>;

    /// The part of ln g(y|x) that neither x nor θ touches (−ln y! of counts); y `[m]`.
    fn log_base(&self, _y: &[f64]) -> f64 {
        0.0
    }

    /// Whether this can be an observation: by default, m finite numbers.
    ///
    /// # Errors
    /// [`Error::Observation`], said of observation 0.
    fn check(&self, y: &[f64]) -> Result<()> {
        check_row(y, self.observed())
    }
}

/// Whether `y` is `width` finite numbers.
pub(super) fn check_row(y: &[f64], width: usize) -> Result<()> {
    let wrong = |entry: usize, found: String, expected: String| Error::Observation {
        index: 0,
        entry,
        found,
        expected,
    };
    if y.len() != width {
        let (found, expected) = (format!("a row of {}", y.len()), format!("{width} entries"));
        return Err(wrong(y.len().min(width), found, expected));
    }
    // Single precision is what the tensors have.
    match y.iter().position(|v| !(*v as f32).is_finite()) {
        None => Ok(()),
        Some(entry) => {
            let expected = "a finite number (say None for a missing observation)";
            Err(wrong(entry, y[entry].to_string(), expected.to_string()))
        }
    }
}
