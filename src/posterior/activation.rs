//! Activations between a latent and the decoder, with their exact derivatives.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, softplus};
use serde::{Deserialize, Serialize};

/// A pointwise function a(z) with its derivative written out.
///
/// Autodiff of burn is first order and inference itself contains a derivative, so both are ordinary
/// tensor operations.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::posterior::ActivationKind;
/// let z = Tensor::<2>::from_floats([[-1.0, 2.0]], &Device::flex());
/// let slope: Vec<f32> = ActivationKind::Relu.slope(z).try_into_vec_as().unwrap();
/// assert_eq!(slope, [0.0, 1.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationKind {
    /// a(z) = z.
    #[default]
    None,
    /// max(z, 0).
    Relu,
    /// ln(1 + e^z).
    Softplus,
    /// e^z.
    Exp,
    /// tanh z.
    Tanh,
    /// z·σ(z), also called swish.
    Silu,
}

impl ActivationKind {
    /// a(z), any shape.
    pub fn value<const D: usize>(self, z: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => z,
            Self::Relu => burn::tensor::activation::relu(z),
            Self::Softplus => softplus(z, 1.0),
            Self::Exp => z.exp(),
            Self::Tanh => z.tanh(),
            Self::Silu => z.clone() * sigmoid(z),
        }
    }

    /// a'(z), any shape; the derivative of relu at 0 is 0.
    pub fn slope<const D: usize>(self, z: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => z.ones_like(),
            Self::Relu => {
                let dtype = z.dtype();
                z.greater_elem(0.0).float().cast(dtype)
            }
            Self::Softplus => sigmoid(z),
            Self::Exp => z.exp(),
            Self::Tanh => 1.0 - z.tanh().square(),
            Self::Silu => {
                let s = sigmoid(z.clone());
                s.clone() * (z * (1.0 - s) + 1.0)
            }
        }
    }
}

/// A latent activation with a learned gain per latent: a(z) = e^γ·f(z).
#[derive(Debug, Clone)]
pub struct Activation {
    /// f.
    pub kind: ActivationKind,
    /// e^γ, `[1, latent]`.
    pub gain: Tensor<2>,
}

impl Activation {
    /// e^γ·f(z), `[batch, latent]`.
    pub fn value(&self, z: Tensor<2>) -> Tensor<2> {
        self.kind.value(z) * self.gain.clone()
    }

    /// e^γ·f'(z), `[batch, latent]`.
    pub fn slope(&self, z: Tensor<2>) -> Tensor<2> {
        self.kind.slope(z) * self.gain.clone()
    }
}
