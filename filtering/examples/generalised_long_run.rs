//! A long run of the causal filter on data of its own model: convolution and Lorenz models, orders 1 to 6.
//!
//! `cargo run --release -p scotopic-filtering --example generalised_long_run -- 1000000`, and after the number of bins
//! `tangent`, `second_order` or `never` (third moments, but a outlier_thresholdd belief is not widened).
use std::time::Instant;

use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Generation, Linearisation,
};
use scotopic_filtering::generalised::model::{AnyEquations, GenerativeModel, Linear, Lorenz};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bins = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 20_000,
    };
    let usual = CausalConfig::default();
    let (linearisation, outlier_threshold) = match std::env::args().nth(2).as_deref() {
        None => (usual.linearisation, usual.outlier_threshold),
        Some("tangent") => (Linearisation::Tangent, usual.outlier_threshold),
        Some("second_order") => (Linearisation::SecondOrder, usual.outlier_threshold),
        Some("never") => (usual.linearisation, None),
        Some(other) => return Err(format!("`{other}`: tangent, second_order or never").into()),
    };
    let convolution = AnyEquations::Linear(Linear::convolution());
    let lorenz = AnyEquations::Lorenz(Lorenz::demonstration());
    let (e8, e16) = (f64::exp(8.0), f64::exp(16.0));
    for (name, equations, output, motion, start, spread) in [
        ("convolution", convolution, e8, e8, vec![0.0, 0.0], 0.0),
        ("lorenz", lorenz, 1.0, e16, vec![0.9, 0.8, 30.0], 1.0),
    ] {
        let theta = equations.defaults();
        let model = GenerativeModel::single(equations, &theta, output, motion, 1.0, &start)?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let data = Generation::default().run(model.clone(), bins, None, &mut rng)?;
        let states = data.states.nrows();
        let covariance = DMatrix::identity(states, states) * spread;
        for order in 1..=6 {
            let settings = CausalConfig {
                linearisation,
                outlier_threshold,
                ..CausalConfig::from(Embedding {
                    states: order,
                    ..Embedding::default()
                })
            };
            let mut filter =
                CausalGeneralisedFilter::new(model.clone(), settings, Some(&covariance))?;
            let (mut squares, mut normalised, mut worst) = (0.0, 0.0, 0.0_f64);
            let clock = Instant::now();
            for t in 0..bins {
                filter.update(Some(data.outputs.column(t).as_slice()))?;
                let error = DVector::from_column_slice(filter.states()) - data.states.column(t);
                squares += error.norm_squared();
                worst = worst.max(error.amax());
                let p = DMatrix::from_row_slice(states, states, filter.state_covariance());
                if let Some(factor) = p.cholesky() {
                    normalised += error.dot(&factor.solve(&error));
                }
            }
            let each = (bins * states) as f64;
            println!(
                "{name}, order {order}: {bins} bins, RMSE {:.4}, NEES {:.3}, largest error {worst:.3}, \
                 log evidence per bin {:.4}, {:.1} us a bin",
                (squares / each).sqrt(),
                normalised / each,
                filter.elbo() / bins as f64,
                clock.elapsed().as_secs_f64() * 1e6 / bins as f64,
            );
        }
    }
    Ok(())
}
