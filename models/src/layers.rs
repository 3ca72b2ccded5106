//! The layers of decoders and encoders.

use burn::module::{Module, Param};
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;
use scotopic::{Error, Result};

use crate::draw::normal_vector;
use crate::image_dims::ImageDims;

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
pub struct ConvStage {
    /// `[coarse channels, fine channels, 4, 4]`.
    pub weight: Param<Tensor<4>>,
    /// One per channel of the output.
    pub bias: Param<Tensor<1>>,
}

impl ConvStage {
    /// Normal weights scaled to the number of inputs that meet in one output; `finer` says which side is the output.
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

    /// The pullback of [`ConvStage::refine`], a convolution with the same kernel: `[batch, fine, 2h, 2w]` →
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

/// Weights and biases of fully connected layers of these sizes.
pub(crate) fn dense_parameters(sizes: &[usize]) -> usize {
    let layers = sizes
        .windows(2)
        .map(|pair| pair[0].saturating_mul(pair[1]).saturating_add(pair[1]));
    layers.fold(0, usize::saturating_add)
}

/// Weights and biases of stages between images of these channels.
pub(crate) fn stage_parameters(channels: &[usize]) -> usize {
    let stages = channels.windows(2);
    stages.map(|pair| 16 * pair[0] * pair[1] + pair[1]).sum()
}

/// Numbers of the coarsest image, of `channels` channels, `stages` stages away from `image`.
pub(crate) fn features(channels: usize, stages: usize, image: ImageDims) -> usize {
    let shift = stages.min(31);
    channels * (image.height >> shift) * (image.width >> shift)
}

fn sensible(sizes: &[usize], most: usize) -> bool {
    (1..=most).contains(&sizes.len()) && sizes.iter().all(|n| (1..=1 << 16).contains(n))
}

/// Checks the sizes of hidden layers.
pub(crate) fn check_hidden(hidden: &[usize], key: &'static str) -> Result<()> {
    let rule = "must be a list of 1 to 16 sizes between 1 and 65536";
    match sensible(hidden, 16) {
        true => Ok(()),
        false => Err(Error::setting(key, format!("{hidden:?}"), rule)),
    }
}

/// Checks the channels of stages.
pub(crate) fn check_channels(channels: &[usize], key: &'static str) -> Result<()> {
    let rule = "must be a list of 1 to 8 numbers of channels between 1 and 65536";
    match sensible(channels, 8) {
        true => Ok(()),
        false => Err(Error::setting(key, format!("{channels:?}"), rule)),
    }
}

/// Checks that images of this size can be halved by every stage.
pub(crate) fn check_stages(channels: &[usize], image: ImageDims) -> Result<()> {
    let unit = 1usize << channels.len().min(16);
    if image.height.is_multiple_of(unit) && image.width.is_multiple_of(unit) {
        return Ok(());
    }
    Err(Error::setting(
        "pictures of the data",
        format!("{} × {}", image.height, image.width),
        "height and width must be divisible by 2 once for every entry of `channels` of a conv network",
    ))
}
