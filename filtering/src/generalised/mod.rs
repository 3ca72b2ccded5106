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
//! | what beliefs say of f and g, for whatever learns them | `regression_points.rs`: [`RegressionPoints`] |
//! | smooth, white and Matérn noise | [`noise`] |
//! | how do derivatives of smooth noise vary together: V(s), R(s) | `precision.rs`: [`temporal_precision`] |
//! | f, g and Jacobians at one point | `model/stacked.rs`: [`Local`] |
//! | how is one bin integrated | `integrator.rs`: [`MatrixExponential`], [`LocalLinearisation`] |
//! | the published schemes, which embed the data | `embedded/` |
//! | learning and filtering in sweeps, as published | [`dem`] |
//! | the same without a mean field | [`lap`] |
//! | a network whose beliefs flow within each observation | [`predictive_coding`] |
//! | the exact filter in white noise | `kalman_bucy.rs`: [`KalmanBucy`] |
pub mod causal;
mod embedded;
mod integrator;
mod kalman_bucy;
pub mod model;
pub mod noise;
pub mod odem;
mod precision;
pub mod predictive_coding;
mod regression_points;
pub mod scheme;

pub use embedded::{
    Edge, FreeEnergy, Layout, Record, SampleEmbedding, TopOrder, Weights, Window, dem,
    error_jacobian, generalised_precision, lap, prediction_errors, shift, shift_matrix,
};
pub use integrator::{LocalLinearisation, MatrixExponential};
pub use kalman_bucy::{
    CovarianceMode, KalmanBucy, KalmanBucySnapshot, WhiteNoiseSystem, sampled_kalman_step,
};
pub use model::{Derivatives, Local, PUBLISHED_STEP, Stack};
pub use precision::{
    PUBLISHED_WHITE, log_det_temporal_covariance, sharpening, temporal_covariance,
    temporal_precision,
};
pub use regression_points::{Function, FunctionPoints, RegressionPoints, Whitening};
