//! `scotopic summary`

mod saved;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use scotopic_figures::Format;
use scotopic_filtering::gaussian::{Component, StructuralModel};
use scotopic_filtering::{Sequence, Summary, SummarySettings, many};

use super::{print, summary_picture};
use crate::filtering::of_fit::OfFit;
use crate::filtering::places::from_one;
use crate::filtering::recording::Subject;
use crate::filtering::saved::is_saved;
use crate::filtering::{Source, model};
use crate::outputs::{check_apart, check_writable};
use crate::table::{Cell, Table, number};
use crate::usage::UsageError;

/// Options of `scotopic summary`.
#[derive(Debug, Args)]
#[command(
    after_help = "Standard errors are those of the observed information of the data that the model was fitted to: the\n\
                        curvature of the exact ln p at the parameters, by central differences. Held are initial laws,\n\
                        observation matrices, entries of a linear-gaussian model that are exactly 0 or 1 or that its file\n\
                        fixes, fixed parameters of a structural one, and what --hold names; entries that are tied have one\n\
                        standard error. Intervals are made where a parameter is unbounded (logarithms of variances and\n\
                        rates, logits of probabilities). A shortfall above a few hundredths says that ln p is not at its\n\
                        maximum there, and the errors mean little.\n\n\
                        Of a saved filter that learned by the rule dirichlet, posterior means, standard deviations and\n\
                        credible intervals (equal tails) of transition probabilities and of the probabilities or rates of\n\
                        categorical, bernoulli and poisson emissions are printed, from its counts.\n\n\
                        Examples:\n  \
                        scotopic summary --model level.toml nile.csv --columns volume\n  \
                        scotopic summary --model x.filter --level 0.9"
)]
pub struct SummaryArgs {
    /// Observations that the model was fitted to: CSV, TSV, JSON lines or npy, a series each; - is standard input; none of a saved
    /// filter
    pub data: Vec<PathBuf>,
    /// Model in TOML, or a filter that learned by --learn=dirichlet and was saved by scotopic filter --save
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Probability of the intervals
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    pub level: f64,
    /// Parameters that were not fitted, by the beginning of their names: for example transition
    #[arg(long, value_name = "LIST")]
    pub hold: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Plot the intervals, each in parts of its estimate: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
}

impl SummaryArgs {
    /// The model and the data.
    ///
    /// # Errors
    /// If there are no data.
    fn subject(&self) -> Result<Subject> {
        ensure!(
            !self.data.is_empty(),
            "{} is a model: name the data that it was fitted to",
            self.model.display()
        );
        Ok(Subject {
            data: self.data.clone(),
            model: self.model.clone(),
            source: self.source.clone(),
        })
    }
}

/// A model that is fitted is at most so many nats short of its best.
const SHORT: f64 = 0.05;

/// Prints estimates, standard errors and information criteria.
///
/// # Errors
/// If model or data cannot be used, or the kind of model has no exact evidence.
pub fn run(args: &SummaryArgs) -> Result<ExitCode> {
    if is_saved(&args.model) {
        return saved::run(args);
    }
    let hold = held(&args.hold).map_err(UsageError)?;
    let subject = args.subject().map_err(UsageError)?;
    check(args, &subject).map_err(UsageError)?;
    let model = subject.read_model()?;
    let recordings = subject.read(&model)?;
    recordings.iter().try_for_each(|one| one.check(&model))?;
    let sequences: Vec<Sequence> = recordings.into_iter().map(|r| r.sequence).collect();
    let of_fit = OfFit::read(&args.model).map_err(UsageError)?;
    let (not_learned, tied) = of_fit.held(&model)?;
    let settings = SummarySettings {
        level: args.level,
        hold,
        not_learned,
        tied,
        free_parameters: of_fit.free_parameters,
    };
    let structural = model::structural(&args.model)?;
    let values = structural.as_ref().and_then(StructuralModel::values);
    let summary = match (&structural, values) {
        (Some(parts), Some(values)) => parts.summary(&values, &sequences, &settings),
        _ => model.summary(&sequences, &settings),
    };
    let summary = summary.map_err(from_one)?;
    let described = match &structural {
        Some(parts) => {
            let components = parts.components().iter().map(Component::to_string);
            let components: Vec<_> = components.collect();
            format!("structural model of {}", components.join(", "))
        }
        None => model.described(),
    };
    if let Some(path) = &args.figure {
        summary_picture::picture(&summary, format!("Estimates of a {described}"))?.write(path)?;
    }
    if args.json {
        print::line(serde_json::to_string_pretty(&summary)?)?;
        tell_shortfall(&summary);
        return Ok(ExitCode::SUCCESS);
    }
    print::line(described)?;
    print::line(criteria(&summary))?;
    print::line(table(&summary).text())?;
    tell_shortfall(&summary);
    Ok(ExitCode::SUCCESS)
}

