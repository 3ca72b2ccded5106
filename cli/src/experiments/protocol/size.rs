//! The size of an experiment.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The size of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// A smoke test, in minutes: stands beside no published number
    Quick,
    /// What the pages show, on two cores
    #[default]
    Standard,
    /// The published settings
    Full,
}

impl Size {
    /// Its name in folders and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    /// One of three numbers: of a quick run, a standard one, a full one.
    pub fn of<T>(self, quick: T, standard: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Standard => standard,
            Self::Full => full,
        }
    }
}
