//! `scotopic evaluate`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use scotopic::noise::NoiseKey;
use scotopic_datasets::{ImageSet, Splits};
use scotopic_train::device;
use scotopic_train::evaluate::validation;
use scotopic_train::evaluate::{EvaluationConfig, evaluate};
use scotopic_train::film_metrics::{FilmMetrics, evaluate_films};

use super::{model, print};
use crate::args::{RuntimeArgs, load};
use crate::usage::UsageError;

/// A split of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// Images the model was trained on
    Train,
    /// Images that the best checkpoint was selected on
    Validation,
    /// Held-out images
    Test,
}

impl Split {
    /// This part of `splits`.
    ///
    /// # Errors
    /// If the data have no test set.
    pub fn of(self, splits: Splits) -> Result<ImageSet> {
        match self {
            Self::Train => Ok(splits.train),
            Self::Validation => Ok(splits.validation),
            Self::Test => splits
                .test
                .context("these data have no test set: take --split validation"),
        }
    }
}

/// Options of `scotopic evaluate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  scotopic evaluate runs/mnist --split test --data ../datasets\n  \
                        scotopic evaluate checkpoints/dead-leaves --steps 128 --json"
)]
pub struct EvaluateArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Split of the data
    #[arg(long, value_enum, default_value = "validation")]
    pub split: Split,
    /// Inference steps [default: as trained; of films, one for each frame]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Maximum number of images, or films [default: all]
    #[arg(long, alias = "count", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_images: Option<u32>,
    /// Batch size; the spikes depend on it [default: as in validation]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Seed of the spikes [default: as in validation]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// Evaluates a model.
///
/// # Errors
/// If model, data or device cannot be used.
pub fn run(args: &EvaluateArgs) -> Result<ExitCode> {
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let set = args.split.of(load(
        &checkpoint.config.data,
        &args.runtime.folder.data,
        &mut |_| {},
    )?)?;
    let standard = validation(&checkpoint.config);
    let how = EvaluationConfig {
        steps: args.steps.map_or(standard.steps, |t| t as usize),
        batch: args.batch.map_or(standard.batch, |n| n as usize),
        count: args.max_images.map_or(usize::MAX, |n| n as usize),
        noise: args.seed.map_or(standard.noise, |seed| NoiseKey {
            seed,
            ..standard.noise
        }),
        ..standard
    };
    if set.frames() > 1 {
        if let Some(steps) = args.steps {
            let error = anyhow!(
                "--steps {steps}: these are films of {} frames, evaluated with one step for each frame; leave --steps out",
                set.frames()
            );
            return Err(UsageError(error).into());
        }
        let metrics = evaluate_films(&model, &set, &how, &opened.device)?;
        return tell_films(&metrics, &set, args.json);
    }
    let m = evaluate(&model, &set, &how, &opened.device)?;
    let terms = checkpoint.config.model.family.info().terms;
    if args.json {
        print::line(serde_json::to_string_pretty(&m)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{} images of {}, {} inference steps, {}",
        m.images,
        set.name(),
        m.steps,
        terms.drawing
    ))?;
    print::line(format!(
        "  R², {:<19}{:.4} per image, {:.4} pooled",
        terms.one_sample, m.r2, m.r2_pooled
    ))?;
    print::line(format!(
        "  R², {:<19}{:.4} per image, {:.4} pooled",
        terms.expected, m.r2_rates, m.r2_rates_pooled
    ))?;
    print::line(format!(
        "  squared error          {:.3} per image, {:.3} by {}",
        m.squared_error, m.squared_error_rates, terms.expected
    ))?;
    print::line(format!("  {:<23}{:.2} %", terms.zeros, 100.0 * m.zeros))?;
    let sparsity = |s: Option<f64>| s.map_or("undefined".to_string(), |s| format!("{s:.4}"));
    print::line(format!(
        "  sparsity               {} population, {} lifetime",
        sparsity(m.population_sparsity),
        sparsity(m.lifetime_sparsity)
    ))?;
    print::line(format!("  last step |Δu|         {:.4}", m.change))?;
    print::line(format!(
        "  free energy            {:.3} nats  (−ln p {:.3}, KL {:.3}, β {})",
        m.objective, m.reconstruction, m.kl, how.beta
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The measures of films.
fn tell_films(m: &FilmMetrics, set: &ImageSet, json: bool) -> Result<ExitCode> {
    if json {
        print::line(serde_json::to_string_pretty(m)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{} films of {} frames of {}, exact spike counts",
        m.films,
        m.frames,
        set.name()
    ))?;
    print::line(format!(
        "  code length            {:.3} nats per frame  (−ln p {:.3}, KL {:.3})",
        m.nats_per_frame, m.reconstruction, m.kl
    ))?;
    print::line(format!(
        "  spikes                 {:.2} per frame",
        m.spikes_per_frame
    ))?;
    print::line(format!(
        "  R², second half        {:.4} one spike sample, {:.4} firing rates",
        m.r2_second_half, m.r2_rates_second_half
    ))?;
    print::line(format!(
        "  next frame             {:.3} squared error; {:.3} by the frame before, {:.3} by a blank one",
        m.next_frame_error, m.persistence_error, m.blank_error
    ))?;
    Ok(ExitCode::SUCCESS)
}
