//! `scotopic forecast`

mod dates;
mod judged;
mod times;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use scotopic_figures::Format;
use scotopic_figures::fan::{self, Fan};
use scotopic_filtering::{
    AnyFilter, AnyModel, Filter as _, Forecast, ForecastSettings, Predictive, many,
};

use self::judged::Judged;
use self::times::Times;
use crate::filtering::inputs;
use crate::filtering::of_fit::OfFit;
use crate::filtering::recording::{Recording, Subject};
use crate::filtering::records::{Entry, LinesOut, Record, field, list, observed};
use crate::filtering::trials::same_writing;
use crate::usage::UsageError;

/// Options of `scotopic forecast`.
#[derive(Debug, Args)]
#[command(
    after_help = "One line is written per step ahead: the row t that it is of, mean and variance of each column of the\n\
                        observation, and its quantiles. They are exact for linear-gaussian models and mixtures (hmm);\n\
                        of an autoregression whose states change, quantiles two and more steps ahead are those of normal\n\
                        laws with the exact mean and variance within each state, while --samples follow the model exactly;\n\
                        nonlinear models are averaged over their normal belief about the state. Of symbols, the\n\
                        probability of each is written (p0, p1, …). --samples adds joint samples: sample by sample, the\n\
                        columns of each one after the other.\n\n\
                        With --every N forecasts are made after rows N, 2 N, …, each from the rows before it alone; lines\n\
                        then also have the origin and what was observed (y), and the summary says how often it lay\n\
                        between the outermost quantiles. Of what the rows before say nothing (a start without a prior)\n\
                        mean and variance are null, and it is not counted.\n\n\
                        Examples:\n  \
                        scotopic forecast --model level.toml nile.csv --columns volume --ahead 10 --figure nile.png\n  \
                        scotopic forecast --model states.toml counts.csv --ahead 5 --every 10 --quantiles .1,.9"
)]
pub struct ForecastArgs {
    /// The model and the data.
    #[command(flatten)]
    pub subject: Subject,
    /// How many observations ahead
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ahead: u32,
    /// Probabilities of the quantiles
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "0.1,0.5,0.9"
    )]
    pub quantiles: Vec<f64>,
    /// Number of joint samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub samples: u32,
    /// Seed of the samples [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Forecast after every N-th row [default: after the last]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
    /// Inputs of a model that has some: a table with their columns, a row for each step after the last row; not with --every, whose
    /// inputs are those of the data
    #[arg(long, value_name = "FILE")]
    pub given: Option<PathBuf>,
    /// Where the lines go.
    #[command(flatten)]
    pub lines: LinesOut,
    /// Plot the last observations and the forecast after them, of one series: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
}

