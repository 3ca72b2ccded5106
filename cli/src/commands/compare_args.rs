//! Arguments of `scotopic compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::filtering::Source;

/// Options of `scotopic compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "F is the free energy in nats (for a nonlinear model an estimate, which can lie below −ln p),\n\
                        gap = ln p − L the loss due to the factorisation, marginals the mean error of the beliefs\n\
                        against the exact smoother. With --init, parameters are learned from there by EM under each\n\
                        factorisation: |A − A*| and |θ − θ*| are mean errors against --true-model (transition; emission\n\
                        probabilities, rates or means), and updates is the number of iterations until one gains less\n\
                        than --tolerance nats per observation. Online, µs is the time of one update and bytes the state\n\
                        carried; in batch, µs is the time of the whole posterior divided by T and bytes its size.\n\n\
                        With several models their evidence on the same rows is compared, best first: ln p, exact for hmm\n\
                        and linear-gaussian, else the ELBO; AIC and BIC count the free parameters of models fitted to\n\
                        these rows. Several files are series of their own, each from the model's initial law.\n\n\
                        --by prequential learns on from the parameters in the files. A file that was fitted to rows that\n\
                        are scored has seen them, so that the richer model looks better than it predicts: fit every model\n\
                        to the rows before --from alone, or to other series.\n\n\
                        For a continuous-time model (kind = \"generalised\"), schemes, orders of motion and smoothness of\n\
                        the noise are compared: error and calibration against --true-states (without the first N bins,\n\
                        for which the published schemes wait), and the evidence of the samples.\n\n\
                        Networks are compared on the same held-out images: R² and squared error of one sample decoded after\n\
                        the last step, zeros and spikes of that sample, −ln p(x|z) + KL of all steps (β = 1, so that models\n\
                        of any β are on one scale), time; with --ood their errors on rotated digits, Omniglot and CIFAR too.\n\n\
                        Examples:\n  \
                        scotopic compare runs/mnist runs/mnist-gaussian --split test --ood --out compared\n  \
                        scotopic compare quakes.csv --model quakes.toml\n  \
                        scotopic compare quakes.csv --model two.toml --model three.toml --by bic\n  \
                        scotopic compare held-out1.csv held-out2.csv --model two.toml --model three.toml\n  \
                        scotopic compare dice.csv --model true.toml --init guess.toml --true-model true.toml --out out\n  \
                        scotopic compare y.csv --model true.toml --certify --true-states x.csv\n  \
                        scotopic compare y.csv --model lorenz.toml --orders 1..6 --true-states x.csv --out orders"
)]
pub struct CompareArgs {
    /// With --model, the observations: CSV, TSV, JSON lines or npy, a series each; - is standard input. Without, two or more
    /// trained networks: run folders, folders of released checkpoints, or checkpoint files
    #[arg(value_name = "DATA|NETWORK", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Model in TOML; given several times, the models are ranked on the same rows, summed over all series
    #[arg(long, value_name = "FILE")]
    pub model: Vec<PathBuf>,
    /// Several models: what they are ranked by
    #[arg(long, value_enum, value_name = "SCORE", default_value = "evidence")]
    pub by: RankBy,
    /// Several models: row of each series from which the prequential score counts; those before it are only learned from
    /// [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub from: Option<u64>,
    /// Factorisations [default: all that the model has]; block-N has blocks of N time steps
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub factorisations: Vec<String>,
    /// Model from which parameters are learned under each factorisation (hidden Markov models)
    #[arg(long, alias = "start", value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// Model that generated the data, against which learned parameters are scored
    #[arg(long, alias = "truth", value_name = "FILE", requires = "init")]
    pub true_model: Option<PathBuf>,
    /// --init: EM has converged when an iteration gains less than this, in nats per observation [default: 1e-5]
    #[arg(long, value_name = "NATS", requires = "init")]
    pub tolerance: Option<f64>,
    /// --init: maximum number of EM iterations [default: 100]
    #[arg(long, alias = "updates", value_name = "N", requires = "init")]
    pub max_iterations: Option<usize>,
    /// Continuous-time models: orders of motion, as 1..8 or 1,2,4 [default: 1..6]
    #[arg(long, value_name = "LIST", value_parser = orders)]
    pub orders: Option<Orders>,
    /// Continuous-time models: smoothness of the noise in bins; 0 is white noise [default: the model's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub smoothness: Vec<f64>,
    /// Continuous-time models: causal (ours), dem, dem-published, lap-published [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub schemes: Vec<String>,
    /// Continuous-time models and --certify: file of the true states, one row per observation
    #[arg(long, alias = "states", value_name = "FILE")]
    pub true_states: Option<PathBuf>,
    /// Bounds with confidence.
    #[command(flatten)]
    pub certified: CertifyArgs,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Networks.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    pub networks: super::compare_network_args::NetworkArgs,
    /// Folder for the table as CSV and its figure: compare.png, of several models models.svg, how far behind the best they are after
    /// each row; for trajectories.png of a continuous-time model
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

impl CompareArgs {
    /// The row from which the prequential score counts.
    pub fn from(&self) -> u64 {
        self.from.unwrap_or(1)
    }

