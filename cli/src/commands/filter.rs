//! `scotopic filter`

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::series::Series;
use scotopic_filtering::{AnyFilter, Filter as _, is_seen, many};

use super::filter_args::FilterArgs;
use super::filter_picture::FigureRecorder;
use super::filter_several;
use crate::filtering::alarm::Alarm;
use crate::filtering::left_out::tell_left_out;
use crate::filtering::lines::Remarks;
use crate::filtering::model_file::ModelFile;
use crate::filtering::model_text::text;
use crate::filtering::names::LearnSpec;
use crate::filtering::of_fit::OfFit;
use crate::filtering::places::at_line;
use crate::filtering::snapshot::LastRow;
use crate::filtering::trials::same_order;
use crate::filtering::{LineFormat, model, snapshot};
use crate::outputs::{check_apart, check_writable};
use crate::progress::Reporter;
use crate::progress_bar::ProgressBar;
use crate::signals::Stop;
use crate::table::number;
use crate::usage::UsageError;

/// Runs a filter over observations.
///
/// # Errors
/// If model, data or a file to write cannot be used; for an invalid row or an impossible observation,
/// by its number. With --save the filter as it was before that row is saved first.
pub fn run(args: &FilterArgs) -> Result<ExitCode> {
    args.check_rule().map_err(UsageError)?;
    let (mut filter, saved_row) = start(args).map_err(UsageError)?;
    let mut last_row = saved_row.clone().unwrap_or_default();
    outputs(args).map_err(UsageError)?;
    let source = args.source.loaded(&args.data)?.of_model(&filter.model());
    if let Some(file) = &args.model {
        last_row.of_fit = OfFit::read(file).map_err(UsageError)?;
    }
    if let Some(file) = &args.resume {
        last_row.of_fit.check_saved(file, &source)?;
    }
    let source = source.with_symbols(last_row.of_fit.alphabet.clone());
    let said = std::mem::take(&mut last_row.of_fit);
    last_row.of_fit = said.of_filter(source.symbols(), args.learn.is_some());
    if source.are_several(&args.data) {
        return filter_several::run(args, &filter, &source);
    }
    let stop = Stop::watch()?;
    let opened = source.open_until(args.first(), Some(&stop));
    if let (Err(_), Some((signal, code))) = (&opened, stop.signal()) {
        // Not even the width of a row is known yet: there is nothing to filter, draw or write.
        let kept = match &args.save {
            Some(path) => {
                snapshot::save(&filter, &last_row, path)?;
                format!("; saved {}", path.display())
            }
            None => String::new(),
        };
        tell!("scotopic: {signal} before the first row{kept}");
        return Ok(code);
    }
    let mut series = opened?;
    if series.width() != filter.width() {
        return Err(UsageError(anyhow::anyhow!(
            "{}: found {} ({}), but the model has {} per observation; select them with --columns",
            args.first().display(),
            many(series.width(), "column"),
            some_names(series.names()),
            filter.width()
        ))
        .into());
    }
    if let Some(file) = &args.model {
        OfFit::check_data(file, args.first(), series.names(), &source)?;
    }
    if let Some(file) = &args.resume
        && source.columns.is_none()
    {
        same_order(file, &last_row.columns, args.first(), series.names())?;
    }
    last_row.columns = OfFit::of_columns(series.names());
    let outputs = &series.names()[..series.width() - filter.inputs().len()];
    last_row.of_fit = std::mem::take(&mut last_row.of_fit).in_order_of(outputs);
    let mut recorder = args
        .picture
        .watch(&filter, args.first(), series.names())
        .map_err(UsageError)?;
    let live = args.first() == Path::new("-");
    let mut results = args.results(&filter, source.time.is_some())?;
    let (mut bar, mut rows, mut missing) = (progress(args, &series), 0, 0_u64);
    let before = (filter.observations(), filter.elbo());
    let (begun, mut busy) = (Instant::now(), Timed::default());
    let keeps = args.save.is_some() || args.model_out.is_some() || recorder.is_some();
    let (mut closed, mut left_out) = (false, 0_u64);
    let mut alarm = args.alarm.map(Alarm::new);
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
            let first: Option<Vec<f64>>;
            let row = match (rows, &saved_row) {
                (0, Some(last)) => {
                    first = row.map(<[f64]>::to_vec);
                    last.check_next(&series).with_context(|| {
                        format!("{}, line {}", args.first().display(), series.line())
                    })?;
                    first.as_deref()
                }
                _ => row,
            };
            let partial = |row: &&[f64]| row.iter().any(|y| y.is_nan());
            let row = match row {
                Some(row) if !filter.accepts_partial_rows() && partial(&row) => {
                    left_out += 1;
                    None
                }
                row => row,
            };
            let seen = is_seen(row, filter.inputs().len());
            missing += u64::from(!seen);
            if let Some(recorder) = &mut recorder {
                recorder.read(&filter)?;
            }
            let mark = alarm.as_mut().map(|alarm| alarm.mark(&filter, row));
            let clock = busy.start();
            let updated = filter.update(row);
            busy.add(clock);
            if let Some(recorder) = &mut recorder
                && updated.is_ok()
            {
                recorder.observe(&filter, row);
                if let Some(time) = series.time() {
                    recorder.observe_time(&filter, source.time_name(), time);
                }
            }
            let step = updated.map_err(|error| {
                let (line, names) = (series.line(), series.names());
                at_line(error, args.first(), line, names, series.has_dates())
            })?;
            last_row.note(&series);
            let t = filter.observations();
            let mark = mark.transpose()?;
            if args.every > 0 && t.is_multiple_of(args.every) && !closed {
                let remarks = Remarks {
                    time: series.time_text(),
                    alarm: mark,
                    ..Remarks::default()
                };
                let written = results.lines.write(&filter, remarks, seen, step);
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
                snapshot::save(&filter, &last_row, path)?;
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
    let saved = args
        .save
        .as_ref()
        .map(|path| snapshot::save(&filter, &last_row, path));
    let model = args
        .model_out
        .as_ref()
        .map(|path| model::write_fitted(&filter.model(), &last_row.of_fit, "", path));
    let drawn = recorder.as_ref().map(FigureRecorder::draw);
    if let Some((signal, _)) = stop.signal() {
        let kept = match (&args.save, &saved) {
            (Some(path), Some(Ok(()))) => format!("; saved {}", path.display()),
            _ => String::new(),
        };
        tell!(
            "scotopic: {signal} after {}{kept}",
            many(filter.observations() as usize, "observation")
        );
    }
    outcome?;
    saved.transpose()?;
    model.transpose()?;
    drawn.transpose()?;
    synced?;
    if left_out > 0 && !args.progress.quiet {
        tell!(
            "{}: rows that are missing in part were taken as missing as a whole ({left_out}): this filter uses whole rows only",
            args.first().display()
        );
    }
    if !args.progress.quiet {
        tell_left_out(args.first(), &series);
    }
    if !args.progress.quiet {
        summary(&filter, before, missing, begun, &busy);
        if let Some(alarm) = alarm {
            tell!("{}", alarm.said());
        }
        if let Some(judged) = recorder.as_ref().and_then(FigureRecorder::judged) {
            tell!("{judged}");
        }
    }
    Ok(stop.signal().map_or(ExitCode::SUCCESS, |(_, code)| code))
}

/// The first of the names of columns.
fn some_names(names: &[String]) -> String {
    const MOST: usize = 50;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
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
    let read = [args.model.as_ref(), args.picture.true_states.as_ref()];
    let read = args.data.iter().chain(read.into_iter().flatten());
    let read: Vec<&Path> = read.map(PathBuf::as_path).collect();
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
    if let (Some(path), None) = (&args.out, args.out_format) {
        LineFormat::of(path)?;
    }
    written.into_iter().try_for_each(check_writable)
}

fn start(args: &FilterArgs) -> Result<(AnyFilter, Option<LastRow>)> {
    if let Some(path) = &args.resume {
        return snapshot::load(path);
    }
    let Some(path) = &args.model else {
        bail!("give a model with --model, or a saved filter with --resume");
    };
    let file = ModelFile::of_text(&path.display().to_string(), &text(path)?)?;
    let rule = args.learn.as_deref().map(LearnSpec::given).transpose();
    let filter = rule.and_then(|rule| file.filter(rule.as_ref(), &args.factorisation));
    let filter = filter.with_context(|| {
        format!(
            "the model {} cannot be used with these options",
            path.display()
        )
    })?;
    Ok((filter, None))
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

/// The time of every 16th update: to read the clock twice takes as long as a small one.
#[derive(Default)]
struct Timed {
    spent: Duration,
    timed: u32,
    updates: u32,
}

impl Timed {
    const EVERY: u32 = 16;

    fn start(&mut self) -> Option<Instant> {
        let now = self.updates.is_multiple_of(Self::EVERY);
        self.updates = self.updates.wrapping_add(1);
        now.then(Instant::now)
    }

    fn add(&mut self, clock: Option<Instant>) {
        if let Some(clock) = clock {
            self.spent += clock.elapsed();
            self.timed += 1;
        }
    }

    /// Seconds of an update.
    fn mean(&self) -> f64 {
        self.spent.as_secs_f64() / f64::from(self.timed.max(1))
    }
}

/// What was filtered, with the nats of each observation that was seen.
fn summary(filter: &AnyFilter, before: (u64, f64), missing: u64, begun: Instant, busy: &Timed) {
    let count = filter.observations() - before.0;
    let seen = count.saturating_sub(missing);
    let each = (filter.elbo() - before.1) / (seen as f64).max(1.0);
    let micros = 1e6 * busy.mean();
    let so_far = match before.0 {
        0 => String::new(),
        n => format!(" ({} in total)", n + count),
    };
    let unseen = match missing {
        0 => String::new(),
        n => format!(", {n} missing"),
    };
    let learned = match filter.parameter_updates() {
        Some(0) => {
            "; the parameters were never updated: the rule needs more observations than these"
                .to_owned()
        }
        Some(1) => "; parameters updated once".to_owned(),
        Some(updates) => format!("; parameters updated {updates} times"),
        None => String::new(),
    };
    tell!(
        "{}{so_far}{unseen}: {} nats per observation, ELBO {} nats; {micros:.2} µs per update, {:.2} s with reading and writing{learned}",
        many(count as usize, "observation"),
        number(each, 4),
        number(filter.elbo(), 3),
        begun.elapsed().as_secs_f64()
    );
}
