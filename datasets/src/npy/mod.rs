//! Arrays in numpy's formats: `.npy` (one array) and `.npz` (a zip file of them).
//!
//! What a header declares is compared with the bytes that are there before memory is reserved.
//! Truth values, whole numbers of 8 to 64 bits and floats of 16 to 64 are read, in either byte order and in C or
//! Fortran order; the result is always `f32` in C order.
//!
//! Source: NEP 1, *A simple file format for NumPy arrays*.

#[cfg(feature = "images")]
mod archive;
#[cfg(feature = "images")]
mod array;
#[cfg(feature = "images")]
mod config;
pub(crate) mod header;
#[cfg(feature = "images")]
mod latched;
#[cfg(feature = "images")]
mod levels;
mod part;
#[cfg(feature = "images")]
pub(crate) mod write;

#[cfg(feature = "images")]
pub use archive::{read_npz, read_npz_array, read_npz_pixels};
#[cfg(feature = "images")]
pub use array::{Array, gather, read, read_pixels};
#[cfg(feature = "images")]
pub use config::NpyConfig;
#[cfg(feature = "images")]
pub use header::f16_to_f64;
#[cfg(feature = "images")]
pub(crate) use levels::check_brightest;
#[cfg(feature = "images")]
pub use levels::from_levels;
pub(crate) use part::Part;
#[cfg(feature = "images")]
pub use write::{write, write_npz, write_npz_with_texts};

#[cfg(all(test, feature = "images"))]
mod tests;
