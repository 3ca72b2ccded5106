//! The fully connected decoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::Result;
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::noise::NoiseKey;
use scotopic::posterior::ActivationKind;

use super::{Architecture, DecoderConfig};
use crate::image_dims::ImageDims;
use crate::layers::{Dense, check_hidden, dense_parameters};

/// f(z) = W_L φ(… φ(W₁z + b₁) …) + b_L, with its pullback written out.
///
/// ```text
/// h_l = φ(W_l h_{l−1} + b_l)           forward keeps φ' of every hidden layer
/// Jᵀe = W₁ᵀ(φ'₁ ∘ W₂ᵀ(φ'₂ ∘ … W_Lᵀe))
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::decoder::Decoder;
/// use scotopic::posterior::ActivationKind;
/// use scotopic_models::MlpDecoder;
/// let device = Device::flex();
/// let f = MlpDecoder::init(4, &[8], 9, ActivationKind::Silu, &device, 0);
/// let (mean, tape) = f.forward(Tensor::<2>::ones([2, 4], &device));
/// assert_eq!(f.pullback(&tape, mean).dims(), [2, 4]);
/// ```
#[derive(Module, Debug)]
pub struct MlpDecoder {
    /// W_l and b_l, in order.
    pub layers: Vec<Dense>,
    /// ℓ, `[pixels]`: the unbounded logarithm of σ.
    pub log_sigma: Param<Tensor<1>>,
    /// φ.
    #[module(skip)]
    pub activation: ActivationKind,
}

impl MlpDecoder {
    /// Random weights that keep the variance of their inputs, and unit noise.
    pub fn init(
        latents: usize,
        hidden: &[usize],
        pixels: usize,
        activation: ActivationKind,
        device: &Device,
        seed: u64,
    ) -> Self {
        let sizes: Vec<usize> = [&[latents], hidden, &[pixels]].concat();
        let layer = |(l, pair): (usize, &[usize])| {
            let key = NoiseKey::new(seed).stream(u32::MAX).step(l as u32);
            Dense::init(pair[0], pair[1], 1.0, key, device)
        };
        Self {
            layers: sizes.windows(2).enumerate().map(layer).collect(),
            log_sigma: Param::from_tensor(Tensor::zeros([pixels], device)),
            activation,
        }
    }
}

impl Decoder for MlpDecoder {
    /// φ' of every hidden layer, `[batch, hidden]`.
    type Tape = Vec<Tensor<2>>;

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, Vec<Tensor<2>>) {
        let mut slopes = Vec::with_capacity(self.layers.len());
        let mut h = z;
        let last = self.layers.len().saturating_sub(1);
        for (l, layer) in self.layers.iter().enumerate() {
            h = layer.forward(h);
            if l < last {
                slopes.push(self.activation.slope(h.clone()));
                h = self.activation.value(h);
            }
        }
        (h, slopes)
    }

    fn pullback(&self, slopes: &Vec<Tensor<2>>, error: Tensor<2>) -> Tensor<2> {
        let mut e = error;
        for (l, layer) in self.layers.iter().enumerate().rev() {
            if let Some(slope) = slopes.get(l) {
                e = e * slope.clone();
            }
            e = layer.pullback(e);
        }
        e
    }

    fn observation_noise(&self) -> ObservationNoise {
        ObservationNoise::from_unbounded(self.log_sigma.val())
    }

    fn pixels(&self) -> usize {
        self.log_sigma.val().dims()[0]
    }
}

impl Architecture for MlpDecoder {
    const TENSORS: &'static str =
        "`decoder.layers` are the fully connected layers from the latents to the pixels";

    fn validate(config: &DecoderConfig) -> Result<()> {
        check_hidden(&config.hidden, "model.decoder.hidden")
    }

    fn parameters(config: &DecoderConfig, latents: usize, image: ImageDims) -> usize {
        dense_parameters(&[&[latents], &config.hidden[..], &[image.pixels()]].concat())
    }

    fn from_config(
        config: &DecoderConfig,
        latents: usize,
        image: ImageDims,
        device: &Device,
        seed: u64,
    ) -> Self {
        let (hidden, pixels) = (&config.hidden, image.pixels());
        Self::init(latents, hidden, pixels, config.activation, device, seed)
    }
}
