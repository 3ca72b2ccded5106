//! Generalised filtering: states, parameters and log-precisions filtered together, with no mean field between them.
//!
//! Friston, Stephan, Li, Daunizeau, "Generalised filtering" (2010).
//!
//! | subject | file |
//! |---|---|
//! | the scheme; known parameters | `scheme.rs`: [`GeneralisedFiltering`] |
//! | unknown parameters: pass by pass | `learning.rs`: [`LapFit`] |
//! | one pass through a series | `pass.rs` |
//! | what pulls at parameters and log-precisions at one point | `expansion.rs` |
//! | a step of states, parameters and log-precisions together | `joint_flow.rs` |
//! | snapshots | `scheme/snapshot.rs`: [`GeneralisedFilteringSnapshot`] |
mod expansion;
mod joint_flow;
mod learning;
mod pass;
mod scheme;

pub use learning::LapFit;
pub use scheme::{GeneralisedFiltering, GeneralisedFilteringSnapshot};
