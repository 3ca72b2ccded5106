//! `scotopic compare`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use scotopic::filtering::Sequence;
use scotopic::filtering::hmm::BatchEm;

use super::print;
use crate::cli::BadRequest;
use crate::experiments::{Cell, Table};
use crate::figures;
use crate::filtering::ablation;
use crate::filtering::comparison::{self, Learning, Row};
use crate::filtering::{Generalised, Model, Source};
use crate::replace::replace;

/// Options of `scotopic compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "F is the free energy in nats, gap = ln p − L what the factorisation costs, marginals the mean error of\n\
                        its beliefs against the exact smoother. With --start, parameters are learned from there by EM\n\
                        under each factorisation; |A − A*| and |θ − θ*| are mean errors against --truth (transition, and\n\
                        probabilities, rates or means), updates the iterations until an observation gains less than\n\
                        --tolerance nats. µs and bytes are of one update and of what is carried online, in batch of the\n\
                        whole posterior divided by T and of all of it.\n\n\
                        For a model in continuous time (kind = \"generalised\") schemes, orders of motion and smoothness of\n\
                        the noise are compared: error and calibration against --states, evidence of the samples.\n\n\
                        Examples:\n  \
                        scotopic compare quakes.csv --model quakes.toml\n  \
                        scotopic compare dice.csv --model true.toml --start guess.toml --truth true.toml --out compared\n  \
                        scotopic compare y.csv --model lorenz.toml --orders 1..6 --smoothness 0,0.5 --states x.csv --out orders"
)]
pub struct CompareArgs {
    /// Observations: CSV, TSV, JSON lines or npy; - is standard input
    pub data: PathBuf,
    /// Model in TOML
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Factorisations [default: all of the model]; block-N has windows of N
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub factorisations: Vec<String>,
    /// Learn under each factorisation, from this model (hidden Markov models)
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// The model that made the data, which learning should find
    #[arg(long, value_name = "FILE", requires = "start")]
    pub truth: Option<PathBuf>,
    /// Learning settles when an update gains less, in nats an observation
    #[arg(long, value_name = "NATS", default_value_t = 1e-5)]
    pub tolerance: f64,
    /// Updates of learning at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub updates: usize,
    /// Models in continuous time: orders of motion, as in 1..8 or 1,2,4
    #[arg(long, value_name = "LIST", default_value = "1..6", value_parser = orders)]
    pub orders: Orders,
    /// Models in continuous time: smoothness of the noise in bins, 0 is white [default: the model's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub smoothness: Vec<f64>,
    /// Models in continuous time: causal (ours), dem, dem-published, lap-published [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub schemes: Vec<String>,
    /// Models in continuous time: file of the true states, a row a bin
    #[arg(long, value_name = "FILE")]
    pub states: Option<PathBuf>,
    /// What to read of the data.
    #[command(flatten)]
    pub source: Source,
    /// Folder for compare.csv and compare.png, and trajectories.png of a model in continuous time
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Orders of motion to compare.
#[derive(Debug, Clone)]
pub struct Orders(Vec<usize>);

fn orders(text: &str) -> Result<Orders, String> {
    let number = |t: &str| match t.trim().parse::<usize>() {
        Ok(n) if n <= 15 => Ok(n),
        _ => Err(format!("`{t}` is no order from 0 to 15")),
    };
    let list = match text.split_once("..") {
        Some((from, to)) => (number(from)?..=number(to.trim_start_matches('='))?).collect(),
        None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
    };
    match list.is_empty() {
        true => Err("it holds no order; write 1..8 or 1,2,4".into()),
        false => Ok(Orders(list)),
    }
}

/// Compares factorisations on one sequence.
///
/// # Errors
/// If data or models cannot be used, or a factorisation does not exist.
pub fn run(args: &CompareArgs) -> Result<ExitCode> {
    let model = Model::read(&args.model).map_err(BadRequest)?;
    let learning = learning(args, &model).map_err(BadRequest)?;
    let data = args.source.read(&args.data)?;
    ensure!(
        !data.is_empty(),
        "{} has no observation",
        args.data.display()
    );
    if let Model::Generalised(model) = &model {
        return generalised(args, model, &data);
    }
    let names: Vec<&str> = match args.factorisations.is_empty() {
        true => comparison::all(&model),
        false => args.factorisations.iter().map(String::as_str).collect(),
    };
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for name in names {
        let row = match &model {
            Model::Hmm(model) => comparison::discrete(model, &data, name, learning.as_ref()),
            Model::LinearGaussian(model) => comparison::gaussian(model, &data, name),
            Model::Nonlinear(model) => comparison::nonlinear(model, &data, name),
            Model::Generalised(_) => continue, // compared by order above
        };
        match row {
            Ok(row) => rows.push(row),
            // A factorisation that the user named must work; of the others, it is told which do not.
            Err(error) if args.factorisations.is_empty() => {
                failed.push((name, format!("{error:#}")))
            }
            Err(error) => return Err(error.context(format!("{name} on {}", args.data.display()))),
        }
    }
    let table = table(&rows, learning.is_some());
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("compare.csv"), table.csv().as_bytes())?;
        if let Some(picture) = comparison::picture(&rows)? {
            figures::write_png(folder.join("compare.png"), &picture)?;
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
        "{}, {} observations of {}",
        model.described(),
        data.len(),
        args.data.display()
    ))?;
    print::line(table.text())?;
    for (name, error) in failed {
        print::line(format!("{name}: {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Schemes × smoothness × orders of a model in continuous time.
fn generalised(args: &CompareArgs, model: &Generalised, data: &Sequence) -> Result<ExitCode> {
    let truth = match &args.states {
        // Which columns are observed says nothing about the file of states.
        Some(path) => {
            let all = Source {
                format: None,
                columns: Vec::new(),
            };
            Some(ablation::truth(&all.read(path)?, model, data.len())?)
        }
        None => None,
    };
    let schemes: Vec<&str> = match args.schemes.is_empty() {
        true => ablation::SCHEMES.to_vec(),
        false => args.schemes.iter().map(String::as_str).collect(),
    };
    let smoothness = match args.smoothness.is_empty() {
        true => vec![model.embedding.smoothness],
        false => args.smoothness.clone(),
    };
    let mut rows = Vec::new();
    let mut best: Option<(f64, Vec<ablation::Track>, String, usize, f64)> = None;
    for scheme in schemes {
        for &s in &smoothness {
            for &order in &args.orders.0 {
                let (row, tracks) = ablation::run(model, data, scheme, order, s, truth.as_ref())
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
        ]);
    }
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        replace(&folder.join("compare.csv"), table.csv().as_bytes())?;
        if let Some(picture) = ablation::picture(&rows)? {
            figures::write_png(folder.join("compare.png"), &picture)?;
        }
        if let Some((_, tracks, ..)) = &best
            && let Some(picture) = ablation::trajectories(tracks, truth.as_ref())?
        {
            figures::write_png(folder.join("trajectories.png"), &picture)?;
        }
    }
    if args.json {
        let value = serde_json::json!({ "observations": data.len(), "rows": rows });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = Model::Generalised(Box::new(model.clone())).described();
    print::line(format!(
        "{what}, {} bins of {}",
        data.len(),
        args.data.display()
    ))?;
    print::line(table.text())?;
    // The same failure at every order is told once.
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

fn learning(args: &CompareArgs, model: &Model) -> Result<Option<Learning>> {
    let Some(start) = &args.start else {
        return Ok(None);
    };
    ensure!(
        matches!(model, Model::Hmm(_)),
        "--start is for hidden Markov models"
    );
    let read = |path: &PathBuf| -> Result<_> {
        match Model::read(path)? {
            Model::Hmm(model) => Ok(model),
            other => anyhow::bail!(
                "{} is a {}, expected a hidden Markov model",
                path.display(),
                other.described()
            ),
        }
    };
    Ok(Some(Learning {
        start: read(start)?,
        truth: args.truth.as_ref().map(read).transpose()?,
        em: BatchEm {
            max_iterations: args.updates,
            tolerance: args.tolerance,
            // A symbol that a loose posterior never gives to a state must not become impossible there.
            pseudo_count: 1e-3,
        },
    }))
}

fn table(rows: &[Row], learned: bool) -> Table {
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
