//! The folder of a run.
//!
//! ```text
//! config.toml      the resolved configuration
//! run.json         versions, device, data digest, seed
//! metrics.jsonl    one line per log interval
//! epochs.csv       one line per validation
//! figures/         figures
//! tensorboard/     event files, where asked for
//! last/checkpoint.safetensors    to continue from
//! best/model.safetensors         to use
//! run.lock         locked by the process that trains
//! ```

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::{Splits, shell_word};
use serde::{Deserialize, Serialize};

use crate::config::{RunConfig, read_config};
use crate::device::Opened;
use crate::records::{LogRow, ValidationRow};
use crate::run_lock::RunLock;
use scotopic_datasets::replace::replace;

/// The contents of run.json.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of this program.
    pub scotopic: String,
    /// Version of burn.
    pub burn: String,
    /// The device, as it names itself.
    pub device: String,
    /// Digest of the data.
    pub data: String,
    /// Seed of the run.
    pub seed: u64,
    /// The command line.
    pub command: Vec<String>,
    /// Start of the run, seconds since 1970.
    pub started: u64,
}

/// The folder of a run, and all paths in it.
#[derive(Debug, Clone)]
pub struct RunDir {
    root: PathBuf,
    /// While this process writes.
    _lock: Option<RunLock>,
}

impl RunDir {
    /// Checks that a run can begin in `root`, without making a folder.
    ///
    /// # Errors
    /// If it is no folder, holds a run or other files, or another process trains into it.
    pub fn check_new(root: &Path) -> Result<()> {
        ensure!(
            !root.exists() || root.is_dir(),
            "{} is a file: give a folder to --out",
            root.display()
        );
        if root.join("config.toml").exists() {
            RunLock::take(root)?; // who trains there now is named
            bail!(
                "{} already holds a run: continue it with --resume {}, or give another --out",
                root.display(),
                shell_word(root)
            );
        }
        // A run that was killed while it began left its lock beside what it wrote.
        if !root.join(RunLock::NAME).exists() && holds_files(root)? {
            bail!(
                "{} holds files that are not of a run: give a new or an empty folder to --out",
                root.display()
            );
        }
        Ok(())
    }

    /// Creates the folder of a new run.
    ///
    /// # Errors
    /// If it already holds a run or other files, another process is making one there, or it cannot be written.
    pub fn create(root: &Path, config: &RunConfig, info: &RunInfo) -> Result<Self> {
        Self::check_new(root)?;
        fs::create_dir_all(root).with_context(|| format!("could not make {}", root.display()))?;
        let dir = Self {
            root: root.to_path_buf(),
            _lock: Some(RunLock::take(root)?),
        };
        if dir.config_path().exists() {
            bail!(
                "{} already holds a run: continue it with --resume {}, or give another --out",
                root.display(),
                shell_word(root)
            );
        }
        for folder in ["figures", "last", "best"] {
            let path = root.join(folder);
            fs::create_dir_all(&path)
                .with_context(|| format!("could not make {}", path.display()))?;
        }
        replace(
            &dir.root.join("run.json"),
            serde_json::to_string_pretty(info)?.as_bytes(),
        )?;
        replace(
            &dir.epochs(),
            format!("{}\n", ValidationRow::HEADER).as_bytes(),
        )?;
        replace(&dir.metrics(), b"")?;
        // Written last: a folder with a configuration is a complete run folder.
        dir.write_config(config)?;
        Ok(dir)
    }

    /// The folder of a run that exists, to read.
    ///
    /// # Errors
    /// If it is not one.
    pub fn open(root: &Path) -> Result<Self> {
        let dir = Self {
            root: root.to_path_buf(),
            _lock: None,
        };
        ensure!(
            dir.config_path().is_file(),
            "{} is not the folder of a run: it has no config.toml",
            root.display()
        );
        Ok(dir)
    }

    /// Locks the folder, to write into it.
    ///
    /// # Errors
    /// If another process trains into it.
    pub fn locked(self) -> Result<Self> {
        let lock = Some(RunLock::take(&self.root)?);
        Ok(Self {
            _lock: lock,
            ..self
        })
    }

    /// The configuration in the folder.
    ///
    /// # Errors
    /// If it cannot be read or is not valid; names the file and the key.
    pub fn read_config(&self) -> Result<RunConfig> {
        read_config(&self.config_path())
    }

