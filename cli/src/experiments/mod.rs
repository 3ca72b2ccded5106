//! The experiments of the papers.
//!
//! | subject | module |
//! |---|---|
//! | an experiment as a protocol: arms × seeds, values per unit, statistics, pages | [`protocol`] |
//! | the second paper's experiments, all of them protocols | [`series`]: [`PROTOCOLS`] |
//! | the first paper's experiments, which train networks and write a report of one run | `images`: `EXPERIMENTS` |

pub mod protocol;
pub mod series;

#[cfg(feature = "vision")]
mod convergence;
#[cfg(feature = "vision")]
mod hubel_wiesel;
#[cfg(feature = "vision")]
mod images;
#[cfg(feature = "vision")]
mod models;
#[cfg(feature = "vision")]
mod ood;
#[cfg(feature = "vision")]
mod published;
#[cfg(feature = "vision")]
mod rate_distortion;
#[cfg(feature = "vision")]
mod report;
#[cfg(feature = "vision")]
mod stability;
#[cfg(feature = "vision")]
mod table2_mnist;

#[cfg(feature = "vision")]
pub use images::{Context, EXPERIMENTS, Experiment};
#[cfg(feature = "vision")]
pub use models::{ModelSpec, TrainedModel, load_or_train};
pub use protocol::Size;
#[cfg(feature = "vision")]
pub use report::Report;
pub use series::PROTOCOLS;
