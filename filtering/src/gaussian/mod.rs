//! Linear-Gaussian state-space models.

mod belief;
mod flat;
mod kalman;
mod kernel;
mod model;
mod positive;

pub use belief::Gaussian;
pub use kalman::Kalman;
pub use kernel::GaussianKernel;
pub use model::LinearGaussian;
