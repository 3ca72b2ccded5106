//! Long streams: the causal filter does not diverge, keeps its calibration, and takes no memory from bin to bin.

use crate::{bytes_held, requests};
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter, Generation};
use scotopic_filtering::generalised::model::{AnyEquations, GenerativeModel, Linear, Lorenz};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// Bins after which memory is as it will be.
const SETTLED: usize = 100;
/// Bounds on NEES. Errors of one bin are errors of the next, so that chance is wider than the number of bins says.
const CALIBRATED: std::ops::Range<f64> = 0.9..1.1;

/// A model, where it starts and how wrong that may be, and the RMSE that the filter stays below.
struct Case {
    name: &'static str,
    model: GenerativeModel<AnyEquations>,
    variance: f64,
    limit: f64,
    calibrated: std::ops::Range<f64>,
}

fn convolution() -> Case {
    let equations = AnyEquations::Linear(Linear::convolution());
    let (theta, e8) = (equations.defaults(), f64::exp(8.0));
    Case {
        name: "convolution",
        model: GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0]).unwrap(),
        variance: 0.0,
        limit: 0.065,
        calibrated: CALIBRATED,
    }
}

fn lorenz() -> Case {
    let equations = AnyEquations::Lorenz(Lorenz::demonstration());
    let (theta, e16) = (equations.defaults(), f64::exp(16.0));
    let start = [0.9, 0.8, 30.0];
    Case {
        name: "Lorenz",
        model: GenerativeModel::single(equations, &theta, 1.0, e16, 1.0, &start).unwrap(),
        variance: 1.0,
        // The observation's standard deviation is 1, that of the attractor about 10.
        limit: 0.3,
        calibrated: CALIBRATED,
    }
}

fn endures(case: &Case, bins: usize) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let data = Generation::default()
        .run(case.model.clone(), bins, None, &mut rng)
        .unwrap();
    let states = data.states.nrows();
    let start = DMatrix::identity(states, states) * case.variance;
    for order in 1..=6 {
        let settings = CausalConfig::from(Embedding {
            states: order,
            ..Embedding::default()
        });
        let mut filter =
            CausalGeneralisedFilter::new(case.model.clone(), settings, Some(&start)).unwrap();
        let (mut squares, mut normalised, mut asked) = (0.0, 0.0, 0);
        let mut held = 0;
        for t in 0..bins {
            let before = requests();
            filter
                .update(Some(data.outputs.column(t).as_slice()))
                .unwrap();
            if t == SETTLED {
                held = bytes_held();
            }
            if t > SETTLED {
                asked += requests() - before;
            }
            let error = DVector::from_column_slice(filter.states()) - data.states.column(t);
            squares += error.norm_squared();
            let p = DMatrix::from_row_slice(states, states, filter.state_covariance());
            if let Some(factor) = p.cholesky() {
                normalised += error.dot(&factor.solve(&error));
            }
        }
        let grown = bytes_held() - held;
        let each = (bins * states) as f64;
        let (rmse, nees) = ((squares / each).sqrt(), normalised / each);
        let named = format!(
            "{}, order {order}, {bins} bins: RMSE {rmse:.4}, NEES {nees:.3}, {asked} requests for memory, \
             {grown} bytes more held than at bin {SETTLED}",
            case.name
        );
        println!("{named}");
        assert!(
            rmse < case.limit && case.calibrated.contains(&nees),
            "{named}"
        );
        assert!(asked == 0 && grown <= 0, "{named}");
    }
}

#[test]
fn convolution_endures() {
    endures(&convolution(), 100_000);
}

#[test]
fn lorenz_endures() {
    endures(&lorenz(), 100_000);
}

#[test]
#[ignore = "minutes: cargo test --release --test allocation -- --ignored --nocapture"]
fn convolution_endures_a_million_bins() {
    endures(&convolution(), 1_000_000);
}

#[test]
#[ignore = "minutes: cargo test --release --test allocation -- --ignored --nocapture"]
fn lorenz_endures_a_million_bins() {
    endures(&lorenz(), 1_000_000);
}
