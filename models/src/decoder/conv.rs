//! The convolutional decoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::Result;
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::noise::NoiseKey;
use scotopic::posterior::ActivationKind;

use super::{Architecture, DecoderConfig};
use crate::image_dims::ImageDims;
use crate::layers::{
    ConvStage, Dense, check_channels, check_stages, dense_parameters, features, stage_parameters,
};

/// A dense layer to a small picture of many channels, then transposed convolutions that double it until
/// it has the size of the data.
///
/// ```text
/// h₀ = φ(Wz + b),  h_l = φ(h_{l−1} ∗ᵀ K_l + b_l),  f(z) = h_{L−1} ∗ᵀ K_L + b_L
/// Jᵀe: the same backwards, each transposed convolution pulled back by the convolution with its kernel
/// ```
#[derive(Module, Debug)]
pub struct ConvDecoder {
    /// From latents to the coarsest picture.
    pub entry: Dense,
    /// Kernel 4, stride 2, padding 1: each doubles height and width.
    pub stages: Vec<ConvStage>,
    /// ℓ, `[pixels]`: the unbounded logarithm of σ.
    pub log_sigma: Param<Tensor<1>>,
    /// φ.
    #[module(skip)]
    pub activation: ActivationKind,
    /// The coarsest picture.
    #[module(skip)]
    pub coarsest: ImageDims,
}

/// What [`ConvDecoder`] keeps: φ' of the entry, `[batch, features]`, and of every hidden stage,
/// `[batch, channels, height, width]`.
#[derive(Debug, Clone)]
pub struct ConvTape {
    entry: Tensor<2>,
    stages: Vec<Tensor<4>>,
}

impl ConvDecoder {
    /// `channels` of the pictures from the coarsest on; there are as many stages.
    ///
    /// `picture` must be divisible by 2^stages, which [`DecoderConfig`] checks.
    pub fn init(
        latents: usize,
        channels: &[usize],
        picture: ImageDims,
        activation: ActivationKind,
        device: &Device,
        seed: u64,
    ) -> Self {
        let key = |l: usize| NoiseKey::new(seed).stream(u32::MAX).step(l as u32);
        let coarsest = ImageDims {
            channels: channels[0],
            height: picture.height >> channels.len(),
            width: picture.width >> channels.len(),
        };
        let sizes: Vec<usize> = [channels, &[picture.channels]].concat();
        let stage = |(l, pair): (usize, &[usize])| {
            ConvStage::init(pair[0], pair[1], true, 1.0, key(l + 1), device)
        };
        Self {
            entry: Dense::init(latents, coarsest.pixels(), 1.0, key(0), device),
            stages: sizes.windows(2).enumerate().map(stage).collect(),
            log_sigma: Param::from_tensor(Tensor::zeros([picture.pixels()], device)),
            activation,
            coarsest,
        }
    }
}

impl Decoder for ConvDecoder {
    type Tape = ConvTape;

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, ConvTape) {
        let [batch, _] = z.dims();
        let pre = self.entry.forward(z);
        let entry = self.activation.slope(pre.clone());
        let ImageDims {
            channels,
            height,
            width,
        } = self.coarsest;
        let mut h = self
            .activation
            .value(pre)
            .reshape([batch, channels, height, width]);
        let mut stages = Vec::with_capacity(self.stages.len());
        for (l, stage) in self.stages.iter().enumerate() {
            h = stage.refine(h);
            if l + 1 < self.stages.len() {
                stages.push(self.activation.slope(h.clone()));
                h = self.activation.value(h);
            }
        }
        let pixels = self.pixels();
        (h.reshape([batch, pixels]), ConvTape { entry, stages })
    }

    fn pullback(&self, tape: &ConvTape, error: Tensor<2>) -> Tensor<2> {
        let [batch, pixels] = error.dims();
        let ImageDims {
            channels,
            height,
            width,
        } = self.coarsest;
        let scale = 1 << self.stages.len();
        let (fine_height, fine_width) = (height * scale, width * scale);
        let fine_channels = pixels / (fine_height * fine_width);
        let mut e = error.reshape([batch, fine_channels, fine_height, fine_width]);
        for (l, stage) in self.stages.iter().enumerate().rev() {
            if let Some(slope) = tape.stages.get(l) {
                e = e * slope.clone();
            }
            e = stage.refine_pullback(e);
        }
        let e = e.reshape([batch, channels * height * width]);
        self.entry.pullback(e * tape.entry.clone())
    }

    fn observation_noise(&self) -> ObservationNoise {
        ObservationNoise::from_unbounded(self.log_sigma.val())
    }

    fn pixels(&self) -> usize {
        self.log_sigma.val().dims()[0]
    }
}

impl Architecture for ConvDecoder {
    const TENSORS: &'static str = "`decoder.entry` and `decoder.stages` are the dense layer and the transposed \
                                   convolutions after it";

    fn validate(config: &DecoderConfig) -> Result<()> {
        check_channels(&config.channels, "model.decoder.channels")
    }

    fn validate_for(config: &DecoderConfig, image: ImageDims) -> Result<()> {
        check_stages(&config.channels, image)
    }

    fn parameters(config: &DecoderConfig, latents: usize, image: ImageDims) -> usize {
        let first = config.channels.first().copied().unwrap_or(0);
        let sizes = [&config.channels[..], &[image.channels]].concat();
        dense_parameters(&[latents, features(first, config.channels.len(), image)])
            .saturating_add(stage_parameters(&sizes))
    }

    fn from_config(
        config: &DecoderConfig,
        latents: usize,
        image: ImageDims,
        device: &Device,
        seed: u64,
    ) -> Self {
        Self::init(
            latents,
            &config.channels,
            image,
            config.activation,
            device,
            seed,
        )
    }
}
