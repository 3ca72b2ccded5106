//! The layers of decoders and encoders.

use burn::module::{Module, Param};
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;

use crate::draw::normal_vector;

/// y = xW + b.
#[derive(Module, Debug)]
pub struct Dense {
    /// W, `[inputs, outputs]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[outputs]`.
    pub bias: Param<Tensor<1>>,
}

impl Dense {
    /// Normal weights of deviation gain/√inputs, no bias.
    pub fn init(inputs: usize, outputs: usize, gain: f64, key: NoiseKey, device: &Device) -> Self {
        let deviation = gain / (inputs as f64).sqrt();
        let weight = normal_vector(inputs * outputs, deviation as f32, key, device);
        Self {
            weight: Param::from_tensor(weight.reshape([inputs, outputs])),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
        }
    }

    /// `[batch, inputs]` → `[batch, outputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze::<2>()
    }

    /// Jᵀe: `[batch, outputs]` → `[batch, inputs]`.
    pub fn pullback(&self, error: Tensor<2>) -> Tensor<2> {
        error.matmul(self.weight.val().transpose())
    }
}

/// Kernel 4, stride 2, padding 1: each stage halves a picture, and its transpose doubles it, exactly.
const KERNEL: usize = 4;
const STRIDE: [usize; 2] = [2, 2];
const PADDING: [usize; 2] = [1, 1];

/// A convolution between a coarse picture and one of twice its height and width, usable in both directions.
#[derive(Module, Debug)]
pub struct Scale {
    /// `[coarse channels, fine channels, 4, 4]`.
    pub weight: Param<Tensor<4>>,
    /// One per channel of the output.
    pub bias: Param<Tensor<1>>,
}

impl Scale {
    /// Normal weights scaled to the number of inputs that meet in one output; `finer` tells which side is out.
    pub fn init(
        coarse: usize,
        fine: usize,
        finer: bool,
        gain: f64,
        key: NoiseKey,
        device: &Device,
    ) -> Self {
        // A fine pixel is reached by 2×2 of the 4×4 kernel from each coarse channel.
        let (meeting, outputs) = match finer {
            true => (coarse * KERNEL * KERNEL / 4, fine),
            false => (fine * KERNEL * KERNEL, coarse),
        };
        let n = coarse * fine * KERNEL * KERNEL;
        let deviation = gain / (meeting as f64).sqrt();
        let weight = normal_vector(n, deviation as f32, key, device);
        Self {
            weight: Param::from_tensor(weight.reshape([coarse, fine, KERNEL, KERNEL])),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
        }
    }

    /// Transposed convolution: `[batch, coarse, h, w]` → `[batch, fine, 2h, 2w]`.
    pub fn refine(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvTransposeOptions::new(STRIDE, PADDING, [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.weight.val(), Some(self.bias.val()), options)
    }

    /// The pullback of [`Scale::refine`], a convolution with the same kernel: `[batch, fine, 2h, 2w]` →
    /// `[batch, coarse, h, w]`.
    pub fn refine_pullback(&self, error: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new(STRIDE, PADDING, [1, 1], 1);
        conv2d(error, self.weight.val(), None, options)
    }

    /// Convolution: `[batch, fine, 2h, 2w]` → `[batch, coarse, h, w]`.
    pub fn coarsen(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new(STRIDE, PADDING, [1, 1], 1);
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}
