//! `scotopic score`

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use scotopic_filtering::{AnyFilter, AnyModel, Filter as _, is_seen, many};
use serde::Serialize;

use super::print;
use super::smooth::score as called_score;
use crate::filtering::grid_note::note;
use crate::filtering::places::from_one;
use crate::filtering::recording::{Recording, Subject, ensure_seen};
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Options of `scotopic score`.
#[derive(Debug, Args)]
#[command(
    after_help = "ln p of each series in nats, in total and per observation that was seen: exact for hmm and\n\
                        linear-gaussian, the log score of its forecasts for slds, the ELBO for the other kinds and for\n\
                        factorisations that are not exact. Each file is a series of its own, and starts from the model's\n\
                        initial law.\n\n\
                        Examples:\n  \
                        scotopic score --model population.toml held-out.csv --co-smoothing 4\n  \
                        scotopic score --model states.toml held-out1.csv held-out2.csv --json"
)]
pub struct ScoreArgs {
    /// The model and the data.
    #[command(flatten)]
    pub subject: Subject,
    /// Factorisation of the posterior, as of scotopic filter
    #[arg(long, value_name = "NAME", default_value = "reversed")]
    pub factorisation: String,
    /// The co-smoothing score of a plds in bits per spike instead: every neuron predicted from those of the other folds, of
    /// so many
    #[arg(long, value_name = "FOLDS", conflicts_with = "factorisation", value_parser = clap::value_parser!(u32).range(2..))]
    pub co_smoothing: Option<u32>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints how well held-out neurons are told by the others.
fn co_smoothing(args: &ScoreArgs, model: &AnyModel, folds: usize) -> Result<ExitCode> {
    let AnyModel::Plds(plds) = model else {
        let error = anyhow::anyhow!(
            "--co-smoothing is of Poisson and Bernoulli linear dynamical systems, and this is a {}",
            model.described()
        );
        return Err(UsageError(error).into());
    };
    let recordings = args.subject.read(model)?;
    let sequences: Vec<_> = recordings.into_iter().map(|one| one.sequence).collect();
    let score = plds
        .co_smoothing_of_folds(&sequences, folds)
        .map_err(from_one)?;
    if args.json {
        let value = serde_json::json!({
            "model": args.subject.model.display().to_string(), "score": "co-smoothing", "folds": folds,
            "bits_per_spike": score.bits_per_spike(), "spikes": score.spikes,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{}: co-smoothing {:.4} bits per spike ({} in {folds} folds, {})",
        model.described(),
        score.bits_per_spike(),
        many(model.width(), "neuron"),
        many(score.spikes as usize, "spike")
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The score of one series, or of all.
#[derive(Debug, Serialize)]
struct Score {
    file: String,
    observations: u64,
    log_evidence: f64,
    per_observation: f64,
}

/// Prints the evidence of each series.
///
/// # Errors
/// If model or data cannot be used.
pub fn run(args: &ScoreArgs) -> Result<ExitCode> {
    let model = args.subject.read_model()?;
    if let Some(folds) = args.co_smoothing {
        return co_smoothing(args, &model, folds as usize);
    }
    let filter = AnyFilter::new(model.clone(), &args.factorisation).with_context(|| {
        let file = args.subject.model.display();
        format!("the model {file} cannot be used with these options")
    });
    let filter = filter.map_err(UsageError)?;
    let recordings = args.subject.read(&model)?;
    let scores = recordings.iter().map(|recording| score(&filter, recording));
    let scores: Vec<Score> = scores.collect::<Result<_>>()?;
    let observations: u64 = scores.iter().map(|s| s.observations).sum();
    ensure_seen(observations > 0, &recordings[0])?;
    let total = of(
        "total",
        observations,
        scores.iter().map(|s| s.log_evidence).sum(),
    );
    let called = match args.factorisation.as_str() {
        "reversed" => called_score(&model),
        _ => "ELBO",
    };
    let notes: Vec<String> = match args.factorisation.as_str() {
        "reversed" => (recordings.iter().zip(&scores))
            .filter_map(|(one, score)| note(&model, &score.file, &one.sequence, score.log_evidence))
            .collect(),
        _ => Vec::new(),
    };
    if args.json {
        let mut value = serde_json::json!({
            "model": args.subject.model.display().to_string(),
            "score": called,
            "files": scores,
            "observations": total.observations,
            "log_evidence": total.log_evidence,
            "per_observation": total.per_observation,
        });
        if !notes.is_empty() {
            value["note"] = notes.join("; ").into();
        }
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["file", "observations", called, "per observation"]);
    let several = scores.len() > 1;
    for score in scores.into_iter().chain(several.then_some(total)) {
        table.push(vec![
            score.file.into(),
            score.observations.to_string().into(),
            Cell::Number(score.log_evidence, 4),
            Cell::Number(score.per_observation, 6),
        ]);
    }
    print::line(describe(&model))?;
    print::line(table.text())?;
    for note in notes {
        print::line(note)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(model: &AnyModel) -> String {
    format!("{}, nats", model.described())
}

fn score(filter: &AnyFilter, recording: &Recording) -> Result<Score> {
    let mut filter = filter.clone();
    let mut observations = 0;
    for row in recording.sequence.iter() {
        recording.named(filter.update(row))?;
        observations += u64::from(is_seen(row, filter.inputs().len()));
    }
    Ok(of(
        &recording.path.display().to_string(),
        observations,
        filter.elbo(),
    ))
}

fn of(file: &str, observations: u64, log_evidence: f64) -> Score {
    Score {
        file: file.to_owned(),
        observations,
        log_evidence,
        per_observation: log_evidence / (observations as f64).max(1.0),
    }
}
