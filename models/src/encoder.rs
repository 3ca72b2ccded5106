//! Encoders: from an observation to a displacement of the prior, in one pass.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use scotopic::Result;
use scotopic::noise::NoiseKey;
use scotopic::posterior::ActivationKind;
use serde::{Deserialize, Serialize};

use crate::image_dims::ImageDims;
use crate::layers::{
    ConvStage, Dense, check_channels, check_hidden, check_stages, dense_parameters, features,
    stage_parameters,
};

/// The architectures of encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderKind {
    /// One matrix.
    Linear,
    /// Fully connected hidden layers.
    #[default]
    Mlp,
    /// Convolutions of stride 2.
    Conv,
}

/// The recognition network, or the network that learns to refine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// What it is made of.
    pub kind: EncoderKind,
    /// Sizes of the hidden layers of an MLP, from the pixels on.
    pub hidden: Vec<usize>,
    /// Channels of the pictures of a conv encoder, from the finest on; each halves height and width.
    pub channels: Vec<usize>,
    /// φ of hidden units.
    #[serde(alias = "transfer")]
    pub activation: ActivationKind,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            kind: EncoderKind::Mlp,
            hidden: vec![512],
            channels: vec![32, 64],
            activation: ActivationKind::Silu,
        }
    }
}

impl EncoderConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        match self.kind {
            EncoderKind::Linear => Ok(()),
            EncoderKind::Mlp => check_hidden(&self.hidden, "model.encoder.hidden"),
            EncoderKind::Conv => check_channels(&self.channels, "model.encoder.channels"),
        }
    }

    /// Checks that the architecture can see pictures of this size.
    ///
    /// # Errors
    /// Where a conv encoder cannot halve its way down from them.
    pub fn validate_for(&self, picture: ImageDims) -> Result<()> {
        match self.kind {
            EncoderKind::Conv => check_stages(&self.channels, picture),
            _ => Ok(()),
        }
    }

    /// How many numbers its parameters are; saturates instead of wrapping round.
    pub fn parameters(&self, picture: ImageDims, outputs: usize) -> usize {
        match self.kind {
            EncoderKind::Linear => dense_parameters(&[picture.pixels(), outputs]),
            EncoderKind::Mlp => {
                dense_parameters(&[&[picture.pixels()], &self.hidden[..], &[outputs]].concat())
            }
            EncoderKind::Conv => {
                let last = self.channels.last().copied().unwrap_or(0);
                let sizes = [&[picture.channels], &self.channels[..]].concat();
                dense_parameters(&[features(last, self.channels.len(), picture), outputs])
                    .saturating_add(stage_parameters(&sizes))
            }
        }
    }

    /// An encoder with random weights and a small last layer, so that beliefs start near the prior.
    pub fn init(
        &self,
        picture: ImageDims,
        outputs: usize,
        device: &Device,
        seed: u64,
    ) -> EncoderNet {
        let key = |l: usize| NoiseKey::new(seed).stream(u32::MAX - 2).step(l as u32);
        let (stages, entry) = match self.kind {
            EncoderKind::Conv => {
                let sizes: Vec<usize> = [&[picture.channels][..], &self.channels].concat();
                let stage = |(l, pair): (usize, &[usize])| {
                    ConvStage::init(pair[1], pair[0], false, 1.0, key(l + 64), device)
                };
                let stages: Vec<_> = sizes.windows(2).enumerate().map(stage).collect();
                let n = self.channels.len();
                let last = self.channels.last().copied().unwrap_or(picture.channels);
                (stages, last * (picture.height >> n) * (picture.width >> n))
            }
            _ => (Vec::new(), picture.pixels()),
        };
        let hidden: &[usize] = match self.kind {
            EncoderKind::Mlp => &self.hidden,
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
            activation: self.activation,
            picture,
        }
    }
}

/// Convolutions of stride 2, if any, then dense layers: `[batch, pixels]` → `[batch, outputs]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic_models::{EncoderConfig, ImageDims};
/// let device = Device::flex();
/// let picture = ImageDims { channels: 1, height: 3, width: 3 };
/// let encoder = EncoderConfig::default().init(picture, 4, &device, 0);
/// assert_eq!(encoder.forward(Tensor::<2>::ones([2, 9], &device)).dims(), [2, 4]);
/// ```
#[derive(Module, Debug)]
pub struct EncoderNet {
    /// Each halves height and width.
    pub stages: Vec<ConvStage>,
    /// Fully connected layers behind them.
    pub layers: Vec<Dense>,
    /// φ, between any two layers.
    #[module(skip)]
    pub activation: ActivationKind,
    /// What an input row is a picture of.
    #[module(skip)]
    pub picture: ImageDims,
}

impl EncoderNet {
    /// `[batch, pixels]` → `[batch, outputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let mut h = x;
        if !self.stages.is_empty() {
            let ImageDims {
                channels,
                height,
                width,
            } = self.picture;
            let mut maps = h.reshape([batch, channels, height, width]);
            for stage in &self.stages {
                maps = self.activation.value(stage.coarsen(maps));
            }
            h = maps.flatten(1, 3);
        }
        let last = self.layers.len().saturating_sub(1);
        for (l, layer) in self.layers.iter().enumerate() {
            h = layer.forward(h);
            if l < last {
                h = self.activation.value(h);
            }
        }
        h
    }
}
