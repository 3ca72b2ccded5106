//! Small dense kernels and special functions that the filters share.

pub(crate) mod cholesky;
mod digamma;
pub(crate) mod in_place;
mod log_space;
mod normal;
mod simd_dispatch;
pub(crate) mod square;

pub use digamma::digamma;
pub use log_space::{entropy, log_sum_exp, softmax};
pub use normal::deviations_of;
