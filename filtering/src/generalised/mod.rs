//! Filtering in generalised coordinates: continuous-time models driven by smooth noise.
//!
//! ```text
//! y  = g(x, v, θ) + z          x' = f(x, v, θ) + w
//! ```
//!
//! z and w are Gaussian processes that may be smooth: their derivatives exist, and the motion of the
//! motion (x', x'', …) carries information. v are causes, θ parameters.
//!
//! | question | room |
//! |---|---|
//! | how is a model written, and how are its derivatives taken | [`model`] |
//! | what does every scheme take in and give out | [`scheme`] |
//! | filtering with memory, from the past alone | [`causal`] |
//! | states, parameters and precisions in one pass | [`odem`] |
//! | what beliefs say of f and g, for whatever learns them | `experience.rs`: [`Experience`] |
//! | smooth, white and Matérn noise | [`noise`] |
//! | how do derivatives of smooth noise vary together: V(s), R(s) | `precision.rs`: [`temporal_precision`] |
//! | how do samples become derivatives | `embedding.rs`: [`SampleEmbedding`] |
//! | where do x̃, ṽ, errors lie in their vectors | `layout.rs`: [`Layout`] |
//! | what is D | `shift.rs`: [`shift`] |
//! | f, g and Jacobians at one point | `local.rs`: [`Local`] |
//! | what are the prediction errors and J | `errors.rs`: [`prediction_errors`], [`TopOrder`] |
//! | energy, Laplace precision and covariance | `energy.rs` |
//! | what is the free energy of a bin | `free_energy.rs`: [`FreeEnergy`] |
//! | what if samples of a window are missing | `gap.rs` |
//! | what is reported of a bin | `record.rs`: [`Record`] |
//! | how is one bin integrated | `integrator.rs`: [`MatrixExponential`], [`LocalLinearisation`] |
//! | learning and filtering in sweeps, as published | [`dem`] |
//! | the same without a mean field | [`lap`] |
//! | a network whose beliefs flow within each observation | [`predictive_coding`] |
//! | the exact filter in white noise | `kalman_bucy.rs`: [`KalmanBucy`] |
pub mod causal;
pub mod dem;
mod embedding;
mod energy;
mod errors;
mod experience;
mod flow;
mod free_energy;
mod gap;
mod integrator;
mod kalman_bucy;
pub mod lap;
mod layout;
mod local;
pub mod model;
pub mod noise;
pub mod odem;
mod precision;
pub mod predictive_coding;
mod prepared;
mod record;
pub mod scheme;
mod shift;

pub use embedding::{Edge, SampleEmbedding, Weights, Window};
pub use energy::generalised_precision;
pub use errors::{TopOrder, error_jacobian, prediction_errors};
pub use experience::{Experience, Function, Part, Whitened};
pub use free_energy::FreeEnergy;
pub use integrator::{LocalLinearisation, MatrixExponential};
pub use kalman_bucy::{
    Gain, KalmanBucy, KalmanBucySnapshot, WhiteNoiseSystem, sampled_kalman_step,
};
pub use layout::Layout;
pub use local::{Derivatives, Local, PUBLISHED_STEP, Stack};
pub use precision::{
    PUBLISHED_WHITE, log_det_temporal_covariance, sharpening, temporal_covariance,
    temporal_precision,
};
pub use record::Record;
pub use shift::{shift, shift_matrix};
