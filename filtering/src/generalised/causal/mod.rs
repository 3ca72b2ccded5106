//! A causal filter in generalised coordinates, with memory.
//!
//! The derivation follows once the pieces work.
mod compare;
mod dense;
mod filter;
mod generate;
mod innovation;
mod layout;
mod settings;
mod shape;
mod stack;
mod transition;

pub use compare::{Comparison, compare};
pub use filter::CausalGeneralisedFilter;
pub use generate::{Generated, Generation};
pub use settings::{CausalSettings, Linearisation};
pub use shape::NoiseShape;
