//! Arguments of `scotopic filter`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use scotopic_filtering::{AnyFilter, Filter as _};

use super::filter_picture::PictureArgs;
use crate::filtering::results::Results;
use crate::filtering::{LineFormat, Source, alarm, lines};
use crate::progress::ProgressArgs;

/// Options of `scotopic filter`.
#[derive(Debug, Args)]
#[command(
    after_help = "A model is a TOML file whose first key is `kind`; `scotopic model list` has all kinds, and\n\
                        `scotopic fit` makes one from data.\n\n\
                        One line is written per observation: the belief q_t, the increment of the ELBO in nats\n\
                        (ln p(o_t|o_<t) where the bound is exact, as with \"reversed\" for hmm and linear-gaussian) and\n\
                        its running sum. An empty cell, NA or null is missing: hmm, linear-gaussian, structural,\n\
                        plds and slds use the rest of its row; for other kinds the row is a missing observation,\n\
                        whose belief is the prediction.\n\
                        Blank lines are skipped.\n\n\
                        A figure has one panel per state and column: mean and credible band of the filtered belief,\n\
                        observations as dots, missing observations shaded grey. It is drawn at the end, also after\n\
                        an error in the data.\n\n\
                        Examples:\n  \
                        scotopic filter --model quakes.toml quakes.csv\n  \
                        scotopic filter --model quakes.toml quakes.csv --alarm 0.01 --every 0\n  \
                        tail -f sensor.csv | scotopic filter --model tracking.toml --learn --save tracking.filter -\n  \
                        scotopic filter --resume tracking.filter tomorrow.csv --model-out tracked.toml\n  \
                        scotopic filter --model lorenz.toml y.csv --true-states x.csv --figure beliefs.png --every 0"
)]
pub struct FilterArgs {
    /// Observations: CSV, TSV, JSON lines or npy; - is standard input. Several files are a series each, filtered from the
    /// model's initial law
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Model in TOML
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    pub model: Option<PathBuf>,
    /// Continue from a saved filter
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// reversed; hmm: decoupled-lag1, frozen, tied; linear-gaussian: diagonal, decoupled, frozen-mean-field,
    /// jelbo; nonlinear: jelbo, vjf
    #[arg(
        long,
        value_name = "NAME",
        default_value = "reversed",
        conflicts_with = "resume"
    )]
    pub factorisation: String,
    /// Learn the parameters while filtering: block-online-em, online-em, fixed-lag, rmle, dirichlet, odem, or a
    /// TOML file with `rule` and its settings; of a linear-gaussian model those that `learned` in its file names, or all
    /// [default: the model's first rule]
    #[arg(
        long,
        value_name = "RULE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "resume"
    )]
    pub learn: Option<String>,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// File for the output lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Format of the output lines [default: by the extension of --out, else jsonl]
    #[arg(long, alias = "lines", value_enum, value_name = "FORMAT")]
    pub out_format: Option<LineFormat>,
    /// Begin --out anew; without it, a resumed filter continues the file where the saved one stood
    #[arg(long, requires_all = ["out", "resume"])]
    pub force: bool,
    /// Write only every N-th line; 0 writes none
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub every: u64,
    /// Mark observations whose tail probability under the prediction (both tails; of several columns together) is below
    /// this: columns tail and alarm, and their number on standard error
    #[arg(long, value_name = "Q", value_parser = alarm::quantile)]
    pub alarm: Option<f64>,
    /// Save the filter at the end, for --resume
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Also save after every N observations
    #[arg(long, value_name = "N", requires = "save", value_parser = clap::value_parser!(u64).range(1..))]
    pub save_every: Option<u64>,
    /// Write the final model; the averaged parameters of a discrete model that learns, where there is an average
    #[arg(long, value_name = "FILE")]
    pub model_out: Option<PathBuf>,
    /// Figure and scores of the beliefs.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// Progress; --quiet also leaves out the summary on standard error.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

impl FilterArgs {
    /// The file of the observations, the first where there are several.
    pub(super) fn first(&self) -> &Path {
        self.data.first().map_or(Path::new("-"), PathBuf::as_path)
    }

    /// Refuses the name of a learning rule, or its file, that stands for data.
    ///
    /// # Errors
    /// Says how it is written.
    pub(super) fn check_rule(&self) -> Result<()> {
        const RULES: [&str; 6] = [
            "block-online-em",
            "online-em",
            "fixed-lag",
            "rmle",
            "dirichlet",
            "odem",
        ];
        let is_rule = |path: &&PathBuf| match path.to_str() {
            Some(name) => RULES.contains(&name) && !path.exists() || name.ends_with(".toml"),
            None => false,
        };
        let all = self.learn.iter().filter(|rule| rule.is_empty());
        match all.zip(self.data.iter().find(is_rule)).next() {
            None => Ok(()),
            Some((_, rule)) => Err(anyhow!(
                "--learn {0} takes {0} for data: a rule follows an equals sign, --learn={0}",
                rule.display()
            )),
        }
    }

    /// The lines that are asked for, with the times of the rows where these are known.
    ///
    /// # Errors
    /// If their file cannot be written or continued.
    pub(super) fn results(&self, filter: &AnyFilter, time: bool) -> Result<Results> {
        let format = match (self.out_format, &self.out) {
            (None, Some(path)) => LineFormat::of(path)?,
            (format, _) => format,
        };
        let format = format.unwrap_or(LineFormat::Jsonl);
        match &self.out {
            None => Ok(Results::stdout(format)),
            Some(path) => match &self.resume {
                Some(saved) if !self.force => {
                    let header = lines::header(filter, false, self.alarm.is_some(), time);
                    Results::append(path, format, &header, filter.observations(), self.every)
                        .with_context(|| format!("--resume {}", saved.display()))
                }
                _ => Results::create(path, format),
            },
        }
    }
}
