//! `scotopic fit`

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::hmm::{BatchEm, EmissionKind, Hmm};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Sequence};
#[cfg(feature = "vision")]
use scotopic_train::device::{self, DeviceChoice};

use super::print;
#[cfg(feature = "vision")]
use crate::filtering::flow;
use crate::filtering::source::{by_name, from_one};
use crate::filtering::{Source, model};
use crate::outputs::{Force, check_apart, check_writable};
use crate::progress::{ProgressArgs, Reporter};
use crate::progress_bar::Heartbeat;
use crate::table::{Cell, Table, duration};
use crate::usage::UsageError;

/// Emission of each hidden state, or a continuous state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Hidden states that emit.
    Hmm(EmissionKind),
    /// A hidden vector that moves and is seen linearly.
    LinearGaussian,
}

impl ValueEnum for ModelKind {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<ModelKind>> = LazyLock::new(|| {
            let discrete = EmissionKind::ALL.iter().copied().map(ModelKind::Hmm);
            discrete.chain([ModelKind::LinearGaussian]).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Hmm(kind) => PossibleValue::new(kind.name())
                .help(format!("Hidden states that emit {}", kind.emits())),
            Self::LinearGaussian => PossibleValue::new("linear-gaussian").help(
                "A hidden vector with linear dynamics and linear observations (Kalman filter)",
            ),
        })
    }
}

/// Numbers of states: 3, or 1..4 for 1 to 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatesRange(pub RangeInclusive<u32>);

impl FromStr for StatesRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// Beyond this many, the transitions alone have 16 million entries.
        const MOST: u32 = 4096;
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first), number(last.trim_start_matches('='))),
            None => (number(text), number(text)),
        };
        match (first, last) {
            (Some(first), Some(last)) if 0 < first && first <= last && last <= MOST => {
                Ok(Self(first..=last))
            }
            _ => Err(format!(
                "expected a number from 1 to {MOST}, or a range such as 1..4"
            )),
        }
    }
}

/// Options of `scotopic fit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each file is one sequence; rows with an empty cell, NA or null are missing observations. Several\n\
                        numbers of states are compared by BIC and AIC, and the best by BIC is written.\n\
                        For a continuous-time model whose equations are a network (kind = \"neural\"), the network of \
                        the dynamics and both precisions are learned.\n\n\
                        Examples:\n  \
                        scotopic fit quakes.csv --kind poisson --n-states 1..4 --out quakes.toml\n  \
                        scotopic fit run1.csv run2.csv --columns x,y --kind linear-gaussian --n-states 4 --out track.toml\n  \
                        scotopic fit more.csv --model quakes.toml --out quakes.toml\n  \
                        scotopic fit examples/oscillator.csv --model examples/oscillator.toml --out learned.toml"
)]
pub struct FitArgs {
    /// Observations: CSV, TSV, JSON lines or npy, one sequence per file; - is standard input
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Kind of model, initialised from the data
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        required_unless_present = "model",
        conflicts_with = "model"
    )]
    pub kind: Option<ModelKind>,
    /// Number of hidden states, or dimension of the hidden vector; several (1,2,4 or 1..4) are compared
    #[arg(
        long,
        alias = "states",
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "2",
        conflicts_with = "model",
        value_parser = StatesRange::from_str
    )]
    pub n_states: Vec<StatesRange>,
    /// Model in TOML to start from
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Model to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Leave to replace --out.
    #[command(flatten)]
    pub force: Force,
    /// Random initialisations; the best fit is kept
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub restarts: u32,
    /// Maximum number of EM iterations; for a network, of passes of filtering and learning [default: 500; 60 for a
    /// network]
    #[arg(long, alias = "iterations", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_iterations: Option<u32>,
    /// Converged when an iteration gains less than this, in nats per observation
    #[arg(long, value_name = "NATS", default_value_t = 1e-6)]
    pub tolerance: f64,
    /// Pseudo-observations per state, which keep probabilities and variances away from zero
    #[arg(long, value_name = "COUNT", default_value_t = 0.0)]
    pub pseudo_count: f64,
    /// Seed of the initialisations, and of the samples a network is trained on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Also learn the network of the observations; states are then identified only up to a change of coordinates
    #[arg(long, requires = "model")]
    pub learn_output: bool,
    /// Device on which a network is learned: auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N
    #[cfg(feature = "vision")]
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: DeviceChoice,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Progress.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// One fitted model.
struct ModelFit {
    states: usize,
    model: AnyModel,
    log_evidence: f64,
    iterations: usize,
    converged: bool,
    free: usize,
    seconds: f64,
}

impl ModelFit {
    fn bic(&self, observations: usize) -> f64 {
        self.free as f64 * (observations as f64).ln() - 2.0 * self.log_evidence
    }

