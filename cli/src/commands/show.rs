//! `scotopic show`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use scotopic_models::TransitionKind;
use scotopic_train::device;
use scotopic_train::run_dir::RunDir;

use super::{model, print};
use crate::args::{RuntimeArgs, load};
use crate::figure_format::FigureFormat;
use crate::pictures::{convergence, dictionary, reconstructions, spikes, transition, unfolding};
use crate::usage::UsageError;

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Figure {
    /// All atoms: what one spike (or unit) of each latent adds to the image
    Dictionary,
    /// Images, their reconstructions from spikes and from rates, and the error
    Reconstructions,
    /// R², fraction of zeros and ‖Δu‖ over inference steps
    Convergence,
    /// Spike raster of one image, for models with spikes
    Raster,
    /// Animation of the reconstructions over inference steps, or over the frames of films
    Unroll,
    /// Which neuron predicts which, for models with a learned transition
    Transition,
}

/// Options of `scotopic show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Figure to draw; may be repeated [default: all]
    #[arg(long, alias = "what", value_enum)]
    pub figure: Vec<Figure>,
    /// Inference steps for convergence, raster and unroll
    #[arg(long, value_name = "T", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..1 << 16))]
    pub steps: u32,
    /// Output folder [default: the folder `figures` of a run; else NAME-figures, after the checkpoint, where you are]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Format of the figures.
    #[command(flatten)]
    pub format: FigureFormat,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// Draws pictures of a model on its validation data.
///
/// # Errors
/// If model, data or device cannot be used, or a picture cannot be written.
pub fn run(args: &ShowArgs) -> Result<ExitCode> {
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let all = [
        Figure::Dictionary,
        Figure::Reconstructions,
        Figure::Convergence,
        Figure::Raster,
        Figure::Unroll,
        Figure::Transition,
    ];
    let shape = checkpoint.image.shape;
    let config = &checkpoint.config;
    let counts = config.model.family.info().terms.counts;
    if args.figure.contains(&Figure::Raster) && !counts {
        let family = config.model.family;
        return Err(UsageError(anyhow!(
            "--figure raster: this model has no spikes (its family is {family:?}); leave it out"
        ))
        .into());
    }
    let learned = config.model.transition == TransitionKind::Learned;
    if args.figure.contains(&Figure::Transition) && !learned {
        return Err(UsageError(anyhow!(
            "--figure transition: this model has no learned transition (model.transition = \"learned\"); leave it out"
        ))
        .into());
    }
    let wanted: Vec<Figure> = match args.figure.is_empty() {
        true => all
            .into_iter()
            .filter(|what| *what != Figure::Raster || counts)
            .filter(|what| *what != Figure::Transition || learned)
            .collect(),
        false => args.figure.clone(),
    };
    let folder = match (&args.out, RunDir::open(&args.model)) {
        (Some(out), _) => out.clone(),
        (None, Ok(dir)) => dir.figures(),
        (None, Err(_)) => {
            let name = args.model.canonicalize().unwrap_or(args.model.clone());
            let name = name.file_stem().unwrap_or_default().to_string_lossy();
            PathBuf::from(format!("{name}-figures"))
        }
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    let steps = args.steps as usize;
    // The weights alone need no data.
    let needs_data = |what: &Figure| !matches!(what, Figure::Dictionary | Figure::Transition);
    let needs_data = wanted.iter().any(needs_data);
    let images = match needs_data {
        true => Some(load(&config.data, &args.runtime.folder.data, &mut |_| {})?.validation),
        false => None,
    };
    for what in &wanted {
        let path = match what {
            Figure::Dictionary => args.format.file(&folder, "dictionary"),
            Figure::Reconstructions => args.format.file(&folder, "reconstructions"),
            Figure::Convergence => args.format.file(&folder, "convergence"),
            Figure::Raster => args.format.file(&folder, "raster"),
            Figure::Unroll => folder.join("unroll.gif"),
            Figure::Transition => args.format.file(&folder, "transition"),
        };
        let device = &opened.device;
        let figure = match (what, &images) {
            (Figure::Reconstructions, Some(set)) => reconstructions(&model, config, set, device)?,
            (Figure::Convergence, Some(set)) => convergence(&model, config, set, steps, device)?,
            (Figure::Raster, Some(set)) => spikes(&model, config, set, steps, device)?,
            (Figure::Unroll, Some(set)) => unfolding(&model, config, set, steps, device)?,
            (Figure::Transition, _) => transition(&model, config, shape)?,
            (Figure::Dictionary, _) | (_, None) => dictionary(&model, config, shape)?,
        };
        figure.write(&path)?;
        print::line(path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
