//! `scotopic filter`

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use scotopic_datasets::bounded::read_text;
use scotopic_datasets::series::Series;
use scotopic_filtering::{AnyFilter, Filter as _};

use super::filter_picture::{FigureRecorder, PictureArgs};
use crate::filtering::names::LearnSpec;
use crate::filtering::results::Results;
use crate::filtering::source::from_one;
use crate::filtering::{LineFormat, Source, model, snapshot};
use crate::outputs::{check_apart, check_writable};
use crate::progress::{ProgressArgs, Reporter};
use crate::progress_bar::ProgressBar;
use crate::signals::Stop;
use crate::table::number;
use crate::usage::UsageError;

/// Options of `scotopic filter`.
#[derive(Debug, Args)]
#[command(
    after_help = "A model is a TOML file whose first key is `kind`: hmm, linear-gaussian, generalised, ar1-poisson,\n\
                        sin-quadratic, stochastic-volatility or diagonal-linear. `scotopic fit` makes one from data.\n\n\
                        One line is written per observation: the belief q_t, the increment of the ELBO in nats\n\
                        (ln p(o_t|o_<t) where the bound is exact, as with \"reversed\" for hmm and linear-gaussian) and\n\
                        its running sum. A row with an empty cell, NA or null is a missing observation: the belief is\n\
                        the prediction. Blank lines are skipped.\n\n\
                        A figure has one panel per state and column: mean and credible band of the filtered belief,\n\
                        observations as dots, missing observations shaded grey. It is drawn at the end, also after\n\
                        an error in the data.\n\n\
                        Examples:\n  \
                        scotopic filter --model quakes.toml quakes.csv\n  \
                        tail -f sensor.csv | scotopic filter --model tracking.toml --learn --save tracking.filter -\n  \
                        scotopic filter --resume tracking.filter tomorrow.csv --model-out tracked.toml\n  \
                        scotopic filter --model lorenz.toml y.csv --true-states x.csv --figure beliefs.png --every 0"
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
    /// TOML file with `rule` and its settings [default: the model's first rule]
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

/// Runs a filter over observations.
///
/// # Errors
/// If model, data or a file to write cannot be used; for an invalid row or an impossible observation,
/// by its number. With --save the filter as it was before that row is saved first.
pub fn run(args: &FilterArgs) -> Result<ExitCode> {
    let mut filter = start(args).map_err(UsageError)?;
    outputs(args).map_err(UsageError)?;
    let stop = Stop::watch()?;
    let mut series = args.source.open_until(&args.data, Some(&stop))?;
    if series.width() != filter.width() {
        return Err(UsageError(anyhow::anyhow!(
            "{}: found {} columns ({}), but the model has {} per observation; select them with --columns",
            args.data.display(),
            series.width(),
            series.names().join(", "),
            filter.width()
        ))
        .into());
    }
    let mut recorder = args
        .picture
        .watch(&filter, &args.data, series.names())
        .map_err(UsageError)?;
    let live = args.data == Path::new("-");
    let mut results = open_results(args, &filter)?;
    let (mut bar, mut rows) = (progress(args, &series), 0);
    let before = (filter.observations(), filter.elbo());
    let (begun, mut busy) = (Instant::now(), std::time::Duration::ZERO);
    let keeps = args.save.is_some() || args.model_out.is_some() || recorder.is_some();
    let mut closed = false;
    let outcome = (|| -> Result<()> {
        loop {
            if stop.is_asked() {
                return Ok(());
            }
            let row = match series.next_row() {
                // A signal ends the reading of an idle pipe.
                Err(_) if stop.is_asked() => return Ok(()),
                other => other?,
            };
            let Some(row) = row else {
                return recorder.as_mut().map_or(Ok(()), FigureRecorder::end);
            };
            let seen = row.is_some();
            if let Some(recorder) = &mut recorder {
                recorder.read(&filter)?;
            }
            let clock = Instant::now();
            let updated = filter.update(row).map_err(from_one);
            busy += clock.elapsed();
            if let Some(recorder) = &mut recorder
                && updated.is_ok()
            {
                recorder.observe(&filter, row);
            }
            let step = updated
                .with_context(|| format!("{}, line {}", args.data.display(), series.line()))?;
            let t = filter.observations();
            if args.every > 0 && t.is_multiple_of(args.every) && !closed {
                let written = results.lines.write(&filter, series.time_text(), seen, step);
                // A reader of a pipe may be waiting for it.
                let written =
                    written.and_then(|()| if live { results.lines.flush() } else { Ok(()) });
                match written {
                    Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                        // Nobody reads on. A file is filtered to its end for what is to be kept; a stream may have none.
                        if live || !keeps {
                            return Ok(());
                        }
                        closed = true;
                    }
                    other => {
                        other.with_context(|| format!("could not write {}", results.name()))?
                    }
                }
            }
            if let (Some(path), Some(every)) = (&args.save, args.save_every)
                && t.is_multiple_of(every)
            {
                // Lines first: what a snapshot has counted must be there after a kill.
                if !closed {
                    results
                        .sync()
                        .with_context(|| format!("could not write {}", results.name()))?;
                }
                snapshot::save(&filter, path)?;
            }
            rows += 1;
            bar.set(rows, None);
        }
    })();
    bar.clear();
    // All that is to be kept is kept whatever went wrong, in the data or with the lines: all of it ends before the bad row.
    let synced = match results.sync() {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.with_context(|| format!("could not write {}", results.name())),
    };
    let saved = args.save.as_ref().map(|path| snapshot::save(&filter, path));
    let model = args
        .model_out
        .as_ref()
        .map(|path| model::write(&filter.model(), path));
    let drawn = recorder.as_ref().map(FigureRecorder::draw);
    if let Some((signal, _)) = stop.signal() {
        let kept = match (&args.save, &saved) {
            (Some(path), Some(Ok(()))) => format!("; saved {}", path.display()),
            _ => String::new(),
        };
        tell!(
            "scotopic: {signal} after {} observations{kept}",
            filter.observations()
        );
    }
    outcome?;
    saved.transpose()?;
    model.transpose()?;
    drawn.transpose()?;
    synced?;
    if series.gaps() > 0 && !args.progress.quiet {
        tell!(
            "{}: {} steps of the time are longer than one and a half of the first: rows that are not there are not \
             predicted over; add them as empty rows",
            args.data.display(),
            series.gaps()
        );
    }
    if !args.progress.quiet {
        summary(&filter, before, begun, busy);
        if let Some(judged) = recorder.as_ref().and_then(FigureRecorder::judged) {
            tell!("{judged}");
        }
    }
    Ok(stop.signal().map_or(ExitCode::SUCCESS, |(_, code)| code))
}

