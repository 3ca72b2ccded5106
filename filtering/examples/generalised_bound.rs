//! The causal filter compared with the exact posterior of equal look-ahead, by order: error and calibration.
//!
//! `cargo run --release -p scotopic-filtering --example generalised_bound -- 40`
#[path = "../tests/filters/generalised/reference/joint_gaussian.rs"]
mod joint_gaussian;

use joint_gaussian::{Errors, JointGaussian, convolution};
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};

/// Bins of one data set.
const BINS: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sets: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(40), |text| text.parse())?;
    println!(
        "s,later,order,rmse,rmse_of_exact,worst_set,nees,exact_rmse,exact_nees,log_evidence_below_exact"
    );
    for smoothness in [0.0, 0.5, 1.0] {
        let joint = JointGaussian::new(smoothness, BINS);
        let data: Vec<_> = (0..sets).map(|seed| joint.draw(7000 + seed)).collect();
        for lag in 0..=3 {
            let posteriors = joint.posteriors(lag);
            let mut exact = vec![Errors::default(); data.len()];
            for (drawn, errors) in data.iter().zip(&mut exact) {
                for (t, posterior) in posteriors.iter().enumerate() {
                    let truth = drawn.states.column(t);
                    let mean = posterior.mean(&drawn.outputs);
                    errors.add(&mean, &posterior.covariance, truth.as_slice());
                }
            }
            let bound = sum(&exact);
            for order in 0..=6 {
                let embedding = Embedding {
                    states: order,
                    causes: order,
                    smoothness,
                };
                let settings = CausalConfig {
                    lag,
                    ..CausalConfig::from(embedding)
                };
                let (mut found, mut worst, mut lost) = (Vec::new(), 0.0_f64, 0.0);
                for (drawn, exact) in data.iter().zip(&exact) {
                    let mut filter = CausalGeneralisedFilter::new(convolution(), settings, None)?;
                    let mut errors = Errors::default();
                    for (t, y) in drawn.outputs.column_iter().enumerate() {
                        filter.update(Some(y.as_slice()))?;
                        if let Some(at) = t.checked_sub(lag) {
                            let mean = DVector::from_column_slice(filter.states());
                            let p = DMatrix::from_row_slice(2, 2, filter.state_covariance());
                            errors.add(&mean, &p, drawn.states.column(at).as_slice());
                        }
                    }
                    worst = worst.max(errors.rmse() / exact.rmse());
                    lost += joint.log_evidence(&drawn.outputs) - filter.elbo();
                    found.push(errors);
                }
                let all = sum(&found);
                println!(
                    "{smoothness},{lag},{order},{:.4},{:.4},{worst:.4},{:.3},{:.4},{:.3},{:.2}",
                    all.rmse(),
                    all.rmse() / bound.rmse(),
                    all.nees(),
                    bound.rmse(),
                    bound.nees(),
                    lost / sets as f64
                );
            }
        }
    }
    Ok(())
}

/// The errors of all series together.
fn sum(parts: &[Errors]) -> Errors {
    parts.iter().fold(Errors::default(), |sum, part| Errors {
        squares: sum.squares + part.squares,
        normalised: sum.normalised + part.normalised,
        count: sum.count + part.count,
        ranked: sum.ranked + part.ranked,
    })
}
