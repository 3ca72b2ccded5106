//! `scotopic compare --certify`: bounds of the log evidence that hold with a stated probability.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::replace::replace;
use scotopic_filtering::bounds::{BoundSettings, Certificate};
use scotopic_filtering::rand::SeedableRng;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::{AnyModel, SampledStates, Sequence, many};
use serde::Serialize;

use super::compare_args::{CertifyArgs, CompareArgs};
use super::print;
use crate::filtering::{Source, comparison};
use crate::table::{Cell, Table};
use crate::usage::UsageError;

/// The bounds of one factorisation of one model.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    factorisation: String,
    free_energy: f64,
    lower: f64,
    upper: Option<f64>,
    width: Option<f64>,
    smallest_gap: f64,
    largest_gap: Option<f64>,
}

impl Row {
    fn new(model: Option<String>, factorisation: &str, found: &Certificate) -> Self {
        Self {
            model,
            factorisation: factorisation.to_owned(),
            free_energy: found.free_energy,
            lower: found.lower.nats,
            upper: found.upper.as_ref().map(|upper| upper.nats),
            width: found.width(),
            smallest_gap: found.smallest_gap(),
            largest_gap: found.largest_gap(),
        }
    }
}

/// Certifies every factorisation of one model, or the reversed one of each of several models, with their files; `data` are the rows of
/// each, of the same observations.
///
/// # Errors
/// If the states are none of the model, a setting makes no sense, or no factorisation can be certified.
pub(super) fn run(
    args: &CompareArgs,
    models: &[(&Path, &AnyModel)],
    data: &[Sequence],
) -> Result<ExitCode> {
    let settings = settings(&args.certified);
    settings.check().map_err(|e| UsageError(e.into()))?;
    let length = data.first().map_or(0, Sequence::len);
    let states = match (&args.true_states, models) {
        (Some(path), [(_, model)]) => Some(states(path, model, length).map_err(UsageError)?),
        _ => None,
    };
    let several = models.len() > 1;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for ((path, model), data) in models.iter().zip(data) {
        let names: Vec<&str> = match (several, args.factorisations.is_empty()) {
            (true, _) => vec!["reversed"],
            (false, true) => comparison::all(model),
            (false, false) => args.factorisations.iter().map(String::as_str).collect(),
        };
        for name in names {
            // The same seed for each, so that a row does not depend on those above it.
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(args.certified.seed);
            let found = model.certify(data, name, states.as_ref(), &settings, &mut rng);
            let of = several.then(|| path.display().to_string());
            match found {
                Ok(found) => rows.push(Row::new(of, name, &found)),
                Err(error) if args.factorisations.is_empty() => {
                    failed.push((of.unwrap_or_else(|| name.to_owned()), error.to_string()));
                }
                Err(error) => {
                    let context = format!("{name} on {}", args.inputs[0].display());
                    return Err(anyhow::Error::new(error).context(context));
                }
            }
        }
    }
    if let (true, Some((name, error))) = (rows.is_empty(), failed.first()) {
        bail!("nothing could be certified; {name}: {error}");
    }
    let table = table(&rows, several);
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("certified.csv"), table.csv().as_bytes())?;
    }
    let CertifyArgs { seed, .. } = args.certified;
    if args.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(of, error)| serde_json::json!({"of": of, "error": error}))
            .collect();
        let value = serde_json::json!({
            "observations": length, "delta": settings.delta, "particles": settings.particles,
            "runs": settings.runs, "seed": seed, "rows": rows, "failed": failed,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = match models {
        [(_, model)] => model.described(),
        several => format!("{} models", several.len()),
    };
    print::line(format!(
        "{what}, {} of {}",
        many(length, "observation"),
        args.inputs[0].display()
    ))?;
    print::line(format!(
        "each bound of ln p holds with probability {} (δ = {}): {} of {}, seed {seed}",
        1.0 - settings.delta,
        settings.delta,
        many(settings.runs, "run"),
        many(settings.particles, "particle"),
    ))?;
    print::line(table.text())?;
    if states.is_none() {
        print::line(
            "no upper bound without --true-states: the states from which this very model made the data",
        )?;
    }
    for (name, error) in failed {
        print::line(format!("{name}: {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(args: &CertifyArgs) -> BoundSettings {
    BoundSettings {
        particles: args.particles,
        runs: args.runs,
        delta: args.delta,
        ..BoundSettings::default()
    }
}

/// States from a file: numbers from 1, or vectors.
fn states(path: &Path, model: &AnyModel, length: usize) -> Result<SampledStates> {
    // --columns applies to the observations, not to the file of states.
    let read = Source::default().read(path)?;
    ensure!(
        read.len() == length,
        "{} has {}, expected {length}, one an observation",
        path.display(),
        many(read.len(), "state")
    );
    let row = |(t, row): (usize, Option<&[f64]>)| -> Result<Vec<f64>> {
        let row = row.with_context(|| format!("{}: state {} is missing", path.display(), t + 1))?;
        Ok(row.to_vec())
    };
    let rows: Vec<Vec<f64>> = read.iter().enumerate().map(row).collect::<Result<_>>()?;
    if !matches!(model, AnyModel::Hmm(_)) {
        return Ok(SampledStates::Vectors(rows));
    }
    let number = |(t, row): (usize, Vec<f64>)| match row[..] {
        [s] if s >= 1.0 && s.fract() == 0.0 && s < f64::from(u32::MAX) => Ok(s as usize - 1),
        _ => bail!(
            "{}: state {} is {row:?}, expected one number from 1",
            path.display(),
            t + 1
        ),
    };
    let numbers = rows.into_iter().enumerate().map(number);
    Ok(SampledStates::Discrete(numbers.collect::<Result<_>>()?))
}

fn table(rows: &[Row], several: bool) -> Table {
    let mut columns = vec![
        "factorisation",
        "F",
        "lower",
        "upper",
        "width",
        "gap ≥",
        "gap ≤",
    ];
    if several {
        columns.insert(0, "model");
    }
    let mut table = Table::new(&columns);
    let number = |value: Option<f64>| value.map(|v| Cell::Number(v, 3)).into();
    for row in rows {
        let mut cells: Vec<Cell> = Vec::new();
        cells.extend(row.model.as_deref().map(Cell::from));
        cells.extend([
            row.factorisation.as_str().into(),
            Cell::Number(row.free_energy, 3),
            Cell::Number(row.lower, 3),
            number(row.upper),
            number(row.width),
            // No gap is below 0.
            Cell::Number(row.smallest_gap.max(0.0), 3),
            number(row.largest_gap),
        ]);
        table.push(cells);
    }
    table
}
