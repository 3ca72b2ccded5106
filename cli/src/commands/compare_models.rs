//! `scotopic compare` with several models: their evidence on the same rows.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, ensure};
use scotopic_datasets::replace::replace;
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Mark, Panel, Series};
use scotopic_figures::time_axis::TimeAxis;
use scotopic_filtering::{AnyModel, Sequence, many};

use super::compare_args::{CompareArgs, RankBy};
use super::compare_scores::{Row, score};
use super::{compare_certify, compare_notes, compare_rows, print};
use crate::filtering::grid_note;
use crate::filtering::model;
use crate::filtering::recording::Recording;
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Ranks models, best first.
///
/// # Errors
/// If data or a model cannot be used, and for options that are about one model.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    check(args).map_err(UsageError)?;
    let models: Vec<AnyModel> = args
        .model
        .iter()
        .map(|path| model::read(path))
        .collect::<Result<_>>()
        .map_err(UsageError)?;
    let paths = args.model.iter().map(|path| path.as_path());
    let named: Vec<(&Path, &AnyModel)> = paths.zip(&models).collect();
    ensure_rules(args.by, &named).map_err(UsageError)?;
    if args.certified.certify {
        let rows = compare_rows::read_one(&args.source, &args.inputs, &named)?;
        return compare_certify::run(args, &named, &rows);
    }
    let (recordings, own_rows) = compare_rows::read(&args.source, &args.inputs, &named)?;
    let lengths = recordings.iter().map(|one| one.sequence.len());
    let (total, longest) = lengths.fold((0, 0), |(sum, most), n| (sum + n, n.max(most)));
    let shown = match &recordings[..] {
        [one] => one.path.display().to_string(),
        several => format!("{} series", several.len()),
    };
    ensure!(
        args.from() <= longest as u64,
        "--from is {}, and {} has {}",
        args.from(),
        match &recordings[..] {
            [_] => shown.clone(),
            _ => format!("the longest of {shown}"),
        },
        many(longest, "row")
    );
    let rows = named
        .iter()
        .zip(&own_rows)
        .map(|((path, model), rows)| score(args, path, model, (&recordings, rows)));
    let mut rows: Vec<Row> = rows.collect::<Result<_>>()?;
    let value = |row: &Row| match args.by {
        RankBy::Evidence => row.log_evidence,
        RankBy::Prequential => row.prequential.unwrap_or(f64::NEG_INFINITY),
        RankBy::Aic => row.aic.map_or(f64::NEG_INFINITY, |x| -x),
        RankBy::Bic => row.bic.map_or(f64::NEG_INFINITY, |x| -x),
    };
    rows.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let table = table(&rows, args.by);
    let notes = notes(args, &rows, &named, (&recordings, &own_rows));
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("models.csv"), table.csv().as_bytes())?;
        // The rows of several series follow each other, and times begin anew.
        let times = match &recordings[..] {
            [one] => one.time_axis(),
            _ => None,
        };
        if let Some(figure) = picture(&rows, times)? {
            figure.of(&shown).write(folder.join("models.svg"))?;
        }
    }
    if args.json {
        let series = recordings.len();
        let mut value =
            serde_json::json!({ "observations": total, "series": series, "rows": rows });
        if !notes.is_empty() {
            let note = notes.join("; ");
            value["note"] = note.into();
        }
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{} models, {} of {}",
        rows.len(),
        many(total, "row"),
        shown
    ))?;
    print::line(table.text())?;
    for note in notes {
        print::line(note)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What to say beside the table.
fn notes(
    args: &CompareArgs,
    rows: &[Row],
    models: &[(&Path, &AnyModel)],
    (recordings, own_rows): (&[Recording], &[Vec<Sequence>]),
) -> Vec<String> {
    let scale = (rows.iter().any(|row| row.discrete != rows[0].discrete)).then(|| {
        "some models give probabilities of counts or symbols and others densities, which have units: these are on one \
         scale only where rows are whole numbers"
            .to_owned()
    });
    let first = [
        scale,
        compare_notes::prequential(args, recordings.len()),
        compare_notes::diffuse(rows, args.by),
        compare_notes::lags(rows, args.by, args.from()),
    ];
    let mut notes: Vec<String> = first.into_iter().flatten().collect();
    for ((path, model), own) in models.iter().zip(own_rows) {
        let path = path.display().to_string();
        let Some(row) = rows.iter().find(|row| row.model == path) else {
            continue;
        };
        for ((recording, sequence), elbo) in recordings.iter().zip(own).zip(&row.each) {
            let called = match recordings.len() {
                1 => path.clone(),
                _ => format!("{path}, {}", recording.path.display()),
            };
            notes.extend(grid_note::note(model, &called, sequence, *elbo));
        }
    }
    notes
}

/// Refuses the prequential score of a model that cannot be learned online.
fn ensure_rules(by: RankBy, models: &[(&Path, &AnyModel)]) -> Result<()> {
    if by != RankBy::Prequential {
        return Ok(());
    }
    for (path, _) in models {
        ensure!(
            model::structural(path)?.is_none(),
            "--by prequential: {} is structural, and a structural model is not learned online, since a rule learns whole matrices, \
             without their structure, so that it has no prequential score; rank by evidence, aic or bic",
            path.display()
        );
    }
    let fixed = |(_, model): &&(&Path, &AnyModel)| {
        matches!(
            model,
            AnyModel::Driven(_) | AnyModel::DrivenHmm(_) | AnyModel::Slds(_)
        )
    };
    match models.iter().find(fixed) {
        None => Ok(()),
        Some((path, model)) if model.inputs().is_empty() => Err(anyhow!(
            "--by prequential: {} is a {}, which is not learned online, so that it has no prequential score; rank by evidence, aic or bic",
            path.display(),
            model.described()
        )),
        Some((path, model)) => Err(anyhow!(
            "--by prequential: {} is given {}, and such a model is not learned online, so that it has no prequential score; rank by \
             evidence, aic or bic",
            path.display(),
            model.inputs().join(", ")
        )),
    }
}

fn check(args: &CompareArgs) -> Result<()> {
    let one = [
        ("--factorisations", !args.factorisations.is_empty()),
        ("--init", args.init.is_some()),
        ("--orders", args.orders.is_some()),
        ("--smoothness", !args.smoothness.is_empty()),
        ("--schemes", !args.schemes.is_empty()),
        ("--true-states", args.true_states.is_some()),
    ];
    for (option, given) in one {
        ensure!(
            !given,
            "{option} is for one model, and {} are given",
            args.model.len()
        );
    }
    ensure!(
        args.from.is_none() || args.by == RankBy::Prequential,
        "--from is of the prequential score: give --by prequential too"
    );
    Ok(())
}

/// How far behind the best model in ln p the others are after each row; none of one model.
fn picture(rows: &[Row], times: Option<TimeAxis>) -> Result<Option<Figure>> {
    let Some((best, others)) = rows.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Ok(None);
    };
    let behind = |row: &Row| {
        let pairs = best.path.iter().zip(&row.path);
        let x = (1..=row.path.len()).map(|t| t as f64).collect();
        let y = pairs.map(|(best, own)| best - own).collect();
        Series::line(row.model.clone(), x, y).marked(Mark::Curve)
    };
    let title = format!("Nats behind {}", best.model);
    let series = others.iter().map(behind).collect();
    let panel = Panel::new("", "observation", "ln p of the best − ln p", series).timed(times);
    Ok(Some(chart::lines(&[panel])?.titled(title, "")))
}

