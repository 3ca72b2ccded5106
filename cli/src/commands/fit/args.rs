//! The options of `scotopic fit`.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, ensure};
use clap::Args;
#[cfg(feature = "vision")]
use scotopic_train::device::DeviceChoice;

use super::kinds::{FitOf, ModelKind, StatesRange};
use super::structural_args::StructuralArgs;
use crate::filtering::Source;
use crate::filtering::columns::entries;
use crate::outputs::Force;
use crate::progress::ProgressArgs;
use crate::usage::UsageError;

/// Options of `scotopic fit`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Each file is one sequence. An empty cell, NA or null is missing: hmm, linear-gaussian, plds and\n\
                        slds use the rest of its row; for other kinds the row is a missing observation. Several numbers of\n\
                        states are compared by BIC and AIC, and the best by BIC is written; a fit that ended early, or\n\
                        collapsed, is not compared.\n\
                        ar1-poisson, sin-quadratic, stochastic-volatility and diagonal-linear are fitted from a model by the\n\
                        bound of their filter, 100 iterations at most; none lowers it. Equations in continuous time (kind =\n\
                        \"generalised\") are fitted from a model by passes of odem over the data, each kept where it raises\n\
                        the ELBO of the filter.\n\
                        For a continuous-time model whose equations are a network (kind = \"neural\"), the network of \
                        the dynamics and both precisions are learned.\n\n\
                        Examples:\n  \
                        scotopic fit quakes.csv --kind poisson --n-states 1..4 --out quakes.toml\n  \
                        scotopic fit run1.csv run2.csv --columns x,y --kind linear-gaussian --n-states 4 --out track.toml\n  \
                        scotopic fit spikes.csv --kind plds --n-states 3 --out population.toml\n  \
                        scotopic fit gdp.csv --kind slds --n-states 1..3 --out regimes.toml\n  \
                        scotopic fit task.csv --columns choice --inputs contrast --kind logistic-regression --out m.toml\n  \
                        scotopic fit laps.csv --columns spikes --transition-inputs reward --kind poisson --out laps.toml\n  \
                        scotopic fit nile.csv --columns volume --component level --out nile.toml\n  \
                        scotopic fit us.csv --columns infl --component level,regression --inputs unemp --out us.toml\n  \
                        scotopic fit more.csv --model quakes.toml --out quakes.toml\n  \
                        scotopic fit examples/oscillator.csv --model examples/oscillator.toml --out learned.toml"
)]
pub struct FitArgs {
    /// Observations: CSV, TSV, JSON lines or npy, one sequence per file; - is standard input
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Kind of model, initialised from the data
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "model")]
    pub kind: Option<ModelKind>,
    /// Structural models.
    #[command(flatten)]
    pub structural: StructuralArgs,
    /// Parameters that are learned, the others as they are: F, b, Q, H, d, R and initial of a linear-gaussian model,
    /// B and D of its inputs (diagonal beside them keeps Q, R and P0 diagonal), names of a structural one [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub learn: Vec<String>,
    /// Number of hidden states, regimes of slds, or dimension of the hidden vector; several (1,2,4 or 1..4) are compared
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
    /// Dimension of the hidden vector of slds [default: the number of columns]
    #[arg(long, value_name = "N", requires = "kind", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub dimension: Option<u32>,
    /// Model in TOML to start from
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Columns that are given with every row: of a regression in each state, of B and D of a linear-gaussian model, of the
    /// component regression; the others are predicted. By name or by number from 1; the model has the names of the table, or the numbers
    /// where it names none
    #[arg(long, value_name = "LIST")]
    pub inputs: Vec<String>,
    /// Columns that the transitions of hidden states depend on, by a logistic regression in each; they may be among --inputs
    #[arg(long, value_name = "LIST", requires = "kind")]
    pub transition_inputs: Vec<String>,
    /// Column of the time, area or number at risk that counts are of
    #[arg(long, value_name = "NAME", requires = "kind")]
    pub exposure: Option<String>,
    /// Observations before that one depends on, of autoregression [default: 1]
    #[arg(long, value_name = "P", requires = "kind", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub lags: Option<u32>,
    /// Model to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Leave to replace --out.
    #[command(flatten)]
    pub force: Force,
    /// Starts; the best fit is kept. Of hidden Markov models, starts of each round of a search; of slds, runs that are begun, of which the
    /// best is followed [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub restarts: Option<u32>,
    /// Maximum number of EM iterations; for a network, of passes of filtering and learning [default: 500; 200 for
    /// plds and blds, 2000 for slds, 60 for a network]
    #[arg(long, alias = "iterations", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_iterations: Option<u32>,
    /// Converged when the gradient promises less than this, in nats per observation [default: 1e-8]; of plds,
    /// blds and slds when an iteration gains less [default: 1e-5]; not of linear-gaussian and structural models, whose gradients end
    /// below 1e-4 and 1e-6 nats
    #[arg(long, value_name = "NATS")]
    pub tolerance: Option<f64>,
    /// Pseudo-observations per state, which keep probabilities and variances away from zero [default: 0]
    #[arg(long, value_name = "COUNT")]
    pub pseudo_count: Option<f64>,
    /// Least variance of a state of an hmm, in units of the variance of all data; runs that fall below it have collapsed
    /// onto single values, and are left out. Of slds, the least of its noises, in any direction: a fit stays above it, and is not ranked where a regime predicts with
    /// no more [default: 1e-5]
    #[arg(long, value_name = "RATIO")]
    pub variance_floor: Option<f64>,
    /// Threads that the restarts are divided between; 0 is one a core [default: 0]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Seed of the initialisations, and of the samples a network is trained on [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Instead of the optimum: what this learning rule of filter comes to, passes over the data after another; a pass that
    /// lowers ln p is given up (hmm). Equations in continuous time are fitted so in any case [default of these: odem]
    #[arg(long, value_name = "RULE", requires = "model")]
    pub rule: Option<String>,
    /// Passes of --rule, at most [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub passes: Option<u32>,
    /// Also learn the network of the observations; states are then identified only up to a change of coordinates
    #[arg(long, requires = "model")]
    pub learn_output: bool,
    /// Device on which a network is learned: auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N [default: flex]
    #[cfg(feature = "vision")]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Progress.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

