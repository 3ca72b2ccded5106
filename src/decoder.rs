//! Decoders: the generative direction, from latents to what the senses should report.

use burn::tensor::Tensor;

/// x̂ = f(z) with an explicit pullback, and the noise around it.
///
/// ```text
/// p(x|z) = N(f(z), diag σ²),   g = −J_f(z)ᵀ Σ⁻¹ (x − f(z)) = d(−ln p)/dz
/// ```
///
/// Inference needs Jᵀe at every step and learning differentiates through it. Autodiff of burn is first
/// order, so the pullback is written out by the decoder and autodiff sees it as ordinary operations.
pub trait Decoder {
    /// The mean of the observation, `[batch, pixels]`, of latents `[batch, latent]`.
    fn decode(&self, z: Tensor<2>) -> Tensor<2>;

    /// J_f(z)ᵀ·error, `[batch, latent]`, for an error `[batch, pixels]`.
    fn pullback(&self, z: &Tensor<2>, error: Tensor<2>) -> Tensor<2>;

    /// The observation noise as it stands now.
    fn observation_noise(&self) -> ObservationNoise;
}

/// Bound of the soft clamp of ln σ: σ stays within e^±3.45, variances within 0.001 … 1000.
pub const LOG_SIGMA_BOUND: f64 = 3.45;

/// Independent Gaussian noise on every observed dimension, evaluated once per unroll.
///
/// ```text
/// s = ln σ = 3.45·tanh(ℓ/3.45)      ℓ learned, 0 at first
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::decoder::ObservationNoise;
/// let noise = ObservationNoise::from_unbounded(Tensor::zeros([4], &Device::flex()));
/// let x = Tensor::<2>::ones([1, 4], &Device::flex());
/// let nll: f32 = noise.negative_log_likelihood(x.clone(), x).into_scalar();
/// assert!((nll - 2.0 * std::f32::consts::TAU.ln()).abs() < 1e-5); // 4 · ½ ln 2π
/// ```
#[derive(Debug, Clone)]
pub struct ObservationNoise {
    log_sigma: Tensor<2>,
    precision: Tensor<2>,
    offset: Tensor<1>,
}

impl ObservationNoise {
    /// From the learned ℓ, `[pixels]`.
    pub fn from_unbounded(unbounded: Tensor<1>) -> Self {
        let log_sigma = crate::ops::soft_symmetric(unbounded, LOG_SIGMA_BOUND).unsqueeze::<2>();
        let [_, pixels] = log_sigma.dims();
        let constant = 0.5 * std::f64::consts::TAU.ln() * pixels as f64;
        Self {
            precision: (log_sigma.clone() * -2.0).exp(),
            offset: log_sigma.clone().sum() + constant,
            log_sigma,
        }
    }

    /// s = ln σ, `[1, pixels]`.
    pub fn log_sigma(&self) -> Tensor<2> {
        self.log_sigma.clone()
    }

    /// Σ⁻¹(x − x̂), `[batch, pixels]`: the residual that is pulled back.
    pub fn weigh(&self, residual: Tensor<2>) -> Tensor<2> {
        residual * self.precision.clone()
    }

    /// −ln p(x|z) = Σ_d ½((x − x̂)/σ)² + s + ½ ln 2π, `[batch]`, in nats.
    pub fn negative_log_likelihood(&self, x: Tensor<2>, mean: Tensor<2>) -> Tensor<1> {
        let residual = x - mean;
        let [batch, _] = residual.dims();
        let square = residual.square() * self.precision.clone();
        square.sum_dim(1).reshape([batch]) * 0.5 + self.offset.clone()
    }
}