    /// When EM has converged, nats per observation.
    pub fn tolerance(&self) -> f64 {
        self.tolerance.unwrap_or(1e-5)
    }

    /// The most iterations of EM.
    pub fn max_iterations(&self) -> usize {
        self.max_iterations.unwrap_or(100)
    }

    /// Orders of motion.
    pub fn orders(&self) -> Vec<usize> {
        let asked = self.orders.as_ref().map(|orders| orders.0.clone());
        asked.unwrap_or_else(|| (1..=6).collect())
    }
}

/// Options of `scotopic compare --certify`.
#[derive(Debug, Args)]
pub struct CertifyArgs {
    /// Bound ln p with confidence, instead of timing and errors
    #[arg(long)]
    pub certify: bool,
    /// --certify: probability that a bound does not hold
    #[arg(long, value_name = "P", default_value_t = 0.025, requires = "certify")]
    pub delta: f64,
    /// --certify: particles of a run
    #[arg(long, value_name = "N", default_value_t = 500, requires = "certify")]
    pub particles: usize,
    /// --certify: independent runs
    #[arg(long, value_name = "N", default_value_t = 10, requires = "certify")]
    pub runs: usize,
    /// --certify: seed of the particles
    #[arg(long, value_name = "N", default_value_t = 0, requires = "certify")]
    pub seed: u64,
}

/// What models are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RankBy {
    /// ln p of all rows, or the ELBO
    Evidence,
    /// ln p of the rows from --from on, each under parameters learned from those before it, by the model's first rule. Learning
    /// begins in each series from the parameters of the file: fit that to none of the rows that are scored
    Prequential,
    /// Akaike's criterion, 2 k − 2 ln p
    Aic,
    /// Schwarz's criterion, k ln n − 2 ln p
    Bic,
}

/// Orders of motion to compare.
#[derive(Debug, Clone)]
pub struct Orders(pub(crate) Vec<usize>);

fn orders(text: &str) -> std::result::Result<Orders, String> {
    let number = |t: &str| match t.trim().parse::<usize>() {
        Ok(n) if n <= 15 => Ok(n),
        _ => Err(format!("`{t}` is no order from 0 to 15")),
    };
    let list = match text.split_once("..") {
        Some((from, to)) => (number(from)?..=number(to.trim_start_matches('='))?).collect(),
        None => text
            .split(',')
            .map(number)
            .collect::<std::result::Result<Vec<_>, _>>()?,
    };
    match list.is_empty() {
        true => Err("it holds no order; write 1..8 or 1,2,4".into()),
        false => Ok(Orders(list)),
    }
}
