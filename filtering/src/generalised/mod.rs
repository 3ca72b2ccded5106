//! Filtering in generalised coordinates: continuous-time models driven by smooth noise.
//!
//! ```text
//! y  = g(x, v, θ) + z          x' = f(x, v, θ) + w
//! ```
//!
//! z and w are Gaussian processes that may be smooth: their derivatives exist, and the motion of the
//! motion (x', x'', …) carries information. v are causes, θ parameters.
//!
//! | subject | module |
//! |---|---|
//! | models and their derivatives | [`model`] |
//! | orders and smoothness | [`scheme`] |
//! | a model by name, and how it is filtered | `described_model.rs`: [`GeneralisedModel`] |
//! | the causal filter | [`causal`] |
//! | online triple estimation | [`odem`] |
//! | regression points for learning f and g | `regression_points.rs`: [`RegressionPoints`] |
//! | smooth, white and Matérn noise | [`noise`] |
//! | covariance V(s) of noise derivatives and its inverse R(s) | `precision.rs`: [`temporal_precision`] |
//! | f, g and Jacobians at one point | `model/stacked.rs`: [`Local`] |
//! | integration of one bin | `integrator.rs`: [`MatrixExponential`], [`LocalLinearisation`] |
//! | the published schemes, which embed data | `embedded/` |
//! | DEM | [`dem`] |
//! | generalised filtering (LAP) | [`lap`] |
//! | predictive coding network | [`predictive_coding`] |
//! | Kalman–Bucy filter | `kalman_bucy.rs`: [`KalmanBucy`] |
pub mod causal;
mod described_model;
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

pub use described_model::GeneralisedModel;
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
