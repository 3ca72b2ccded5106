//! `scotopic analyse`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::device;

use super::evaluate::Split;
use super::{model, print};
use crate::args::{RuntimeArgs, load};
use crate::figure_format::FigureFormat;
use crate::pictures::trained_model;
use crate::usage::UsageError;

mod analysis;
mod context;
mod estimators;
mod films;
mod learned;
mod over_time;
mod population;
mod report;
mod stimuli;

pub use analysis::Analysis;
pub(super) use analysis::ModelTraits;
use analysis::Request;

/// All analyses, in the order in which they run.
const ANALYSES: [Analysis; 14] = [
    over_time::REPRESENTATION,
    learned::CLASSIFY,
    over_time::CONVERGENCE,
    over_time::OOD,
    population::RATES,
    learned::FILTERS,
    population::TUNING,
    context::CONTEXT,
    stimuli::DIRECTION,
    stimuli::LATENCY,
    stimuli::RECEPTIVE_FIELD,
    learned::LATERAL,
    estimators::GRADIENTS,
    films::PREDICTION,
];

impl ValueEnum for Analysis {
    fn value_variants<'a>() -> &'a [Self] {
        &ANALYSES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.about))
    }
}

/// Options of `scotopic analyse`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each analysis writes NAME.csv (one row per step, view or neuron), NAME.json (all results) and, where\n\
                        there is a figure, NAME.png; receptive-field, representation and lateral also write NAME.npz.\n\n\
                        Default steps: as in training for representation, classify and rates; as in training and 128 for\n\
                        ood; up to 128 for convergence. Default --max-images: 500 for convergence; 1000 for\n\
                        representation, rates and each view of ood; 5000 to train and 5000 to test for classify.\n\
                        Gratings and noise are in units of the standardised data.\n\nExamples:\n  \
                        scotopic analyse checkpoints/dead-leaves --analysis filters --analysis tuning --out analysis\n  \
                        scotopic analyse runs/mnist --analysis convergence --steps 1000 --out analysis --data ../datasets"
)]
pub struct AnalyseArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Analysis to run; may be repeated [default: all that apply to the model and its data]
    #[arg(long, alias = "what", value_enum)]
    pub analysis: Vec<Analysis>,
    /// Inference steps of analyses on images
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Maximum number of images
    #[arg(long, alias = "count", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_images: Option<u32>,
    /// Batch size
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Split of the data for convergence, representation and rates
    #[arg(long, value_enum, default_value = "validation")]
    pub split: Split,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Format of the figures.
    #[command(flatten)]
    pub format: FigureFormat,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// Analyses a model.
///
/// # Errors
/// If model, data or device cannot be used, or an analysis does not apply to them.
pub fn run(args: &AnalyseArgs) -> Result<ExitCode> {
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let analyses = requested(args, &checkpoint);
    let splits = match analyses.iter().any(|analysis| analysis.needs_data) {
        true => Some(load(
            &checkpoint.config.data,
            &args.runtime.folder.data,
            &mut |_| {},
        )?),
        false => None,
    };
    let is_new = !args.out.exists();
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let request = Request {
        checkpoint: &checkpoint,
        model: AnalysedModel {
            model: &model,
            config: &checkpoint.config,
            device: &opened.device,
        },
        splits: splits.as_ref(),
        data: &args.runtime.folder.data,
        split: args.split,
        batch: args.batch as usize,
        asked_steps: args.steps.map(|t| t as usize),
        max_images: args.max_images.map(|n| n as usize),
    };
    let outcome = written(args, analyses, &request);
    if outcome.is_err() && is_new {
        // Only where it is empty: what was written stays.
        let _ = std::fs::remove_dir(&args.out);
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Runs the analyses, writes their files and says what they found.
fn written(args: &AnalyseArgs, analyses: Vec<Analysis>, request: &Request<'_>) -> Result<()> {
    let mut summaries = serde_json::Map::new();
    for analysis in analyses {
        let name = analysis.name;
        let report = match (analysis.run)(request) {
            // The files of a set may lack labels that its kind could have: no reason to lose the other analyses.
            Err(error) if args.analysis.is_empty() && (analysis.missing)(request) => {
                tell!("scotopic: left out {name}: {error:#}");
                continue;
            }
            outcome => outcome.with_context(|| format!("--analysis {name}"))?,
        };
        let report = report.of(analysis.about, &trained_model(&request.checkpoint.config));
        let files = report.write(&args.out, args.format)?;
        if args.json {
            let value = serde_json::json!({ "summary": report.headline, "files": files });
            summaries.insert(report.name.to_owned(), value);
            continue;
        }
        print::line(report.name)?;
        for line in &report.summary {
            print::line(format!("  {line}"))?;
        }
        let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        print::line(format!("  {}", files.join("  ")))?;
    }
    if args.json {
        print::line(serde_json::to_string_pretty(&summaries)?)?;
    }
    Ok(())
}

/// The analyses asked for, each once, or all that apply to the model; a line on stderr for each that does not.
fn requested(args: &AnalyseArgs, checkpoint: &Checkpoint) -> Vec<Analysis> {
    if !args.analysis.is_empty() {
        let mut asked: Vec<Analysis> = Vec::new();
        for &analysis in &args.analysis {
            if !asked.iter().any(|other| other.name == analysis.name) {
                asked.push(analysis);
            }
        }
        return asked;
    }
    let traits = ModelTraits::of(checkpoint);
    let applies = |analysis: &Analysis| match (analysis.excluded)(&traits) {
        None => true,
        Some(why) => {
            tell!("scotopic: left out {}: {why}", analysis.name);
            false
        }
    };
    ANALYSES.into_iter().filter(applies).collect()
}
