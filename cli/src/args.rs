//! Shared by several commands: device and data arguments, durations.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Result, anyhow};
use clap::Args;
use scotopic_datasets::{DataConfig, Error, Splits, catalog};
use scotopic_train::device::DeviceChoice;

pub use crate::data_folder::DataFolder;

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

/// The data of a configuration, from `root`.
///
/// # Errors
/// If files are missing (with the command that gets them) or invalid.
pub fn load(data: &DataConfig, root: &Path, progress: &mut dyn FnMut(&str)) -> Result<Splits> {
    let loaded = data.load(root, progress);
    loaded.map_err(|error| with_remedy(error, root))
}

/// The same error; of a file that is missing from a known data set below `root`, with how to get it.
pub(crate) fn with_remedy(error: Error, root: &Path) -> anyhow::Error {
    let remedy = match &error {
        Error::Io { path, source, .. } if source.kind() == ErrorKind::NotFound => {
            catalog::remedy(root, path)
        }
        _ => None,
    };
    match remedy {
        Some(remedy) => anyhow!("{error}; {remedy}"),
        None => error.into(),
    }
}

pub(crate) fn size(splits: &Splits) -> String {
    let shape = splits.train.shape();
    match shape.channels {
        1 => format!("{}×{}", shape.height, shape.width),
        c => format!("{}×{}×{c}", shape.height, shape.width),
    }
}
