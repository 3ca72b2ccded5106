//! What a factorisation of the posterior costs (first question of arXiv 2307.08613): the gap of its bound, the error of its
//! marginals, what is learned under it, time and memory.
//!
//! | subject | file |
//! |---|---|
//! | hidden Markov models, drawn at random | `discrete.rs` |
//! | linear-Gaussian models | `gaussian.rs` |
//! | Poisson counts of an autoregression | `counts.rs` |
//! | real series | `real.rs` |
//! | the page, its tables | `page.rs`, `tables.rs` |

mod counts;
mod discrete;
mod gaussian;
mod page;
mod real;
mod tables;

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::hmm::{Factorisation, Sweeps};
use scotopic_filtering::{Filter, Sequence};
use serde::Serialize;
use serde_json::{Value, json};

use crate::experiments::protocol::{Protocol, Settings, Size, Task, Values};

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "factorisations",
    about: "what factorisations of the posterior cost, on simulated and real series",
    unit: "set",
    seeds: 5,
    all_threads: false,
    arms: |_| ARMS.map(|(name, ..)| name.to_owned()).to_vec(),
    settings,
    run,
    page: page::page,
};

/// The arms, and what each is for discrete, linear-Gaussian and nonlinear models; empty where there is none.
const ARMS: [(&str, &str, &str, &str); 11] = [
    ("reversed", "reversed", "reversed", "reversed"),
    ("forward-markov", "forward-markov", "", ""),
    ("block-8", "block-8", "", ""),
    ("block-4", "block-4", "", ""),
    ("block-2", "block-2", "", ""),
    ("mean-field", "fully-factorised", "temporal-mean-field", ""),
    ("decoupled", "decoupled-lag1", "decoupled", ""),
    ("frozen", "frozen", "frozen-mean-field", "vjf"),
    ("tied", "tied", "", ""),
    ("diagonal", "", "diagonal", ""),
    ("jelbo", "", "jelbo", "jelbo"),
];

/// Coordinate ascent stops when a sweep gains less than this, in nats.
const SWEEP_TOLERANCE: f64 = 1e-6;
/// Lengths of the series.
const LENGTHS: [usize; 2] = [50, 400];
/// Chains that stay, and chains that mix at once.
const DYNAMICS: [&str; 2] = ["sticky", "fast"];

fn sets(size: Size) -> usize {
    size.of(2, 20, 200)
}

fn learned_sets(size: Size) -> usize {
    size.of(1, 10, 40)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("sets per seed".into(), json!(sets(size))),
        ("learned sets per seed".into(), json!(learned_sets(size))),
        ("lengths".into(), json!(LENGTHS)),
        ("discrete states".into(), json!(discrete::STATES)),
        ("symbols".into(), json!(discrete::SYMBOLS)),
        ("sticky: probability to stay".into(), json!(discrete::STAY)),
        ("sweep tolerance (nats)".into(), json!(SWEEP_TOLERANCE)),
        (
            "ascents".into(),
            json!("from uniform and from the exact marginals, the better one"),
        ),
        (
            "EM iterations at most".into(),
            json!(discrete::EM_ITERATIONS),
        ),
        ("EM pseudo-count".into(), json!(discrete::PSEUDO_COUNT)),
        (
            "counts learned online".into(),
            json!(counts::LEARNED_LENGTH),
        ),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    let arm = ARMS.iter().find(|(name, ..)| *name == task.arm);
    let Some(&(_, discrete, gaussian, nonlinear)) = arm else {
        anyhow::bail!("there is no arm {}", task.arm);
    };
    discrete::run(task, discrete, &mut values)?;
    gaussian::run(task, gaussian, &mut values)?;
    counts::run(task, nonlinear, &mut values)?;
    // A real series is one unit, whatever the seed.
    if task.seed == 1 {
        real::run(task, discrete, gaussian, &mut values)?;
    }
    Ok(values)
}

/// The factorisation of a discrete model, with the settings of this experiment.
fn discrete_factorisation(name: &str, restarts: usize) -> Result<Factorisation> {
    let sweeps = Sweeps {
        tolerance: SWEEP_TOLERANCE,
        restarts,
        ..Sweeps::default()
    };
    Ok(match scotopic_filtering::hmm_factorisation(name)? {
        Factorisation::FullyFactorised(_) => Factorisation::FullyFactorised(sweeps),
        Factorisation::Block { window, .. } => Factorisation::Block { window, sweeps },
        other => other,
    })
}

/// Microseconds an observation of a filter that takes a series in, and the bytes that it carries.
fn online_cost(filter: &mut (impl Filter + Serialize), data: &Sequence) -> Result<(f64, f64)> {
    let clock = Instant::now();
    for observation in data.iter() {
        filter.update(observation)?;
    }
    let each = 1e6 * clock.elapsed().as_secs_f64() / data.len() as f64;
    Ok((each, bytes(filter)?))
}

/// The bytes of the numbers that something carries, 8 each.
fn bytes(carried: &impl Serialize) -> Result<f64> {
    fn numbers(value: &Value) -> usize {
        match value {
            Value::Number(_) => 1,
            Value::Array(items) => items.iter().map(numbers).sum(),
            Value::Object(fields) => fields.values().map(numbers).sum(),
            _ => 0,
        }
    }
    Ok(8.0 * numbers(&serde_json::to_value(carried)?) as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
