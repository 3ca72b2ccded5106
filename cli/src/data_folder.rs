//! The option `--data`.

use std::path::PathBuf;

use clap::Args;

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
