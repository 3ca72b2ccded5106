//! The published schemes, which embed the data: generalised coordinates of the samples themselves.
//!
//! | question | file |
//! |---|---|
//! | how do samples become derivatives | `embedding.rs`: [`SampleEmbedding`] |
//! | its weights, made once | `cached_weights.rs` |
//! | where do x̃, ṽ, errors lie in their vectors | `layout.rs`: [`Layout`] |
//! | what is D | `shift.rs`: [`shift`] |
//! | what are the prediction errors and J | `errors.rs`: [`prediction_errors`], [`TopOrder`] |
//! | energy, Laplace precision and covariance | `energy.rs` |
//! | what is the free energy of a bin | `free_energy.rs`: [`FreeEnergy`] |
//! | what if samples of a window are missing | `missing_samples.rs` |
//! | how beliefs flow over a bin | `flow.rs` |
//! | what is reported of a bin | `record.rs`: [`Record`] |
//! | learning and filtering in sweeps | [`dem`] |
//! | the same without a mean field | [`lap`] |
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