impl FitArgs {
    /// The inputs of transitions that the emission is not given: they follow its own in a row.
    pub fn transition_inputs_alone(&self) -> Vec<String> {
        let own = |name: &&String| !self.inputs.iter().chain(&self.exposure).any(|n| n == *name);
        self.transition_inputs.iter().filter(own).cloned().collect()
    }

    /// The same with the lists of columns that are given taken apart, and all called by their names: the model is given columns of these
    /// names.
    ///
    /// # Errors
    /// As [`Source::named`].
    pub fn with_names(&self) -> Result<Self> {
        let mut own = self.clone();
        let names = |option: &str, lists: Vec<String>| -> Result<Vec<String>> {
            let each = lists.iter().map(|list| entries(option, list));
            Ok(each
                .collect::<Result<Vec<_>>>()
                .map_err(UsageError)?
                .concat())
        };
        own.inputs = names("--inputs", own.inputs)?;
        own.transition_inputs = names("--transition-inputs", own.transition_inputs)?;
        if let Some(first) = self.data.first() {
            let named = |columns| self.source.named(first, columns);
            own.inputs = named(own.inputs)?;
            own.transition_inputs = named(own.transition_inputs)?;
            let exposure = named(own.exposure.into_iter().collect())?;
            own.exposure = exposure.into_iter().next();
        }
        Ok(own)
    }

    /// Maximum number of iterations of EM.
    pub fn iterations(&self) -> usize {
        self.max_iterations.unwrap_or(500) as usize
    }

    /// Starts, or those of a round.
    pub fn restarts(&self) -> usize {
        self.restarts.unwrap_or(10) as usize
    }

