//! Dynamic expectation maximisation (DEM): D-, E- and M-step.
//!
//! Friston, Trujillo-Barreto, Daunizeau, "DEM: a variational treatment of dynamic systems" (2008).
//!
//! | subject | file |
//! |---|---|
//! | which settings, which published quirks | `config.rs`: [`DemConfig`], [`Published`] |
//! | the filter bin by bin, or over a series | `scheme.rs`: [`Dem`] |
//! | one bin | `d_step.rs` |
//! | parameters and log-precisions, sweep by sweep | `learning.rs`: [`DemFit`] |
//! | what parameters do to the errors | `parameters.rs` |
//! | precisions with unknown scales | `stacked_precision.rs` |
//! | the scheme saved, to go on another day | `scheme/snapshot.rs`: [`DemSnapshot`] |
//! | what was learned as the prior for another series | `posterior.rs`: [`DemFit::as_prior`] |
mod config;
mod d_step;
mod learning;
mod parameters;
mod posterior;
mod scheme;
mod stacked_precision;

pub use config::{DemConfig, Published};
pub(crate) use d_step::SampleRows;
pub use learning::DemFit;
pub(crate) use learning::{all_seen, flat, log_det_of_product, regular_inverse};
pub(crate) use parameters::{Free, parameter_slopes};
pub(crate) use posterior::as_prior;
pub use scheme::{Dem, DemSnapshot};
