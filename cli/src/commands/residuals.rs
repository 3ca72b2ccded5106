//! `scotopic residuals`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use scotopic_figures::Format;
use scotopic_figures::residuals::Residuals as ResidualFigure;
use scotopic_filtering::{
    AnyModel, Diagnostics, DiscreteResidual, Residuals, TestResult, autocorrelations,
    deviations_of, many,
};

use super::print;
use super::smooth::{beginning, time};
use crate::filtering::LineFormat;
use crate::filtering::recording::{Recording, Subject};
use crate::filtering::records::{Record, list, write};
use crate::outputs::{check_apart, check_writable};
use crate::table::{Cell, Table, number};
use crate::usage::UsageError;

/// Options of `scotopic residuals`.
#[derive(Debug, Args)]
#[command(
    after_help = "The residual of an observation is z = Φ⁻¹(P(Y ≤ y | all before)), of each column given all earlier rows:\n\
                        the standardised innovation of a linear-gaussian model. Of counts and symbols, whose distribution\n\
                        jumps, a number drawn within the jump (randomised, exactly normal under the model) or its middle.\n\
                        Under the model the residuals are independent N(0, 1).\n\n\
                        Printed are tests of that: independence (Ljung–Box), normality (Jarque–Bera), heteroscedasticity\n\
                        (squares of the last third over those of the first), each with its p-value. The figure has four\n\
                        panels: residuals over time, histogram, quantiles against the normal's, autocorrelations.\n\n\
                        Example:\n  \
                        scotopic residuals --model level.toml nile.csv --columns volume --figure residuals.png"
)]
pub struct ResidualsArgs {
    /// The model and the data.
    #[command(flatten)]
    pub subject: Subject,
    /// What is taken of counts and symbols
    #[arg(long, value_enum, value_name = "METHOD", default_value = "randomised")]
    pub method: Method,
    /// Seed of randomised residuals [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Lags of the test of independence and of the figure [default: a fifth of the observations, at most 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub lags: Option<u32>,
    /// File for the residuals: CSV or JSON lines by its extension, z1, z2, … a row
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Figure of the residuals of one series: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
    /// Column of the figure, by its number among those read
    #[arg(long, value_name = "N", default_value_t = 1, requires = "figure", value_parser = clap::value_parser!(u32).range(1..))]
    pub figure_column: u32,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is taken of counts and symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// A number drawn within the jump of the distribution
    Randomised,
    /// The middle of the jump
    MidQuantile,
}

