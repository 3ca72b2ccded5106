//! Online filtering with a recursive ELBO.
//!
//! ```
//! use scotopic_filtering::hmm::{Categorical, Filter, Hmm};
//! use scotopic_filtering::{Result, Sequence};
//!
//! # fn main() -> Result<()> {
//! // Is the die fair (state 0) or loaded (state 1)?
//! let dice = Categorical::new(vec![vec![1.0 / 6.0; 6], vec![0.1, 0.1, 0.1, 0.1, 0.1, 0.5]])?;
//! let casino = Hmm::new(vec![0.5, 0.5], vec![vec![0.95, 0.05], vec![0.1, 0.9]], dice)?;
//! let mut filter = Filter::new(casino.clone());
//! for symbol in [5.0, 5.0, 2.0, 5.0, 5.0] { // a six is symbol 5
//!     let step = filter.update(Some(&[symbol]))?;
//!     println!("p(loaded) = {:.2}, L = {:.2} nats", filter.belief()[1], step.elbo);
//! }
//! assert!(filter.belief()[1] > 0.9);
//! // This filter is exact: the bound is the log evidence of the whole sequence.
//! let evidence = casino.log_evidence(&Sequence::of_symbols([5, 5, 2, 5, 5])?)?;
//! assert!((filter.elbo() - evidence).abs() < 1e-12);
//! # Ok(()) }
//! ```
//!
//! Observations arrive one at a time; each updates a belief about the hidden state and a lower bound on
//! the log evidence of all observations so far. For a state-space model
//!
//! ```text
//! p(s_1…s_τ, o_1…o_τ) = p(s_1) p(o_1|s_1) ∏_{t≥2} p(s_t|s_{t−1}) p(o_t|s_t)
//! ```
//!
//! and the reversed factorisation of the posterior
//!
//! ```text
//! q(s_1…s_τ) = q_τ(s_τ) ∏_{t≥2} b_t(s_{t−1}|s_t)                                           (F2)
//! ```
//!
//! the evidence lower bound L = −F obeys a recursion forward in time,
//!
//! ```text
//! W_1(s) = ln p(s) + ln p(o_1|s)
//! W_t(s) = ln p(o_t|s) + E_{b_t(s'|s)}[W_{t−1}(s') + ln p(s|s') − ln b_t(s'|s)]                 (F3)
//! L_τ    = E_{q_τ}[W_τ − ln q_τ],
//! ```
//!
//! so that no past observation has to be kept and earlier kernels b are never refitted. Other
//! factorisations give other bounds of the same log evidence; the gap measures their cost.
//!
//! | concept | module |
//! |---|---|
//! | discrete hidden states | [`hmm`] |
//! | linear-Gaussian models | [`gaussian`] |
//! | Poisson and Bernoulli linear dynamical systems | [`plds`] |
//! | switching linear dynamical systems | [`switching`] |
//! | nonlinear models with any likelihood | [`nonlinear`] |
//! | the interface of all filters | [`Filter`], [`Belief`]; a filter or model chosen at run time: [`AnyFilter`], [`AnyModel`] |
//! | what a model of any kind says: smoothed states, paths, forecasts, samples, residuals, standard errors, gradients | [`AnyModel::summary`], [`AnyModel::slopes`], [`AnyModel::smooth`], [`AnyModel::decode`], [`AnyModel::forecast`], [`AnyModel::sample`], [`AnyModel::residuals`] |
//! | bounds of the log evidence that hold with a stated probability | [`bounds`], [`AnyModel::certify`] |
//! | predictive distributions | [`Predictive`] |
//! | populations of Poisson counts, with an oracle by enumeration | [`spiking_population`] |
//! | gains of running averages | [`Gain`] |
//! | the same work on many things, by threads | [`divided`] |
//! | continuous time, smooth noise, generalised coordinates | [`generalised`] |
//! | observations with missing rows | [`Sequence`] |
//! | the change of the bound by one observation | [`Step`] |
//! | widths of credible intervals | [`deviations_of`], [`hmm::beta_interval`], [`hmm::gamma_interval`] |
//! | the vector instructions in use | [`simd`] |
//! | errors | [`Error`] |
//!
//! This crate is plain Rust on `f64`: no tensors, no device, no file. The same recursion as an operation
//! on tensors with a backward pass is `scotopic::ops`.
//!
//! # References
//! - H. Bazargani, S. Urbas, K. Friston, "Brain in the dark: design principles for neuro-mimetic learning and
//!   inference", arXiv 2307.08613.
//! - A. Campbell, Y. Shi, T. Rainforth, A. Doucet, "Online variational filtering and parameter
//!   learning", arXiv 2110.13549.
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub use nalgebra;
pub use rand;

mod any_filter;
mod any_model;
mod any_smoothing;
pub mod bounds;
pub mod comparison;
mod data_spread;
mod error;
mod factorisation_names;
mod filter;
mod forecast;
mod gain;
pub mod gaussian;
pub mod generalised;
pub mod hmm;
mod math;
pub mod nonlinear;
pub mod plds;
mod predictive;
mod residuals;
mod sequence;
mod simulation;
mod slopes;
pub mod spiking_population;
mod step;
mod summary;
pub mod switching;
mod workers;

pub use any_filter::{AnyFilter, AnyLearning};
pub use any_model::{AnyModel, many};
pub use any_smoothing::{AnySmoothed, Decoded, Decoding};
pub use data_spread::dependent_inputs;
pub use error::{Error, Result};
pub use factorisation_names::{
    ELBO_KINDS, GAUSSIAN_FACTORISATIONS, HMM_FACTORISATIONS, elbo_kind, gaussian_factorisation,
    hmm_factorisation,
};
pub use filter::{Belief, Filter, GaussianBelief, Moments, PredictedObservation};
pub use forecast::{Forecast, ForecastSettings};
pub use gain::Gain;
pub use math::{deviations_of, digamma, entropy, log_sum_exp, simd, softmax};
pub use predictive::{Law, Predictive};
pub use residuals::{Diagnostics, DiscreteResidual, Residuals, TestResult, autocorrelations};
pub use sequence::{Sequence, SharedValues, is_seen};
pub use simulation::SampledStates;
pub use slopes::{Coordinate, Slope, Slopes};
pub use step::Step;
pub use summary::{CredibleParameter, ParameterEstimate, Summary, SummarySettings};
pub use workers::divided;

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