/// Checks that all outputs can be written, each to its own file, and that none overwrites an input.
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
        args.picture.true_states.as_ref(),
    ];
    let read: Vec<&Path> = read.into_iter().flatten().map(PathBuf::as_path).collect();
    let streams = read.iter().filter(|path| **path == Path::new("-"));
    ensure!(
        streams.count() < 2,
        "standard input can be read only once: give - either for the observations or for --true-states"
    );
    for (index, path) in written.iter().enumerate() {
        ensure!(
            !written[..index].contains(path),
            "{} would be written twice: give each output its own name",
            path.display()
        );
    }
    check_apart(&written, &read)?;
    written.into_iter().try_for_each(check_writable)
}

fn start(args: &FilterArgs) -> Result<AnyFilter> {
    if let Some(path) = &args.resume {
        return snapshot::load(path);
    }
    let Some(path) = &args.model else {
        bail!("give a model with --model, or a saved filter with --resume");
    };
    let model = model::read(path)?;
    match &args.learn {
        None => AnyFilter::new(model, &args.factorisation).map_err(anyhow::Error::from),
        Some(rule) => (rule_of(rule)?.of(&model))
            .and_then(|how| Ok(AnyFilter::learning(model, &how, &args.factorisation)?)),
    }
    .with_context(|| {
        format!(
            "the model {} cannot be used with these options",
            path.display()
        )
    })
}

fn rule_of(text: &str) -> Result<LearnSpec> {
    Ok(match text {
        "" => LearnSpec::Default,
        file if file.ends_with(".toml") => LearnSpec::Settings(
            read_text(Path::new(file)).with_context(|| format!("could not read {file}"))?,
        ),
        name => LearnSpec::Named(name.to_owned()),
    })
}

fn open_results(args: &FilterArgs, filter: &AnyFilter) -> Result<Results> {
    let csv = |path: &PathBuf| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
    };
    let by_name = match args.out.as_ref().is_some_and(csv) {
        true => LineFormat::Csv,
        false => LineFormat::Jsonl,
    };
    let format = args.out_format.unwrap_or(by_name);
    match &args.out {
        None => Ok(Results::stdout(format)),
        Some(path) if args.resume.is_some() && !args.force => {
            Results::append(path, format, filter.observations())
        }
        Some(path) => Results::create(path, format),
    }
}

fn progress(args: &FilterArgs, series: &Series) -> ProgressBar {
    // A progress bar would interleave with lines on the same terminal.
    let to_terminal = args.out.is_none() && args.every > 0 && std::io::stdout().is_terminal();
    let reporter = match Reporter::new(args.progress) {
        Reporter::Bar if to_terminal => Reporter::Quiet,
        other => other,
    };
    ProgressBar::new(reporter, "observation", series.total(), 0)
}

fn summary(filter: &AnyFilter, before: (u64, f64), begun: Instant, busy: std::time::Duration) {
    let count = filter.observations() - before.0;
    let each = (filter.elbo() - before.1) / (count as f64).max(1.0);
    let micros = 1e6 * busy.as_secs_f64() / (count as f64).max(1.0);
    let so_far = match before.0 {
        0 => String::new(),
        n => format!(" ({} in total)", n + count),
    };
    tell!(
        "{count} observations{so_far}: {} nats per observation, ELBO {} nats; {micros:.2} µs per update, {:.2} s in total",
        number(each, 4),
        number(filter.elbo(), 3),
        begun.elapsed().as_secs_f64()
    );
}
