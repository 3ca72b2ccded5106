//! Generalised coordinates on a smooth system: predators and prey under smooth observation noise, equations known.

use anyhow::Result;
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::{GenerativeModel, LotkaVolterra};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};

use super::super::common::rng;
use super::super::published_series::{SMOOTHNESS, STEP, THETA, fresh};
use super::series;
use crate::experiments::protocol::{Task, Values};

/// The filter that takes noise for white, and the causal filter of three orders.
pub const ARMS: [&str; 4] = ["white", "order-1", "order-2", "order-4"];
/// ln of the precision of motion: the equations are known, their Euler steps are not exact.
pub const LOG_MOTION: f64 = 6.0;
/// The case.
pub const CASE: &str = "smooth system";
/// The prior variance of the first state.
const START_VARIANCE: f64 = 0.25;
/// Bins in which the start is forgotten.
const BURN: usize = 20;

/// The error, calibration and evidence of an arm.
pub fn run(task: &Task, values: &mut Values) -> Result<()> {
    let (states, smoothness) = match task.arm {
        "white" => (0, 0.0),
        "order-1" => (1, SMOOTHNESS),
        "order-2" => (2, SMOOTHNESS),
        "order-4" => (4, SMOOTHNESS),
        _ => return Ok(()),
    };
    let config = CausalConfig::from(Embedding {
        states,
        causes: states,
        smoothness,
    });
    let equations = LotkaVolterra { time_step: STEP };
    // The variance of white noise under a Gaussian kernel of sum 1 is 1/(2 s √π).
    let precision = 2.0 * SMOOTHNESS * std::f64::consts::PI.sqrt();
    for set in 0..series(task.size) {
        let observed = fresh(&mut rng(task.seed, CASE, set))?;
        let first = observed.observations[0];
        let model =
            GenerativeModel::single(equations, &THETA, precision, LOG_MOTION.exp(), 1.0, &first)?;
        let start = DMatrix::identity(2, 2) * START_VARIANCE;
        let mut filter = CausalGeneralisedFilter::new(model, config, Some(&start))?;
        let (mut squares, mut normalised, mut bins) = (0.0, 0.0, 0.0);
        for (t, (y, x)) in observed
            .observations
            .iter()
            .zip(&observed.states)
            .enumerate()
        {
            filter.update(Some(y))?;
            if t < BURN {
                continue;
            }
            let error = DVector::from_column_slice(filter.states()) - DVector::from_column_slice(x);
            squares += error.norm_squared();
            bins += 1.0;
            let covariance = DMatrix::from_row_slice(2, 2, filter.state_covariance());
            if let Some(factor) = covariance.cholesky() {
                normalised += error.dot(&factor.solve(&error));
            }
        }
        values.push(CASE, "rmse", (squares / (2.0 * bins)).sqrt());
        values.push(CASE, "nees", normalised / (2.0 * bins));
        values.push(
            CASE,
            "evidence",
            filter.elbo() / observed.states.len() as f64,
        );
    }
    Ok(())
}
