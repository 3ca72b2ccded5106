//! # Models for Scotopic, as burn modules
//!
//! What inference is applied to. Every model is a `Config` that is validated and then initialised on a
//! device, and a module whose parameters are all that has to be saved.
//!
//! | idea | room |
//! |---|---|
//! | f(z): the linear dictionary, MLP and conv decoders, each with its pullback | [`DecoderNet`] |
//! | recognition networks | [`EncoderNet`] |
//! | the prior p(z) and its family | [`Prior`], [`Family`] |
//! | ways to invert: iterative, amortized, hybrids, predictive coding, LCA | [`Network`], [`inverse`] |
//! | online filtering of any state-space model on tensors, with networks that carry the value | [`filtering`] |
//! | equations of motion that are networks, and how a filter's beliefs teach them | [`filtering::generalised`] |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use scotopic::{inference::Record, noise::NoiseKey, posterior::{Posterior, Sampling}};
//! use scotopic_models::{Method, NetworkConfig, Picture, RuleConfig};
//!
//! let device = Device::flex();
//! let picture = Picture { channels: 1, height: 8, width: 8 };
//! let config = NetworkConfig { picture, latents: 32, ..Default::default() };
//! let model = config.init(Method::NaturalGradient, &device, 0)?;
//! let image = Tensor::<2>::ones([3, 64], &device);
//! let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
//! let seen = model.infer(image, 16, rule, &NoiseKey::new(1), Record::GENERATED);
//! assert_eq!(seen.state.mean().dims(), [3, 32]);
//! # Ok::<(), scotopic::Error>(())
//! ```
#![recursion_limit = "256"]

mod decoder;
mod draw;
mod encoder;
pub mod filtering;
pub mod inverse;
mod layers;
mod network;
mod picture;
mod prior;
mod rule_config;

pub use decoder::{
    Architecture, ConvDecoder, ConvTape, DecoderConfig, DecoderNet, Learned, LinearDictionary,
    MlpDecoder, NoiseConfig, Tape,
};
pub use encoder::{EncoderConfig, EncoderNet};
pub use layers::{Dense, Scale};
pub use network::{Method, Network, NetworkConfig};
pub use picture::Picture;
pub use prior::Prior;
pub use rule_config::{LeakConfig, Off, RuleConfig};
pub use scotopic::posterior::Family;
