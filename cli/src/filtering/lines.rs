//! One output line per observation.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;
use scotopic_filtering::{AnyFilter, Belief, Filter as _, GaussianBelief, Step};
use serde::Serialize;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LineFormat {
    /// One JSON object per line
    Jsonl,
    /// CSV with a header
    Csv,
}

/// Endings of names of files of other kinds, which nothing could read such lines from.
const OTHERS: [&str; 11] = [
    "gif", "gz", "npy", "npz", "parquet", "png", "svg", "toml", "tsv", "xlsx", "zip",
];

impl LineFormat {
    /// What the ending of a file's name says; none for one that says nothing.
    ///
    /// # Errors
    /// For the ending of another format.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("csv") => Ok(Some(Self::Csv)),
            Some("jsonl" | "json") => Ok(Some(Self::Jsonl)),
            Some(other) if OTHERS.contains(&other) => bail!(
                "{}: this is written as CSV or JSON lines: name a .csv or .jsonl file",
                path.display()
            ),
            _ => Ok(None),
        }
    }
}

/// Writes one line per belief.
#[derive(Debug)]
pub struct Lines<W> {
    writer: W,
    format: LineFormat,
    headed: bool,
}

/// The belief of a line.
#[derive(Serialize)]
#[serde(untagged)]
enum BeliefLine<'a> {
    Discrete {
        belief: &'a [f64],
    },
    Gaussian {
        mean: Vec<f64>,
        variance: Vec<f64>,
        /// Of a model in continuous time that has causes.
        #[serde(skip_serializing_if = "<[f64]>::is_empty")]
        cause_mean: &'a [f64],
        #[serde(skip_serializing_if = "Vec::is_empty")]
        cause_variance: Vec<f64>,
        /// Of a switching model.
        #[serde(skip_serializing_if = "<[f64]>::is_empty")]
        regimes: &'a [f64],
    },
}

impl<'a> BeliefLine<'a> {
    fn of(belief: Belief<'a>) -> Self {
        let diagonal = |covariance: &[f64], n: usize| -> Vec<f64> {
            covariance.iter().step_by(n + 1).copied().collect()
        };
        match belief {
            Belief::Discrete(belief) => Self::Discrete { belief },
            Belief::Gaussian(b) => Self::Gaussian {
                mean: known_means(&b),
                variance: diagonal(b.covariance, b.mean.len()),
                cause_mean: b.cause_mean,
                cause_variance: diagonal(b.cause_covariance, b.cause_mean.len()),
                regimes: b.regimes,
            },
        }
    }

    /// The numbers, and what those of each kind are called.
    fn numbers(&self) -> Vec<(&'static str, &[f64])> {
        match self {
            Self::Discrete { belief } => vec![("q", belief)],
            Self::Gaussian {
                mean,
                variance,
                cause_mean,
                cause_variance,
                regimes,
            } => vec![
                ("mean", mean),
                ("var", variance),
                ("cause_mean", cause_mean),
                ("cause_var", cause_variance),
                ("regime", regimes),
            ],
        }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let all = self.numbers().into_iter();
        all.flat_map(|(name, numbers)| (1..=numbers.len()).map(move |k| format!("{name}{k}")))
    }
}

/// The header of CSV lines of the beliefs of `filter`, without its end; what they say beside the belief, by whether it is there.
pub fn header(filter: &AnyFilter, file: bool, alarm: bool, time: bool) -> String {
    let mut header = String::new();
    if file {
        header += "file,";
    }
    header += "t,seen,increment,elbo";
    if alarm {
        header += ",tail,alarm";
    }
    for name in BeliefLine::of(filter.belief()).names() {
        header = header + "," + &name;
    }
    if time {
        header += ",time";
    }
    header
}

/// What a line says beside the belief.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remarks<'a> {
    /// The file of the observation, where there are several.
    pub file: Option<&'a str>,
    /// What the data say of its time.
    pub time: Option<&'a str>,
    /// Its tail probability, where an alarm is set; not a number where nothing was seen.
    pub alarm: Option<Mark>,
}

/// How surprising an observation was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Its tail probability under the predictive distribution.
    pub tail: f64,
    /// Whether that is below the probability of the alarm.
    pub alarm: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    t: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    seen: bool,
    #[serde(flatten)]
    belief: &'a BeliefLine<'a>,
    increment: f64,
    elbo: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tail: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<bool>,
}

impl<W: Write> Lines<W> {
    /// Lines of a format to a writer.
    pub fn new(writer: W, format: LineFormat) -> Self {
        Self {
            writer,
            format,
            headed: false,
        }
    }

    /// Lines added to some that are there, under their header.
    pub fn continued(writer: W, format: LineFormat) -> Self {
        Self {
            writer,
            format,
            headed: true,
        }
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }

    /// The line of the observation that `filter` has just taken in; t counts from 1.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(
        &mut self,
        filter: &AnyFilter,
        remarks: Remarks<'_>,
        seen: bool,
        step: Step,
    ) -> std::io::Result<()> {
        let Remarks { file, time, alarm } = remarks;
        let belief = BeliefLine::of(filter.belief());
        let t = filter.observations();
        match self.format {
            LineFormat::Jsonl => {
                let line = Line {
                    file,
                    t,
                    time,
                    seen,
                    belief: &belief,
                    increment: step.increment,
                    elbo: step.elbo,
                    tail: alarm.map(|mark| mark.tail),
                    alarm: alarm.map(|mark| mark.alarm),
                };
                serde_json::to_writer(&mut self.writer, &line)?;
                writeln!(self.writer)
            }
            LineFormat::Csv => {
                if !std::mem::replace(&mut self.headed, true) {
                    let header = header(filter, file.is_some(), alarm.is_some(), time.is_some());
                    writeln!(self.writer, "{header}")?;
                }
                let seen = u8::from(seen);
                if let Some(file) = file {
                    write!(self.writer, "{},", quoted(file))?;
                }
                // {:?} writes very small numbers with an exponent, and every number so that it is read back whole.
                write!(
                    self.writer,
                    "{t},{seen},{:?},{:?}",
                    step.increment, step.elbo
                )?;
                match alarm {
                    None => {}
                    Some(Mark { tail, .. }) if tail.is_nan() => write!(self.writer, ",,0")?,
                    Some(Mark { tail, alarm }) => {
                        write!(self.writer, ",{tail:?},{}", u8::from(alarm))?;
                    }
                }
                let numbers = belief
                    .numbers()
                    .into_iter()
                    .flat_map(|(_, numbers)| numbers);
                for value in numbers {
                    match value.is_nan() {
                        true => write!(self.writer, ",")?,
                        false => write!(self.writer, ",{value:?}")?,
                    }
                }
                if let Some(time) = time {
                    // Numbers and ISO dates: nothing in them needs quotes.
                    write!(self.writer, ",{time}")?;
                }
                writeln!(self.writer)
            }
        }
    }

    /// Writes what is still buffered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// The means of states; not a number where a variance is infinite: of a start without a prior the observations have not determined
/// that state.
pub fn known_means(belief: &GaussianBelief<'_>) -> Vec<f64> {
    let variances = belief.covariance.iter().step_by(belief.mean.len() + 1);
    // A scheme that keeps a point has no covariance.
    let variances = variances.copied().chain(std::iter::repeat(0.0));
    let known = |(m, v): (&f64, f64)| if v.is_infinite() { f64::NAN } else { *m };
    belief.mean.iter().zip(variances).map(known).collect()
}

/// A cell of text, in quotes where it has to be.
pub(super) fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