    /// Puts another configuration into the folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<()> {
        Ok(replace(&self.config_path(), config.to_toml()?.as_bytes())?)
    }

    /// What run.json says of the run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_info(&self) -> Result<RunInfo> {
        let path = self.root.join("run.json");
        let read = || -> Result<RunInfo> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        read().with_context(|| format!("could not read {}", path.display()))
    }

    /// A name for a new run: `runs/<preset>`, then `runs/<preset>-2` and so on.
    pub fn fresh(preset: &str) -> PathBuf {
        let name = preset.replace(['/', '\\'], "-");
        let first = Path::new("runs").join(&name);
        if !first.exists() {
            return first;
        }
        (2u32..)
            .map(|n| Path::new("runs").join(format!("{name}-{n}")))
            .find(|path| !path.exists())
            .unwrap_or(first)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The configuration.
    pub fn config_path(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The checkpoint to continue from.
    pub fn last(&self) -> PathBuf {
        self.root.join("last/checkpoint.safetensors")
    }

    /// The best model so far.
    pub fn best(&self) -> PathBuf {
        self.root.join("best/model.safetensors")
    }

    /// The folder of figures.
    pub fn figures(&self) -> PathBuf {
        self.root.join("figures")
    }

    /// The folder of event files; a run has one if its events are written.
    pub fn tensorboard(&self) -> PathBuf {
        self.root.join("tensorboard")
    }

    /// metrics.jsonl
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// epochs.csv
    pub fn epochs(&self) -> PathBuf {
        self.root.join("epochs.csv")
    }

    /// Appends a row to metrics.jsonl.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn log(&self, row: &LogRow) -> Result<()> {
        append(&self.metrics(), &serde_json::to_string(row)?)
    }

    /// Appends a row to epochs.csv.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn validated(&self, row: &ValidationRow) -> Result<()> {
        append(&self.epochs(), &row.csv())
    }

    /// Removes all rows after `iteration`: they were written after the checkpoint from which the run continues, and
    /// will be written again. Incomplete last lines and temporary files of a killed run are removed too.
    ///
    /// # Errors
    /// If the files cannot be read or written.
    pub fn rewind(&self, iteration: usize) -> Result<()> {
        for folder in [&self.root, &self.root.join("last"), &self.root.join("best")] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') && name.ends_with(".part") {
                    let _ = fs::remove_file(entry.path()); // a remaining temporary file is harmless
                }
            }
        }
        let keep = |path: &Path, wanted: &dyn Fn(&str) -> bool| -> Result<()> {
            let text = match fs::read_to_string(path) {
                Ok(text) => text,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(e) => {
                    return Err(e).with_context(|| format!("could not read {}", path.display()));
                }
            };
            let kept: String = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n') && wanted(line.trim_end()))
                .collect();
            Ok(replace(path, kept.as_bytes())?)
        };
        keep(&self.metrics(), &|line| {
            serde_json::from_str::<LogRow>(line).is_ok_and(|row| row.iteration <= iteration)
        })?;
        keep(&self.epochs(), &|line| {
            let first = line.split(',').next().unwrap_or_default();
            first == "iteration" || first.parse::<usize>().is_ok_and(|i| i <= iteration)
        })
    }

    /// The rows of epochs.csv that can be read; none where there is no such file.
    pub fn validations(&self) -> Vec<ValidationRow> {
        let text = fs::read_to_string(self.epochs()).unwrap_or_default();
        let rows = text.lines().skip(1).filter_map(ValidationRow::from_csv);
        rows.collect()
    }

    /// The validation after `iteration` batches, if epochs.csv has it.
    pub fn validation_at(&self, iteration: usize) -> Option<ValidationRow> {
        let mut rows = self.validations().into_iter().rev();
        rows.find(|row| row.iteration == iteration)
    }

    /// All rows of metrics.jsonl that can be read.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn read_metrics(&self) -> Result<Vec<LogRow>> {
        let path = self.metrics();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("could not read {}", path.display()))?;
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }
}

/// Whether a folder is there and holds anything but hidden files.
fn holds_files(root: &Path) -> Result<bool> {
    if !root.exists() {
        return Ok(false);
    }
    let entries =
        fs::read_dir(root).with_context(|| format!("could not read {}", root.display()))?;
    let mut names = entries.flatten().map(|entry| entry.file_name());
    Ok(names.any(|name| !name.to_string_lossy().starts_with('.')))
}

fn append(path: &Path, line: &str) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())
    };
    write().with_context(|| format!("could not write {}", path.display()))
}

/// The version of burn; a test compares it with Cargo.lock.
const BURN_VERSION: &str = "0.22.1";

/// The contents of run.json for a run that begins now.
pub fn info(config: &RunConfig, splits: &Splits, opened: &Opened) -> RunInfo {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    RunInfo {
        scotopic: env!("CARGO_PKG_VERSION").into(),
        burn: BURN_VERSION.into(),
        device: opened.name.clone(),
        data: splits.digest(),
        seed: config.seed,
        command: std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        started,
    }
}

#[cfg(test)]
mod tests {
    use super::BURN_VERSION;

    #[test]
    fn the_version_of_burn_is_that_of_the_lock_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let lock = std::fs::read_to_string(path).unwrap();
        let entry = format!("name = \"burn\"\nversion = \"{BURN_VERSION}\"\n");
        assert!(lock.replace('\r', "").contains(&entry));
    }
}
