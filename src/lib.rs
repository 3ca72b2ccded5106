//! # Scotopic: perception as inference
//!
//! A brain sits in the dark. What reaches it is explained by a generative model; to perceive is to
//! minimise variational free energy while the data arrive:
//!
//! ```text
//! F = KL[q(z) ‖ p(z)] − E_q[ln p(x|z)] = −ELBO
//! ```
//!
//! This crate says *what* inference is. It knows tensors and nothing of files, terminals or clocks, and
//! it runs on whatever [`burn`] device its tensors live on.
//!
//! | idea | room |
//! |---|---|
//! | q(z): Poisson, Gaussian, Laplace, categorical, point estimates | [`posterior`] |
//! | x̂ = f(z), its pullback Jᵀe, observation noise | [`decoder`] |
//! | F by term and datum | [`FreeEnergy`] |
//! | what every model can do; the step u ← clamp(u + clamp(−η∇F)), unrolled in time | [`inference`] |
//! | spikes, unit noise, soft clamps, the implicit step, as device kernels | [`ops`] |
//! | the recursive bound on the evidence of a sequence, one scan along time | [`ops::recursive_elbo()`] |
//! | state-space models, filters, the recursive ELBO, learning online | [`filtering`] |
//! | the same random numbers on every device | [`noise`] |
//! | the spiking network as one piece on the processor; the event-driven engine | `spiking` |
//! | curves over training | [`Ramp`], [`Rise`], [`WarmupCosine`] |
//!
//! State is a value that goes in and comes out. Noise is an argument. Nothing has to be reset.
//!
//! Networks to use it with are in `scotopic-models`, data in `scotopic-datasets`, the program `scotopic`
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
pub mod inference;
pub mod noise;
pub mod ops;
pub mod posterior;
mod schedule;
pub mod spiking;

pub use error::{Error, Result};
pub use free_energy::FreeEnergy;
pub use schedule::{Ramp, Rise, WarmupCosine};
