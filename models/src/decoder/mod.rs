//! Decoders: burn modules that implement [`Decoder`], one architecture per file.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, LOG_SIGMA_BOUND, ObservationNoise};
use scotopic::posterior::Transfer;
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::picture::Picture;

mod conv;
mod linear;
mod mlp;

pub use conv::{ConvDecoder, ConvTape};
pub use linear::LinearDictionary;
pub use mlp::MlpDecoder;

/// The architectures of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// One matrix.
    #[default]
    Linear,
    /// Fully connected hidden layers.
    Mlp,
    /// Convolutions of stride 2, transposed in decoders.
    Conv,
}

/// The observation noise: learned per pixel, or the same known σ everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NoiseConfig {
    /// The word "learned".
    Learned(Learned),
    /// σ, in units of the standardised data.
    Fixed(f64),
}

/// The one word that [`NoiseConfig`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learned {
    /// Learned.
    Learned,
}

/// The generative network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecoderConfig {
    /// What it is made of.
    pub kind: Architecture,
    /// Sizes of the hidden layers of an MLP, from the latents on.
    pub hidden: Vec<usize>,
    /// Channels of the pictures of a conv decoder, from the coarsest on; each doubles height and width.
    pub channels: Vec<usize>,
    /// φ of hidden units.
    pub transfer: Transfer,
    /// "learned", or a number: σ.
    pub noise: NoiseConfig,
    /// Standard deviation of the initial atoms of a linear decoder.
    pub init_deviation: f64,
    /// Whether atoms are scaled to length 1 after every step of learning (linear only).
    pub normalise: bool,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            kind: Architecture::Linear,
            hidden: vec![512],
            channels: vec![64, 32],
            transfer: Transfer::Silu,
            noise: NoiseConfig::Learned(Learned::Learned),
            init_deviation: 1e-4,
            normalise: false,
        }
    }
}

impl DecoderConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(self.init_deviation.is_finite() && self.init_deviation > 0.0) {
            let rule = "must be above 0";
            return Err(Error::setting(
                "model.decoder.init_deviation",
                self.init_deviation,
                rule,
            ));
        }
        if let NoiseConfig::Fixed(sigma) = self.noise
            && !(0.032..=31.0).contains(&sigma)
        {
            let rule = "must be \"learned\" or a number between 0.032 and 31";
            return Err(Error::setting("model.decoder.noise", sigma, rule));
        }
        if self.normalise && self.kind != Architecture::Linear {
            let rule = "only a linear decoder has atoms to normalise";
            return Err(Error::setting("model.decoder.normalise", true, rule));
        }
        check_layers(
            self.kind,
            &self.hidden,
            "model.decoder.hidden",
            &self.channels,
            "model.decoder.channels",
        )
    }

    /// Checks that the architecture can make pictures of this size.
    ///
    /// # Errors
    /// Where a conv decoder cannot double its way to them.
    pub fn validate_for(&self, picture: Picture) -> Result<()> {
        check_stages(self.kind, &self.channels, picture)
    }

    /// How many numbers its parameters are; saturates instead of wrapping round.
    pub fn parameters(&self, latents: usize, picture: Picture) -> usize {
        let pixels = picture.pixels();
        let weights = match self.kind {
            Architecture::Linear => latents.saturating_mul(pixels),
            Architecture::Mlp => {
                dense_parameters(&[&[latents], &self.hidden[..], &[pixels]].concat())
            }
            Architecture::Conv => {
                let shift = self.channels.len().min(31);
                let first = self.channels.first().copied().unwrap_or(0);
                let coarsest = first * (picture.height >> shift) * (picture.width >> shift);
                let sizes = [&self.channels[..], &[picture.channels]].concat();
                let stages = sizes
                    .windows(2)
                    .map(|pair| 16 * pair[0] * pair[1] + pair[1]);
                dense_parameters(&[latents, coarsest]).saturating_add(stages.sum())
            }
        };
        weights.saturating_add(pixels)
    }

    /// A decoder with random weights; sizes must have been validated.
    pub fn init(&self, latents: usize, picture: Picture, device: &Device, seed: u64) -> DecoderNet {
        let net = match self.kind {
            Architecture::Linear => {
                let deviation = self.init_deviation;
                let linear =
                    LinearDictionary::init(latents, picture.pixels(), deviation, device, seed);
                DecoderNet::Linear(match self.normalise {
                    true => linear.normalised(),
                    false => linear,
                })
            }
            Architecture::Mlp => DecoderNet::Mlp(MlpDecoder::init(
                latents,
                &self.hidden,
                picture.pixels(),
                self.transfer,
                device,
                seed,
            )),
            Architecture::Conv => DecoderNet::Conv(ConvDecoder::init(
                latents,
                &self.channels,
                picture,
                self.transfer,
                device,
                seed,
            )),
        };
        match self.noise {
            NoiseConfig::Learned(_) => net,
            NoiseConfig::Fixed(sigma) => net.with_fixed_noise(sigma, device),
        }
    }
}

