//! `scotopic export`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use scotopic_datasets::npy;

use super::{model, print};
use crate::checkpoint::{Checkpoint, Kind};
use crate::replace::replace;

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
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value = "safetensors")]
    pub format: Format,
}

/// Writes a model for other programs.
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
                kind: Kind::Model,
                arrays,
                ..checkpoint
            };
            exported.write(&path)?;
            let card = args.out.join("README.md");
            replace(&card, model_card(&exported)?.as_bytes())?;
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

/// What a person who finds the file should know.
fn model_card(checkpoint: &Checkpoint) -> Result<String> {
    let shape = checkpoint.image.shape;
    let scale = checkpoint.image.standardisation;
    let config = &checkpoint.config;
    let table: String = checkpoint
        .part("model")
        .iter()
        .map(|(name, array)| format!("| `model.{name}` | {:?} |\n", array.shape))
        .collect();
    let objective = checkpoint
        .progress
        .best
        .map_or("not validated".to_string(), |best| {
            format!("{best:.3} nats per image")
        });
    Ok(format!(
        "# Iterative Poisson VAE, {neurons} neurons, images {c}×{h}×{w}\n\n\
         Trained by scotopic {version} for {iterations} iterations (seed {seed}) in {seconds:.0} s.\n\
         Lowest validation free energy: {objective}.\n\n\
         ```sh\nscotopic evaluate model.safetensors\nscotopic infer model.safetensors --input images.npy --out seen\n```\n\n\
         Pixels are expected as (value − {mean}) / {std}.\n\n\
         | tensor | shape |\n|---|---|\n{table}\n\
         `decoder.atoms` holds one atom per neuron: the image that one spike of it adds. `resting` is u₀, the prior\n\
         log-rates; `log_homeostasis` is b; `log_step` is ln η; `decoder.log_sigma` is ℓ of σ = exp(3.45·tanh(ℓ/3.45)).\n\n\
         ## Configuration\n\n```toml\n{toml}```\n\n\
         ## Citation\n\nH. Vafaii, D. Galor, J. L. Yates, \"Brain-like variational inference\", arXiv 2410.19315.\n",
        neurons = config.model.latents,
        c = shape.channels,
        h = shape.height,
        w = shape.width,
        version = env!("CARGO_PKG_VERSION"),
        iterations = checkpoint.progress.iteration,
        seed = config.seed,
        seconds = checkpoint.progress.seconds,
        mean = scale.mean,
        std = scale.std,
        toml = config.to_toml()?,
    ))
}
