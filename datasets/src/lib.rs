//! Images, patches, stimuli, series and their files, as plain arrays.
//!
//! ```
//! use scotopic_datasets::{DataConfig, DeadLeavesConfig};
//! # fn main() -> scotopic_datasets::Result<()> {
//! let data = DataConfig::DeadLeaves(DeadLeavesConfig {
//!     train: 64,
//!     validation: 16,
//!     canvas: 64,
//!     radius_max: 32.0,
//!     ..Default::default()
//! });
//! let splits = data.load(std::path::Path::new("."), &mut |line| println!("{line}"))?;
//! assert_eq!(splits.train.len(), 64);
//! assert_eq!(splits.train.image(0).len(), 12 * 12);
//! # Ok(()) }
//! ```
//!
//! This crate knows nothing of tensors or devices. It turns a description of some data, a
//! [`DataConfig`], into [`Splits`]: training, validation and perhaps test images as rows of `f32`.
//!
//! ```text
//! DataConfig ──load(root)──► Splits { train, validation, test, standardisation }
//!    │                          ▲
//!    ├─ dead-leaves   generated, needs no file      ─► whitening ─► patches
//!    ├─ images        a folder of photographs        ─► whitening ─► patches
//!    ├─ idx           MNIST and its relatives
//!    ├─ cifar         CIFAR-10, grey or in colour
//!    ├─ omniglot      drawings of characters, area-averaged
//!    └─ npy           arrays from other programs
//!
//! OodConfig ──load(root, scale)──► OodSuite { views, skipped }      out of distribution
//! StimulusConfig ──frames(images, indices, shape, steps)──► Frames  stimuli over time
//! ```
//!
//! | module | contents |
//! |---|---|
//! | [`rng`] | random numbers as a function of (seed, stream, counter) |
//! | [`dead_leaves`] | pictures of occluding discs, the built-in data |
//! | [`images`] | photographs to grey pictures to patches |
//! | [`whitening`] | the Olshausen–Field filter and local contrast normalisation |
//! | [`idx`], [`npy`] | the two array formats |
//! | [`cifar`], [`omniglot`] | two formats of images with classes |
//! | [`transform`] | rotation, translation, other sizes, grey |
//! | [`ood`] | named sets of images out of distribution |
//! | [`stimulus`] | frames `[time, batch, pixels]` shown to a model: static, moving, gratings, noise, video |
//! | [`series`] | observations in time: CSV, JSON lines, npy, a row at a time |
//! | [`catalog`] | the known data sets: sources, checksums, download |
//!
//! # Guarantees
//! * The same configuration gives the same bytes for any number of threads.
//! * File headers are validated against the file before memory is allocated; errors are [`Error`]s that
//!   name the place.
//! * Statistics used for scaling come from the training split alone.
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod bounded;
#[cfg(feature = "images")]
pub mod catalog;
#[cfg(feature = "images")]
pub mod cifar;
#[cfg(feature = "images")]
pub mod dead_leaves;
#[cfg(feature = "images")]
pub mod idx;
#[cfg(feature = "images")]
pub mod images;
#[cfg(feature = "images")]
pub mod moving;
pub mod npy;
#[cfg(feature = "images")]
pub mod omniglot;
#[cfg(feature = "images")]
pub mod ood;
pub mod replace;
#[cfg(feature = "images")]
pub mod rng;
pub mod series;
#[cfg(feature = "images")]
pub mod stimulus;
#[cfg(feature = "images")]
pub mod transform;
#[cfg(feature = "images")]
pub mod whitening;

#[cfg(feature = "images")]
mod config;
mod error;
#[cfg(feature = "images")]
mod image_set;
#[cfg(feature = "images")]
mod local_contrast;
#[cfg(feature = "images")]
mod patches;
#[cfg(feature = "images")]
mod picture;
#[cfg(feature = "images")]
mod pixel_scale;
#[cfg(feature = "images")]
mod sha;
mod shell;
#[cfg(feature = "images")]
mod source;
#[cfg(feature = "images")]
mod splits;
#[cfg(feature = "images")]
mod standardisation;
#[cfg(feature = "images")]
mod tiling;
#[cfg(feature = "images")]
mod uniform;

#[cfg(feature = "images")]
pub use cifar::CifarConfig;
#[cfg(feature = "images")]
pub use config::DataConfig;
#[cfg(feature = "images")]
pub use dead_leaves::DeadLeavesConfig;
pub use error::{Error, Result};
#[cfg(feature = "images")]
pub use idx::IdxConfig;
#[cfg(feature = "images")]
pub use image_set::{ImageSet, ImageShape};
#[cfg(feature = "images")]
pub use images::ImagesConfig;
#[cfg(feature = "images")]
pub use moving::{MovingDeadLeavesConfig, MovingDigitsConfig, MovingImagesConfig};
#[cfg(feature = "images")]
pub use npy::NpyConfig;
#[cfg(feature = "images")]
pub use omniglot::OmniglotConfig;
#[cfg(feature = "images")]
pub use ood::{OodConfig, OodSource, OodSuite};
#[cfg(feature = "images")]
pub use picture::Picture;
#[cfg(feature = "images")]
pub use pixel_scale::{PixelScale, check_scale, scale_doubt};
#[cfg(feature = "images")]
pub use rng::epoch_order;
pub use shell::shell_word;
#[cfg(feature = "images")]
pub use splits::Splits;
#[cfg(feature = "images")]
pub use standardisation::Standardisation;
#[cfg(feature = "images")]
pub use stimulus::StimulusConfig;
#[cfg(feature = "images")]
pub use tiling::{PatchOrigin, Tiling};
#[cfg(feature = "images")]
pub use whitening::{WhiteningConfig, WhiteningKind};

/// The example of README.md, compiled and run.
#[cfg(all(doctest, feature = "images"))]
#[doc = include_str!("../README.md")]
struct Readme;
