//! `scotopic analyse`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use scotopic_datasets::{DataConfig, ImageSet, ImageShape, Splits};
use scotopic_models::DecoderKind;
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::device;

use super::evaluate::Split;
use super::{model, print};
use crate::args::{RuntimeArgs, UsageError};

mod learned;
mod over_time;
mod population;
mod report;
mod stimuli;

use report::AnalysisReport;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Analysis {
    /// What it makes of images: means of the belief, and how sparse they are
    Representation,
    /// Accuracy of a linear read-out and of nearest neighbours
    Classify,
    /// R², error, free energy, |Δu| and sparsity over inference
    Convergence,
    /// The same on images unlike those it was trained on
    Ood,
    /// How firing rates are distributed
    Rates,
    /// Gabor functions fitted to the atoms
    Filters,
    /// Tuning to drifting gratings and plaids
    Tuning,
    /// Response latency against contrast
    Latency,
    /// Spike-triggered averages of white noise
    ReceptiveField,
    /// Lateral and feedforward weights
    Lateral,
}

impl Analysis {
    const ALL: [Self; 10] = [
        Self::Representation,
        Self::Classify,
        Self::Convergence,
        Self::Ood,
        Self::Rates,
        Self::Filters,
        Self::Tuning,
        Self::Latency,
        Self::ReceptiveField,
        Self::Lateral,
    ];

    fn needs_data(self) -> bool {
        matches!(
            self,
            Self::Representation | Self::Classify | Self::Convergence | Self::Rates
        )
    }

    /// Why the question makes no sense for a model, as far as its configuration tells.
    fn unsuited(self, checkpoint: &Checkpoint) -> Option<&'static str> {
        let config = &checkpoint.config;
        let shape = checkpoint.image.shape;
        let picture = shape.height > 2 && shape.width > 2;
        let linear = config.model.decoder.kind == DecoderKind::Linear;
        let spikes = config.model.family.info().spikes;
        let labelled = matches!(
            &config.data,
            DataConfig::Idx(_)
                | DataConfig::Npy(_)
                | DataConfig::Cifar(_)
                | DataConfig::Omniglot(_)
        );
        let digits = matches!(&config.data, DataConfig::Idx(_))
            && shape.channels == 1
            && shape.height == shape.width
            && shape.height <= 32;
        let needs = |fits: bool, why: &'static str| (!fits).then_some(why);
        let firing = needs(spikes, "its latents do not spike");
        let seeing = needs(picture, "its input is not an image");
        let atoms = needs(linear, "its decoder is not linear");
        match self {
            Self::Representation | Self::Convergence => None,
            Self::Classify => needs(labelled, "its data have no labels"),
            Self::Ood => needs(digits, "it was not trained on small grey images"),
            Self::Rates => firing,
            Self::Filters => atoms
                .or(seeing)
                .or(needs(shape.channels == 1, "its atoms are in colour")),
            Self::Tuning | Self::Latency => firing.or(seeing),
            Self::ReceptiveField => firing.or(atoms),
            Self::Lateral => atoms.or(needs(config.model.latents >= 2, "it has one neuron")),
        }
    }
}

/// Options of `scotopic analyse`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every question leaves NAME.csv (one row per step, view or neuron), NAME.json (everything) and, where\n\
                        one makes sense, NAME.png in the folder; receptive-field, representation and lateral also NAME.npz.\n\n\
                        Defaults: representation, classify and rates look after as many steps as in training, ood after\n\
                        those and after 128, convergence up to 128. Images at most: 500 for convergence, 1000 for\n\
                        representation, rates and each view of ood, 5000 to train and 5000 to test classify.\n\
                        Gratings and noise are in units of the standardised data.\n\nExamples:\n  \
                        scotopic analyse checkpoints/dead-leaves --what filters --what tuning --out analysis\n  \
                        scotopic analyse runs/mnist --what convergence --steps 1000 --out analysis --data ../datasets"
)]
pub struct AnalyseArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Which questions; may be repeated [default: all that suit the model and its data]
    #[arg(long, value_enum)]
    pub what: Vec<Analysis>,
    /// Inference steps for questions about images
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Images at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Images at a time
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Part of the data for convergence, representation and rates
    #[arg(long, value_enum, default_value = "validation")]
    pub split: Split,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub place: RuntimeArgs,
}

