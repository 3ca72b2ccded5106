//! # Scotopic: perception as inference
//!
//! Inference on tensors: a generative model explains sensory data while they arrive.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use scotopic::{inference::RecordOptions, noise::NoiseKey, posterior::{Posterior, Sampling}};
//! use scotopic_models::{ImageDims, Method, NetworkConfig, RuleConfig};
//!
//! let picture = ImageDims { channels: 1, height: 8, width: 8 };
//! let config = NetworkConfig { picture, latents: 32, ..Default::default() };
//! let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?; // an iterative Poisson VAE
//! let images = Tensor::<2>::ones([3, 64], &Device::flex());
//! let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
//! let seen = model.infer(images, 16, rule, &NoiseKey::new(1), RecordOptions::GENERATED);
//! assert_eq!(seen.state.mean().dims(), [3, 32]); // firing rates after 16 steps
//! # Ok::<(), scotopic::Error>(())
//! ```
//!
//! Sensory data are explained by a generative model; perception is the minimisation of variational free
//! energy while the data arrive:
//!
//! ```text
//! F = KL[q(z) ‖ p(z)] − E_q[ln p(x|z)] = −ELBO
//! ```
//!
//! This crate defines inference on tensors. It uses no files, terminal or clock, and runs on the [`burn`]
//! device of its tensors.
//!
//! | concept | module |
//! |---|---|
//! | q(z): Poisson, Gaussian, Laplace, categorical, point estimates | [`posterior`] |
//! | x̂ = f(z), its pullback Jᵀe, observation noise | [`decoder`] |
//! | F by term and datum | [`FreeEnergy`] |
//! | the interface of all models; the step u ← clamp(u + clamp(−η∇F)), unrolled in time | [`inference`] |
//! | spikes, unit noise, soft clamps, the implicit step, as device kernels | [`ops`] |
//! | the recursive evidence bound of a sequence, one scan along time | [`ops::recursive_elbo()`] |
//! | state-space models, filters, the recursive ELBO, online learning | [`filtering`] |
//! | the same random numbers on every device | [`noise`] |
//! | T steps of inference as one piece on the CPU | `fused` |
//! | the spiking network; the event-driven engine | [`spiking`] |
//! | schedules over training | [`Ramp`], [`RampTo`], [`WarmupCosine`] |
//!
//! State is a value that is passed in and returned; noise is an argument; there is no hidden state.
//!
//! Networks are in `scotopic-models`, data in `scotopic-datasets`, the program `scotopic`
//! in `scotopic-train` and `scotopic-cli`.
//!
//! # References
//! - H. Vafaii, D. Galor, J. L. Yates, "Brain-like variational inference", arXiv 2410.19315.
//! - H. Vafaii, D. Galor, J. L. Yates, "Poisson variational autoencoder", arXiv 2405.14473.
#![recursion_limit = "256"]

pub use burn;
/// Online filtering in state-space models with a recursive ELBO: the crate `scotopic-filtering`.
pub use scotopic_filtering as filtering;

pub mod decoder;
mod error;
mod free_energy;
mod fused;
pub mod inference;
pub mod noise;
pub mod ops;
pub mod posterior;
mod schedule;
pub mod spiking;

pub use error::{Error, Result};
pub use free_energy::FreeEnergy;
pub use schedule::{Ramp, RampTo, WarmupCosine};

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
