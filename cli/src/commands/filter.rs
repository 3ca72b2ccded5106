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
use scotopic_datasets::series::Series;
use scotopic_filtering::{AnyFilter, Filter as _};

use super::filter_picture::{FigureRecorder, PictureArgs};
use crate::filtering::names::LearnSpec;
use crate::filtering::source::from_one;
use crate::filtering::{LineFormat, Lines, Source, model, snapshot};
use crate::outputs::{check_apart, check_writable};
use crate::progress_bar::ProgressBar;
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
    /// No progress bar and no summary on standard error
    #[arg(long)]
    pub quiet: bool,
}

/// Runs a filter over observations.
///
/// # Errors
/// If model, data or a file to write cannot be used; for an invalid row or an impossible observation,
/// by its number. With --save the filter as it was before that row is saved first.
pub fn run(args: &FilterArgs) -> Result<ExitCode> {
    let mut filter = start(args).map_err(UsageError)?;
    outputs(args).map_err(UsageError)?;
    let mut series = args.source.open(&args.data)?;
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
        .watch(&filter, series.names())
        .map_err(UsageError)?;
    let live = args.data == Path::new("-");
    let mut lines = open_lines(args)?;
    let (mut bar, mut rows) = (progress(args, &series), 0);
    let stop = Arc::new(AtomicBool::new(false));
    if args.save.is_some() || recorder.is_some() {
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
                return recorder.as_mut().map_or(Ok(()), FigureRecorder::end);
            };
            let seen = row.is_some();
            if let Some(recorder) = &mut recorder {
                recorder.read(&filter)?;
            }
            let clock = Instant::now();
            let step = filter
                .update(row)
                .map_err(from_one)
                .with_context(|| args.data.display().to_string())?;
            busy += clock.elapsed();
            if let Some(recorder) = &mut recorder {
                recorder.observe(&filter, row);
            }
            let t = filter.observations();
            if args.every > 0 && t.is_multiple_of(args.every) {
                lines.write(&filter, seen, step)?;
                if live {
                    lines.flush()?; // a reader may be waiting for it
                }
            }
            if let (Some(path), Some(every)) = (&args.save, args.save_every)
                && t.is_multiple_of(every)
            {
                snapshot::save(&filter, path)?;
            }
            rows += 1;
            bar.set(rows, None);
        }
    })();
    bar.clear();
    // Lines, filter and figure are also kept after an error in the data: all end before the bad row.
    lines.flush()?;
    let saved = args.save.as_ref().map(|path| snapshot::save(&filter, path));
    let drawn = recorder.as_ref().map(FigureRecorder::draw);
    outcome?;
    saved.transpose()?;
    drawn.transpose()?;
    if let Some(path) = &args.model_out {
        model::write(&filter.model(), path)?;
    }
    if !args.quiet {
        summary(&filter, before, begun, busy);
        if let Some(judged) = recorder.as_ref().and_then(FigureRecorder::judged) {
            eprintln!("{judged}");
        }
    }
    Ok(match stop.load(Ordering::Relaxed) {
        true => ExitCode::from(130),
        false => ExitCode::SUCCESS,
    })
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
            std::fs::read_to_string(file).with_context(|| format!("could not read {file}"))?,
        ),
        name => LearnSpec::Named(name.to_owned()),
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
    Ok(Lines::new(writer, args.out_format.unwrap_or(by_name)))
}

fn progress(args: &FilterArgs, series: &Series) -> ProgressBar {
    // A progress bar would interleave with lines on the same terminal.
    let to_terminal = args.out.is_none() && args.every > 0 && std::io::stdout().is_terminal();
    ProgressBar::new(args.quiet || to_terminal, series.total(), 0)
}

fn summary(filter: &AnyFilter, before: (u64, f64), begun: Instant, busy: std::time::Duration) {
    let count = filter.observations() - before.0;
    let each = (filter.elbo() - before.1) / (count as f64).max(1.0);
    let micros = 1e6 * busy.as_secs_f64() / (count as f64).max(1.0);
    let so_far = match before.0 {
        0 => String::new(),
        n => format!(" ({} in total)", n + count),
    };
    eprintln!(
        "{count} observations{so_far}: {} nats per observation, ELBO {} nats; {micros:.2} µs per update, {:.2} s in total",
        number(each, 4),
        number(filter.elbo(), 3),
        begun.elapsed().as_secs_f64()
    );
}
