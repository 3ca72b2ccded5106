//! Encoders: from an observation to a displacement of the prior, in one pass.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use scotopic::Result;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Transfer;
use serde::{Deserialize, Serialize};

use crate::decoder::{Architecture, check_layers, check_stages, dense_parameters};
use crate::layers::{Dense, Scale};
use crate::picture::Picture;

/// The recognition network, or the network that learns to refine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// What it is made of.
    pub kind: Architecture,
    /// Sizes of the hidden layers of an MLP, from the pixels on.
    pub hidden: Vec<usize>,
    /// Channels of the pictures of a conv encoder, from the finest on; each halves height and width.
    pub channels: Vec<usize>,
    /// φ of hidden units.
    pub transfer: Transfer,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            kind: Architecture::Mlp,
            hidden: vec![512],
            channels: vec![32, 64],
            transfer: Transfer::Silu,
        }
    }
}

impl EncoderConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        check_layers(
            self.kind,
            &self.hidden,
            "model.encoder.hidden",
            &self.channels,
            "model.encoder.channels",
        )
    }

    /// Checks that the architecture can see pictures of this size.
    ///
    /// # Errors
    /// Where a conv encoder cannot halve its way down from them.
    pub fn validate_for(&self, picture: Picture) -> Result<()> {
        check_stages(self.kind, &self.channels, picture)
    }

    /// How many numbers its parameters are; saturates instead of wrapping round.
    pub fn parameters(&self, picture: Picture, outputs: usize) -> usize {
        match self.kind {
            Architecture::Linear => dense_parameters(&[picture.pixels(), outputs]),
            Architecture::Mlp => {
                dense_parameters(&[&[picture.pixels()], &self.hidden[..], &[outputs]].concat())
            }
            Architecture::Conv => {
                let shift = self.channels.len().min(31);
                let last = self.channels.last().copied().unwrap_or(0);
                let coarsest = last * (picture.height >> shift) * (picture.width >> shift);
                let sizes = [&[picture.channels], &self.channels[..]].concat();
                let stages = sizes
                    .windows(2)
                    .map(|pair| 16 * pair[0] * pair[1] + pair[1]);
                dense_parameters(&[coarsest, outputs]).saturating_add(stages.sum())
            }
        }
    }

    /// An encoder with random weights and a small last layer, so that beliefs start near the prior.
    pub fn init(&self, picture: Picture, outputs: usize, device: &Device, seed: u64) -> EncoderNet {
        let key = |l: usize| NoiseKey::new(seed).stream(u32::MAX - 2).step(l as u32);
        let (stages, entry) = match self.kind {
            Architecture::Conv => {
                let sizes: Vec<usize> = [&[picture.channels][..], &self.channels].concat();
                let stage = |(l, pair): (usize, &[usize])| {
                    Scale::init(pair[1], pair[0], false, 1.0, key(l + 64), device)
                };
                let stages: Vec<_> = sizes.windows(2).enumerate().map(stage).collect();
                let n = self.channels.len();
                let last = self.channels.last().copied().unwrap_or(picture.channels);
                (stages, last * (picture.height >> n) * (picture.width >> n))
            }
            _ => (Vec::new(), picture.pixels()),
        };
        let hidden: &[usize] = match self.kind {
            Architecture::Mlp => &self.hidden,
            _ => &[],
        };
        let sizes: Vec<usize> = [&[entry], hidden, &[outputs]].concat();
        let last = sizes.len() - 2;
        let layer = |(l, pair): (usize, &[usize])| {
            let gain = if l == last { 0.1 } else { 1.0 };
            Dense::init(pair[0], pair[1], gain, key(l), device)
        };
        EncoderNet {
            stages,
            layers: sizes.windows(2).enumerate().map(layer).collect(),
            transfer: self.transfer,
            picture,
        }
    }
}

/// Convolutions of stride 2, if any, then dense layers: `[batch, pixels]` → `[batch, outputs]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic_models::{EncoderConfig, Picture};
/// let device = Device::flex();
/// let picture = Picture { channels: 1, height: 3, width: 3 };
/// let encoder = EncoderConfig::default().init(picture, 4, &device, 0);
/// assert_eq!(encoder.forward(Tensor::<2>::ones([2, 9], &device)).dims(), [2, 4]);
/// ```
#[derive(Module, Debug)]
pub struct EncoderNet {
    /// Each halves height and width.
    pub stages: Vec<Scale>,
    /// Fully connected layers behind them.
    pub layers: Vec<Dense>,
    /// φ, between any two layers.
    #[module(skip)]
    pub transfer: Transfer,
    /// What an input row is a picture of.
    #[module(skip)]
    pub picture: Picture,
}

impl EncoderNet {
    /// `[batch, pixels]` → `[batch, outputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let mut h = x;
        if !self.stages.is_empty() {
            let Picture {
                channels,
                height,
                width,
            } = self.picture;
            let mut maps = h.reshape([batch, channels, height, width]);
            for stage in &self.stages {
                maps = self.transfer.value(stage.coarsen(maps));
            }
            h = maps.flatten(1, 3);
        }
        let last = self.layers.len().saturating_sub(1);
        for (l, layer) in self.layers.iter().enumerate() {
            h = layer.forward(h);
            if l < last {
                h = self.transfer.value(h);
            }
        }
        h
    }
}
