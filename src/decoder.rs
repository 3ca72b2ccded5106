//! Decoders: the generative direction, from latents to predicted observations.

use burn::tensor::{Device, Tensor};

/// x̂ = f(z) with an explicit pullback, and the noise around it.
///
/// ```text
/// p(x|z) = N(f(z), diag σ²),   g = −J_f(z)ᵀ Σ⁻¹ (x − f(z)) = d(−ln p)/dz
/// ```
///
/// Inference needs Jᵀe at every step and learning differentiates through it. Autodiff of burn is first
/// order, so the pullback is written out by the decoder and autodiff sees it as ordinary operations.
pub trait Decoder {
    /// What [`Decoder::forward`] keeps for the pullback: slopes of hidden units, or nothing.
    type Tape;

    /// The mean of the observation, `[batch, pixels]`, of latents `[batch, latent]`, and what pulling an
    /// error back through the same point takes.
    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, Self::Tape);

    /// J_f(z)ᵀ·error, `[batch, latent]`, for an error `[batch, pixels]`, at the z of the tape.
    fn pullback(&self, tape: &Self::Tape, error: Tensor<2>) -> Tensor<2>;

    /// The observation noise as it stands now.
    fn observation_noise(&self) -> ObservationNoise;

    /// Observed dimensions M.
    fn pixels(&self) -> usize;

    /// f(z), `[batch, pixels]`, of latents `[batch, latent]`.
    fn decode(&self, z: Tensor<2>) -> Tensor<2> {
        self.forward(z).0
    }

    /// Φᵀ, `[latent, pixels]`, where f(z) = Φz; `None` for every other decoder.
    fn atoms(&self) -> Option<Tensor<2>> {
        None
    }
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
        Self::from_log_sigma(
            crate::ops::soft_symmetric(unbounded, LOG_SIGMA_BOUND).unsqueeze::<2>(),
        )
    }

    /// The same σ everywhere, not learned.
    pub fn fixed(sigma: f64, pixels: usize, device: &Device) -> Self {
        Self::from_log_sigma(Tensor::full([1, pixels], sigma.ln(), device))
    }

    fn from_log_sigma(log_sigma: Tensor<2>) -> Self {
        let [_, pixels] = log_sigma.dims();
        let constant = 0.5 * std::f64::consts::TAU.ln() * pixels as f64;
        Self {
            precision: (log_sigma.clone() * -2.0).exp(),
            offset: log_sigma.clone().sum() + constant,
            log_sigma,
        }
    }

    /// diag ΦᵀΣ⁻¹Φ, `[1, latent]`, for atoms `[latent, pixels]`: the curvature of −ln p(x|z) along each latent.
    pub fn curvature(&self, atoms: Tensor<2>) -> Tensor<2> {
        let [latent, _] = atoms.dims();
        (atoms.square() * self.precision.clone())
            .sum_dim(1)
            .reshape([1, latent])
    }

    /// ‖y‖² in units of σ of every row, `[batch]`, for `[batch, pixels]`.
    pub fn square_norm(&self, y: Tensor<2>) -> Tensor<1> {
        let [batch, _] = y.dims();
        (y.square() * self.precision.clone())
            .sum_dim(1)
            .reshape([batch])
    }

    /// s = ln σ, `[1, pixels]`.
    pub fn log_sigma(&self) -> Tensor<2> {
        self.log_sigma.clone()
    }

    /// π = σ⁻², `[1, pixels]`.
    pub fn precision(&self) -> Tensor<2> {
        self.precision.clone()
    }

    /// Σ_d s_d + ½ ln 2π, `[1]`: what −ln p(x|z) is at a residual of 0, in nats.
    pub fn offset(&self) -> Tensor<1> {
        self.offset.clone()
    }

    /// Σ⁻¹(x − x̂), `[batch, pixels]`: the residual that is pulled back.
    pub fn weigh(&self, residual: Tensor<2>) -> Tensor<2> {
        residual * self.precision.clone()
    }

    /// −ln p(x|z) = Σ_d ½((x − x̂)/σ)² + s + ½ ln 2π, `[batch]`, in nats.
    pub fn negative_log_likelihood(&self, x: Tensor<2>, mean: Tensor<2>) -> Tensor<1> {
        self.square_norm(x - mean) * 0.5 + self.offset.clone()
    }
}
