//! Custom operations that burn backends lack and the inner loop of inference needs.
//!
//! | operation | CPU | GPU | backward |
//! |---|---|---|---|
//! | [`relaxed_poisson()`], [`poisson_counts`] | rayon over vectorised blocks | CubeCL kernel | keeps dz/du only |
//! | [`unit_noise`] | rayon | CubeCL kernel | none: noise is a constant |
//! | [`implicit_step()`] | rayon over vectorised blocks | composed, fused by burn | keeps two slopes |
//! | [`softplus_clamped_step()`] | rayon over vectorised blocks | composed, fused by burn | keeps two slopes |
//! | [`recursive_elbo()`], [`recursive_elbo_given`] | rayon over rows, states vectorised | CubeCL kernel | a scan back; keeps what came out |
//! | T steps of a spiking network | `src/fused` | CubeCL kernel | a second kernel |
//! | [`tanh_clamped_step()`] | rayon over vectorised blocks | composed, fused by burn | keeps two slopes |
//!
//! Each operation is one trait through burn's backend extension: a public function on `Tensor<D>`
//! works on whatever device the tensor lives on, with or without autodiff.

#[cfg(feature = "cube")]
pub(crate) mod cube_numbers;
pub mod implicit_step;
pub mod recursive_elbo;
pub mod relaxed_poisson;
pub mod scalar;
pub mod softplus_clamped_step;
#[cfg(feature = "cube")]
pub(crate) mod spiking_unroll;
pub mod tanh_clamped_step;
mod two_slopes;
pub(crate) mod unit_noise;

pub use implicit_step::implicit_step;
pub use recursive_elbo::{RecursiveElbo, recursive_elbo, recursive_elbo_given};
pub use relaxed_poisson::{
    Indicator, Relaxation, poisson_counts, poisson_counts_with, relaxed_poisson,
    relaxed_poisson_with,
};
pub use softplus_clamped_step::{soft_ceiling, softplus_clamped_step};
pub use tanh_clamped_step::{soft_symmetric, tanh_clamped_step};
pub use unit_noise::{Law, unit_noise};

#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
mod bounded_step;
/// Reading and writing tensors that live in this process's memory, for kernels that run there.
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod host;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod packing;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
mod paired;
