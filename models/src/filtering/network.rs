//! A function of the state fitted at every observation: a polynomial, and a network for the residual.

use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;

use super::ascent::{Adam, leaves, slopes};
use super::regression::{Regression, features};
use super::settings::AmortisedSettings;
use crate::draw::normal_vector;

/// Residuals below this are rounding, not shape.
const TINY: f64 = 1e-6;

/// Of a state x = μ + σ∘u, where N(μ, diag σ²) is the belief at the time of the fit,
///
/// ```text
/// T̂(u) = BᵀΦ(u) + s ∘ MLP(u),   MLP(u) = tanh(u W₁ + b₁) W₂ + b₂,   s² = mean square of what BᵀΦ leaves,
/// Φ(u) = (1, u_i, [(u_i² − 1)/√2, u_i u_j]).
/// ```
///
/// Under the belief u is white, so that inputs need no running normalisation: they are normal by definition, and Φ is
/// orthonormal. B is least squares, exact in linear-Gaussian models, where ∇V is linear and S quadratic. The MLP, on
/// outputs standardised by s, fit by fit, learns what is left, from the weights of the last observation on.
#[derive(Debug, Clone)]
pub(super) struct StateNetwork {
    /// B `[k, d]`.
    pub readout: Tensor<2>,
    /// s `[1, d]`.
    pub size: Tensor<2>,
    /// W₁ `[n, h]`, b₁ `[1, h]`, W₂ `[h, d]`, b₂ `[1, d]`; none without an MLP.
    pub layers: Vec<Tensor<2>>,
    /// Whether Φ has products.
    pub products: bool,
}

impl StateNetwork {
    /// The function 0 of n states with d values, with random W₁ and b₁ and W₂ = 0.
    pub fn zero(
        [n, d]: [usize; 2],
        settings: &AmortisedSettings,
        key: NoiseKey,
        device: &Device,
    ) -> Self {
        Self {
            readout: Tensor::zeros([settings.features(n), d], device),
            size: Tensor::zeros([1, d], device),
            layers: perceptron([n, settings.network_hidden, d], key, device),
            products: settings.network_products,
        }
    }

    /// `[batch, n]` → `[batch, d]`.
    pub fn forward(&self, u: Tensor<2>) -> Tensor<2> {
        let linear = features(u.clone(), self.products).matmul(self.readout.clone());
        match bend(&self.layers, u) {
            None => linear,
            Some(bend) => linear + bend * self.size.clone(),
        }
    }

    /// The function that is near the targets of a regression at white `u` `[M, n]`, from the weights of this one on.
    pub fn fit(&self, u: Tensor<2>, targets: Regression, settings: &AmortisedSettings) -> Self {
        let size = targets.left.clone().square().mean_dim(0).sqrt();
        let mut layers = self.layers.clone();
        let goal = targets.left / (size.clone() + TINY);
        let mut adam = Adam::default();
        for i in 0..settings.network_iterations {
            let weights = leaves(&layers);
            let Some(guess) = bend(&weights, u.clone()) else {
                break;
            };
            let loss = (guess - goal.clone()).square().mean();
            let uphill = slopes(loss.neg(), &weights);
            let rate = settings.network_rate * settings.falling(i, settings.network_iterations);
            layers = adam.ascend(layers, uphill, rate);
        }
        Self {
            readout: targets.readout,
            size,
            layers,
            products: self.products,
        }
    }

    /// The same function less its mean: that of the MLP over `u`, white samples; that of the rest is the first row
    /// of B.
    pub fn centred(self, u: Tensor<2>) -> Self {
        let [k, d] = self.readout.dims();
        let rest = self.readout.slice([1..k, 0..d]);
        let constant = match bend(&self.layers, u) {
            None => Tensor::zeros([1, d], &rest.device()),
            Some(bend) => bend.mean_dim(0).neg() * self.size.clone(),
        };
        Self {
            readout: Tensor::cat(vec![constant, rest], 0),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filtering::pair::noise;

    #[test]
    fn the_network_learns_what_a_quadratic_leaves() {
        let device = Device::flex();
        let like = Tensor::<2>::zeros([1, 1], &device);
        let settings = AmortisedSettings::default();
        let mut network = StateNetwork::zero([1, 1], &settings, NoiseKey::new(5), &device);
        let target = |u: Tensor<2>| (u * 2.0).sin();
        // Five observations of the same function, each from the weights of the last.
        for t in 0..5 {
            let [w, e] = noise(&like, 512, NoiseKey::new(6).step(t));
            let fitted = Regression::of(&w, &e, target(w.clone()), &settings);
            network = network.fit(w, fitted, &settings);
        }
        let [u, _] = noise(&like, 512, NoiseKey::new(7));
        let error = (network.forward(u.clone()) - target(u))
            .square()
            .mean()
            .sqrt();
        let (error, left): (f32, f32) = (error.into_scalar(), network.size.clone().into_scalar());
        assert!(left > 0.3, "a sine is no quadratic: {left}");
        assert!(error < 0.3 * left, "{error} of {left}");
        // Centred, its mean over the samples of the centring is 0.
        let [w, _] = noise(&like, 512, NoiseKey::new(8));
        let centred = network.centred(w.clone());
        let mean: f32 = bend(&centred.layers, w.clone())
            .map(|b| b.mean().into_scalar())
            .unwrap();
        let expected: f32 = centred.readout.slice([0..1, 0..1]).into_scalar();
        assert!((mean * left + expected).abs() < 1e-5, "{mean}, {expected}");
    }
}
