//! Images, patches, stimuli, series and their files, as plain arrays.
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
//! | [`draws`] | random numbers as a function of (seed, stream, counter) |
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
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod catalog;
pub mod cifar;
pub mod dead_leaves;
pub mod idx;
pub mod images;
pub mod npy;
pub mod omniglot;
pub mod ood;
pub mod replace;
pub mod rng;
pub mod series;
pub mod stimulus;
pub mod transform;
pub mod whitening;

mod config;
mod error;
mod image_set;
mod local_contrast;
mod patches;
mod picture;
mod sha;
mod source;
mod splits;
mod standardisation;

pub use cifar::CifarConfig;
pub use config::DataConfig;
pub use dead_leaves::DeadLeavesConfig;
pub use error::{Error, Result};
pub use idx::IdxConfig;
pub use image_set::{ImageSet, ImageShape};
pub use images::ImagesConfig;
pub use npy::NpyConfig;
pub use omniglot::OmniglotConfig;
pub use ood::{OodConfig, OodSource, OodSuite};
pub use picture::Picture;
pub use rng::epoch_order;
pub use splits::Splits;
pub use standardisation::Standardisation;
pub use stimulus::StimulusConfig;
pub use whitening::{WhiteningConfig, WhiteningKind};
