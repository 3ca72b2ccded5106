//! `scotopic data`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use scotopic_datasets::catalog::{self, Entry};
use scotopic_datasets::{CifarConfig, npy};
use scotopic_train::config::{self, DEFAULT_PRESET};

use super::data_series::{self, SampleAction};
use super::print;
use crate::args::{load, with_remedy};
use crate::outputs::Force;
use crate::usage::UsageError;
#[cfg(feature = "fetch")]
use crate::{progress::Reporter, progress_bar::ProgressBar, signals::Stop};

/// Options of `scotopic data`.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// Folder of the data sets
    #[arg(
        long,
        value_name = "DIR",
        env = "SCOTOPIC_DATA",
        default_value = "data",
        global = true
    )]
    pub data: PathBuf,
}

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the known data sets and which are installed
    List,
    /// Describe a data set: contents, licence, files
    Info {
        /// Name of the data set
        name: String,
    },
    /// Download the missing files of a data set
    Fetch {
        /// Name of the data set
        name: String,
    },
    /// Read all files of a data set and compare their checksums
    Verify {
        /// Name of the data set
        name: String,
    },
    /// The sample series: list them, write one
    #[command(subcommand)]
    Series(SampleAction),
    /// Load the data of a configuration and write them as npy files
    Prepare {
        /// Preset whose data are prepared
        #[arg(long, value_name = "NAME", default_value = DEFAULT_PRESET)]
        preset: String,
        /// TOML file that overrides the preset
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Override one key; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE")]
        sets: Vec<String>,
        /// Output folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Leave to replace files.
        #[command(flatten)]
        force: Force,
    },
}

/// Lists, fetches, verifies and prepares data.
///
/// # Errors
/// If a data set is not known, not there, not whole, or cannot be fetched.
pub fn run(args: &DataArgs) -> Result<ExitCode> {
    let root = &args.data;
    match &args.action {
        Action::List => {
            print::line(format!(
                "{:<18} {:<9} generated; needs no files",
                "dead-leaves", "built in"
            ))?;
            for entry in catalog::ENTRIES {
                let status = catalog::status(entry, root)?;
                let here = status.iter().filter(|s| s.bytes.is_some()).count();
                let mark = match here {
                    n if n == status.len() => "here",
                    // The small subset that `analyse --analysis ood` reads instead.
                    0 if entry.name == "cifar10"
                        && root.join(CifarConfig::default().test).is_file() =>
                    {
                        "subset"
                    }
                    0 => "-",
                    _ => "partly",
                };
                print::line(format!("{:<18} {mark:<9} {}", entry.name, entry.what))?;
            }
            print::line(format!(
                "\nlooked in {} (set with --data or SCOTOPIC_DATA)",
                root.display()
            ))?;
        }
        Action::Info { name } => {
            let entry = find(name)?;
            print::line(format!("{}: {}", entry.name, entry.what))?;
            print::line(format!("licence: {}", entry.licence))?;
            if !entry.by_hand.is_empty() {
                print::line(format!("manual download: {}", entry.by_hand))?;
            }
            for status in catalog::status(entry, root)? {
                let here = status
                    .bytes
                    .map_or("not here".to_string(), |n| format!("{n} bytes"));
                let pinned = if status.pinned {
                    "checksum known"
                } else {
                    "checksum unknown"
                };
                print::line(format!(
                    "  {:<40} {here}, {pinned}",
                    root.join(status.item.path()).display()
                ))?;
            }
        }
        Action::Verify { name } => {
            let reports = catalog::verify(find(name)?, root);
            for report in reports.map_err(|error| with_remedy(error, root))? {
                let verdict = if report.pinned {
                    "verified"
                } else {
                    "readable (no checksum to compare with)"
                };
                print::line(format!(
                    "{:<40} {verdict}  sha256 {}",
                    report.path, report.sha256
                ))?;
            }
        }
        Action::Series(action) => return data_series::run(action),
        Action::Fetch { name } => return fetch(find(name)?, root),
        Action::Prepare {
            preset,
            config,
            sets,
            out,
            force,
        } => {
            let files = ["train.npy", "validation.npy", "test.npy"].map(|name| out.join(name));
            force
                .check(files.iter().map(PathBuf::as_path))
                .map_err(UsageError)?;
            let config = config::resolve(preset, config.as_deref(), sets).map_err(UsageError)?;
            let splits = load(&config.data, root, &mut |line| tell!("{line}"))?;
            std::fs::create_dir_all(out)
                .with_context(|| format!("could not create {}", out.display()))?;
            let sets = [
                ("train", Some(&splits.train)),
                ("validation", Some(&splits.validation)),
                ("test", splits.test.as_ref()),
            ];
            for (name, set) in sets {
                let Some(set) = set.filter(|set| !set.is_empty()) else {
                    continue;
                };
                let shape = set.shape();
                let path = out.join(format!("{name}.npy"));
                npy::write(
                    &path,
                    &[set.len(), shape.channels, shape.height, shape.width],
                    set.pixels(),
                )?;
                print::line(format!("{}  {} images", path.display(), set.len()))?;
            }
            let scale = splits.standardisation;
            print::line(format!(
                "a pixel is {} of the value v before; digest {}",
                scale.formula("v"),
                splits.digest()
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(name: &str) -> Result<&'static Entry> {
    catalog::find(name).ok_or_else(|| {
        let names: Vec<_> = catalog::ENTRIES.iter().map(|e| e.name).collect();
        UsageError(anyhow!(
            "there is no data set `{name}`; known are {}",
            names.join(", ")
        ))
        .into()
    })
}

#[cfg(feature = "fetch")]
fn fetch(entry: &Entry, root: &std::path::Path) -> Result<ExitCode> {
    tell!("{}: {}\nlicence: {}", entry.name, entry.what, entry.licence);
    let mut bar = ProgressBar::new(Reporter::auto(), "", None, 0);
    let stop = Stop::watch()?;
    let fetched = catalog::fetch_entry_until(stop.flag(), entry, root, &mut |path, done, total| {
        if bar.label != path {
            bar = ProgressBar::new(Reporter::auto(), path, total, 0);
            bar.message = path.to_string();
        }
        bar.set(done, total);
    });
    bar.clear();
    if let Some((signal, code)) = stop.signal() {
        tell!("scotopic: {signal}: nothing half downloaded is kept");
        return Ok(code);
    }
    let fetched = fetched?;
    if fetched.is_empty() {
        print::line(format!("{} is already in {}", entry.name, root.display()))?;
    }
    for (path, file) in fetched {
        let pinned = if file.pinned {
            "verified"
        } else {
            "no checksum to compare with: note this one"
        };
        print::line(format!(
            "{}  {} bytes, sha256 {} ({pinned})",
            root.join(path).display(),
            file.bytes,
            file.sha256
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "fetch"))]
fn fetch(entry: &Entry, root: &std::path::Path) -> Result<ExitCode> {
    let files: Vec<String> = entry
        .items
        .iter()
        .map(|item| match item {
            catalog::Item::File {
                path,
                url: Some(url),
                ..
            } => format!("{url} as {}", root.join(path).display()),
            other => root.join(other.path()).display().to_string(),
        })
        .collect();
    anyhow::bail!(
        "this program was built without the feature `fetch`; download manually: {}",
        files.join(", ")
    )
}