/// Weights and biases of fully connected layers of these sizes.
pub(crate) fn dense_parameters(sizes: &[usize]) -> usize {
    let layers = sizes
        .windows(2)
        .map(|pair| pair[0].saturating_mul(pair[1]).saturating_add(pair[1]));
    layers.fold(0, usize::saturating_add)
}

pub(crate) fn check_layers(
    kind: Architecture,
    hidden: &[usize],
    hidden_key: &'static str,
    channels: &[usize],
    channels_key: &'static str,
) -> Result<()> {
    let sensible = |sizes: &[usize], most: usize| {
        sizes.len() <= most && sizes.iter().all(|n| (1..=1 << 16).contains(n))
    };
    match kind {
        Architecture::Linear => Ok(()),
        Architecture::Mlp if !hidden.is_empty() && sensible(hidden, 16) => Ok(()),
        Architecture::Mlp => Err(Error::setting(
            hidden_key,
            format!("{hidden:?}"),
            "must be a list of 1 to 16 sizes between 1 and 65536",
        )),
        Architecture::Conv if !channels.is_empty() && sensible(channels, 8) => Ok(()),
        Architecture::Conv => Err(Error::setting(
            channels_key,
            format!("{channels:?}"),
            "must be a list of 1 to 8 numbers of channels between 1 and 65536",
        )),
    }
}

pub(crate) fn check_stages(kind: Architecture, channels: &[usize], picture: Picture) -> Result<()> {
    let unit = 1usize << channels.len().min(16);
    let fits = picture.height.is_multiple_of(unit) && picture.width.is_multiple_of(unit);
    if kind != Architecture::Conv || fits {
        return Ok(());
    }
    Err(Error::setting(
        "pictures of the data",
        format!("{} × {}", picture.height, picture.width),
        "height and width must be divisible by 2 once for every entry of `channels` of a conv network",
    ))
}

/// A decoder whose architecture is chosen at run time.
#[derive(Module, Debug)]
pub enum DecoderNet {
    /// Φz.
    Linear(LinearDictionary),
    /// Fully connected.
    Mlp(MlpDecoder),
    /// Convolutional.
    Conv(ConvDecoder),
}

/// The tape of a [`DecoderNet`].
#[derive(Debug, Clone)]
// A few tensor handles more or less: a box would be an allocation at every step.
#[allow(clippy::large_enum_variant)]
pub enum Tape {
    /// A linear decoder needs none.
    Linear,
    /// φ' of the hidden layers.
    Mlp(Vec<Tensor<2>>),
    /// φ' of entry and stages.
    Conv(ConvTape),
}

impl DecoderNet {
    /// The same network with a σ that is not learned.
    fn with_fixed_noise(self, sigma: f64, device: &Device) -> Self {
        // ℓ such that c·tanh(ℓ/c) = ln σ.
        let unbounded = LOG_SIGMA_BOUND * (sigma.ln() / LOG_SIGMA_BOUND).atanh();
        let log_sigma = Param::from_tensor(Tensor::full([self.pixels()], unbounded, device));
        let log_sigma = log_sigma.set_require_grad(false);
        match self {
            Self::Linear(net) => Self::Linear(LinearDictionary { log_sigma, ..net }),
            Self::Mlp(net) => Self::Mlp(MlpDecoder { log_sigma, ..net }),
            Self::Conv(net) => Self::Conv(ConvDecoder { log_sigma, ..net }),
        }
    }

    /// Scales atoms to length 1, where there are atoms.
    pub fn normalised(self) -> Self {
        match self {
            Self::Linear(net) => Self::Linear(net.normalised()),
            other => other,
        }
    }
}

impl Decoder for DecoderNet {
    type Tape = Tape;

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, Tape) {
        match self {
            Self::Linear(net) => (net.forward(z).0, Tape::Linear),
            Self::Mlp(net) => {
                let (mean, tape) = net.forward(z);
                (mean, Tape::Mlp(tape))
            }
            Self::Conv(net) => {
                let (mean, tape) = net.forward(z);
                (mean, Tape::Conv(tape))
            }
        }
    }

    /// # Panics
    /// If the tape is of another architecture.
    fn pullback(&self, tape: &Tape, error: Tensor<2>) -> Tensor<2> {
        match (self, tape) {
            (Self::Linear(net), Tape::Linear) => net.pullback(&(), error),
            (Self::Mlp(net), Tape::Mlp(tape)) => net.pullback(tape, error),
            (Self::Conv(net), Tape::Conv(tape)) => net.pullback(tape, error),
            _ => panic!("the tape was made by another decoder"),
        }
    }

    fn observation_noise(&self) -> ObservationNoise {
        match self {
            Self::Linear(net) => net.observation_noise(),
            Self::Mlp(net) => net.observation_noise(),
            Self::Conv(net) => net.observation_noise(),
        }
    }

    fn pixels(&self) -> usize {
        match self {
            Self::Linear(net) => net.pixels(),
            Self::Mlp(net) => net.pixels(),
            Self::Conv(net) => net.pixels(),
        }
    }

    fn atoms(&self) -> Option<Tensor<2>> {
        match self {
            Self::Linear(net) => net.atoms(),
            Self::Mlp(_) | Self::Conv(_) => None,
        }
    }
}
