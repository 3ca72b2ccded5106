//! Nonlinear models with Gaussian noise.

mod campbell;
mod missing;
mod recorded;
mod settled;
