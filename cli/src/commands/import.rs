//! `scotopic import`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use scotopic::posterior::ActivationKind;
use scotopic_datasets::{ImageShape, Standardisation};
use scotopic_models::{DecoderKind, Family, Method};
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind, ImageInfo, Progress};
use scotopic_train::config::{self, RunConfig};

use super::print;
use crate::args::load;
use crate::outputs::Force;
use crate::pytorch::published::{self, Published};
use crate::usage::UsageError;

/// Options of `scotopic import`.
#[derive(Debug, Args)]
#[command(
    after_help = "The file has the layout of the published iterative VAEs (torch.save of a state dict, or of a\n\
                        dictionary that holds one): phi.weight [M, K], dec_log_sigma [1, M], log_bias [1, K],\n\
                        log_lr.0 [1] and u_init.0 [1, K]; a Gaussian model also log_lr.1 and u_init.1, with an\n\
                        activation also activation.log_gain [1, K]. Other entries are ignored.\n\n\
                        The inference settings and the evaluation data are those of the preset.\n\nExamples:\n  \
                        scotopic import ipvae.pt --out imported\n  \
                        scotopic import igvae.pt --preset published/mnist-gaussian --data ../datasets --out imported"
)]
pub struct ImportArgs {
    /// PyTorch checkpoint (1.6 or later)
    pub file: PathBuf,
    /// Folder to write model.safetensors to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Configuration that the model was trained with [default: the published one of its family]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// TOML file that overrides the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one key; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Image height [default: a square image, or to match --width]
    #[arg(long, value_name = "H", value_parser = clap::value_parser!(u32).range(1..1 << 16))]
    pub height: Option<u32>,
    /// Image width [default: a square image, or to match --height]
    #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..1 << 16))]
    pub width: Option<u32>,
    /// Folder of the data sets: take image shape and standardisation from the preset's data [default: no
    /// standardisation]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["height", "width"])]
    pub data: Option<PathBuf>,
    /// Print what was read as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave to replace files.
    #[command(flatten)]
    pub force: Force,
}

/// A checkpoint of PyTorch as one of this program, with what was read and the preset that it is taken for.
///
/// # Errors
/// If the file is not such a checkpoint, the preset is of another family, or the sizes do not fit.
pub fn checkpoint(args: &ImportArgs) -> Result<(Checkpoint, Published, String)> {
    let name = args.file.display();
    let read = published::read(&args.file).with_context(|| format!("could not import {name}"))?;
    let preset = match &args.preset {
        Some(preset) => preset.as_str(),
        None => published_preset(&read),
    };
    let mut config =
        config::resolve(preset, args.config.as_deref(), &args.sets).map_err(UsageError)?;
    config.model.latents = read.latents;
    fits(&config, &read)
        .with_context(|| format!("the preset {preset} does not fit {name}"))
        .map_err(UsageError)?;
    let image = image(args, &config, &read)?;
    let checkpoint = Checkpoint {
        kind: CheckpointKind::Model,
        config,
        image,
        progress: Progress::default(),
        arrays: read
            .arrays
            .iter()
            .map(|(name, array)| (format!("model.{name}"), array.clone()))
            .collect(),
    };
    let preset = preset.to_owned();
    Ok((checkpoint, read, preset))
}

