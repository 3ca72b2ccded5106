//! Dynamic expectation maximisation (DEM): D-, E- and M-step.
//!
//! Friston, Trujillo-Barreto, Daunizeau, "DEM: a variational treatment of dynamic systems" (2008).
//!
//! | subject | file |
//! |---|---|
//! | which settings | `config.rs`: [`DemConfig`] |
//! | what the published code does differently | `published.rs`: [`Published`], [`Deviation`] |
//! | the filter bin by bin, or over a series | `scheme.rs`: [`Dem`] |
//! | one bin | `d_step.rs` |
//! | parameters and log-precisions, sweep by sweep | `learning.rs`: [`DemFit`] |
//! | one sweep and its sums | `sweep.rs` |
//! | log-precisions from the errors of a sweep | `m_step.rs` |
//! | steps up for a limited time | `ascent.rs` |
//! | samples as rows, live or recorded | `recording.rs` |
//! | free parameters and their priors | `priors.rs` |
//! | derivatives of the errors by parameters | `parameters.rs` |
//! | precisions with unknown log-precisions | `stacked_precision.rs` |
//! | snapshots | `scheme/snapshot.rs`: [`DemSnapshot`] |
//! | posterior as the prior of the next series | `posterior.rs`: [`DemFit::as_prior`] |
mod ascent;
mod config;
mod d_step;
mod learning;
mod m_step;
mod parameters;
mod posterior;
mod priors;
mod published;
mod recording;
mod scheme;
mod stacked_precision;
mod sweep;

pub use config::DemConfig;
pub use learning::DemFit;
pub(crate) use parameters::{ParameterSlopes, parameter_slopes};
pub(crate) use posterior::as_prior;
pub(crate) use priors::Priors;
pub use published::{Deviation, Published};
pub(crate) use recording::Recording;
pub use scheme::{Dem, DemSnapshot};
pub(crate) use stacked_precision::StackedPrecision;
