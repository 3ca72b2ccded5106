//! The convolutional decoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Transfer;

use crate::layers::{Dense, Scale};
use crate::picture::Picture;

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
    pub stages: Vec<Scale>,
    /// ℓ, `[pixels]`: the unbounded logarithm of σ.
    pub log_sigma: Param<Tensor<1>>,
    /// φ.
    #[module(skip)]
    pub transfer: Transfer,
    /// The coarsest picture.
    #[module(skip)]
    pub coarsest: Picture,
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
    /// `picture` must be divisible by 2^stages, which [`DecoderConfig`](super::DecoderConfig) checks.
    pub fn init(
        latents: usize,
        channels: &[usize],
        picture: Picture,
        transfer: Transfer,
        device: &Device,
        seed: u64,
    ) -> Self {
        let key = |l: usize| NoiseKey::new(seed).stream(u32::MAX).step(l as u32);
        let coarsest = Picture {
            channels: channels[0],
            height: picture.height >> channels.len(),
            width: picture.width >> channels.len(),
        };
        let sizes: Vec<usize> = [channels, &[picture.channels]].concat();
        let stage = |(l, pair): (usize, &[usize])| {
            Scale::init(pair[0], pair[1], true, 1.0, key(l + 1), device)
        };
        Self {
            entry: Dense::init(latents, coarsest.pixels(), 1.0, key(0), device),
            stages: sizes.windows(2).enumerate().map(stage).collect(),
            log_sigma: Param::from_tensor(Tensor::zeros([picture.pixels()], device)),
            transfer,
            coarsest,
        }
    }
}

impl Decoder for ConvDecoder {
    type Tape = ConvTape;

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, ConvTape) {
        let [batch, _] = z.dims();
        let pre = self.entry.forward(z);
        let entry = self.transfer.slope(pre.clone());
        let Picture {
            channels,
            height,
            width,
        } = self.coarsest;
        let mut h = self
            .transfer
            .value(pre)
            .reshape([batch, channels, height, width]);
        let mut stages = Vec::with_capacity(self.stages.len());
        for (l, stage) in self.stages.iter().enumerate() {
            h = stage.refine(h);
            if l + 1 < self.stages.len() {
                stages.push(self.transfer.slope(h.clone()));
                h = self.transfer.value(h);
            }
        }
        let pixels = self.pixels();
        (h.reshape([batch, pixels]), ConvTape { entry, stages })
    }

    fn pullback(&self, tape: &ConvTape, error: Tensor<2>) -> Tensor<2> {
        let [batch, pixels] = error.dims();
        let Picture {
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
