//! Shared by several commands: device and data arguments, durations.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use scotopic_datasets::Splits;
use scotopic_train::device::DeviceChoice;

/// Device and data folder.
#[derive(Debug, Args)]
pub struct RuntimeArgs {
    /// auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N; `scotopic devices` lists them
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

/// The folder of the data sets.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// Folder of the data sets; base of relative paths
    #[arg(
        long,
        value_name = "DIR",
        env = "SCOTOPIC_DATA",
        default_value = "data"
    )]
    pub data: PathBuf,
}

pub(crate) fn size(splits: &Splits) -> String {
    let shape = splits.train.shape();
    match shape.channels {
        1 => format!("{}×{}", shape.height, shape.width),
        c => format!("{}×{}×{c}", shape.height, shape.width),
    }
}

/// A flag that Ctrl-C or SIGTERM sets; a second one ends the program at once.
pub(crate) fn interruption() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("could not listen for Ctrl-C")?;
    Ok(stop)
}
