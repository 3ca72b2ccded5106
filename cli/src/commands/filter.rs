//! `scotopic filter`

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use scotopic_datasets::series::Series;

use super::filter_picture::{FigureRecorder, PictureArgs};
use crate::args::UsageError;
use crate::filtering::names::Rule;
use crate::filtering::source::from_one;
use crate::filtering::{LineFormat, Lines, Model, Running, Source, snapshot};
use crate::outputs::{check_apart, check_writable};
use crate::table::number;

/// Options of `scotopic filter`.
#[derive(Debug, Args)]
#[command(
    after_help = "A model is a TOML file, `kind` first: hmm, linear-gaussian, generalised, ar1-poisson,\n\
                        sin-quadratic, stochastic-volatility, diagonal-linear. `scotopic fit` makes one from data.\n\n\
                        One line is written for each observation: the belief q_t, the increment of the bound\n\
                        (ln p(o_t|o_<t) where the bound is exact, as \"reversed\" is for hmm and linear-gaussian) and\n\
                        its sum, in nats. A row with an empty cell, NA or null is missing: the belief is predicted.\n\
                        A blank line is no row.\n\n\
                        A figure has a panel for each state and column: mean and credible band of the belief as it was\n\
                        formed, observations as dots, grey where nothing was observed. It is drawn at the end, also\n\
                        where the data go wrong.\n\n\
                        Examples:\n  \
                        scotopic filter --model quakes.toml quakes.csv\n  \
                        tail -f sensor.csv | scotopic filter --model tracking.toml --learn --save tracking.filter -\n  \
                        scotopic filter --resume tracking.filter tomorrow.csv --model-out tracked.toml\n  \
                        scotopic filter --model lorenz.toml y.csv --states x.csv --figure beliefs.png --every 0"
)]
pub struct FilterArgs {
    /// Observations: CSV, TSV, JSON lines or npy; - is standard input
    pub data: PathBuf,
    /// Model in TOML
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    pub model: Option<PathBuf>,
    /// Go on with a filter that was saved, where it stopped
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
    /// Learn the parameters on the way: block-online-em, online-em, fixed-lag, rmle, dirichlet, odem, or a
    /// TOML file with `rule` and its settings [default: the first of the model's rules]
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
    /// Where the lines go [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How lines are written [default: by the ending of --out, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub lines: Option<LineFormat>,
    /// Write every N-th line only; 0 writes none
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub every: u64,
    /// Save the filter at the end, to --resume it
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Save also after every N observations
    #[arg(long, value_name = "N", requires = "save", value_parser = clap::value_parser!(u64).range(1..))]
    pub save_every: Option<u64>,
    /// Write the model as it is at the end; discrete models that learn: averaged where they have an average
    #[arg(long, value_name = "FILE")]
    pub model_out: Option<PathBuf>,
    /// A picture of what was believed.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// No progress, no summary on standard error
    #[arg(long)]
    pub quiet: bool,
}

/// Runs a filter over observations.
///
/// # Errors
/// If model, data or a file to write cannot be used; for a row that is no observation, or that the model rules
/// out, by its number. With --save the filter as it was before that row is saved first.
pub fn run(args: &FilterArgs) -> Result<ExitCode> {
    let mut filter = start(args).map_err(UsageError)?;
    outputs(args).map_err(UsageError)?;
    let mut series = args.source.open(&args.data)?;
    if series.width() != filter.width() {
        return Err(UsageError(anyhow::anyhow!(
            "{}: found {} columns ({}), but the model sees {} an observation; choose them by --columns",
            args.data.display(),
            series.width(),
            series.names().join(", "),
            filter.width()
        ))
        .into());
    }
    let mut watcher = args
        .picture
        .watch(&filter, series.names())
        .map_err(UsageError)?;
    let live = args.data == Path::new("-");
    let mut lines = open_lines(args)?;
    let bar = progress(args, &series);
    let stop = Arc::new(AtomicBool::new(false));
    if args.save.is_some() || watcher.is_some() {
        let stop = Arc::clone(&stop);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed))
            .context("could not watch for Ctrl-C")?;
    }

    let before = (filter.observations(), filter.elbo());
    let (begun, mut busy) = (Instant::now(), std::time::Duration::ZERO);
    let outcome = (|| -> Result<()> {
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(row) = series.next_row()? else {
                return watcher.as_mut().map_or(Ok(()), FigureRecorder::end);
            };
            let seen = row.is_some();
            if let Some(watcher) = &mut watcher {
                watcher.read(&filter)?;
            }
            let clock = Instant::now();
            let step = filter.update(row).map_err(from_one)?;
            busy += clock.elapsed();
            if let Some(watcher) = &mut watcher {
                watcher.see(&filter, row);
            }
            let t = filter.observations();
            if args.every > 0 && t.is_multiple_of(args.every) {
                lines.write(&filter, seen, step)?;
                if live {
                    lines.flush()?; // whoever reads waits for it
                }
            }
            if let (Some(path), Some(every)) = (&args.save, args.save_every)
                && t.is_multiple_of(every)
            {
                snapshot::save(&filter, path)?;
            }
            bar.inc(1);
        }
    })();
    bar.finish_and_clear();
    // Lines, state and picture are kept also where the data went wrong: all end before the bad row.
    lines.flush()?;
    let saved = args.save.as_ref().map(|path| snapshot::save(&filter, path));
    let drawn = watcher.as_ref().map(FigureRecorder::draw);
    outcome.map_err(|e| named(e, &args.data))?;
    saved.transpose()?;
    drawn.transpose()?;
    if let Some(path) = &args.model_out {
        filter.model().write(path)?;
    }
    if !args.quiet {
        summary(&filter, before, begun, busy);
        if let Some(judged) = watcher.as_ref().and_then(FigureRecorder::judged) {
            eprintln!("{judged}");
        }
    }
    Ok(match stop.load(Ordering::Relaxed) {
        true => ExitCode::from(130),
        false => ExitCode::SUCCESS,
    })
}

