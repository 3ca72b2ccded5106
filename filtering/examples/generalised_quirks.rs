//! The effect of each published option of the D-step, one at a time, on data of the published generator: convolution
//! model, s = ½, parameters known.
//!
//! `cargo run --release -p scotopic-filtering --example generalised_quirks -- 40`
use scotopic_filtering::generalised::causal::Generation;
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Deviation, Published};
use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Result, Sequence};

const BINS: usize = 64;

type Model = GenerativeModel<Linear>;

fn quirks() -> Vec<(&'static str, Published)> {
    vec![
        ("none", Published::default()),
        ("top_order", Published::of([Deviation::TopOrder])),
        ("edges", Published::of([Deviation::Edges])),
        (
            "forward_differences",
            Published::of([Deviation::ForwardDifferences]),
        ),
        (
            "covariance_floor",
            Published::of([Deviation::CovarianceFloor]),
        ),
        ("all", Published::spm()),
    ]
}

fn settings(order: usize, published: Published) -> DemConfig {
    let embedding = Embedding {
        states: order,
        causes: order.min(2),
        ..Embedding::default()
    };
    DemConfig {
        embedding,
        published,
        ..DemConfig::default()
    }
}

/// RMSE and NEES of the states from bin 2 on, and the RMSE of the last three bins.
fn known(model: &Model, data: &[(Sequence, DMatrix<f64>)], s: DemConfig) -> Result<[f64; 3]> {
    let [mut squares, mut ends, mut normalised, mut count] = [0.0; 4];
    for (y, truth) in data {
        let beliefs = Dem::new(model.clone(), s.clone())?.run(y, None)?;
        for (t, belief) in beliefs.iter().enumerate().skip(1) {
            let error = DVector::from_column_slice(&belief.states) - truth.column(t);
            let covariance = DMatrix::from_row_slice(2, 2, &belief.state_covariance);
            if let Some(factor) = covariance.cholesky() {
                normalised += error.dot(&factor.solve(&error));
            }
            squares += error.norm_squared();
            if t + 3 >= BINS {
                ends += error.norm_squared();
            }
            count += 2.0;
        }
    }
    let last = (data.len() * 6) as f64;
    Ok([
        (squares / count).sqrt(),
        normalised / count,
        (ends / last).sqrt(),
    ])
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sets: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(10), |text| text.parse())?;
    let equations = Linear::convolution();
    let (theta, e8) = (equations.defaults(), f64::exp(8.0));
    let model = GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0])?;
    let mut data = Vec::new();
    for seed in 0..sets {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let drawn = Generation::default().run(model.clone(), BINS, None, &mut rng)?;
        let rows = drawn.outputs.column_iter().map(|y| y.as_slice().to_vec());
        data.push((Sequence::of_rows(rows)?, drawn.states));
    }
    println!("quirk,order,rmse,nees,rmse of the last three bins");
    for (name, published) in quirks() {
        for order in 1..=6 {
            let [rmse, nees, ends] = known(&model, &data, settings(order, published))?;
            println!("{name},{order},{rmse:.4},{nees:.3},{ends:.4}");
        }
    }
    Ok(())
}
