//! `scotopic compare`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use scotopic_datasets::replace::replace;
use scotopic_filtering::comparison::FactorisationRow;
use scotopic_filtering::hmm::{AnyEmission, BatchEm, LearnUnder};
use scotopic_filtering::{AnyModel, many};

use super::compare_args::{CompareArgs, RankBy};
use super::{compare_certify, compare_models, compare_rows, compare_schemes, print};
use crate::filtering::{comparison, model};
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// Compares networks, models of a series, or factorisations of one.
///
/// # Errors
/// If data or models cannot be used, or a factorisation does not exist.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    if args.model.is_empty() {
        return networks(args);
    }
    #[cfg(feature = "vision")]
    args.networks.check_unused().map_err(UsageError)?;
    if args.model.len() > 1 {
        return compare_models::run(args);
    }
    compare_rows::one_file(&args.inputs)?;
    if args.by != RankBy::Evidence {
        let error = anyhow::anyhow!(
            "--by ranks several models, and one is given: leave it out, or name another by --model"
        );
        return Err(UsageError(error).into());
    }
    if args.from.is_some() {
        let error = anyhow::anyhow!(
            "--from is of the prequential score of several models, and one is given"
        );
        return Err(UsageError(error).into());
    }
    let model = model::read(&args.model[0]).map_err(UsageError)?;
    check_options(args, &model).map_err(UsageError)?;
    let learning = learning(args, &model).map_err(UsageError)?;
    let named = [(args.model[0].as_path(), &model)];
    let data = compare_rows::read_one(&args.source, &args.inputs, &named)?.remove(0);
    let path = &args.inputs[0];
    if args.certified.certify {
        return compare_certify::run(args, &[(&args.model[0], &model)], &[data]);
    }
    if let AnyModel::Generalised(model) = &model {
        return compare_schemes::run(args, model, &data);
    }
    let names: Vec<&str> = match args.factorisations.is_empty() {
        true => comparison::all(&model),
        false => args.factorisations.iter().map(String::as_str).collect(),
    };
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for name in names {
        match comparison::row(&model, &data, name, learning.as_ref()) {
            Ok(row) => rows.push(row),
            // A factorisation named by the user must work; those of the default list that fail are reported.
            Err(error) if args.factorisations.is_empty() => {
                failed.push((name, format!("{error:#}")))
            }
            Err(error) => return Err(error.context(format!("{name} on {}", path.display()))),
        }
    }
    if rows.is_empty() {
        let (name, error) = failed
            .into_iter()
            .next()
            .context("there is nothing to compare")?;
        anyhow::bail!("no factorisation could be computed; {name}: {error}");
    }
    let table = table(&rows, learning.is_some());
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("compare.csv"), table.csv().as_bytes())?;
        if let Some(picture) = comparison::picture(&rows)? {
            picture.write(folder.join("compare.png"))?;
        }
    }
    if args.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(n, e)| serde_json::json!({"factorisation": n, "error": e}))
            .collect();
        let value =
            serde_json::json!({ "observations": data.len(), "rows": rows, "failed": failed });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{}, {} of {}",
        model.described(),
        many(data.len(), "observation"),
        path.display()
    ))?;
    print::line(table.text())?;
    for (name, error) in failed {
        print::line(format!("{name}: {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "vision")]
fn networks(args: &CompareArgs) -> Result<ExitCode> {
    super::compare_networks::run(args)
}

#[cfg(not(feature = "vision"))]
fn networks(_: &CompareArgs) -> Result<ExitCode> {
    Err(UsageError(anyhow::anyhow!(
        "name the model of the observations by --model FILE (this program is built without networks)"
    ))
    .into())
}

/// Options that do not apply to the kind of model are refused, not ignored.
fn check_options(args: &CompareArgs, model: &AnyModel) -> Result<()> {
    let continuous = matches!(model, AnyModel::Generalised(_));
    let certify = args.certified.certify;
    let continuous_only =
        !args.smoothness.is_empty() || !args.schemes.is_empty() || args.orders.is_some();
    ensure!(
        continuous || !(continuous_only || args.true_states.is_some() && !certify),
        "--orders, --smoothness, --schemes and --true-states are for continuous-time models, --true-states also for --certify; \
         this is a {}",
        model.described()
    );
    ensure!(
        !(certify && continuous),
        "--certify is for models in discrete time: the noise of this {} has a past, so that its states have no \
         transition density",
        model.described()
    );
    ensure!(
        !(certify && args.init.is_some()),
        "--certify bounds ln p of the model as it is, and --init learns another; give one of them"
    );
    ensure!(
        !continuous || args.factorisations.is_empty(),
        "--factorisations is for models in discrete time; name --schemes"
    );
    if let Some(tolerance) = args.tolerance {
        ensure!(
            tolerance >= 0.0 && tolerance.is_finite(),
            "--tolerance is {tolerance}, expected 0 or more"
        );
    }
    if let Some(s) = args
        .smoothness
        .iter()
        .find(|s| !(s.is_finite() && **s >= 0.0))
    {
        anyhow::bail!("--smoothness holds {s}, expected a time in bins, 0 or more");
    }
    Ok(())
}

fn learning(args: &CompareArgs, model: &AnyModel) -> Result<Option<LearnUnder<AnyEmission>>> {
    let Some(start) = &args.init else {
        return Ok(None);
    };
    ensure!(
        matches!(model, AnyModel::Hmm(_)),
        "--init is for hidden Markov models"
    );
    let read = |path: &PathBuf| -> Result<_> {
        match model::read(path)? {
            AnyModel::Hmm(model) => Ok(model),
            other => anyhow::bail!(
                "{} is a {}, expected a hidden Markov model",
                path.display(),
                other.described()
            ),
        }
    };
    let (start, truth) = (
        read(start)?,
        args.true_model.as_ref().map(read).transpose()?,
    );
    if let Some(truth) = &truth {
        ensure!(
            truth.states() == start.states() && truth.width() == start.width(),
            "--init has {} and --true-model {}, or they have observations of different width: their parameters cannot be compared",
            many(start.states(), "state"),
            truth.states()
        );
    }
    Ok(Some(LearnUnder {
        start,
        truth,
        em: BatchEm {
            max_iterations: args.max_iterations(),
            tolerance: args.tolerance(),
            // A symbol that a loose posterior never gives to a state must not become impossible there.
            pseudo_count: 1e-3,
        },
    }))
}

fn table(rows: &[FactorisationRow], learned: bool) -> Table {
    let mut columns = vec!["factorisation", "online", "F", "gap", "marginals"];
    if learned {
        columns.extend(["|A − A*|", "|θ − θ*|", "updates"]);
    }
    columns.extend(["µs", "bytes"]);
    let mut table = Table::new(&columns);
    let number =
        |value: Option<f64>, decimals: usize| value.map(|v| Cell::Number(v, decimals)).into();
    for row in rows {
        let mut cells: Vec<Cell> = vec![
            row.factorisation.as_str().into(),
            if row.online { "yes" } else { "no" }.into(),
            Cell::Number(row.free_energy, 3),
            number(row.gap.map(|g| if g.abs() < 5e-7 { 0.0 } else { g }), 3),
            number(row.marginal_error, 4),
        ];
        if learned {
            cells.push(number(row.parameter_error.map(|e| e.0), 4));
            cells.push(number(row.parameter_error.map(|e| e.1), 4));
            cells.push(
                row.updates
                    .map(|n| {
                        if row.settled {
                            n.to_string()
                        } else {
                            format!("{n}+")
                        }
                        .into()
                    })
                    .unwrap_or(Cell::Empty),
            );
        }
        cells.push(Cell::Number(row.micros, 2));
        cells.push(row.bytes.to_string().into());
        table.push(cells);
    }
    table
}