/// Prints the tests of the residuals, and writes and draws them where asked.
///
/// # Errors
/// If model, data or a file to write cannot be used.
pub fn run(args: &ResidualsArgs) -> Result<ExitCode> {
    let model = args.subject.read_model()?;
    check(args, &model).map_err(UsageError)?;
    let recordings = args.subject.read(&model)?;
    let discrete = match args.method {
        Method::Randomised => DiscreteResidual::Randomised(args.seed.unwrap_or(0)),
        Method::MidQuantile => DiscreteResidual::MidQuantile,
    };
    let lags = args.lags.map(|lags| lags as usize);
    let of = |recording: &Recording| {
        recording.named(model.residuals(&recording.sequence, discrete, lags))
    };
    let all: Vec<Residuals> = recordings.iter().map(of).collect::<Result<_>>()?;
    let count = |z: &Residuals| z.diagnostics.iter().map(|d| d.count).sum::<usize>();
    ensure!(
        all.iter().map(count).sum::<usize>() > 0,
        "{}: no row has a residual: all are missing, or have not the rows before them that the model needs",
        recordings[0].path.display()
    );
    let several = recordings.len() > 1;
    if let Some(path) = &args.out {
        let lines = recordings.iter().zip(&all);
        let lines: Vec<Record> = lines.flat_map(|(r, z)| lines_of(r, z, several)).collect();
        write(Some(path), None, LineFormat::Csv, &lines)?;
    }
    if let Some(path) = &args.figure {
        draw(args, &model, &recordings[0], &all[0], path)?;
    }
    match args.json {
        true => print_json(args, &recordings, &all)?,
        false => {
            print::line(format!("{}, one-step residuals", model.described()))?;
            print::line(table(&recordings, &all).text())?;
            if let Some(note) = untested(&all) {
                print::line(note)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Why a test has no result.
fn untested(all: &[Residuals]) -> Option<&'static str> {
    let mut columns = all.iter().flat_map(|z| &z.diagnostics);
    let without = |d: &Diagnostics| !d.independence.statistic.is_finite();
    columns.any(without).then_some(
        "–: too few residuals for that test; that of Ljung and Box needs more of them than --lags",
    )
}

fn check(args: &ResidualsArgs, model: &AnyModel) -> Result<()> {
    ensure!(
        args.seed.is_none() || args.method == Method::Randomised,
        "--seed is of randomised residuals, and nothing is drawn for --method mid-quantile: leave --seed out"
    );
    ensure!(
        args.seed.is_none() || !matches!(model, AnyModel::LinearGaussian(_) | AnyModel::Driven(_)),
        "--seed is of the residuals of counts and symbols, and those of this {} are exact: leave it out",
        model.described()
    );
    if let Some(path) = &args.figure {
        ensure!(
            Format::of(path)? != Format::Gif,
            "--figure {}: residuals do not move; name a .svg or .png",
            path.display()
        );
        ensure!(
            args.subject.data.len() == 1,
            "--figure shows one series: give one file of data"
        );
        let outputs = model.width() - model.inputs().len();
        ensure!(
            args.figure_column as usize <= outputs,
            "--figure-column is {}, and the model predicts {}",
            args.figure_column,
            many(outputs, "column")
        );
    }
    let written: Vec<&Path> = args
        .out
        .iter()
        .chain(&args.figure)
        .map(PathBuf::as_path)
        .collect();
    ensure!(
        args.out.is_none() || args.out != args.figure,
        "--out and --figure name one file: give each its own name"
    );
    check_apart(&written, &args.subject.inputs())?;
    if let Some(path) = &args.out {
        LineFormat::of(path)?;
    }
    written.into_iter().try_for_each(check_writable)
}

fn lines_of(recording: &Recording, residuals: &Residuals, several: bool) -> Vec<Record> {
    let line = |t: usize| {
        let mut record = beginning(recording, t, several);
        let z = residuals.standardised.iter().map(|z| z[t]);
        record.push(list("residual", "z", z.collect()));
        record.extend(time(recording, t));
        record
    };
    (0..recording.sequence.len()).map(line).collect()
}

fn table(recordings: &[Recording], all: &[Residuals]) -> Table {
    let mut table = Table::new(&[
        "residuals of",
        "n",
        "mean",
        "variance",
        "Ljung–Box",
        "p",
        "Jarque–Bera",
        "p",
        "variance ratio",
        "p",
    ]);
    let mut push = |name: String, d: &Diagnostics| {
        let mut row = vec![
            name.into(),
            d.count.to_string().into(),
            of_some(d.mean),
            of_some(d.variance),
        ];
        for test in [d.independence, d.normality, d.heteroscedasticity] {
            row.extend(cells(test));
        }
        table.push(row);
    };
    for (recording, residuals) in recordings.iter().zip(all) {
        for (i, d) in residuals.diagnostics.iter().enumerate() {
            push(name_of(recording, i, recordings.len() > 1), d);
        }
    }
    table
}

/// A number, where it is one: of no residual there is none.
fn of_some(number: f64) -> Cell {
    match number.is_nan() {
        true => Cell::Empty,
        false => Cell::Number(number, 3),
    }
}

fn name_of(recording: &Recording, column: usize, several: bool) -> String {
    let name = recording.names.get(column).cloned().unwrap_or_default();
    match several {
        true => format!("{}: {name}", recording.path.display()),
        false => name,
    }
}

fn cells(test: TestResult) -> [Cell; 2] {
    match test.statistic.is_finite() {
        true => [Cell::Number(test.statistic, 3), p_value(test.p_value)],
        false => [Cell::Empty, Cell::Empty],
    }
}

/// Four decimals, and an exponent where they would all be zero.
fn p_value(p: f64) -> Cell {
    // A statistic far out has a probability below all numbers.
    if p == 0.0 {
        return Cell::Text("<1e-300".to_owned());
    }
    match p < 5e-5 {
        true => Cell::Text(format!("{p:.0e}")),
        false => Cell::Text(number(p, 4)),
    }
}

fn print_json(args: &ResidualsArgs, recordings: &[Recording], all: &[Residuals]) -> Result<()> {
    let file = |(recording, residuals): (&Recording, &Residuals)| {
        let columns = recording.names.iter().zip(&residuals.diagnostics);
        let columns: Vec<_> = columns
            .map(|(name, tests)| serde_json::json!({"column": name, "tests": tests}))
            .collect();
        serde_json::json!({"file": recording.path.display().to_string(), "columns": columns})
    };
    let files: Vec<_> = recordings.iter().zip(all).map(file).collect();
    let value = serde_json::json!({
        "model": args.subject.model.display().to_string(),
        "files": files,
    });
    print::line(serde_json::to_string_pretty(&value)?)
}

/// A p-value in three decimals.
fn told(p: f64) -> String {
    match p < 5e-4 {
        true => "< 0.001".to_owned(),
        false => format!("= {p:.3}"),
    }
}

/// The most lags of the figure where none are asked for.
const LAGS: usize = 20;

fn draw(
    args: &ResidualsArgs,
    model: &AnyModel,
    recording: &Recording,
    residuals: &Residuals,
    path: &Path,
) -> Result<()> {
    let column = args.figure_column as usize - 1;
    let z = &residuals.standardised[column];
    let n = z.iter().filter(|z| z.is_finite()).count();
    let lags = args.lags.map_or(LAGS.min(n / 3), |lags| lags as usize);
    let quantile = |i: usize| -> Result<f64> {
        let p = (i as f64 + 0.5) / n as f64;
        let level = (2.0 * p - 1.0).abs();
        Ok(match level > 0.0 {
            true => deviations_of(level)?.copysign(p - 0.5),
            false => 0.0,
        })
    };
    let quantiles: Vec<f64> = (0..n).map(quantile).collect::<Result<_>>()?;
    let rho = autocorrelations(z, lags);
    let times = recording.time_axis();
    let figure = ResidualFigure {
        residuals: z,
        normal_quantiles: &quantiles,
        autocorrelations: &rho[1..],
        times: times.as_ref(),
    };
    let d = &residuals.diagnostics[column];
    let name = recording
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let title = format!("Residuals of a {}", model.described());
    let note = format!(
        "{name}, {}: independence (Ljung–Box, {} lags) p {}, normality (Jarque–Bera) p {}, equal variance p {}",
        recording.names.get(column).cloned().unwrap_or_default(),
        d.lags,
        told(d.independence.p_value),
        told(d.normality.p_value),
        told(d.heteroscedasticity.p_value),
    );
    let picture = figure
        .picture()
        .with_context(|| format!("could not draw {}", path.display()))?;
    Ok(picture.titled(&title, &note).write(path)?)
}
