//! Generalised filtering: states, parameters and log-precisions filtered together, with no mean field between them.
//!
//! Friston, Stephan, Li, Daunizeau, "Generalised filtering" (2010).
//!
//! | subject | file |
//! |---|---|
//! | the scheme; known parameters | `scheme.rs`: [`GeneralisedFiltering`] |
//! | unknown parameters: pass by pass | `learning.rs`: [`LapFit`] |
//! | the scheme saved, to go on another day | `scheme/snapshot.rs`: [`GeneralisedFilteringSnapshot`] |
mod learning;
mod scheme;

pub use learning::LapFit;
pub use scheme::{GeneralisedFiltering, GeneralisedFilteringSnapshot};