/// Makes a checkpoint of this program from one of PyTorch.
///
/// # Errors
/// As [`checkpoint`], or if the file cannot be written.
pub fn run(args: &ImportArgs) -> Result<ExitCode> {
    let path = args.out.join("model.safetensors");
    args.force.check([path.as_path()]).map_err(UsageError)?;
    let (checkpoint, read, preset) = checkpoint(args)?;
    let image = checkpoint.image;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    checkpoint.write(&path)?;

    let ImageShape {
        channels,
        height,
        width,
    } = image.shape;
    let Standardisation { mean, std } = image.standardisation;
    if args.json {
        let value = serde_json::json!({
            "model": path, "family": read.family, "transfer": read.activation, "latents": read.latents,
            "channels": channels, "height": height, "width": width, "mean": mean, "std": std,
            "preset": preset, "read": read.read, "ignored": read.ignored,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{} with {} latents, images {channels}×{height}×{width}; read: {}",
        described(&read),
        read.latents,
        read.read.join(", ")
    ))?;
    if !read.ignored.is_empty() {
        print::line(format!("ignored: {}", read.ignored.join(", ")))?;
    }
    print::line(format!("inference and data as in the preset {preset}"))?;
    print::line(match &args.data {
        Some(_) => format!(
            "a pixel v is standardised as {}, as the preset's data are",
            image.standardisation.formula("v")
        ),
        None => "pixels are not standardised: if the model was trained on standardised images, give it such images, or \
                 import it with --data"
            .to_string(),
    })?;
    print::line(path.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The published configuration of a model; that on MNIST for images of its size.
fn published_preset(read: &Published) -> &'static str {
    let digits = read.pixels == 28 * 28;
    match (read.family, read.activation, digits) {
        (Family::Gaussian, ActivationKind::None, true) => "published/mnist-gaussian",
        (Family::Gaussian, ActivationKind::None, false) => "published/natural-patches-gaussian",
        (Family::Gaussian, _, true) => "published/mnist-gaussian-relu",
        (Family::Gaussian, _, false) => "published/natural-patches-gaussian-relu",
        (_, _, true) => "published/mnist",
        (_, _, false) => "published/natural-patches",
    }
}

fn described(read: &Published) -> &'static str {
    match (read.family, read.activation) {
        (Family::Gaussian, ActivationKind::None) => "iterative Gaussian VAE",
        (Family::Gaussian, _) => "iterative Gaussian VAE with relu",
        _ => "iterative Poisson VAE",
    }
}

/// Checks that the configuration describes the model in the file.
fn fits(config: &RunConfig, read: &Published) -> Result<()> {
    let model = &config.model;
    let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let same = (model.family, model.activation) == (read.family, read.activation);
    ensure!(
        same,
        "it is for model.family = \"{}\" and model.activation = \"{}\", the file holds an {} (family \"{}\", activation \
         \"{}\"): give another --preset, or --set these keys",
        word(&model.family),
        word(&model.activation),
        described(read),
        word(&read.family),
        word(&read.activation)
    );
    ensure!(
        config.inference.method == Method::NaturalGradient,
        "its inference.method is not \"natural-gradient\", the method of an {}",
        described(read)
    );
    ensure!(
        model.decoder.kind == DecoderKind::Linear,
        "its model.decoder.kind is not \"linear\", the decoder in the file"
    );
    config.validate()
}

/// Shape and scale of the images.
fn image(args: &ImportArgs, config: &RunConfig, read: &Published) -> Result<ImageInfo> {
    let pixels = read.pixels;
    if let Some(root) = &args.data {
        let splits = load(&config.data, root, &mut |_| {})?;
        let shape = splits.train.shape();
        ensure!(
            shape.pixels() == pixels,
            "{}: phi.weight is for images of {pixels} pixels; those of the preset's data have {}×{}×{} = {}",
            args.file.display(),
            shape.channels,
            shape.height,
            shape.width,
            shape.pixels()
        );
        return Ok(ImageInfo {
            shape,
            standardisation: splits.standardisation,
            pixels: splits.training_scale().ok(),
        });
    }
    let given = |size: Option<u32>| size.map(|n| n as usize);
    let (height, width) = match (given(args.height), given(args.width)) {
        (Some(height), Some(width)) => (height, width),
        (Some(height), None) => (height, pixels / height),
        (None, Some(width)) => (pixels / width, width),
        (None, None) => (pixels.isqrt(), pixels.isqrt()),
    };
    if height * width != pixels {
        let asked = match (args.height, args.width) {
            (None, None) => format!("{pixels} is not a square number"),
            _ => format!("--height and --width do not make {pixels}"),
        };
        return Err(UsageError(anyhow!(
            "{}: phi.weight is for images of {pixels} pixels, and {asked}: give --height H and --width W with H·W = \
             {pixels}",
            args.file.display()
        ))
        .into());
    }
    Ok(ImageInfo {
        shape: ImageShape {
            channels: 1,
            height,
            width,
        },
        standardisation: Standardisation::NONE,
        pixels: None,
    })
}
