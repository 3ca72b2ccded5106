//! Small dense kernels and special functions that the filters share.

pub(crate) mod bfgs;
pub(crate) mod binary;
pub(crate) mod cholesky;
mod digamma;
pub(crate) mod factorial;
pub(crate) mod gamma_shape;
pub(crate) mod in_place;
pub(crate) mod incomplete;
mod log_space;
pub(crate) mod lyapunov;
pub(crate) mod normal;
pub mod simd;
pub(crate) mod square;
mod stirling;
mod uniform;

pub use digamma::digamma;
pub use log_space::{entropy, log_sum_exp, softmax};
pub use normal::deviations_of;