    fn aic(&self) -> f64 {
        2.0 * (self.free as f64 - self.log_evidence)
    }
}

/// Fits models to whole sequences by expectation–maximisation.
///
/// # Errors
/// If data or model cannot be used, or EM failed from every initialisation.
pub fn run(args: &FitArgs) -> Result<ExitCode> {
    ensure_numbers(args).map_err(UsageError)?;
    let read: Vec<&Path> = args.data.iter().map(PathBuf::as_path).collect();
    // A model may be replaced by its own refit; data may not.
    if args.model.as_ref() != Some(&args.out) {
        args.force.check([args.out.as_path()]).map_err(UsageError)?;
    }
    check_apart(&[&args.out], &read).map_err(UsageError)?;
    check_writable(&args.out).map_err(UsageError)?;
    let emission = match args.kind {
        Some(ModelKind::Hmm(emission)) => Some(emission),
        _ => None,
    };
    let check = |row: &[f64]| emission.map_or(Ok(()), |emission| emission.check(row));
    let (data, names) = args.source.read_all(&args.data, &check)?;
    let observations: usize = data.iter().map(|s| s.iter().flatten().count()).sum();
    ensure!(
        observations > 0,
        "there is no observation: every row is missing"
    );
    let (mut fits, mut failed) = (Vec::new(), Vec::new());
    let reporter = Reporter::new(args.progress);
    match (&args.model, args.kind) {
        (Some(path), _) => {
            let model = model::read(path)?;
            let _beat = Heartbeat::start(reporter, format!("fitting {}", path.display()));
            fits.push(from_model(model, &data, args).map_err(|e| by_name(e, &names))?);
        }
        (None, Some(kind)) => {
            let numbers = args.n_states.iter().flat_map(|range| range.0.clone());
            for states in numbers {
                let _beat = Heartbeat::start(reporter, format!("fitting {states} states"));
                match from_data(kind, states as usize, &data, args) {
                    Ok(fitted) => {
                        if fitted.seconds > 1.0 {
                            let seconds = duration(fitted.seconds);
                            reporter.say(&format!("fitted {states} states in {seconds}"));
                        }
                        fits.push(fitted);
                    }
                    Err(error) => failed.push((states, by_name(error, &names))),
                }
            }
        }
        (None, None) => {
            bail!("give --kind to start from the data, or --model to start from a model")
        }
    }
    let best = fits
        .iter()
        .min_by(|a, b| a.bic(observations).total_cmp(&b.bic(observations)));
    let Some(best) = best else {
        let told = match failed.into_iter().next() {
            // Some say already what helps.
            Some((_, error)) if error.to_string().contains("--pseudo-count") => error,
            Some((states, error)) => error.context(format!(
                "{states} states could not be fitted (--pseudo-count keeps probabilities and variances from zero)"
            )),
            None => anyhow::anyhow!("there is nothing to fit"),
        };
        return Err(told);
    };
    model::write(&best.model, &args.out)?;
    if args.json {
        let rows: Vec<_> = fits.iter().map(|f| row_json(f, observations)).collect();
        let value = serde_json::json!({
            "observations": observations, "sequences": data.len(), "fits": rows,
            "best": best.states, "model": args.out.to_string_lossy(),
            "failed": failed.iter().map(|(k, e)| serde_json::json!({"states": k, "error": format!("{e:#}")})).collect::<Vec<_>>(),
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&[
        "states",
        "ln p",
        "per observation",
        "parameters",
        "BIC",
        "AIC",
        "iterations",
        "seconds",
    ]);
    for f in &fits {
        let mark = if f.converged { "" } else { " (stopped)" };
        table.push(vec![
            f.states.to_string().into(),
            Cell::Number(f.log_evidence, 3),
            Cell::Number(f.log_evidence / observations as f64, 4),
            f.free.to_string().into(),
            Cell::Number(f.bic(observations), 1),
            Cell::Number(f.aic(), 1),
            format!("{}{mark}", f.iterations).into(),
            Cell::Number(f.seconds, 2),
        ]);
    }
    print::line(table.text())?;
    for (states, error) in &failed {
        print::line(format!("{states} states: {error:#}"))?;
    }
    print::line(format!(
        "{} ({observations} observations): {}",
        best.model.described(),
        args.out.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn ensure_numbers(args: &FitArgs) -> Result<()> {
    ensure!(
        args.tolerance >= 0.0 && args.tolerance.is_finite(),
        "--tolerance is {}, expected 0 or more",
        args.tolerance
    );
    ensure!(
        args.pseudo_count >= 0.0 && args.pseudo_count.is_finite(),
        "--pseudo-count is {}, expected a finite number, 0 or more",
        args.pseudo_count
    );
    Ok(())
}

fn row_json(f: &ModelFit, observations: usize) -> serde_json::Value {
    serde_json::json!({
        "states": f.states, "log_evidence": f.log_evidence, "parameters": f.free, "bic": f.bic(observations),
        "aic": f.aic(), "iterations": f.iterations, "converged": f.converged, "seconds": f.seconds,
    })
}

fn iterations(args: &FitArgs) -> usize {
    args.max_iterations.unwrap_or(500) as usize
}

fn discrete_em(args: &FitArgs) -> BatchEm {
    BatchEm {
        max_iterations: iterations(args),
        tolerance: args.tolerance,
        pseudo_count: args.pseudo_count,
    }
}

fn gaussian_em(args: &FitArgs) -> GaussianFit {
    GaussianFit {
        max_iterations: iterations(args),
        tolerance: args.tolerance,
        pseudo_count: args.pseudo_count,
        ..GaussianFit::default()
    }
}

fn from_data(
    kind: ModelKind,
    states: usize,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let ModelKind::Hmm(emission) = kind else {
        let guess = LinearGaussian::initial_guess(states, data)?;
        return gaussian(guess, data, args, begun);
    };
    // Each number of states has its own random stream, independent of the other numbers.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(args.seed.wrapping_add((states as u64) << 32));
    let fit = Hmm::fit_guesses(
        emission,
        states,
        data,
        args.restarts as usize,
        &discrete_em(args),
        &mut rng,
    )
    .map_err(from_one)?;
    if fit.pseudo_count > args.pseudo_count {
        Reporter::new(args.progress).say(&format!(
            "{states} states: from every start one collapsed onto single values; fitted with {:e} pseudo-observations per \
             state (--pseudo-count)",
            fit.pseudo_count
        ));
    }
    Ok(ModelFit {
        states,
        log_evidence: fit.log_evidence(),
        iterations: fit.iterations,
        converged: fit.converged,
        free: fit.free_parameters,
        model: AnyModel::Hmm(fit.model),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn from_model(model: AnyModel, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    match model {
        AnyModel::Hmm(model) => {
            let fit = model.fit(data, &discrete_em(args)).map_err(from_one)?;
            Ok(ModelFit {
                states: fit.model.states(),
                log_evidence: fit.log_evidence(),
                iterations: fit.iterations,
                converged: fit.converged,
                free: fit.free_parameters,
                model: AnyModel::Hmm(fit.model),
                seconds: begun.elapsed().as_secs_f64(),
            })
        }
        AnyModel::LinearGaussian(model) => gaussian(model, data, args, begun),
        AnyModel::Generalised(model) if model.network().is_some() => {
            network(&model, data, args, begun)
        }
        AnyModel::Nonlinear(_) | AnyModel::Generalised(_) => bail!(
            "this kind of model is learned while filtering: scotopic filter --model M.toml --learn --model-out NEW.toml, \
             repeated over the same data if necessary"
        ),
    }
}

#[cfg(feature = "vision")]
fn network(
    start: &GeneralisedModel,
    data: &[Sequence],
    args: &FitArgs,
    begun: Instant,
) -> Result<ModelFit> {
    let device = device::open(args.device).map_err(UsageError)?.device;
    let rounds = args.max_iterations.map(|n| n as usize);
    let fit = flow::fit(start, data, rounds, args.learn_output, args.seed, &device)?;
    Ok(ModelFit {
        states: fit.model.sizes().0,
        log_evidence: fit.log_evidence,
        iterations: fit.rounds,
        // A fixed number of rounds: there is no tolerance.
        converged: true,
        free: fit.free,
        model: AnyModel::Generalised(Box::new(fit.model)),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

#[cfg(not(feature = "vision"))]
fn network(_: &GeneralisedModel, _: &[Sequence], _: &FitArgs, _: Instant) -> Result<ModelFit> {
    bail!(
        "a network is learned on tensors, which this build leaves out; \
         `cargo build --release -p scotopic-cli` makes one that has them"
    )
}

fn gaussian(
    start: LinearGaussian,
    data: &[Sequence],
    args: &FitArgs,
    begun: Instant,
) -> Result<ModelFit> {
    let fit = start.fit(data, &gaussian_em(args))?;
    let log_evidence = fit.log_evidence.last().copied().unwrap_or(f64::NAN);
    Ok(ModelFit {
        states: fit.model.states(),
        log_evidence,
        iterations: fit.log_evidence.len().saturating_sub(1),
        converged: fit.converged,
        free: fit.model.free_parameters(),
        model: AnyModel::LinearGaussian(fit.model),
        seconds: begun.elapsed().as_secs_f64(),
    })
}
