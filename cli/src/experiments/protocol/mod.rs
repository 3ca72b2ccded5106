//! An experiment as a protocol: named arms × seeds × settings, values per unit, a page made of them.
//!
//! ```text
//! <out>/<size>/<experiment>/<arm>-seed-<n>.json    one task each; a task whose file is there is not run again
//! <out>/<size>/<experiment>/README.md              the page, made of these files alone
//! ```
//!
//! Arms of one experiment see the same units (data sets, images, series) for the same seed, so that differences are paired.
//!
//! | subject | file |
//! |---|---|
//! | an experiment, a task of it | this one: [`Protocol`], [`Task`] |
//! | its size | `size.rs`: [`Size`] |
//! | values per unit | `values.rs`: [`Values`] |
//! | the file of a task | `record.rs`: [`Record`], with the [`Machine`] |
//! | tasks that are run, or left to others | `tasks.rs`: [`Part`], [`Tasks`] |
//! | the files of an experiment together | `results.rs`: [`Results`] |
//! | means, paired differences, their intervals | `statistics.rs`: [`Estimate`], [`Interval`] |
//! | counts, their exact intervals | `share.rs`: [`Share`] |
//! | the page | `page.rs`: [`Page`], [`Answer`] |

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
#[cfg(feature = "vision")]
use scotopic_train::device::DeviceChoice;

use crate::progress::Reporter;

mod page;
mod record;
mod results;
mod share;
mod size;
mod statistics;
mod tasks;
mod values;

pub use crate::machine::Machine;
pub use page::{Answer, Page, Verdict};
pub use record::{Record, Settings};
pub use results::Results;
pub use share::Share;
pub use size::Size;
pub use statistics::{Estimate, Interval};
pub use tasks::{Part, Tasks};
pub use values::Values;

/// An experiment.
///
/// What is compared with published numbers, or said of a scheme, is decided by `page` from the values and by nothing else.
pub struct Protocol {
    /// Its name on the command line, of its folder and of its page.
    pub name: &'static str,
    /// One line on what it shows.
    pub about: &'static str,
    /// What one value belongs to: "simulated set", "image".
    pub unit: &'static str,
    /// How many seeds are run unless asked otherwise: 1, 2, ….
    pub seeds: u64,
    /// Whether a task takes all threads of the machine; otherwise one.
    pub all_threads: bool,
    /// What is compared, in the order of the page.
    pub arms: fn(Size) -> Vec<String>,
    /// Sizes and constants, which are written into every file; fixed before the first run.
    pub settings: fn(Size) -> Settings,
    /// Runs one arm with one seed.
    pub run: fn(&Task) -> Result<Values>,
    /// The page of all results.
    pub page: fn(&Results) -> Result<Page>,
}

/// One arm with one seed.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The arm.
    pub arm: &'a str,
    /// The seed: of simulated data, which are those of all arms; of weights, noise and order of the images of a network.
    pub seed: u64,
    /// The size.
    pub size: Size,
    /// The folder of the data sets.
    pub data: &'a Path,
    /// The folder of the results, for what a task keeps beside them.
    pub folder: &'a Path,
    /// Set when asked to stop: a task that takes long saves what it has and ends with an error.
    pub stop: &'a AtomicBool,
    /// Reports progress.
    pub reporter: Reporter,
    /// The device of networks.
    #[cfg(feature = "vision")]
    pub device: DeviceChoice,
}