fn check(args: &SummaryArgs, subject: &Subject) -> Result<()> {
    let Some(path) = &args.figure else {
        return Ok(());
    };
    ensure!(
        Format::of(path)? != Format::Gif,
        "--figure {}: estimates do not move; name a .svg or .png",
        path.display()
    );
    check_apart(&[path], &subject.inputs())?;
    check_writable(path)
}

/// Says that the parameters are not at the maximum, where they are not.
fn tell_shortfall(summary: &Summary) {
    if summary.shortfall.is_nan() {
        tell!(
            "scotopic: these parameters are not at a maximum of ln p: it does not curve down about them, so that what they are short of \
             is not known (fit them further), and the standard errors mean little"
        );
    } else if summary.shortfall > SHORT {
        tell!(
            "scotopic: ln p could rise by about {} nats: these parameters are not the best of these data (fit them further), \
             and the standard errors mean little",
            number(summary.shortfall, 2)
        );
    }
}

/// The entries of lists between commas; those within brackets are of the places in an array: `transition[1,1]`.
fn held(lists: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for list in lists {
        let (mut depth, mut entry) = (0, String::new());
        for character in list.chars().chain([',']) {
            match character {
                ',' if depth == 0 => {
                    let name = entry.trim().to_owned();
                    ensure!(
                        !name.is_empty(),
                        "--hold {list}: found an empty name, expected the beginnings of names of parameters, such as transition"
                    );
                    all.push(name);
                    entry.clear();
                    continue;
                }
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            entry.push(character);
        }
        ensure!(entry.is_empty(), "--hold {list}: a bracket is not closed");
    }
    Ok(all)
}

fn criteria(summary: &Summary) -> String {
    let told = |value: f64| number(value, 4);
    // Where ln p curves up it is no number, which is said beside.
    let shortfall = match summary.shortfall.is_finite() {
        true => format!(", shortfall {:.1e} nats", summary.shortfall),
        false => String::new(),
    };
    format!(
        "{}, {}\nln p {} nats ({}), AIC {}, BIC {}{shortfall}\n",
        many(summary.observations, "observation"),
        many(summary.free_parameters, "free parameter"),
        told(summary.log_evidence),
        summary.evidence,
        told(summary.aic),
        told(summary.bic),
    )
}

fn table(summary: &Summary) -> Table {
    let interval = format!("{} % interval", 100.0 * summary.level);
    let mut table = Table::new(&["parameter", "estimate", "standard error", &interval, ""]);
    for estimate in &summary.estimates {
        let ends = |[low, high]: [f64; 2]| format!("{} … {}", short(low), short(high));
        table.push(vec![
            estimate.name.as_str().into(),
            short(estimate.value).into(),
            estimate.standard_error.map(|e| Cell::Text(short(e))).into(),
            estimate.interval.map(|i| Cell::Text(ends(i))).into(),
            estimate.remark.unwrap_or_default().into(),
        ]);
    }
    table
}

/// Six digits, whatever the unit.
fn short(value: f64) -> String {
    let size = value.abs();
    match value == 0.0 || (1e-4..1e7).contains(&size) {
        true => {
            let whole = if size >= 1.0 {
                size.log10().floor() as usize + 1
            } else {
                0
            };
            number(value, 6usize.saturating_sub(whole))
        }
        false => format!("{value:.5e}"),
    }
}
