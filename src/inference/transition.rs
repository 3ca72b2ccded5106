//! The prior of a step, from the belief before it (eq. T1).

use burn::tensor::{Tensor, activation::sigmoid};

/// A learned transition of log-rates, evaluated once per unroll (eq. T1).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::inference::PredictiveTransition;
/// let device = Device::flex();
/// let (a, b) = (Tensor::<2>::zeros([1, 1], &device), Tensor::<2>::zeros([1, 1], &device));
/// let half = PredictiveTransition::new(a, Tensor::<2>::ones([1, 1], &device), b, 2.0);
/// let u = Tensor::<2>::zeros([1, 1], &device); // rate 1, drive ½
/// let rest = Tensor::<2>::ones([1, 1], &device) * -2.0;
/// assert_eq!(half.predict(u, rest).into_scalar::<f32>(), 0.0 - 1.0 + 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct PredictiveTransition {
    /// A, `[1, latent]`.
    pub(super) keep: Tensor<2>,
    /// Wᵀ, `[latent, latent]`, from row to column.
    pub(super) weights: Tensor<2>,
    /// b, `[1, latent]`.
    pub(super) bias: Tensor<2>,
    /// c.
    pub(super) ceiling: f64,
}

impl PredictiveTransition {
    /// From a = logit A, `[1, latent]`, Wᵀ, `[latent, latent]` from row to column, b, `[1, latent]`, and the ceiling c.
    pub fn new(logit_keep: Tensor<2>, weights: Tensor<2>, bias: Tensor<2>, ceiling: f64) -> Self {
        Self {
            keep: sigmoid(logit_keep),
            weights,
            bias,
            ceiling,
        }
    }

    /// u_p, `[batch, latent]`, from u, `[batch, latent]`, and u₀, `[1, latent]`.
    pub fn predict(&self, u: Tensor<2>, rest: Tensor<2>) -> Tensor<2> {
        // λ/(1 + λ) is a sigmoid of u: no rate can overflow.
        let drive = sigmoid(u.clone()).matmul(self.weights.clone());
        let forgotten = (self.keep.clone().neg() + 1.0) * rest;
        (u * self.keep.clone() + forgotten + drive + self.bias.clone()).clamp_max(self.ceiling)
    }
}

/// How the prior of a step follows from the belief before it.
#[derive(Debug, Clone)]
pub enum PriorInTime {
    /// The resting state at every step.
    Static,
    /// Predicted.
    Learned(Box<PredictiveTransition>),
}
