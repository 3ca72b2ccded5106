//! Shared by several commands: device and data arguments, durations.

use std::path::PathBuf;

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
