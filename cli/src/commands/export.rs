//! `scotopic export`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use scotopic_datasets::npy;
use scotopic_datasets::replace::replace;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};

use super::{card, model, print};

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
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let path = match args.format {
        Format::Safetensors => {
            let path = args.out.join("model.safetensors");
            let arrays = weights
                .into_iter()
                .map(|(name, a)| (format!("model.{name}"), a))
                .collect();
            let exported = Checkpoint {
                kind: CheckpointKind::Model,
                arrays,
                ..checkpoint
            };
            exported.write(&path)?;
            let card = args.out.join("README.md");
            replace(&card, card::model_card(&exported)?.as_bytes())?;
            print::line(card.display())?;
            path
        }
        Format::Npz => {
            let path = args.out.join("model.npz");
            let arrays: Vec<(&str, &[usize], &[f32])> = weights
                .iter()
                .map(|(name, a)| (name.as_str(), &a.shape[..], &a.values[..]))
                .collect();
            npy::write_npz(&path, &arrays)?;
            path
        }
    };
    print::line(path.display())?;
    Ok(ExitCode::SUCCESS)
}
