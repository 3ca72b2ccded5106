//! `scotopic decode`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use scotopic_figures::Format;
use scotopic_filtering::{AnyModel, Belief, Decoded, Decoding};

use super::smooth::{beginning, time};
use crate::filtering::recorder::{BeliefRecorder, FigureOptions};
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
    /// Plot the states over time, above the data: .svg, .png or .gif; of one series
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
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
    check(args).map_err(UsageError)?;
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
        if let Some(file) = &args.figure {
            draw(&model, recording, &path, file)?;
        }
    }
    args.lines.write(&records)?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &DecodeArgs) -> Result<()> {
    if let Some(path) = &args.figure {
        Format::of(path)?;
        ensure!(
            args.subject.data.len() == 1,
            "--figure shows one series: give one file of data"
        );
    }
    let figure: Vec<&Path> = args.figure.iter().map(PathBuf::as_path).collect();
    args.lines.check(&figure, &args.subject.inputs())
}

/// The states as beliefs that are certain.
fn draw(model: &AnyModel, recording: &Recording, path: &Decoded, file: &Path) -> Result<()> {
    let states = match model {
        AnyModel::Hmm(model) => model.states(),
        AnyModel::DrivenHmm(model) => model.states(),
        AnyModel::Slds(model) => model.regimes_len(),
        _ => 0,
    };
    let mut belief = vec![0.0; states];
    let options = FigureOptions {
        moves: Format::of(file)? == Format::Gif,
        ..FigureOptions::default()
    };
    let described = format!("{}, decoded", model.described());
    let first = Belief::Discrete(&belief);
    let mut recorder =
        BeliefRecorder::of(described, model, first, &recording.names, None, options)?;
    if let Some(name) = recording.path.file_name().filter(|name| *name != "-") {
        recorder = recorder.of_data(&name.to_string_lossy());
    }
    recorder = recorder.timed(recording.time_axis());
    for (t, (row, &state)) in recording.sequence.iter().zip(&path.states).enumerate() {
        belief.fill(0.0);
        belief[state] = 1.0;
        let belief = Belief::Discrete(&belief);
        // What a state says of the data; a regime alone says nothing.
        recorder.note_belief(t as u64 + 1, belief, &model.signal(belief), row, None);
    }
    recorder.write(file)
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
