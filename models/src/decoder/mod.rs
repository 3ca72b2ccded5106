//! Decoders: burn modules that implement [`Decoder`], one architecture per file.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, LOG_SIGMA_BOUND, ObservationNoise};
use scotopic::posterior::ActivationKind;
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::image_dims::ImageDims;

mod conv;
mod linear;
mod mlp;

pub use conv::{ConvDecoder, ConvTape};
pub use linear::LinearDictionary;
pub use mlp::MlpDecoder;

/// What configurations need of a decoder, in addition to [`Decoder`].
///
/// A new one is a file with both and its line in `decoders!` below.
trait Architecture: Decoder + Sized {
    /// What the tensors of its weights are, for the card of a model.
    const TENSORS: &'static str;

    /// Checks the settings that are its own.
    fn validate(_config: &DecoderConfig) -> Result<()> {
        Ok(())
    }

    /// Checks that it can make images of this size.
    fn validate_for(_config: &DecoderConfig, _image: ImageDims) -> Result<()> {
        Ok(())
    }

    /// How many numbers its weights are, without the noise; saturates instead of wrapping round.
    fn parameters(config: &DecoderConfig, latents: usize, image: ImageDims) -> usize;

    /// Random weights and unit noise; sizes have been validated.
    fn from_config(
        config: &DecoderConfig,
        latents: usize,
        image: ImageDims,
        device: &Device,
        seed: u64,
    ) -> Self;
}

