//! `scotopic export`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use scotopic_datasets::npy;
use scotopic_datasets::replace::replace;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};
use scotopic_train::run_dir::RunDir;

use super::card_metadata::Stated;
use super::{card, model, print};
use crate::outputs::Force;
use crate::usage::UsageError;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Weights with their configuration, and a model card
    Safetensors,
    /// Arrays for NumPy
    Npz,
}

/// Options of `scotopic export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Format to write
    #[arg(long, value_enum, default_value = "safetensors")]
    pub format: Format,
    /// Licence of the weights, for the model card, as hubs abbreviate it: mit, apache-2.0, cc-by-4.0
    #[arg(long, value_name = "LICENSE")]
    pub license: Option<String>,
    /// Leave to replace files.
    #[command(flatten)]
    pub force: Force,
}

/// Exports a model.
///
/// # Errors
/// If the model cannot be read or the files cannot be written.
pub fn run(args: &ExportArgs) -> Result<ExitCode> {
    let checkpoint = Checkpoint::read(&model::locate(&args.model))?;
    let weights = match checkpoint.part("average") {
        average if average.is_empty() => checkpoint.part("model"),
        average => average,
    };
    let (model, card) = match args.format {
        Format::Safetensors => (args.out.join("model.safetensors"), Some("README.md")),
        Format::Npz => (args.out.join("model.npz"), None),
    };
    let card = card.map(|name| args.out.join(name));
    let written = [Some(&model), card.as_ref()].into_iter().flatten();
    args.force
        .check(written.map(PathBuf::as_path))
        .map_err(UsageError)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    if let Some(card) = card {
        let arrays = weights
            .into_iter()
            .map(|(name, a)| (format!("model.{name}"), a))
            .collect();
        let exported = Checkpoint {
            kind: CheckpointKind::Model,
            arrays,
            ..checkpoint
        };
        exported.write(&model)?;
        let run = RunDir::open(&args.model).ok();
        let row = run.and_then(|run| run.validation_at(exported.progress.iteration));
        let stated = Stated {
            license: args.license.as_deref(),
            validation: row.as_ref().map(|row| &row.measures),
        };
        replace(&card, card::model_card(&exported, stated)?.as_bytes())?;
        print::line(card.display())?;
    } else {
        let arrays: Vec<(&str, &[usize], &[f32])> = weights
            .iter()
            .map(|(name, a)| (name.as_str(), &a.shape[..], &a.values[..]))
            .collect();
        npy::write_npz(&model, &arrays)?;
    }
    print::line(model.display())?;
    Ok(ExitCode::SUCCESS)
}
