//! What `scotopic compare` is told.

use std::path::PathBuf;

use clap::Args;

use crate::filtering::Source;

/// Options of `scotopic compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "F is the free energy in nats, gap = ln p − L what the factorisation costs (of a nonlinear model F is an\n\
                        estimate, which can come out below −ln p), marginals the mean error of\n\
                        its beliefs against the exact smoother. With --start, parameters are learned from there by EM\n\
                        under each factorisation; |A − A*| and |θ − θ*| are mean errors against --truth (transition, and\n\
                        probabilities, rates or means), updates the iterations until an observation gains less than\n\
                        --tolerance nats. µs and bytes are of one update and of what is carried online, in batch of the\n\
                        whole posterior divided by T and of all of it.\n\n\
                        For a model in continuous time (kind = \"generalised\") schemes, orders of motion and smoothness of\n\
                        the noise are compared: error and calibration against --states (after the\n\
                        first N bins, which the published schemes wait for), evidence of the samples.\n\n\
                        Examples:\n  \
                        scotopic compare quakes.csv --model quakes.toml\n  \
                        scotopic compare dice.csv --model true.toml --start guess.toml --truth true.toml --out compared\n  \
                        scotopic compare y.csv --model lorenz.toml --orders 1..6 --smoothness 0,0.5 --states x.csv --out orders"
)]
pub struct CompareArgs {
    /// Observations: CSV, TSV, JSON lines or npy; - is standard input
    pub data: PathBuf,
    /// Model in TOML
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Factorisations [default: all of the model]; block-N has windows of N
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub factorisations: Vec<String>,
    /// Learn under each factorisation, from this model (hidden Markov models)
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// The model that made the data, which learning should find
    #[arg(long, value_name = "FILE", requires = "start")]
    pub truth: Option<PathBuf>,
    /// Learning settles when an update gains less, in nats per observation
    #[arg(long, value_name = "NATS", default_value_t = 1e-5)]
    pub tolerance: f64,
    /// Updates of learning at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub updates: usize,
    /// Models in continuous time: orders of motion, as in 1..8 or 1,2,4
    #[arg(long, value_name = "LIST", default_value = "1..6", value_parser = orders)]
    pub orders: Orders,
    /// Models in continuous time: smoothness of the noise in bins, 0 is white [default: the model's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub smoothness: Vec<f64>,
    /// Models in continuous time: causal (ours), dem, dem-published, lap-published [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub schemes: Vec<String>,
    /// Models in continuous time: file of the true states, a row a bin
    #[arg(long, value_name = "FILE")]
    pub states: Option<PathBuf>,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Folder for compare.csv and compare.png, and trajectories.png of a model in continuous time
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Orders of motion to compare.
#[derive(Debug, Clone)]
pub struct Orders(pub(crate) Vec<usize>);

fn orders(text: &str) -> Result<Orders, String> {
    let number = |t: &str| match t.trim().parse::<usize>() {
        Ok(n) if n <= 15 => Ok(n),
        _ => Err(format!("`{t}` is no order from 0 to 15")),
    };
    let list = match text.split_once("..") {
        Some((from, to)) => (number(from)?..=number(to.trim_start_matches('='))?).collect(),
        None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
    };
    match list.is_empty() {
        true => Err("it holds no order; write 1..8 or 1,2,4".into()),
        false => Ok(Orders(list)),
    }
}
