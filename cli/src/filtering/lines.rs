//! One output line per observation.

use std::io::Write;

use clap::ValueEnum;
use scotopic_filtering::Step;
use serde::Serialize;

use super::running::{Belief, Running};

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LineFormat {
    /// One JSON object per line
    Jsonl,
    /// CSV with a header
    Csv,
}

/// Writes one line per belief.
#[derive(Debug)]
pub struct Lines<W> {
    writer: W,
    format: LineFormat,
    headed: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    t: u64,
    seen: bool,
    #[serde(flatten)]
    belief: &'a Belief,
    increment: f64,
    elbo: f64,
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

    /// The line of the observation that `filter` has just taken in; t counts from 1.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, filter: &Running, seen: bool, step: Step) -> std::io::Result<()> {
        let belief = filter.belief();
        let t = filter.observations();
        match self.format {
            LineFormat::Jsonl => {
                let line = Line {
                    t,
                    seen,
                    belief: &belief,
                    increment: step.increment,
                    elbo: step.elbo,
                };
                serde_json::to_writer(&mut self.writer, &line)?;
                writeln!(self.writer)
            }
            LineFormat::Csv => {
                if !std::mem::replace(&mut self.headed, true) {
                    write!(self.writer, "t,seen,increment,elbo")?;
                    for name in filter.belief_names() {
                        write!(self.writer, ",{name}")?;
                    }
                    writeln!(self.writer)?;
                }
                let seen = u8::from(seen);
                // {:?} writes very small numbers with an exponent, and every number so that it is read back whole.
                write!(
                    self.writer,
                    "{t},{seen},{:?},{:?}",
                    step.increment, step.elbo
                )?;
                let numbers: [&[f64]; 4] = match &belief {
                    Belief::Discrete { belief } => [belief, &[], &[], &[]],
                    Belief::Gaussian {
                        mean,
                        variance,
                        cause_mean,
                        cause_variance,
                    } => [mean, variance, cause_mean, cause_variance],
                };
                for value in numbers.into_iter().flatten() {
                    write!(self.writer, ",{value:?}")?;
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
