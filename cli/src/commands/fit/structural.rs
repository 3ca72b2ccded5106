//! `scotopic fit` of structural models: components by name, maximum likelihood.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use scotopic_filtering::gaussian::{Component, StructuralFit, StructuralModel, StructuralSettings};
use scotopic_filtering::{AnyModel, Sequence, many};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use crate::commands::print;
use crate::filtering::dependence::by_name;
use crate::filtering::model;
use crate::filtering::places::from_one;
use crate::progress::Reporter;
use crate::progress_bar::Heartbeat;
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Fits `model`, writes it as a linear-Gaussian one and prints the estimates.
///
/// # Errors
/// If the data are not one column, or nothing can be fitted.
pub fn run(
    model: &StructuralModel,
    data: &[Sequence],
    names: &[String],
    args: &FitArgs,
) -> Result<ExitCode> {
    if data[0].width() != 1 + model.inputs().len() {
        let error = anyhow!(
            "components add up to one column, and {} were read ({}): select one with --columns",
            names.len() - model.inputs().len(),
            names[..names.len() - model.inputs().len()].join(", ")
        );
        return Err(UsageError(error).into());
    }
    let begun = Instant::now();
    let settings = StructuralSettings {
        restarts: args.restarts(),
        seed: args.seed(),
        max_iterations: args.iterations(),
        threads: args.threads(),
        ..StructuralSettings::default()
    };
    let beat = Heartbeat::start(
        Reporter::new(args.progress),
        "fitting a structural model".to_owned(),
    );
    let fit = model
        .fit(data, &settings)
        .map_err(|e| by_name(from_one(e).into(), names, &(1..names.len()), false))?;
    drop(beat);
    let coefficients = coefficients(model, &fit, data)?;
    ensure_determined(&coefficients)?;
    model::write_structural(&with_estimates(model, &fit)?, &comment(&fit), &args.out)?;
    let told = ModelFit {
        states: model.states(),
        model: AnyModel::of_structural(model, &fit.estimates)?,
        log_evidence: fit.log_likelihood,
        iterations: fit.iterations,
        converged: fit.converged,
        ranked: fit.converged,
        report: Report::default(),
        free: fit.free_parameters,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if args.json {
        let mut row = told.json(fit.observations);
        row["diffuse_observations"] = fit.diffuse.into();
        if !coefficients.is_empty() {
            row["coefficients"] = coefficients.iter().map(coefficient).collect();
        }
        row["starts"] = fit.starts.clone().into();
        row["estimates"] = (0..fit.estimates.len())
            .map(|i| estimate(&fit, i))
            .collect();
        let components: Vec<String> = model
            .components()
            .iter()
            .map(Component::to_string)
            .collect();
        let value = serde_json::json!({
            "observations": fit.observations, "sequences": data.len(), "components": components,
            "fits": [row], "best": told.states, "model": args.out.to_string_lossy(), "failed": [],
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(estimates(&fit).text())?;
    if !coefficients.is_empty() {
        print::line(of_inputs(&coefficients).text())?;
    }
    print::line(likelihood(&fit, &told))?;
    if !fit.converged {
        Reporter::new(args.progress).say(&format!(
            "stopped before the optimum: the gradient is {:.1e} (--max-iterations, --restarts)",
            fit.gradient
        ));
    }
    print::line(format!("{}: {}", title(&fit), args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The model with the values that were found.
fn with_estimates(model: &StructuralModel, fit: &StructuralFit) -> Result<StructuralModel> {
    let names = model.parameter_names();
    let free = names.iter().zip(&fit.estimates);
    let mut free = free.filter(|(name, _)| !model.fixed().contains_key(*name));
    Ok(free.try_fold(model.clone(), |model, (name, value)| {
        model.with_value(name, *value)
    })?)
}

/// The coefficients of a regression after the last row; of several sequences, each with coefficients of its own, none are told.
fn coefficients(
    model: &StructuralModel,
    fit: &StructuralFit,
    data: &[Sequence],
) -> Result<Vec<(String, f64, f64)>> {
    match (model.inputs(), data) {
        ([_, ..], [one]) => Ok(model.coefficients(&fit.estimates, one)?),
        _ => Ok(Vec::new()),
    }
}

/// Refuses coefficients of which these rows do not tell: those of inputs that are combinations of one another.
fn ensure_determined(coefficients: &[(String, f64, f64)]) -> Result<()> {
    let unknown = coefficients
        .iter()
        .filter(|(_, _, error)| !error.is_finite());
    let unknown: Vec<&str> = unknown.map(|(name, _, _)| name.as_str()).collect();
    ensure!(
        unknown.is_empty(),
        "the coefficients of {} are not determined by these rows: inputs that are all 0, combinations of one another, or of the other \
         components; leave one out of --inputs",
        unknown.join(", ")
    );
    Ok(())
}

fn coefficient((name, mean, deviation): &(String, f64, f64)) -> serde_json::Value {
    serde_json::json!({"name": name, "mean": mean, "deviation": deviation})
}

fn of_inputs(coefficients: &[(String, f64, f64)]) -> Table {
    let mut table = Table::new(&["coefficient after the last row", "mean", "deviation"]);
    for (name, mean, deviation) in coefficients {
        let row: Vec<Cell> = vec![
            name.clone().into(),
            short(*mean).into(),
            short(*deviation).into(),
        ];
        table.push(row);
    }
    table
}

fn title(fit: &StructuralFit) -> String {
    let components = fit.model.components().iter().map(Component::to_string);
    format!(
        "structural model of {}",
        components.collect::<Vec<_>>().join(", ")
    )
}

fn likelihood(fit: &StructuralFit, told: &ModelFit) -> String {
    let counted = match fit.diffuse {
        0 => String::new(),
        d => format!(", {d} of them spent on the diffuse start"),
    };
    // Criteria are of a maximum.
    let (criteria, state) = match fit.converged {
        true => {
            let (bic, aic) = (told.bic(fit.observations), told.aic());
            (format!("BIC {bic:.2}, AIC {aic:.2}, "), "")
        }
        false => (String::new(), " (stopped)"),
    };
    format!(
        "ln p {:.4} ({}{counted}), {}, {criteria}{}{state}, {:.2} s",
        fit.log_likelihood,
        many(fit.observations, "observation"),
        many(fit.free_parameters, "parameter"),
        many(fit.iterations, "iteration"),
        told.seconds
    )
}

/// A period of so many times the data is none.
const BEYOND: f64 = 10.0;

/// Why a parameter has no standard error.
fn why(fit: &StructuralFit, i: usize, name: &str) -> &'static str {
    match fit.standard_errors[i] {
        Some(_) => "",
        None if fit.model.fixed().contains_key(name) => "fixed",
        None if fit.at_boundary[i] => match name.split('.').collect::<Vec<_>>().as_slice() {
            [.., "damping"] => "at the boundary 1",
            [of, _] if of.starts_with("ma") || of.starts_with("ar") => {
                "at the boundary, roots on the unit circle"
            }
            _ => "at the boundary 0",
        },
        None if name.ends_with(".period")
            && fit.estimates[i] > BEYOND * fit.observations as f64 =>
        {
            "longer than the data tell"
        }
        None => "not determined",
    }
}

fn estimates(fit: &StructuralFit) -> Table {
    let mut table = Table::new(&["parameter", "estimate", "standard error"]);
    for (i, name) in fit.model.parameter_names().iter().enumerate() {
        let error = match fit.standard_errors[i] {
            Some(error) => short(error),
            None => why(fit, i, name).to_owned(),
        };
        let row: Vec<Cell> = vec![
            name.clone().into(),
            short(fit.estimates[i]).into(),
            error.into(),
        ];
        table.push(row);
    }
    table
}

/// Six digits.
fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        _ if (1e-3..1e6).contains(&size) => {
            let digits = (5 - size.log10().floor() as i32).max(0) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.5e}"),
    }
}

fn estimate(fit: &StructuralFit, i: usize) -> serde_json::Value {
    let name = &fit.model.parameter_names()[i];
    serde_json::json!({
        "name": name, "value": fit.estimates[i], "standard_error": fit.standard_errors[i],
        "fixed": fit.model.fixed().contains_key(name), "at_boundary": fit.at_boundary[i],
    })
}

/// What the file says of where its numbers are from.
fn comment(fit: &StructuralFit) -> String {
    let mut text = format!("{}, by maximum likelihood:\n", title(fit));
    for (i, name) in fit.model.parameter_names().iter().enumerate() {
        let error = match fit.standard_errors[i] {
            Some(error) => format!("± {}", short(error)),
            None => format!("({})", why(fit, i, name)),
        };
        text.push_str(&format!("  {name} = {:e} {error}\n", fit.estimates[i]));
    }
    text
}
