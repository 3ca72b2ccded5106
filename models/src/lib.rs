//! # Models for Scotopic, as burn modules
//!
//! What inference is applied to. Every model is a `Config` that is validated and then initialised on a
//! device, and a module whose parameters are all that has to be saved.
//!
//! | model | room |
//! |---|---|
//! | linear decoder Φz, the dictionary | [`LinearDictionary`] |
//! | the iterative Poisson VAE: potentials, homeostasis, step size, resting potential | [`IterativeVae`] |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use scotopic::{inference::Record, noise::NoiseKey, posterior::Sampling};
//! use scotopic_models::{IterativeVaeConfig, RuleConfig};
//!
//! let device = Device::flex();
//! let model = IterativeVaeConfig { pixels: 64, latents: 32, ..Default::default() }.init(&device, 0)?;
//! let image = Tensor::<2>::ones([3, 64], &device);
//! let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
//! let seen = model.infer(image, 16, rule, &NoiseKey::new(1), Record::GENERATED);
//! assert_eq!(seen.state.potential().dims(), [3, 32]);
//! # Ok::<(), scotopic::Error>(())
//! ```
#![recursion_limit = "256"]

mod dictionary;
mod draw;
mod iterative_vae;
mod rule_config;

pub use dictionary::{LinearDictionary, LinearDictionaryConfig};
pub use iterative_vae::{IterativeVae, IterativeVaeConfig};
pub use rule_config::{LeakConfig, RuleConfig};
