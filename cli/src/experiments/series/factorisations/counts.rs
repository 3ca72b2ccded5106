//! Poisson counts whose log rate is an autoregression: x_t = a x_{t−1} + N(0, 1 − a²), y_t ~ Poisson(e^{1 + x_t}).

use anyhow::Result;
use scotopic_filtering::elbo_kind;
use scotopic_filtering::nonlinear::models::Ar1Poisson;
use scotopic_filtering::nonlinear::{
    ElboKind, Grid, LearningConfig, NonlinearConfig, NonlinearFilter, NonlinearLearning,
    Representation, StateSpace as _, simulate,
};

use super::super::common::rng;
use super::{DYNAMICS, LENGTHS, learned_sets, median, online_cost, sets};
use crate::experiments::protocol::{Task, Values};

/// a of chains that stay, and of chains that mix.
const MEMORY: [f64; 2] = [0.98, 0.5];
/// The log rate where x is 0.
const LOG_RATE: f64 = 1.0;
/// The exact evidence is a sum over nodes this far apart and up to this far from 0, in standard deviations of x.
const NODES: usize = 241;
const REACH: f64 = 8.0;
/// Observations of a series to learn from, online.
pub const LEARNED_LENGTH: usize = 2000;
/// How far off a, c and ln q start.
const OFF: [f64; 3] = [-0.2, 0.5, 1.0];

/// The name of a case.
pub fn case(dynamics: &str, length: usize) -> String {
    format!("counts {dynamics} T={length}")
}

/// The name of a case whose parameters are learned.
pub fn learned_case(dynamics: &str) -> String {
    format!("counts {dynamics} learned")
}

/// All cases under the bound of this name; nothing for an empty one.
pub fn run(task: &Task, name: &str, values: &mut Values) -> Result<()> {
    if name.is_empty() {
        return Ok(());
    }
    let elbo = elbo_kind(name)?;
    for (dynamics, memory) in DYNAMICS.iter().zip(MEMORY) {
        let model = Ar1Poisson::new(memory, LOG_RATE, 1.0 - memory * memory, 0.0, 1.0)?;
        for length in LENGTHS {
            let case = case(dynamics, length);
            let (mut micros, mut carried) = (Vec::new(), 0.0);
            for set in 0..sets(task.size) {
                let (_, data) = simulate(&model, length, &mut rng(task.seed, &case, set))?;
                let grid = Grid::new(&model, -REACH, REACH, NODES)?;
                let exact = grid.filter(&model, &data)?.log_evidence;
                let exact = exact.last().copied().unwrap_or(f64::NAN);
                let mut filter = NonlinearFilter::new(model.clone(), config(elbo))?;
                let (each, bytes) = online_cost(&mut filter, &data)?;
                micros.push(each);
                carried = bytes;
                values.push(&case, "gap", (exact - filter.elbo()) / length as f64);
            }
            values.push(&case, "micros", median(micros));
            values.push(&case, "bytes", carried);
        }
        let case = learned_case(dynamics);
        for set in 0..learned_sets(task.size) {
            learn(&model, elbo, &case, task, set, values)?;
        }
    }
    Ok(())
}

/// With W in a table the reversed value is the bound of the q that was built, not an estimate of it.
fn config(elbo: ElboKind) -> NonlinearConfig {
    let representation = match elbo {
        ElboKind::Reversed => Representation::table(),
        _ => Representation::Quadratic,
    };
    NonlinearConfig {
        elbo,
        representation,
        ..NonlinearConfig::default()
    }
}

/// One pass of recursive maximum likelihood, W a quadratic for all.
fn learn(
    truth: &Ar1Poisson,
    elbo: ElboKind,
    case: &str,
    task: &Task,
    set: usize,
    values: &mut Values,
) -> Result<()> {
    let (_, data) = simulate(truth, LEARNED_LENGTH, &mut rng(task.seed, case, set))?;
    let mut theta = [0.0; 3];
    truth.parameters(&mut theta);
    let mut start = truth.clone();
    let moved: Vec<f64> = theta.iter().zip(OFF).map(|(t, off)| t + off).collect();
    start.set_parameters(&moved)?;
    let config = NonlinearConfig {
        elbo,
        ..NonlinearConfig::default()
    };
    let mut learning = NonlinearLearning::new(start, config, LearningConfig::default())?;
    for observation in data.iter() {
        learning.update(observation)?;
    }
    for ((measure, found), truth) in ["a", "c", "ln q"].iter().zip(learning.average()).zip(theta) {
        values.push(case, measure, (found - truth).abs());
    }
    Ok(())
}