/// Everything that is to be written can be, each to a file of its own that is none of what is read.
fn outputs(args: &FilterArgs) -> Result<()> {
    args.picture.check()?;
    let written = [&args.out, &args.save, &args.model_out, &args.picture.figure];
    let written: Vec<&Path> = written
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    let read = [
        Some(&args.data),
        args.model.as_ref(),
        args.picture.states.as_ref(),
    ];
    let read: Vec<&Path> = read.into_iter().flatten().map(PathBuf::as_path).collect();
    let streams = read.iter().filter(|path| **path == Path::new("-"));
    ensure!(
        streams.count() < 2,
        "standard input can be read once: give - for the observations or for --states"
    );
    for (index, path) in written.iter().enumerate() {
        ensure!(
            !written[..index].contains(path),
            "{} would be written twice: give each output a name of its own",
            path.display()
        );
    }
    check_apart(&written, &read)?;
    written.into_iter().try_for_each(check_writable)
}

/// The file before a message that does not name it yet.
fn named(error: anyhow::Error, data: &Path) -> anyhow::Error {
    let name = data.display().to_string();
    match format!("{error:#}").contains(&name) {
        true => error,
        false => error.context(name),
    }
}

fn start(args: &FilterArgs) -> Result<Running> {
    if let Some(path) = &args.resume {
        return snapshot::load(path);
    }
    let Some(path) = &args.model else {
        bail!("give a model by --model, or a saved filter by --resume");
    };
    let model = Model::read(path)?;
    match &args.learn {
        None => Running::new(model, &args.factorisation),
        Some(rule) => Running::learning(model, &rule_of(rule)?, &args.factorisation),
    }
    .with_context(|| format!("the model {} cannot be filtered so", path.display()))
}

fn rule_of(text: &str) -> Result<Rule> {
    Ok(match text {
        "" => Rule::Default,
        file if file.ends_with(".toml") => Rule::Settings(
            std::fs::read_to_string(file).with_context(|| format!("could not read {file}"))?,
        ),
        name => Rule::Named(name.to_owned()),
    })
}

fn open_lines(args: &FilterArgs) -> Result<Lines<Box<dyn Write>>> {
    let csv = |path: &PathBuf| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
    };
    let by_name = match args.out.as_ref().is_some_and(csv) {
        true => LineFormat::Csv,
        false => LineFormat::Jsonl,
    };
    let writer: Box<dyn Write> = match &args.out {
        Some(path) => {
            Box::new(BufWriter::new(File::create(path).with_context(|| {
                format!("could not write {}", path.display())
            })?))
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    Ok(Lines::new(writer, args.lines.unwrap_or(by_name)))
}

fn progress(args: &FilterArgs, series: &Series) -> ProgressBar {
    // Lines on the same terminal would be cut to pieces by a bar.
    let to_terminal = args.out.is_none() && args.every > 0 && std::io::stdout().is_terminal();
    if args.quiet || to_terminal || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match series.total() {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:30} {pos}/{len}  {per_sec}  ETA {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {pos} observations  {per_sec}",
        ),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn summary(filter: &Running, before: (u64, f64), begun: Instant, busy: std::time::Duration) {
    let count = filter.observations() - before.0;
    let each = (filter.elbo() - before.1) / (count as f64).max(1.0);
    let micros = 1e6 * busy.as_secs_f64() / (count as f64).max(1.0);
    let so_far = match before.0 {
        0 => String::new(),
        n => format!(" ({} with those before)", n + count),
    };
    eprintln!(
        "{count} observations{so_far}, {} nats each, bound {}; {micros:.2} µs an update, {:.2} s in all",
        number(each, 4),
        number(filter.elbo(), 3),
        begun.elapsed().as_secs_f64()
    );
}
