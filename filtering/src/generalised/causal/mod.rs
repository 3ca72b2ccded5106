//! A causal filter in generalised coordinates, with memory.
//!
//! The derivation follows once the pieces work.
mod dense;
mod filter;
mod innovation;
mod layout;
mod settings;
mod shape;
mod stack;
mod transition;

pub use filter::CausalGeneralisedFilter;
pub use settings::{CausalSettings, Linearisation};
pub use shape::NoiseShape;
