//! What a trained model is like: one file per question.
//!
//! Each is a function from a [`AnalysedModel`] and data to a value; nothing here prints or writes files.
//!
//! | file | the question |
//! |---|---|
//! | [`representation`] | what does it make of images? |
//! | [`classify`] | what can be told from that? |
//! | [`convergence`] | how do fit, cost and sparsity go on over inference? |
//! | [`ood`] | does it explain what it was not made for? |
//! | [`rates`] | how are firing rates distributed? |
//! | [`filters`] | do its atoms look like simple cells? |
//! | [`tuning`] | orientation, frequency, contrast, plaids |
//! | [`latency`] | does it respond sooner to higher contrast? |
//! | [`receptive_field`] | what does white noise show of its neurons? |
//! | [`lateral`] | who inhibits whom? |

pub mod classify;
pub mod convergence;
pub mod filters;
pub mod latency;
pub mod lateral;
pub mod ood;
pub mod rates;
pub mod receptive_field;
pub mod representation;
pub mod tuning;

mod analysed_model;
mod dictionary;
mod gratings;

pub use analysed_model::AnalysedModel;
pub use dictionary::Dictionary;
