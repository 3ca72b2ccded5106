//! `scotopic smooth`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use scotopic_figures::Format;
use scotopic_filtering::{AnyModel, AnySmoothed, Belief, is_seen, many};

use crate::filtering::Band;
use crate::filtering::lines::known_means;
use crate::filtering::recorder::{BeliefRecorder, FigureOptions};
use crate::filtering::recording::{Recording, Subject};
use crate::filtering::records::{Entry, LinesOut, Record, field, list};
use crate::table::number;
use crate::usage::UsageError;

/// Options of `scotopic smooth`.
#[derive(Debug, Args)]
#[command(
    after_help = "One line is written per observation: the posterior of its state given the whole series, as\n\
                        probabilities (hmm) or mean and variance, in the columns of scotopic filter. It is exact for hmm\n\
                        and linear-gaussian, the Gaussian of highest bound for plds, q(regimes) q(states) for slds, and that\n\
                        of the reversed factorisation for nonlinear models. A state that no row determines (of a start\n\
                        without a prior) has variance and mean null. Each file is a series of its own; with several, lines\n\
                        begin with the file.\n\n\
                        Examples:\n  \
                        scotopic smooth --model level.toml nile.csv --time year --out smoothed.csv --figure level.png\n  \
                        scotopic smooth --model states.toml trial1.csv trial2.csv --out-format csv"
)]
pub struct SmoothArgs {
    /// The model and the data.
    #[command(flatten)]
    pub subject: Subject,
    /// Where the lines go.
    #[command(flatten)]
    pub lines: LinesOut,
    /// Plot the smoothed beliefs with their credible bands: .svg, .png or .gif; of one series
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
    /// Width of the credible band: a probability (0.9, 90%) or standard deviations (2sd) [default: 0.9]
    #[arg(long, value_name = "WIDTH", requires = "figure")]
    pub band: Option<Band>,
}

/// Writes the posterior of every state.
///
/// # Errors
/// If model, data or a file to write cannot be used; for models that are not smoothed.
pub fn run(args: &SmoothArgs) -> Result<ExitCode> {
    let model = args.subject.read_model()?;
    check(args).map_err(UsageError)?;
    let recordings = args.subject.read(&model)?;
    let mut records = Vec::new();
    for recording in &recordings {
        let smoothed = recording.named(model.smooth(&recording.sequence))?;
        records.extend(lines(recording, &smoothed, recordings.len() > 1));
        if let Some(path) = &args.figure {
            draw(&model, recording, &smoothed, args.band, path)?;
        }
        if !args.lines.quiet {
            tell!(
                "{}: {}, {} {} nats",
                recording.path.display(),
                many(smoothed.len(), "observation"),
                evidence(&model),
                number(smoothed.elbo(), 3)
            );
            if let Some(said) = undetermined(&model, &smoothed) {
                tell!("{}: {said}", recording.path.display());
            }
        }
    }
    args.lines.write(&records)?;
    Ok(ExitCode::SUCCESS)
}

/// Says which states the observations do not determine, of a start without a prior.
fn undetermined(model: &AnyModel, smoothed: &AnySmoothed) -> Option<String> {
    let mut rows = 0;
    let mut states: Vec<usize> = Vec::new();
    for belief in (0..smoothed.len()).filter_map(|t| smoothed.belief(t)?.gaussian()) {
        let means = known_means(&belief);
        let unknown = (0..means.len()).filter(|i| means[*i].is_nan());
        let before = states.len();
        let unknown: Vec<usize> = unknown.collect();
        rows += usize::from(!unknown.is_empty());
        states.extend(
            unknown
                .into_iter()
                .filter(|i| !states[..before].contains(i))
                .collect::<Vec<_>>(),
        );
    }
    states.sort_unstable();
    let called = |i: &usize| match model.state_names().get(*i) {
        Some(name) => name.clone(),
        None => format!("state {}", i + 1),
    };
    let named: Vec<String> = states.iter().map(called).collect();
    (rows > 0).then(|| {
        format!(
            "in {} the observations do not determine {}, which started without a prior: variance infinite, no mean",
            many(rows, "row"),
            named.join(", ")
        )
    })
}

/// What the evidence of a smoother is called.
pub(super) fn evidence(model: &AnyModel) -> &'static str {
    match model {
        AnyModel::Hmm(_)
        | AnyModel::DrivenHmm(_)
        | AnyModel::LinearGaussian(_)
        | AnyModel::Driven(_) => "ln p",
        AnyModel::Plds(_)
        | AnyModel::Slds(_)
        | AnyModel::Nonlinear(_)
        | AnyModel::Generalised(_) => "ELBO",
    }
}

/// What the sum over a whole sequence is called that a filter adds up.
pub(super) fn score(model: &AnyModel) -> &'static str {
    match model {
        // Of normalised forecasts, and no bound.
        AnyModel::Slds(_) => "log score",
        other => evidence(other),
    }
}

fn check(args: &SmoothArgs) -> Result<()> {
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

/// The entries that every line begins with: the file where there are several, t, and whether the row was seen.
pub(super) fn beginning(recording: &Recording, t: usize, several: bool) -> Record {
    let mut record = Vec::new();
    if several {
        let file = recording.path.display().to_string();
        record.push(field("file", Entry::Text(file)));
    }
    record.push(field("t", Entry::Whole(t as u64 + 1)));
    let seen = is_seen(recording.sequence.get(t), recording.given);
    record.push(field("seen", Entry::Flag(seen)));
    record
}

/// The entry that every line ends with where there are times.
pub(super) fn time(recording: &Recording, t: usize) -> Option<(String, String, Entry)> {
    let time = recording.time(t)?;
    Some(field("time", Entry::Text(time.to_owned())))
}

fn lines(recording: &Recording, smoothed: &AnySmoothed, several: bool) -> Vec<Record> {
    let each = (0..smoothed.len()).filter_map(|t| Some((t, smoothed.belief(t)?)));
    let line = |(t, belief): (usize, Belief<'_>)| {
        let mut record = beginning(recording, t, several);
        match belief {
            Belief::Discrete(q) => record.push(list("belief", "q", q.to_vec())),
            Belief::Gaussian(q) => {
                let variances = q.covariance.iter().step_by(q.mean.len() + 1);
                record.push(list("mean", "mean", known_means(&q)));
                record.push(list("variance", "var", variances.copied().collect()));
                if !q.regimes.is_empty() {
                    record.push(list("regimes", "regime", q.regimes.to_vec()));
                }
            }
        }
        record.extend(time(recording, t));
        record
    };
    each.map(line).collect()
}

fn draw(
    model: &AnyModel,
    recording: &Recording,
    smoothed: &AnySmoothed,
    band: Option<Band>,
    path: &Path,
) -> Result<()> {
    let Some(first) = smoothed.belief(0) else {
        return Ok(());
    };
    let options = FigureOptions {
        band: band.unwrap_or_default(),
        portrait: None,
        moves: Format::of(path)? == Format::Gif,
    };
    let described = format!("{}, smoothed", model.described());
    let mut recorder =
        BeliefRecorder::of(described, model, first, &recording.names, None, options)?;
    if let Some(name) = recording.path.file_name().filter(|name| *name != "-") {
        recorder = recorder.of_data(&name.to_string_lossy());
    }
    recorder = recorder.timed(recording.time_axis());
    for (t, row) in recording.sequence.iter().enumerate() {
        if let Some(belief) = smoothed.belief(t) {
            recorder.note_belief(t as u64 + 1, belief, &model.signal(belief), row, None);
        }
    }
    recorder.write(path)
}
