//! The file of one task.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use scotopic_datasets::replace::replace;
use serde::{Deserialize, Serialize};

use super::{Machine, Size, Values};

/// Sizes and constants by name.
pub type Settings = BTreeMap<String, serde_json::Value>;

/// The number of the form of these files.
const FORM: u32 = 1;

/// The result of one arm with one seed, and what made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of the file.
    pub form: u32,
    /// The experiment.
    pub experiment: String,
    /// The arm.
    pub arm: String,
    /// The seed of the data.
    pub seed: u64,
    /// The size.
    pub size: Size,
    /// Sizes and constants.
    pub settings: Settings,
    /// The version of the program.
    pub version: String,
    /// The commit of its source, or "unknown".
    pub commit: String,
    /// The command that runs this task.
    pub command: String,
    /// The day, in UTC.
    pub date: String,
    /// The machine.
    pub machine: Machine,
    /// The load of the machine when the task ended, in tasks, where the system says it.
    pub load: Option<f64>,
    /// How long the task took.
    pub seconds: f64,
    /// The values per unit.
    pub values: Values,
}

impl Record {
    /// Its file in a folder.
    pub fn file(folder: &Path, arm: &str, seed: u64) -> PathBuf {
        folder.join(format!("{arm}-seed-{seed}.json"))
    }

    /// The present form.
    pub fn form() -> u32 {
        FORM
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let file = Self::file(folder, &self.arm, self.seed);
        let text = serde_json::to_string(self)? + "\n";
        Ok(replace(&file, text.as_bytes())?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it is not one of this form; the error names the file.
    pub fn read(file: &Path) -> Result<Self> {
        let what = || format!("the result {}", file.display());
        let text = std::fs::read_to_string(file).with_context(what)?;
        let record: Self = serde_json::from_str(&text).with_context(what)?;
        ensure!(
            record.form == FORM,
            "{} has form {}, this program reads {FORM}",
            what(),
            record.form
        );
        Ok(record)
    }
}
