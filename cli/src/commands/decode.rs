//! `scotopic decode`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use scotopic_filtering::{AnyModel, Decoded, Decoding};

use super::smooth::{beginning, time};
use crate::filtering::recording::{Recording, Subject};
use crate::filtering::records::{Entry, LinesOut, Record, field};
use crate::table::number;
use crate::usage::UsageError;

/// Options of `scotopic decode`.
#[derive(Debug, Args)]
#[command(
    after_help = "One line is written per observation: its state, counted from 1, and the probability of that state\n\
                        given the whole series. viterbi is the most probable path as a whole; posterior takes the most\n\
                        probable state at each time, which makes the fewest errors and may be an impossible path. For\n\
                        hidden Markov models, and the regimes of slds by the q(regimes) of its smoother; of the others\n\
                        scotopic smooth gives the posterior of the state, or scotopic filter in continuous time.\n\n\
                        Example:\n  \
                        scotopic decode --model states.toml spikes.csv --out states.csv"
)]
pub struct DecodeArgs {
    /// The model and the data.
    #[command(flatten)]
    pub subject: Subject,
    /// How the states are chosen
    #[arg(long, value_enum, value_name = "METHOD", default_value = "viterbi")]
    pub method: Method,
    /// Where the lines go.
    #[command(flatten)]
    pub lines: LinesOut,
}

/// How the states are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// The most probable path
    Viterbi,
    /// The most probable state at each time
    Posterior,
}

impl Method {
    fn decoding(self) -> Decoding {
        match self {
            Self::Viterbi => Decoding::Viterbi,
            Self::Posterior => Decoding::Posterior,
        }
    }
}

/// Writes the decoded states.
///
/// # Errors
/// If model, data or a file to write cannot be used; a usage error for a model whose state is not discrete.
pub fn run(args: &DecodeArgs) -> Result<ExitCode> {
    let model = args.subject.read_model()?;
    if !matches!(
        model,
        AnyModel::Hmm(_) | AnyModel::DrivenHmm(_) | AnyModel::Slds(_)
    ) {
        let other = match model {
            AnyModel::Generalised(_) => {
                "scotopic filter gives its beliefs: a model of continuous time is not smoothed"
            }
            _ => "scotopic smooth gives its posterior",
        };
        return Err(UsageError(anyhow::anyhow!(
            "{}: a {} cannot be decoded: its state is a vector, not one of several; {other}",
            args.subject.model.display(),
            model.described()
        ))
        .into());
    }
    let inputs = args.subject.inputs();
    args.lines.check(&[], &inputs).map_err(UsageError)?;
    let recordings = args.subject.read(&model)?;
    let mut records = Vec::new();
    for recording in &recordings {
        let path = recording.named(model.decode(&recording.sequence, args.method.decoding()))?;
        if !args.lines.quiet {
            tell!(
                "{}: ln p(path, data) {} nats, ln p(path|data) {}{} nats",
                recording.path.display(),
                number(path.log_joint, 3),
                // ln p(data) is known by a bound alone.
                if matches!(model, AnyModel::Slds(_)) {
                    "at most "
                } else {
                    ""
                },
                number(path.log_posterior, 3)
            );
        }
        records.extend(lines(recording, &path, recordings.len() > 1));
    }
    args.lines.write(&records)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(recording: &Recording, path: &Decoded, several: bool) -> Vec<Record> {
    let states = path.states.iter().zip(&path.probabilities).enumerate();
    let line = |(t, (state, probability)): (usize, (&usize, &f64))| {
        let mut record = beginning(recording, t, several);
        record.push(field("state", Entry::Whole(*state as u64 + 1)));
        record.push(field("probability", Entry::Number(*probability)));
        record.extend(time(recording, t));
        record
    };
    states.map(line).collect()
}