/// Makes the enums over all architectures and the choice between them.
macro_rules! decoders {
    ($($(#[$meta:meta])* $kind:ident($net:ident),)*) => {
        /// The architectures of decoders, as configurations name them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum DecoderKind {
            $($(#[$meta])* $kind,)*
        }

        /// A decoder whose architecture is chosen at run time.
        #[derive(Module, Debug)]
        pub enum DecoderNet {
            $(
                #[doc = concat!("A [`", stringify!($net), "`].")]
                $kind($net),
            )*
        }

        /// The tape of a [`DecoderNet`].
        #[derive(Debug, Clone)]
        // A few tensor handles more or less: a box would be an allocation at every step.
        #[allow(clippy::large_enum_variant)]
        pub enum Tape {
            $(
                #[doc = concat!("Of a [`", stringify!($net), "`].")]
                $kind(<$net as Decoder>::Tape),
            )*
        }

        impl DecoderKind {
            /// What the tensors of its weights are, for the card of a model.
            pub fn tensors(self) -> &'static str {
                match self {
                    $(Self::$kind => $net::TENSORS,)*
                }
            }
        }

        impl DecoderConfig {
            fn validate_kind(&self) -> Result<()> {
                match self.kind {
                    $(DecoderKind::$kind => <$net as Architecture>::validate(self),)*
                }
            }

            /// Checks that the architecture can make images of this size.
            ///
            /// # Errors
            /// Where a conv decoder cannot double its way to them.
            pub fn validate_for(&self, image: ImageDims) -> Result<()> {
                match self.kind {
                    $(DecoderKind::$kind => <$net as Architecture>::validate_for(self, image),)*
                }
            }

            /// How many numbers its parameters are; saturates instead of wrapping round.
            pub fn parameters(&self, latents: usize, image: ImageDims) -> usize {
                let weights = match self.kind {
                    $(DecoderKind::$kind => <$net as Architecture>::parameters(self, latents, image),)*
                };
                weights.saturating_add(image.pixels())
            }

            /// A decoder with random weights; sizes must have been validated.
            pub fn init(&self, latents: usize, image: ImageDims, device: &Device, seed: u64) -> DecoderNet {
                let net = match self.kind {
                    $(DecoderKind::$kind => {
                        DecoderNet::$kind($net::from_config(self, latents, image, device, seed))
                    })*
                };
                match self.noise {
                    NoiseConfig::Learned(_) => net,
                    NoiseConfig::Fixed(sigma) => net.with_fixed_noise(sigma, device),
                }
            }
        }

        impl DecoderNet {
            /// The same network with a σ that is not learned.
            fn with_fixed_noise(self, sigma: f64, device: &Device) -> Self {
                // ℓ such that c·tanh(ℓ/c) = ln σ.
                let unbounded = LOG_SIGMA_BOUND * (sigma.ln() / LOG_SIGMA_BOUND).atanh();
                let log_sigma = Param::from_tensor(Tensor::full([self.pixels()], unbounded, device));
                let log_sigma = log_sigma.set_require_grad(false);
                match self {
                    $(Self::$kind(net) => Self::$kind($net { log_sigma, ..net }),)*
                }
            }
        }

        impl Decoder for DecoderNet {
            type Tape = Tape;

            fn forward(&self, z: Tensor<2>) -> (Tensor<2>, Tape) {
                match self {
                    $(Self::$kind(net) => {
                        let (mean, tape) = net.forward(z);
                        (mean, Tape::$kind(tape))
                    })*
                }
            }

            /// # Panics
            /// If the tape is of another architecture.
            fn pullback(&self, tape: &Tape, error: Tensor<2>) -> Tensor<2> {
                match (self, tape) {
                    $((Self::$kind(net), Tape::$kind(tape)) => net.pullback(tape, error),)*
                    _ => panic!("the tape was made by another decoder"),
                }
            }

            fn observation_noise(&self) -> ObservationNoise {
                match self {
                    $(Self::$kind(net) => net.observation_noise(),)*
                }
            }

            fn pixels(&self) -> usize {
                match self {
                    $(Self::$kind(net) => net.pixels(),)*
                }
            }

            fn atoms(&self) -> Option<Tensor<2>> {
                match self {
                    $(Self::$kind(net) => net.atoms(),)*
                }
            }
        }
    };
}

decoders! {
    /// One matrix.
    #[default]
    Linear(LinearDictionary),
    /// Fully connected hidden layers.
    Mlp(MlpDecoder),
    /// Transposed convolutions of stride 2.
    Conv(ConvDecoder),
}

impl DecoderNet {
    /// Scales atoms to length 1, where there are atoms.
    pub fn normalised(self) -> Self {
        match self {
            Self::Linear(net) => Self::Linear(net.normalised()),
            other => other,
        }
    }
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
    pub kind: DecoderKind,
    /// Sizes of the hidden layers of an MLP, from the latents on.
    pub hidden: Vec<usize>,
    /// Channels of the pictures of a conv decoder, from the coarsest on; each doubles height and width.
    pub channels: Vec<usize>,
    /// φ of hidden units.
    #[serde(alias = "transfer")]
    pub activation: ActivationKind,
    /// "learned", or a number: σ.
    pub noise: NoiseConfig,
    /// Standard deviation of the initial atoms of a linear decoder.
    #[serde(alias = "init_deviation")]
    pub init_std: f64,
    /// Whether atoms are scaled to length 1 after every step of learning (linear only).
    #[serde(alias = "normalise")]
    pub unit_norm: bool,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            kind: DecoderKind::Linear,
            hidden: vec![512],
            channels: vec![64, 32],
            activation: ActivationKind::Silu,
            noise: NoiseConfig::Learned(Learned::Learned),
            init_std: 1e-4,
            unit_norm: false,
        }
    }
}

impl DecoderConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(self.init_std.is_finite() && self.init_std > 0.0) {
            let rule = "must be above 0";
            return Err(Error::setting(
                "model.decoder.init_std",
                self.init_std,
                rule,
            ));
        }
        if let NoiseConfig::Fixed(sigma) = self.noise
            && !(0.032..=31.0).contains(&sigma)
        {
            let rule = "must be \"learned\" or a number between 0.032 and 31";
            return Err(Error::setting("model.decoder.noise", sigma, rule));
        }
        if self.unit_norm && self.kind != DecoderKind::Linear {
            let rule = "only a linear decoder has atoms to normalise";
            return Err(Error::setting("model.decoder.unit_norm", true, rule));
        }
        self.validate_kind()
    }
}
