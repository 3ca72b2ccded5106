//! # Models for Scotopic, as burn modules
//!
//! The models that inference is applied to. Each has a `Config`, validated before it is initialised on a
//! device, and is a module whose parameters are its whole state.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use scotopic::{inference::RecordOptions, noise::NoiseKey, posterior::{Posterior, Sampling}};
//! use scotopic_models::{Method, NetworkConfig, ImageDims, RuleConfig};
//!
//! let device = Device::flex();
//! let picture = ImageDims { channels: 1, height: 8, width: 8 };
//! let config = NetworkConfig { picture, latents: 32, ..Default::default() };
//! let model = config.init(Method::NaturalGradient, &device, 0)?;
//! let image = Tensor::<2>::ones([3, 64], &device);
//! let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
//! let seen = model.infer(image, 16, rule, &NoiseKey::new(1), RecordOptions::GENERATED);
//! assert_eq!(seen.state.mean().dims(), [3, 32]);
//! # Ok::<(), scotopic::Error>(())
//! ```
//!
//! | concept | module |
//! |---|---|
//! | f(z): the linear decoder, MLP and conv decoders, each with its pullback | [`DecoderNet`] |
//! | encoders | [`EncoderNet`] |
//! | the prior p(z) and its family | [`Prior`], [`Family`] |
//! | the prior of a step in time: static, carried, learned | [`Transition`] |
//! | inference methods: iterative, amortized, hybrids, predictive coding, LCA | [`Network`], [`inverse`] |
//! | online filtering of any state-space model on tensors, with networks for the value | [`filtering`] |
//! | networks as equations of motion, learned from a filter's beliefs | [`filtering::generalised`] |
#![recursion_limit = "256"]

mod decoder;
mod draw;
mod encoder;
mod engine;
pub mod filtering;
mod image_dims;
pub mod inverse;
mod layers;
mod network;
mod prior;
mod rate_gain;
mod rule_config;
mod transition;

// All of it: a new decoder is named in its own file and in that module, and nowhere else.
pub use decoder::*;
pub use encoder::{EncoderConfig, EncoderKind, EncoderNet};
pub use image_dims::ImageDims;
pub use layers::{ConvStage, Dense};
pub use network::{Method, Network, NetworkConfig};
pub use prior::Prior;
pub use rule_config::{LeakConfig, Off, RuleConfig};
pub use scotopic::posterior::Family;
pub use transition::{PRIOR_CEILING, Transition, TransitionKind, TransitionWeights};

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
