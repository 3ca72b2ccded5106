//! `scotopic compare` with several models: their evidence on the same rows.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_datasets::replace::replace;
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Mark, Panel, Series};
use scotopic_figures::time_axis::TimeAxis;
use scotopic_filtering::{AnyFilter, AnyLearning, AnyModel, Filter as _, Sequence, many};
use serde::Serialize;

use super::compare_args::{CompareArgs, RankBy};
use super::smooth::score as called_score;
use super::{compare_certify, compare_rows, print};
use crate::filtering::grid_note;
use crate::filtering::model;
use crate::filtering::of_fit::OfFit;
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// What a model came to.
#[derive(Debug, Serialize)]
struct Row {
    model: String,
    kind: &'static str,
    score: &'static str,
    parameters: Option<usize>,
    log_evidence: f64,
    per_observation: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prequential: Option<f64>,
    aic: Option<f64>,
    bic: Option<f64>,
    /// States without a prior, each of which takes an observation out of ln p (eq. F51).
    #[serde(skip_serializing_if = "Option::is_none")]
    diffuse: Option<usize>,
    /// Observations that the next one depends on: a row whose lags are not all there adds nothing to ln p (eq. F93).
    #[serde(skip_serializing_if = "Option::is_none")]
    lags: Option<usize>,
    #[serde(skip)]
    discrete: Option<bool>,
    /// L after each row.
    #[serde(skip)]
    path: Vec<f64>,
}

/// Ranks models, best first.
///
/// # Errors
/// If data or a model cannot be used, and for options that are about one model.
pub fn run(args: &CompareArgs, data: &Path) -> Result<ExitCode> {
    check(args).map_err(UsageError)?;
    let from = args.from();
    let models: Vec<AnyModel> = args
        .model
        .iter()
        .map(|path| model::read(path))
        .collect::<Result<_>>()
        .map_err(UsageError)?;
    let paths = args.model.iter().map(|path| path.as_path());
    let named: Vec<(&Path, &AnyModel)> = paths.zip(&models).collect();
    ensure_rules(args.by, &named).map_err(UsageError)?;
    let (recording, own_rows) = compare_rows::read(&args.source, data, &named)?;
    let (data, shown) = (&recording.sequence, data.display());
    ensure!(
        from <= data.len() as u64,
        "--from is {from}, and {shown} has {}",
        many(data.len(), "row")
    );
    if args.certified.certify {
        return compare_certify::run(args, &named, &own_rows);
    }
    let rows = named.iter().zip(&own_rows).map(|((path, model), data)| {
        let of_model = || format!("the model {}", path.display());
        let of_fit = OfFit::read(path)?;
        let parameters = of_fit.parameters(model)?;
        let rule = match args.by {
            RankBy::Prequential => {
                Some(AnyLearning::named(model, None).map_err(anyhow::Error::from))
            }
            _ => None,
        };
        let rule = rule.map(|rule| rule.and_then(|rule| of_fit.restricted(rule)));
        let rule = rule.transpose().with_context(of_model)?;
        let row = score(
            path,
            model,
            parameters,
            data,
            rule.as_ref().map(|rule| (rule, from)),
        );
        recording.named(row).with_context(of_model)
    });
    let mut rows: Vec<Row> = rows.collect::<Result<_>>()?;
    let value = |row: &Row| match args.by {
        RankBy::Evidence => row.log_evidence,
        RankBy::Prequential => row.prequential.unwrap_or(f64::NEG_INFINITY),
        RankBy::Aic => row.aic.map_or(f64::NEG_INFINITY, |x| -x),
        RankBy::Bic => row.bic.map_or(f64::NEG_INFINITY, |x| -x),
    };
    rows.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let table = table(&rows, args.by);
    let notes = [
        diffuse_note(&rows, args.by),
        lags_note(&rows, args.by, from),
    ];
    let mut notes: Vec<String> = notes.into_iter().flatten().collect();
    for ((path, model), own) in named.iter().zip(&own_rows) {
        let path = path.display().to_string();
        let row = rows.iter().find(|row| row.model == path);
        notes.extend(row.and_then(|row| grid_note::note(model, &path, own, row.log_evidence)));
    }
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("models.csv"), table.csv().as_bytes())?;
        if let Some(figure) = picture(&rows, recording.time_axis())? {
            let figure = figure.of(&shown.to_string());
            figure.write(folder.join("models.svg"))?;
        }
    }
    if args.json {
        let mut value = serde_json::json!({ "observations": data.len(), "rows": rows });
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
        many(data.len(), "row"),
        shown
    ))?;
    print::line(table.text())?;
    if rows.iter().any(|row| row.discrete != rows[0].discrete) {
        print::line(
            "some models give probabilities of counts or symbols and others densities, which have units: these are on one \
             scale only where rows are whole numbers",
        )?;
    }
    for note in notes {
        print::line(note)?;
    }
    Ok(ExitCode::SUCCESS)
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