    /// Threads that restarts are divided between; 0 is one a core.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or(0)
    }

    /// Pseudo-observations per state.
    pub fn pseudo_count(&self) -> f64 {
        self.pseudo_count.unwrap_or(0.0)
    }

    /// Passes of a learning rule.
    pub fn passes(&self) -> usize {
        self.passes.unwrap_or(10) as usize
    }

    /// Seed of what is drawn.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// Refuses options that a fit of this kind has no use for.
    ///
    /// # Errors
    /// Names the option and the fit.
    pub fn check_for(&self, fit: FitOf) -> Result<()> {
        use FitOf::{
            DrivenHmmData, DrivenHmmFile, GaussianData, GaussianFile, Generalised, HmmData,
            HmmFile, Network, Passes, PldsData, PldsFile, SldsData, SldsFile, Structural,
        };
        let floored = [
            HmmData,
            DrivenHmmData,
            HmmFile,
            DrivenHmmFile,
            SldsData,
            SldsFile,
        ];
        let in_parallel = [HmmData, DrivenHmmData, GaussianData, Structural, SldsData];
        #[cfg(feature = "vision")]
        let device = self.device.is_some();
        #[cfg(not(feature = "vision"))]
        let device = false;
        let all: [(&str, bool, &[FitOf]); 15] = [
            (
                "--restarts",
                self.restarts.is_some(),
                &[HmmData, DrivenHmmData, GaussianData, Structural, SldsData],
            ),
            (
                "--tolerance",
                self.tolerance.is_some(),
                &[
                    HmmData,
                    DrivenHmmData,
                    HmmFile,
                    DrivenHmmFile,
                    PldsData,
                    PldsFile,
                    SldsData,
                    SldsFile,
                ],
            ),
            (
                "--pseudo-count",
                self.pseudo_count.is_some(),
                &FitOf::WITH_PSEUDO_COUNT,
            ),
            (
                "--variance-floor",
                self.variance_floor.is_some(),
                if self.kind.is_some_and(ModelKind::lacks_variances) {
                    &[]
                } else {
                    &floored
                },
            ),
            ("--threads", self.threads.is_some(), &in_parallel),
            (
                "--seed",
                self.seed.is_some(),
                &[
                    HmmData,
                    DrivenHmmData,
                    GaussianData,
                    Structural,
                    SldsData,
                    Network,
                ],
            ),
            ("--dimension", self.dimension.is_some(), &[SldsData]),
            ("--rule", self.rule.is_some(), &[Passes, Generalised]),
            ("--passes", self.passes.is_some(), &[Passes, Generalised]),
            (
                "--max-iterations",
                self.max_iterations.is_some() && matches!(fit, Passes | Generalised),
                &[],
            ),
            (
                "--learn",
                !self.learn.is_empty(),
                &[GaussianData, GaussianFile, Structural],
            ),
            (
                "--fix",
                !self.structural.fix.is_empty(),
                &[GaussianData, GaussianFile, Structural],
            ),
            (
                "--tie",
                !self.structural.tie.is_empty(),
                &[GaussianData, GaussianFile, Structural],
            ),
            ("--learn-output", self.learn_output, &[Network]),
            ("--device", device, &[Network]),
        ];
        ensure!(
            self.rule.is_none() || fit != HmmData,
            "--rule goes over the data from a model that is there: give its file by --model instead of --kind"
        );
        ensure!(
            self.passes.is_none() || self.rule.is_some() || fit == Generalised,
            "--passes are of a learning rule: name one by --rule, or leave --passes out"
        );
        for (option, given, of) in all {
            ensure!(
                !given || of.contains(&fit),
                "{} has no use for {option}: leave it out",
                fit.described()
            );
        }
        Ok(())
    }

    /// Refuses numbers outside their range.
    ///
    /// # Errors
    /// The option and its value.
    pub fn ensure_numbers(&self) -> Result<()> {
        if let Some(tolerance) = self.tolerance {
            ensure!(
                tolerance >= 0.0 && tolerance.is_finite(),
                "--tolerance is {tolerance}, expected 0 or more"
            );
        }
        if let Some(floor) = self.variance_floor {
            ensure!(
                (0.0..1.0).contains(&floor),
                "--variance-floor is {floor}, expected 0 or more, and below 1"
            );
        }
        let pseudo_count = self.pseudo_count();
        ensure!(
            pseudo_count == 0.0 || self.transition_inputs.is_empty(),
            "--pseudo-count is not for --transition-inputs, whose fit ascends ln p itself"
        );
        ensure!(
            pseudo_count >= 0.0 && pseudo_count.is_finite(),
            "--pseudo-count is {pseudo_count}, expected a finite number, 0 or more"
        );
        Ok(())
    }
}
