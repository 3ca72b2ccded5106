//! A function of the state that is fitted anew at every observation: linear, with a network for what is not.

use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;

use super::ascent::{Adam, leaves, slopes};
use super::settings::AmortisedSettings;
use crate::draw::normal_vector;

/// Sweeps of the linear part. The slowest direction keeps 2ρ/(1 + ρ²) of its error a sweep, ρ² = 2n/M ≤ ¼: 0.8¹⁶ at
/// worst, 10⁻¹⁰ with 256 samples in one dimension.
const SWEEPS: usize = 16;
/// Residuals below this are rounding, not shape.
const TINY: f64 = 1e-6;

/// Of a state x = μ + σ∘u, where N(μ, diag σ²) is the belief at the time of the fit,
///
/// ```text
/// T̂(u) = c + uB + s ∘ MLP(u),   MLP(u) = tanh(u W₁ + b₁) W₂ + b₂,   s² = mean square of what c + uB leaves.
/// ```
///
/// Under the belief u is white, so that inputs need no running normalisation: they are normal by definition. The
/// outputs of the MLP are standardised by s, fit by fit. The linear part is least squares; where that is all there is
/// (a linear-Gaussian model), nothing is left to be learned by gradient.
#[derive(Debug, Clone)]
pub struct ValueNetwork {
    /// c `[1, d]`.
    pub(super) offset: Tensor<2>,
    /// B `[n, d]`.
    pub(super) slope: Tensor<2>,
    /// s `[1, d]`.
    pub(super) size: Tensor<2>,
    /// W₁ `[n, h]`, b₁ `[1, h]`, W₂ `[h, d]`, b₂ `[1, d]`; none for a linear function.
    pub(super) layers: Vec<Tensor<2>>,
}

impl ValueNetwork {
    /// The function 0, with random W₁ and b₁ and W₂ = 0.
    pub(super) fn zero([n, hidden, d]: [usize; 3], key: NoiseKey, device: &Device) -> Self {
        Self {
            offset: Tensor::zeros([1, d], device),
            slope: Tensor::zeros([n, d], device),
            size: Tensor::zeros([1, d], device),
            layers: perceptron([n, hidden, d], key, device),
        }
    }

    /// `[batch, n]` → `[batch, d]`.
    pub fn forward(&self, u: Tensor<2>) -> Tensor<2> {
        let linear = u.clone().matmul(self.slope.clone()) + self.offset.clone();
        match bend(&self.layers, u) {
            None => linear,
            Some(bend) => linear + bend * self.size.clone(),
        }
    }

    /// The function that is near `targets` `[M, d]` at `u` `[M, n]`, white with mean exactly 0, from this one on.
    pub(super) fn fit(
        &self,
        u: Tensor<2>,
        targets: Tensor<2>,
        settings: &AmortisedSettings,
    ) -> Self {
        let [samples, n] = u.dims();
        let share = 1.0 / samples as f64;
        let across = u.clone().transpose() * share;
        let gram = across.clone().matmul(u.clone());
        let moments = across.matmul(targets.clone());
        // Richardson's iteration; the eigenvalues of the Gram matrix of M/2 white pairs lie in (1 ∓ ρ)².
        let damping = 1.0 / (1.0 + 2.0 * n as f64 * share);
        let mut slope = moments.clone();
        for _ in 0..SWEEPS {
            slope = slope.clone() + (moments.clone() - gram.clone().matmul(slope)) * damping;
        }
        let offset = targets.clone().mean_dim(0);
        let left = targets - u.clone().matmul(slope.clone()) - offset.clone();
        let size = left.clone().square().mean_dim(0).sqrt();
        let mut layers = self.layers.clone();
        if !layers.is_empty() {
            let goal = left / (size.clone() + TINY);
            let mut adam = Adam::default();
            for i in 0..settings.network_iterations {
                let weights = leaves(&layers);
                // Always some, as there are layers.
                let Some(guess) = bend(&weights, u.clone()) else {
                    break;
                };
                let loss = (guess - goal.clone()).square().mean();
                let uphill = slopes(loss.neg(), &weights);
                let rate = settings.network_rate * settings.falling(i, settings.network_iterations);
                layers = adam.ascend(layers, uphill, rate);
            }
        }
        Self {
            offset,
            slope,
            size,
            layers,
        }
    }

    /// The same function less its mean under the belief of its fit, as far as that is c.
    pub(super) fn centred(self) -> Self {
        Self {
            offset: self.offset.zeros_like(),
            ..self
        }
    }
}

/// W₁, b₁ random, W₂ and b₂ zero; nothing for no hidden units.
pub(super) fn perceptron(
    [n, hidden, d]: [usize; 3],
    key: NoiseKey,
    device: &Device,
) -> Vec<Tensor<2>> {
    if hidden == 0 {
        return Vec::new();
    }
    let deviation = 1.0 / (n as f32).sqrt();
    let weights = normal_vector((n + 1) * hidden, deviation, key, device);
    let weights = weights.reshape([n + 1, hidden]);
    vec![
        weights.clone().slice([0..n, 0..hidden]),
        weights.slice([n..n + 1, 0..hidden]),
        Tensor::zeros([hidden, d], device),
        Tensor::zeros([1, d], device),
    ]
}

/// tanh(u W₁ + b₁) W₂ + b₂, if there are layers.
pub(super) fn bend(layers: &[Tensor<2>], u: Tensor<2>) -> Option<Tensor<2>> {
    let [w1, b1, w2, b2] = layers else {
        return None;
    };
    let hidden = (u.matmul(w1.clone()) + b1.clone()).tanh();
    Some(hidden.matmul(w2.clone()) + b2.clone())
}
