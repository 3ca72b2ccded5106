//! `scotopic config`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use scotopic_train::config::{self, DEFAULT_PRESET, PRESETS};

use super::print;
use crate::usage::UsageError;

/// Options of `scotopic config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with configurations.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the presets, or print one fully resolved
    Show {
        /// Preset to print [default: dead-leaves with --config or --set; else all are listed]
        preset: Option<String>,
        /// TOML file that overrides the preset
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Override one key; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE")]
        sets: Vec<String>,
    },
    /// Check a TOML file against a preset without running anything
    Check {
        /// The file
        file: PathBuf,
        /// The preset that it overrides
        #[arg(long, value_name = "NAME", default_value = DEFAULT_PRESET)]
        preset: String,
    },
    /// Print every key with its default and its reason
    Keys,
}

/// Shows and checks configurations.
///
/// # Errors
/// If a preset, key or value is wrong.
pub fn run(args: &ConfigArgs) -> Result<ExitCode> {
    match &args.action {
        Action::Show {
            preset: None,
            config: None,
            sets,
        } if sets.is_empty() => {
            let longest = PRESETS.iter().map(|preset| preset.name.len()).max();
            let width = longest.unwrap_or_default();
            for preset in PRESETS {
                print::line(format!("{:<width$}  {}", preset.name, preset.about))?;
            }
        }
        Action::Show {
            preset,
            config,
            sets,
        } => {
            let preset = preset.as_deref().unwrap_or(DEFAULT_PRESET);
            let resolved = config::resolve(preset, config.as_deref(), sets).map_err(UsageError)?;
            print::line(resolved.to_toml()?.trim_end())?;
        }
        Action::Check { file, preset } => {
            config::resolve(preset, Some(file), &[]).map_err(UsageError)?;
            print::line(format!(
                "{} is a valid configuration (over the preset {preset})",
                file.display()
            ))?;
        }
        Action::Keys => print::line(config::annotated()?.trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}