fn table(rows: &[Row], by: RankBy) -> Table {
    // How far behind the first row in what the rows are ranked by.
    let behind = match by {
        RankBy::Evidence | RankBy::Prequential => "behind",
        RankBy::Aic => "ΔAIC",
        RankBy::Bic => "ΔBIC",
    };
    let mut columns = vec!["model", "kind", "score", "nats", behind, "per observation"];
    if by == RankBy::Prequential {
        columns.push("prequential");
    }
    columns.extend(["parameters", "AIC", "BIC"]);
    let mut table = Table::new(&columns);
    let best = rows.first();
    for row in rows {
        let behind = |of: &dyn Fn(&Row) -> f64| best.map(|best| of(best) - of(row));
        let behind = match by {
            RankBy::Evidence => behind(&|r| r.log_evidence),
            RankBy::Prequential => behind(&|r| r.prequential.unwrap_or(f64::NAN)),
            RankBy::Aic => behind(&|r| -r.aic.unwrap_or(f64::NAN)),
            RankBy::Bic => behind(&|r| -r.bic.unwrap_or(f64::NAN)),
        };
        let behind = behind.filter(|b| b.is_finite());
        let mut cells: Vec<Cell> = vec![
            row.model.as_str().into(),
            row.kind.into(),
            row.score.into(),
            Cell::Number(row.log_evidence, 3),
            behind.map(|b| Cell::Number(b, 3)).into(),
            Cell::Number(row.per_observation, 4),
        ];
        if by == RankBy::Prequential {
            cells.push(row.prequential.map(|p| Cell::Number(p, 3)).into());
        }
        cells.push(row.parameters.map(|k| Cell::Text(k.to_string())).into());
        cells.push(row.aic.map(|x| Cell::Number(x, 2)).into());
        cells.push(row.bic.map(|x| Cell::Number(x, 2)).into());
        table.push(cells);
    }
    table
}