/// What a question is asked about.
struct Request<'a> {
    args: &'a AnalyseArgs,
    checkpoint: &'a Checkpoint,
    subject: AnalysedModel<'a>,
    splits: Option<&'a Splits>,
}

impl Request<'_> {
    fn shape(&self) -> ImageShape {
        self.checkpoint.image.shape
    }

    /// The steps asked for, or as many as in training.
    fn steps(&self) -> usize {
        let trained = self.checkpoint.config.inference.steps;
        self.args.steps.map_or(trained, |t| t as usize)
    }

    fn count(&self, usual: usize) -> usize {
        self.args.count.map_or(usual, |n| n as usize)
    }

    fn splits(&self) -> Result<&Splits> {
        self.splits.context("the data were not loaded")
    }

    fn images(&self) -> Result<&ImageSet> {
        let splits = self.splits()?;
        match self.args.split {
            Split::Train => Ok(&splits.train),
            Split::Validation => Ok(&splits.validation),
            Split::Test => splits
                .test
                .as_ref()
                .context("these data have no test set: take --split validation"),
        }
    }
}

/// Analyses a model.
///
/// # Errors
/// If model, data or device cannot be used, or a question makes no sense for them.
pub fn run(args: &AnalyseArgs) -> Result<ExitCode> {
    let opened = device::open(args.place.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let wanted = wanted(args, &checkpoint);
    let splits = match wanted.iter().any(|what| what.needs_data()) {
        true => Some(checkpoint.config.data.load(&args.place.data, &mut |_| {})?),
        false => None,
    };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let request = Request {
        args,
        checkpoint: &checkpoint,
        subject: AnalysedModel {
            model: &model,
            config: &checkpoint.config,
            device: &opened.device,
        },
        splits: splits.as_ref(),
    };
    let mut told = serde_json::Map::new();
    for what in wanted {
        let name = what.to_possible_value();
        let name = name.as_ref().map_or("", |name| name.get_name());
        let asked = !args.what.is_empty();
        let answer = match ask(&request, what) {
            // The files of a set may lack labels that its kind could have: no reason to lose the rest.
            Err(error) if !asked && unanswerable(what, &request) => {
                eprintln!("scotopic: left out {name}: {error:#}");
                continue;
            }
            answered => answered.with_context(|| format!("--what {name}"))?,
        };
        let files = answer.write(&args.out)?;
        if args.json {
            let value = serde_json::json!({ "summary": answer.headline, "files": files });
            told.insert(answer.name.to_owned(), value);
            continue;
        }
        print::line(answer.name)?;
        for line in &answer.summary {
            print::line(format!("  {line}"))?;
        }
        let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        print::line(format!("  {}", files.join("  ")))?;
    }
    if args.json {
        print::line(serde_json::to_string_pretty(&told)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The questions asked, or all that suit the model; what is left out is said.
fn wanted(args: &AnalyseArgs, checkpoint: &Checkpoint) -> Vec<Analysis> {
    if !args.what.is_empty() {
        let mut asked: Vec<Analysis> = Vec::new();
        for &what in &args.what {
            if !asked.contains(&what) {
                asked.push(what);
            }
        }
        return asked;
    }
    let suits = |what: &Analysis| match what.unsuited(checkpoint) {
        None => true,
        Some(why) => {
            let name = what.to_possible_value();
            let name = name.as_ref().map_or("", |name| name.get_name());
            eprintln!("scotopic: left out {name}: {why}");
            false
        }
    };
    Analysis::ALL.into_iter().filter(suits).collect()
}

/// Whether a question has no answer for want of labels or of sets to show, which the configuration alone
/// does not tell.
fn unanswerable(what: Analysis, request: &Request<'_>) -> bool {
    match what {
        Analysis::Classify => request.splits.is_some_and(|s| s.train.labels().is_none()),
        Analysis::Ood => over_time::no_views(request),
        _ => false,
    }
}

fn ask(request: &Request<'_>, what: Analysis) -> Result<AnalysisReport> {
    match what {
        Analysis::Representation => over_time::representation(request),
        Analysis::Convergence => over_time::convergence(request),
        Analysis::Ood => over_time::ood(request),
        Analysis::Classify => learned::classify(request),
        Analysis::Filters => learned::filters(request),
        Analysis::Lateral => learned::lateral(request),
        Analysis::Rates => population::rates(request),
        Analysis::Tuning => population::tuning(request),
        Analysis::Latency => stimuli::latency(request),
        Analysis::ReceptiveField => stimuli::receptive_field(request),
    }
}
