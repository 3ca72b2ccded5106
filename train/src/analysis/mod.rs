//! Analyses of trained models, one file each.
//!
//! Each is a function from a [`AnalysedModel`] and data to a value; nothing here prints or writes files.
//!
//! | file | analysis |
//! |---|---|
//! | [`prediction`] | predictions of films, the response to a cut |
//! | [`representation`] | posterior means of images |
//! | [`classify`] | classification from it |
//! | [`convergence`] | reconstruction, KL and sparsity over inference |
//! | [`ood`] | out of distribution |
//! | [`rates`] | distribution of firing rates |
//! | [`filters`] | Gabor functions fitted to atoms |
//! | [`tuning`] | orientation, frequency, contrast, plaids |
//! | [`context`] | masks and divisive normalisation, surround, adaptation |
//! | [`direction`] | selectivity for the direction of motion |
//! | [`latency`] | response latency against contrast |
//! | [`receptive_field`] | spike-triggered averages |
//! | [`lateral`] | lateral weights against similarity of filters |
//! | [`gradients`] | estimators of the gradient through spikes |
//! | [`learning_gradients`] | through inference, and with beliefs held fixed |

pub mod classify;
pub mod context;
pub mod convergence;
pub mod direction;
pub mod filters;
pub mod gradients;
pub mod latency;
pub mod lateral;
pub mod learning_gradients;
pub mod ood;
pub mod prediction;
pub mod rates;
pub mod receptive_field;
pub mod representation;
pub mod tuning;

mod analysed_model;
mod dictionary;
mod gratings;

pub use analysed_model::AnalysedModel;
pub use dictionary::Dictionary;
