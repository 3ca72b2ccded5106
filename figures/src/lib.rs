//! # Figures
//!
//! Figures of dictionaries, reconstructions, training curves, spikes and beliefs over time, written as SVG whose text
//! can be edited, as PNG, or as GIF.
//!
//! ```
//! use scotopic_figures::{Panel, Series, chart};
//!
//! let time: Vec<f64> = (0..50).map(f64::from).collect();
//! let decay = time.iter().map(|t| (-t / 10.0).exp()).collect();
//! let panel = Panel::new("Decay", "time (ms)", "activity (mV)", vec![Series::line("unit 1", time, decay)]);
//! let figure = chart::lines(&[panel])?.titled("A leaky unit", "made-up data");
//! let folder = std::env::temp_dir();
//! figure.write(folder.join("decay.svg"))?;
//! # std::fs::remove_file(folder.join("decay.svg")).ok();
//! # Ok::<(), scotopic_figures::FigureError>(())
//! ```
//!
//! Every function takes plain slices and returns a [`Figure`], which is plain data as well; there are no models and no
//! tensors. Input that cannot be drawn is refused with a [`FigureError`] that names the reason.
//!
//! The figures are in [`tiles`], [`chart`], [`heat`], [`raster`], [`animation`], [`fan`] (forecasts), [`residuals`] and [`trajectory`], with [`timeline`] (a
//! long series in few columns), [`shares`] (probabilities in it) and [`phase_portrait`] (one state against another); a [`time_axis`] shows the times of bins.
//! A [`figure`] is laid out by the measured widths of its text and becomes one list of shapes, a [`scene`], of which
//! both SVG and pixels are made.

pub mod animation;
pub mod axis;
mod calendar;
pub mod chart;
pub mod colour;
mod counts;
mod data;
mod error;
pub mod fan;
pub mod figure;
mod font;
mod gif;
pub mod heat;
mod layout;
mod legend;
mod measured;
mod paint;
mod patch;
pub mod phase_portrait;
mod picture;
pub mod raster;
pub mod residuals;
pub mod scene;
pub mod shares;
mod strip;
mod svg;
pub mod tiles;
pub mod time_axis;
pub mod timeline;
pub mod trajectory;
mod write;

pub use chart::{Mark, Panel, Series};
pub use error::{FigureError, MAX_SIDE};
pub use figure::Figure;
pub use patch::Tile;
pub use picture::{Rgb, RgbImage};
pub use write::{Format, write_png};

/// The example of README.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