/// Writes forecasts of observations.
///
/// # Errors
/// If model, data or a file to write cannot be used; what the model cannot forecast, by name.
pub fn run(args: &ForecastArgs) -> Result<ExitCode> {
    let model = args.subject.read_model()?;
    check(args).map_err(UsageError)?;
    let filter = AnyFilter::new(model.clone(), "reversed").map_err(|e| UsageError(e.into()))?;
    let recordings = args.subject.read(&model)?;
    let (next, given) = future(args, &model, &recordings)?;
    let of_model = OfFit::source_of(&args.subject.model, &args.subject.source);
    let of_model = of_model.map_err(UsageError)?;
    let mut records = Vec::new();
    let mut judged = Judged::default();
    for recording in &recordings {
        let several = recordings.len() > 1;
        let times = Times::of_series(recording, given.as_ref());
        let mut each = |origin: usize, forecast: &Forecast| {
            judged.see(args, recording, origin, forecast);
            records.extend(lines(
                args,
                &times,
                origin,
                forecast,
                (several, of_model.symbols()),
            ));
        };
        let next = (&next[..], given.as_ref());
        let last = forecasts(args, &filter, recording, next, &mut each)?;
        if let (Some(path), Some(last)) = (&args.figure, &last) {
            draw(args, &model, recording, last, path)?;
        }
    }
    if let (true, Some(every)) = (records.is_empty(), args.every) {
        let rows = recordings.iter().map(|one| one.sequence.len()).max();
        let error = anyhow!(
            "--every is {every}, and no forecast can be made so: the longest series has {}, and lags before and inputs after a row \
             have to be there",
            many(rows.unwrap_or(0), "row")
        );
        return Err(UsageError(error).into());
    }
    times::only_known(&mut records);
    args.lines.write(&records)?;
    if !args.lines.quiet
        && let Some(said) = judged.said(args)
    {
        tell!("{said}");
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &ForecastArgs) -> Result<()> {
    ensure!(
        args.every.is_none() || args.given.is_none(),
        "--given holds inputs after the last row, and with --every they are those of the data: give one of the two"
    );
    ensure!(
        args.seed.is_none() || args.samples > 0,
        "--seed is of the samples, and none are asked for: give --samples N, or leave --seed out"
    );
    for p in &args.quantiles {
        ensure!(
            *p > 0.0 && *p < 1.0,
            "--quantiles holds {p}, expected probabilities above 0 and below 1"
        );
    }
    let twice = |(n, p): (usize, &f64)| args.quantiles[..n].contains(p);
    if let Some((_, p)) = args.quantiles.iter().enumerate().find(|at| twice(*at)) {
        bail!("--quantiles holds {p} twice: give every probability once");
    }
    if let Some(path) = &args.figure {
        ensure!(
            Format::of(path)? != Format::Gif,
            "--figure {}: forecasts do not move; name a .svg or .png",
            path.display()
        );
        ensure!(
            args.subject.data.len() == 1,
            "--figure shows one series: give one file of data"
        );
    }
    let figure: Vec<&Path> = args.figure.iter().map(PathBuf::as_path).collect();
    args.lines.check(&figure, &args.subject.inputs())
}

/// The inputs of the next rows, as many as are forecast, and where they were read.
fn future(
    args: &ForecastArgs,
    model: &AnyModel,
    recordings: &[Recording],
) -> Result<(Vec<Vec<f64>>, Option<Recording>)> {
    if args.every.is_some() {
        return Ok((Vec::new(), None));
    }
    let given = inputs::read(args.given.as_deref(), model, &args.subject.source)?;
    if let Some(given) = &given {
        same_writing(
            (&given.path, given.dated),
            (&recordings[0].path, recordings[0].dated),
        )?;
    }
    let rows: Vec<Vec<f64>> = given
        .iter()
        .flat_map(|given| given.sequence.iter().flatten())
        .map(<[f64]>::to_vec)
        .collect();
    let ahead = args.ahead as usize;
    if !model.inputs().is_empty() && rows.len() < ahead {
        let error = anyhow!(
            "--given has {}, and {} ahead are forecast: a row for each",
            many(rows.len(), "row"),
            many(ahead, "step")
        );
        return Err(UsageError(error).into());
    }
    if rows.len() > ahead {
        tell!(
            "scotopic: --given has {}, and {} ahead are forecast: the others are not used (--ahead)",
            many(rows.len(), "row"),
            many(ahead, "step")
        );
    }
    Ok((rows.into_iter().take(ahead).collect(), given))
}

/// Shows `each` the forecasts of a series with the number of rows before them; the one after the last row.
fn forecasts(
    args: &ForecastArgs,
    filter: &AnyFilter,
    recording: &Recording,
    (next, given_rows): (&[Vec<f64>], Option<&Recording>),
    each: &mut dyn FnMut(usize, &Forecast),
) -> Result<Option<Forecast>> {
    let given = filter.inputs().len();
    let mut settings = ForecastSettings {
        ahead: args.ahead as usize,
        quantiles: args.quantiles.clone(),
        samples: args.samples as usize,
        seed: args.seed.unwrap_or(0),
        inputs: Vec::new(),
    };
    let outputs = recording.sequence.width() - given;
    // What the data say of the inputs after `origin`; none past their end.
    let of_data = |origin: usize| -> Option<Vec<Vec<f64>>> {
        let rows = (origin..origin + args.ahead as usize).map(|t| recording.sequence.get(t));
        rows.map(|row| row.map(|row| row[outputs..].to_vec()))
            .collect()
    };
    let mut filter = filter.clone();
    for (t, row) in recording.sequence.iter().enumerate() {
        recording.named(filter.update(row))?;
        if args
            .every
            .is_some_and(|every| (t + 1).is_multiple_of(every as usize))
            && !filter.lacks_lags()
        {
            if given > 0 {
                let Some(inputs) = of_data(t + 1) else {
                    continue;
                };
                settings.inputs = inputs;
            }
            each(t + 1, &filter.forecast(&settings)?);
        }
    }
    if given > 0 && args.every.is_some() {
        return Ok(None);
    }
    settings.inputs = next.to_vec();
    let last = match (filter.forecast(&settings), given_rows) {
        (Ok(last), _) => last,
        // Only what is given for the next rows can be wrong.
        (Err(error), Some(rows)) => return Err(rows.named_input(error, outputs)),
        (other, None) => recording.named(other)?,
    };
    if args.every.is_none() {
        each(recording.sequence.len(), &last);
    }
    Ok(Some(last))
}

fn lines(
    args: &ForecastArgs,
    times: &Times<'_>,
    origin: usize,
    forecast: &Forecast,
    (several, alphabet): (bool, &[String]),
) -> Vec<Record> {
    let symbols = forecast.symbols();
    let recording = times.recording;
    let line = |h: usize| {
        let mut record = Record::new();
        if several {
            let file = recording.path.display().to_string();
            record.push(field("file", Entry::Text(file)));
        }
        record.push(field("t", Entry::Whole((origin + h) as u64 + 1)));
        if args.every.is_some() {
            record.push(field("origin", Entry::Whole(origin as u64)));
        }
        record.push(field("ahead", Entry::Whole(h as u64 + 1)));
        record.push(times.of(origin + h));
        match &symbols {
            Some(p) => {
                let all = Entry::Numbers(p[h].clone(), 0);
                record.push(("probability".to_owned(), "p".to_owned(), all));
            }
            None => {
                // Of what nothing is known there is no mean, nor a median.
                let known = |row: &[f64]| -> Vec<f64> {
                    let entries = row.iter().zip(&forecast.predictive[h]);
                    let entry = |(x, law): (&f64, &Predictive)| match law.is_known() {
                        true => *x,
                        false => f64::NAN,
                    };
                    entries.map(entry).collect()
                };
                record.push(list("mean", "mean", known(&forecast.mean[h])));
                record.push(list("variance", "var", forecast.variance[h].clone()));
                for (p, rows) in args.quantiles.iter().zip(&forecast.quantiles) {
                    record.push(list(&format!("q{p}"), &format!("q{p}_"), known(&rows[h])));
                }
            }
        }
        if args.samples > 0 {
            let rows = forecast.samples.iter().filter_map(|s| s.get(h));
            let outputs = rows.flat_map(|row| &row[..row.len() - recording.given.min(row.len())]);
            let outputs = outputs.copied().collect();
            record.push(observed("samples", "sample", outputs, alphabet));
        }
        if args.every.is_some() {
            let width = forecast.mean[h].len();
            let seen = recording.sequence.get(origin + h);
            let seen = seen.map_or(vec![f64::NAN; width], |row| row[..width].to_vec());
            record.push(observed("y", "y", seen, alphabet));
        }
        record
    };
    (0..forecast.mean.len()).map(line).collect()
}

/// The most columns of a figure, and how many rows before the forecast it shows at least.
const COLUMNS: usize = 6;
const BEFORE: usize = 100;

fn draw(
    args: &ForecastArgs,
    model: &AnyModel,
    recording: &Recording,
    forecast: &Forecast,
    path: &Path,
) -> Result<()> {
    if forecast.symbols().is_some() {
        return Err(anyhow!(
            "--figure: symbols have no mean to draw; their probabilities are in the lines"
        ));
    }
    let sequence = &recording.sequence;
    let shown = sequence.len().min(BEFORE.max(4 * forecast.mean.len()));
    let from = sequence.len() - shown;
    let mut rising: Vec<usize> = (0..args.quantiles.len()).collect();
    rising.sort_by(|a, b| args.quantiles[*a].total_cmp(&args.quantiles[*b]));
    let fan = |i: usize| {
        let seen = |t: usize| {
            (
                t as f64 + 1.0,
                sequence.get(t).map_or(f64::NAN, |row| row[i]),
            )
        };
        let column = |rows: &Vec<Vec<f64>>| rows.iter().map(|row| row[i]).collect::<Vec<f64>>();
        let pairs = (0..rising.len() / 2).map(|k| (rising[k], rising[rising.len() - 1 - k]));
        let interval = |(low, high): (usize, usize)| {
            let percent = 100.0 * (args.quantiles[high] - args.quantiles[low]);
            let label = format!("{} %", (percent * 1e6).round() / 1e6);
            (
                label,
                column(&forecast.quantiles[low]),
                column(&forecast.quantiles[high]),
            )
        };
        Fan {
            label: recording.names.get(i).cloned().unwrap_or_default(),
            observed: (from..sequence.len()).map(seen).collect(),
            time: (0..forecast.mean.len())
                .map(|h| (sequence.len() + h) as f64 + 1.0)
                .collect(),
            mean: column(&forecast.mean),
            intervals: pairs.map(interval).collect(),
        }
    };
    let fans: Vec<Fan> = (0..forecast.mean[0].len().min(COLUMNS)).map(fan).collect();
    let name = recording
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let title = format!("Forecast of a {}", model.described());
    let note = format!(
        "{name}: {}, {} ahead",
        many(sequence.len(), "observation"),
        args.ahead
    );
    Ok(fan::picture(&fans, recording.time_axis().as_ref())?
        .titled(&title, &note)
        .write(path)?)
}
