//! The published schemes, which embed the data: generalised coordinates of the samples themselves.
//!
//! | subject | file |
//! |---|---|
//! | embedding of samples | `embedding.rs`: [`SampleEmbedding`] |
//! | its weights, computed once | `cached_weights.rs` |
//! | layout of x̃, ṽ and errors | `layout.rs`: [`Layout`] |
//! | the shift D | `shift.rs`: [`shift`] |
//! | prediction errors and J | `errors.rs`: [`prediction_errors`], [`TopOrder`] |
//! | energy, Laplace precision and covariance | `energy.rs` |
//! | free energy of a bin | `free_energy.rs`: [`FreeEnergy`] |
//! | missing samples | `missing_samples.rs` |
//! | flow of beliefs over a bin | `flow.rs` |
//! | records | `record.rs`: [`Record`] |
//! | DEM | [`dem`] |
//! | generalised filtering (LAP) | [`lap`] |
mod cached_weights;
pub mod dem;
mod embedding;
mod energy;
mod errors;
mod flow;
mod free_energy;
pub mod lap;
mod layout;
mod missing_samples;
mod record;
mod shift;

pub use embedding::{Edge, SampleEmbedding, Weights, Window};
pub use energy::generalised_precision;
pub use errors::{TopOrder, error_jacobian, prediction_errors};
pub use free_energy::FreeEnergy;
pub use layout::Layout;
pub use record::Record;
pub use shift::{shift, shift_matrix};