/// What to say where ln p is not of the same observations for all models.
fn diffuse_note(rows: &[Row], by: RankBy) -> Option<String> {
    let number = |row: &Row| row.diffuse.unwrap_or(0);
    if by == RankBy::Prequential || rows.iter().all(|row| number(row) == number(&rows[0])) {
        return None;
    }
    let each = rows
        .iter()
        .map(|row| format!("{} of {}", number(row), row.model));
    Some(format!(
        "the models differ in the number of states that start diffuse ({}): ln p, and AIC and BIC with it, leaves out so many \
         observations, so that these are not on one scale; give each the same, or a start by initial_mean and \
         initial_covariance",
        each.collect::<Vec<_>>().join(", ")
    ))
}

/// What to say where some models leave out rows whose lags are missing, and others do not.
fn lags_note(rows: &[Row], by: RankBy, from: u64) -> Option<String> {
    let number = |row: &Row| row.lags.unwrap_or(0);
    let most = rows.iter().map(number).max().unwrap_or(0);
    let apart = by == RankBy::Prequential && from > most as u64;
    if apart || rows.iter().all(|row| number(row) == number(&rows[0])) {
        return None;
    }
    let each = rows
        .iter()
        .map(|row| format!("{} of {}", number(row), row.model));
    Some(format!(
        "the models differ in their lags ({}): ln p, and AIC and BIC with it, leaves out the first rows and those after a missing one, so \
         that these are not on one scale; rank by --by prequential --from {}",
        each.collect::<Vec<_>>().join(", "),
        most + 1
    ))
}

fn check(args: &CompareArgs) -> Result<()> {
    let one = [
        ("--factorisations", !args.factorisations.is_empty()),
        ("--init", args.init.is_some()),
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
    Ok(())
}

fn score(
    path: &Path,
    model: &AnyModel,
    parameters: Option<usize>,
    data: &Sequence,
    learned: Option<(&AnyLearning, u64)>,
) -> scotopic_filtering::Result<Row> {
    let mut filter = AnyFilter::new(model.clone(), "reversed")?;
    let discrete = match filter.lacks_lags() {
        true => Some(false),
        false => {
            let laws = filter.predictive_given(1, &vec![1.0; filter.inputs().len()]);
            laws.ok().and_then(|laws| Some(laws.first()?.is_discrete()))
        }
    };
    let mut sums = Vec::with_capacity(data.len());
    for row in data.iter() {
        filter.update(row)?;
        sums.push(filter.elbo());
    }
    let count = data.seen(model.inputs().len()) as f64;
    let prequential = learned.map(|(rule, from)| prequential(model, rule, data, from));
    let prequential = prequential.transpose()?;
    let log_evidence = filter.elbo();
    let k = parameters.map(|k| k as f64);
    Ok(Row {
        model: path.display().to_string(),
        kind: model.kind(),
        score: called_score(model),
        parameters,
        log_evidence,
        per_observation: log_evidence / count.max(1.0),
        prequential,
        aic: k.map(|k| 2.0 * k - 2.0 * log_evidence),
        bic: k.map(|k| k * count.max(1.0).ln() - 2.0 * log_evidence),
        discrete,
        path: sums,
        diffuse: match model {
            AnyModel::LinearGaussian(model) => Some(model.diffuse().iter().filter(|d| **d).count()),
            AnyModel::Driven(model) => Some(model.base().diffuse().iter().filter(|d| **d).count()),
            _ => None,
        }
        .filter(|states| *states > 0),
        lags: Some(model.lags()).filter(|lags| *lags > 0),
    })
}

/// Σ ln p of the rows from number `from` on, each under parameters learned from those before it.
fn prequential(
    model: &AnyModel,
    rule: &AnyLearning,
    data: &Sequence,
    from: u64,
) -> scotopic_filtering::Result<f64> {
    let mut filter = AnyFilter::learning(model.clone(), rule, "reversed")?;
    let mut sum = 0.0;
    for (t, row) in data.iter().enumerate() {
        let step = filter.update(row)?;
        if t as u64 + 1 >= from {
            sum += step.increment;
        }
    }
    Ok(sum)
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
