//! `scotopic compare` for continuous-time models: schemes, orders of motion, smoothness of the noise.

use std::process::ExitCode;

use anyhow::{Context, Result};
use scotopic_datasets::replace::replace;
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::{AnyModel, Sequence, many};

use super::compare_args::CompareArgs;
use super::print;
use crate::filtering::{Source, scheme_comparison};
use crate::table::{Cell, Table};

/// Schemes × smoothness × orders of a continuous-time model.
pub(super) fn run(
    args: &CompareArgs,
    model: &GeneralisedModel,
    data: &Sequence,
) -> Result<ExitCode> {
    let truth = match &args.true_states {
        // --columns applies to the observations, not to the file of states.
        Some(path) => {
            let all = Source::default();
            Some(scheme_comparison::truth(
                &all.read(path)?,
                model,
                data.len(),
            )?)
        }
        None => None,
    };
    let schemes: Vec<&str> = match args.schemes.is_empty() {
        true => scheme_comparison::SCHEMES.to_vec(),
        false => args.schemes.iter().map(String::as_str).collect(),
    };
    let smoothness = match args.smoothness.is_empty() {
        true => vec![model.embedding.smoothness],
        false => args.smoothness.clone(),
    };
    let orders = args.orders();
    let mut rows = Vec::new();
    let mut best: Option<(f64, Vec<scheme_comparison::Track>, String, usize, f64)> = None;
    for scheme in schemes {
        for &s in &smoothness {
            for &order in &orders {
                let (row, tracks) =
                    scheme_comparison::run(model, data, scheme, order, s, truth.as_ref())
                        .with_context(|| format!("{scheme}, order {order}, s = {s}"))?;
                let score = row.log_evidence.unwrap_or(f64::NEG_INFINITY);
                if row.failed.is_none() && best.as_ref().is_none_or(|(most, ..)| score > *most) {
                    best = Some((score, tracks, scheme.to_owned(), order, s));
                }
                rows.push(row);
            }
        }
    }
    let mut table = Table::new(&[
        "scheme",
        "order",
        "s",
        "look-ahead",
        "RMSE",
        "NEES",
        "ln p",
        "µs",
        "failed",
    ]);
    let number = |value: Option<f64>, decimals| match value {
        Some(v) if v.is_finite() && v.abs() < 1e9 => Cell::Number(v, decimals),
        Some(v) => format!("{v:.1e}").into(),
        None => Cell::Empty,
    };
    for row in &rows {
        table.push(vec![
            row.scheme.as_str().into(),
            row.order.to_string().into(),
            row.smoothness.to_string().into(),
            row.look_ahead.to_string().into(),
            number(row.rmse, 4),
            number(row.nees, 2),
            number(row.log_evidence, 2),
            number(row.failed.is_none().then_some(row.micros), 1),
            if row.failed.is_some() { "yes" } else { "" }.into(),
        ]);
    }
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("compare.csv"), table.csv().as_bytes())?;
        if let Some(picture) = scheme_comparison::picture(&rows)? {
            picture.write(folder.join("compare.png"))?;
        }
        if let Some((_, tracks, scheme, order, s)) = &best {
            let title = format!("Beliefs of {scheme}, order {order}, s = {s}");
            if let Some(picture) = scheme_comparison::trajectories(tracks, truth.as_ref(), &title)?
            {
                picture.write(folder.join("trajectories.png"))?;
            }
        }
    }
    if args.json {
        let value = serde_json::json!({ "observations": data.len(), "rows": rows });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = AnyModel::Generalised(Box::new(model.clone())).described();
    print::line(format!(
        "{what}, {} of {}",
        many(data.len(), "bin"),
        args.inputs[0].display()
    ))?;
    print::line(table.text())?;
    // The same failure at every order is reported once.
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for row in &rows {
        if let Some(error) = &row.failed {
            let what = format!("{}, s = {}: {error}", row.scheme, row.smoothness);
            match told.iter_mut().find(|(known, _)| *known == what) {
                Some((_, orders)) => orders.push(row.order.to_string()),
                None => told.push((what, vec![row.order.to_string()])),
            }
        }
    }
    for (what, orders) in told {
        print::line(format!("order {} of {what}", orders.join(", ")))?;
    }
    if let Some((_, _, scheme, order, s)) = best.filter(|(most, ..)| most.is_finite()) {
        print::line(format!("most evidence: {scheme}, order {order}, s = {s}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
