//! File formats of observations.

use clap::ValueEnum;
use scotopic_datasets::series::SeriesFormat;

/// File format of observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON value per line: a number, a list or an object
    Jsonl,
    /// NumPy array of one dimension (time) or two (time, column)
    Npy,
}

impl DataFormat {
    /// The format as the reader of series has it.
    pub(super) fn series(self) -> SeriesFormat {
        match self {
            Self::Csv => SeriesFormat::Csv,
            Self::Tsv => SeriesFormat::Tsv,
            Self::Jsonl => SeriesFormat::JsonLines,
            Self::Npy => SeriesFormat::Npy,
        }
    }
}
