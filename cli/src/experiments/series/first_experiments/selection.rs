//! Which equations: the free action of the one-layer network, and the evidence of the samples.

use anyhow::Result;
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::{
    Equations, GenerativeModel, LotkaVolterra, Pullback, Trigonometric,
};
use scotopic_filtering::generalised::predictive_coding::{
    Integrator, PredictiveCoding, PredictiveCodingConfig, RungeKutta45,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::DMatrix;

use super::super::common::rng;
use super::super::published_series::{
    Observed, Rows, SMOOTHNESS, STEP, THETA, fresh, recorded, squared_error,
};
use super::series;
use crate::experiments::protocol::{Task, Values};

/// The equations: pulled to 1, sin x, and those of the process.
pub const ARMS: [&str; 3] = ["pullback", "trigonometric", "lotka-volterra"];
/// The recorded series.
pub const PUBLISHED: &str = "selection, published series";
/// Fresh ones.
pub const FRESH: &str = "selection, fresh series";
/// N of the causal filter's noises.
const ORDER: usize = 2;

/// Free action, evidence and error under the equations of an arm.
pub fn run(task: &Task, values: &mut Values) -> Result<()> {
    if !ARMS.contains(&task.arm) {
        return Ok(());
    }
    if task.seed == 1 {
        score(task.arm, &recorded(task.data)?.observed, PUBLISHED, values)?;
    }
    for set in 0..series(task.size) {
        let observed = fresh(&mut rng(task.seed, FRESH, set))?;
        score(task.arm, &observed, FRESH, values)?;
    }
    Ok(())
}

fn score(arm: &str, observed: &Observed, case: &str, values: &mut Values) -> Result<()> {
    match arm {
        "pullback" => {
            let equations = Pullback { size: 2 };
            both(equations, &equations.defaults(), observed, case, values)
        }
        "trigonometric" => both(Trigonometric { size: 2 }, &[1.0], observed, case, values),
        _ => both(
            LotkaVolterra { time_step: STEP },
            &THETA,
            observed,
            case,
            values,
        ),
    }
}

/// Unit precisions throughout, as published.
fn both<E: Equations + Clone>(
    equations: E,
    theta: &[f64],
    observed: &Observed,
    case: &str,
    values: &mut Values,
) -> Result<()> {
    let first = observed.observations[0];
    let model = GenerativeModel::single(equations, theta, 1.0, 1.0, 1.0, &first)?;
    let config = PredictiveCodingConfig {
        integrator: Integrator::RungeKutta(RungeKutta45::default()),
        ..PredictiveCodingConfig::default()
    };
    let mut network = PredictiveCoding::new(model.clone(), config)?;
    let mut found = Rows::new();
    for y in &observed.observations {
        network.update(y)?;
        found.push([network.states()[0], network.states()[1]]);
    }
    values.push(case, "action", network.action());
    values.push(case, "error", squared_error(&found, &observed.states));
    let config = CausalConfig::from(Embedding {
        states: ORDER,
        causes: ORDER,
        smoothness: SMOOTHNESS,
    });
    let start = DMatrix::identity(2, 2);
    let mut filter = CausalGeneralisedFilter::new(model, config, Some(&start))?;
    for y in &observed.observations {
        filter.update(Some(y))?;
    }
    values.push(case, "evidence", filter.elbo());
    Ok(())
}
