//! What holds exactly: against enumeration, and where a simpler model says the same.

use scotopic_filtering::gaussian::{Kalman, LinearGaussian};
use scotopic_filtering::hmm::{FullGaussian, Hmm};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::switching::{Slds, SldsFilter};
use scotopic_filtering::{Filter as _, Sequence};

use super::{close, enumerated, three_regimes, with_holes};

/// Sums of some hundred terms in another order.
const EXACT: f64 = 1e-10;

fn of_one_regime() -> (Slds, LinearGaussian) {
    let only = three_regimes(true).regimes()[1].clone();
    let model = Slds::new(vec![1.0], vec![vec![1.0]], vec![only.clone()]).unwrap();
    (model, only)
}

/// The same regime three times.
fn of_equal_regimes() -> (Slds, LinearGaussian) {
    let model = three_regimes(true);
    let one = model.regimes()[0].clone();
    let rows = model.transition().chunks(3).map(<[f64]>::to_vec).collect();
    let same = Slds::new(model.initial().to_vec(), rows, vec![one.clone(); 3]).unwrap();
    (same, one)
}

#[test]
fn one_regime_or_equal_ones_are_the_kalman_filter_and_smoother() {
    for (model, line) in [of_one_regime(), of_equal_regimes()] {
        let y = with_holes(&model, 60, 3);
        let (smoothed, expected) = (model.smooth(&y).unwrap(), line.smooth(&y).unwrap());
        close(smoothed.elbo(), expected.log_evidence(), EXACT, "bound");
        for (found, expected) in smoothed.beliefs().iter().zip(expected.smoothed()) {
            assert!((found.mean() - expected.mean()).amax() < EXACT);
            assert!((found.covariance() - expected.covariance()).amax() < EXACT);
        }
        let mut filter = SldsFilter::new(model).unwrap();
        let mut kalman = Kalman::new(line).unwrap();
        for row in y.iter() {
            let (found, expected) = (filter.update(row).unwrap(), kalman.update(row).unwrap());
            close(found.elbo, expected.elbo, EXACT, "score");
            for (found, expected) in filter.mean().iter().zip(kalman.mean()) {
                close(*found, *expected, EXACT, "mean");
            }
            for (found, expected) in filter.covariance().iter().zip(kalman.covariance()) {
                close(*found, *expected, EXACT, "covariance");
            }
            let (found, expected) = (
                filter.predicted_observation().unwrap().moments(),
                kalman.predicted_observation().unwrap().moments(),
            );
            close(found.mean[0], expected.mean[0], EXACT, "prediction");
            close(found.variance[1], expected.variance[1], EXACT, "prediction");
        }
    }
}

/// With F = 0 and H = I the state is what a Gaussian emission of mean b_k + d and covariance Q_k + R_k averages over: the filter is that of
/// the hidden Markov model, and the first regime's law is that of the start.
#[test]
fn without_dynamics_the_filter_is_that_of_a_hidden_markov_model() {
    let spreads = [[0.4, 0.1, 0.1, 0.7], [1.5, -0.3, -0.3, 0.8]];
    let shifts = [[0.0, 0.5], [1.0, -1.0]];
    let r = DMatrix::from_row_slice(2, 2, &[0.3, 0.05, 0.05, 0.2]);
    let regime = |k: usize| {
        let q = DMatrix::from_row_slice(2, 2, &spreads[k]);
        let shift = DVector::from_row_slice(&shifts[k]);
        LinearGaussian::new(DMatrix::zeros(2, 2), q, DMatrix::identity(2, 2), r.clone())
            .and_then(|m| m.with_bias(shift, DVector::zeros(2)))
            .and_then(|m| {
                let start = DMatrix::from_row_slice(2, 2, &spreads[0]);
                m.with_initial(DVector::from_row_slice(&shifts[0]), start)
            })
            .unwrap()
    };
    let rows = vec![vec![0.9, 0.1], vec![0.25, 0.75]];
    // The chain begins in the regime whose law the start has.
    let model = Slds::new(vec![1.0, 0.0], rows.clone(), vec![regime(0), regime(1)]).unwrap();
    let seen = |k: usize| -> Vec<Vec<f64>> {
        let total = DMatrix::from_row_slice(2, 2, &spreads[k]) + &r;
        total
            .row_iter()
            .map(|row| row.iter().copied().collect())
            .collect()
    };
    let means = shifts.iter().map(|shift| shift.to_vec()).collect();
    let emission = FullGaussian::new(means, vec![seen(0), seen(1)]).unwrap();
    let chain = Hmm::new(vec![1.0, 0.0], rows, emission).unwrap();
    let y = with_holes(&model, 80, 11);
    let mut filter = SldsFilter::new(model.clone()).unwrap();
    let mut expected = scotopic_filtering::hmm::Filter::new(chain.clone());
    for row in y.iter() {
        let (found, step) = (filter.update(row).unwrap(), expected.update(row).unwrap());
        close(found.elbo, step.elbo, EXACT, "ln p");
        for (found, expected) in filter.regimes().iter().zip(expected.belief()) {
            close(*found, *expected, EXACT, "regime");
        }
    }
    // Here the filter is exact, and the bound below it by what q(s) q(x) leaves out.
    let gap = expected.elbo() - model.smooth(&y).unwrap().elbo();
    assert!(gap > 0.0, "{gap}");
}

#[test]
fn the_bound_is_below_ln_p_of_every_sequence() {
    for seed in 0..40 {
        let model = three_regimes(seed % 2 == 0);
        let y = with_holes(&model, 7, seed);
        let (exact, bound) = (enumerated(&model, &y), model.smooth(&y).unwrap().elbo());
        assert!(bound <= exact + EXACT, "{seed}: {bound} and {exact}");
        // Far below it would be no approximation: 0.8 nats an observation is the most of these.
        assert!(bound > exact - 0.8 * 7.0, "{seed}: {bound} and {exact}");
    }
}

#[test]
fn the_filter_is_exact_for_two_observations() {
    for seed in 0..20 {
        let model = three_regimes(true);
        for length in [1, 2] {
            let y = with_holes(&model, length, seed);
            let mut filter = SldsFilter::new(model.clone()).unwrap();
            for row in y.iter() {
                filter.update(row).unwrap();
            }
            close(
                filter.elbo(),
                enumerated(&model, &y),
                EXACT,
                "two observations",
            );
        }
        // A third one is forecast from Gaussians in place of mixtures.
        let y = with_holes(&model, 6, seed);
        let mut filter = SldsFilter::new(model.clone()).unwrap();
        for row in y.iter() {
            filter.update(row).unwrap();
        }
        close(
            filter.elbo(),
            enumerated(&model, &y),
            0.05,
            "six observations",
        );
    }
}

/// 2^k changes exponents alone: regimes are the same to the last bit, and evidences differ by n k ln 2 and its rounding.
#[test]
fn a_binary_unit_changes_no_posterior() {
    let scaled = |model: &Slds, unit: f64| {
        let regimes = model.regimes().iter().map(|regime| {
            LinearGaussian::new(
                regime.transition().clone(),
                regime.process_noise().clone(),
                regime.observation() * unit,
                regime.observation_noise() * (unit * unit),
            )
            .and_then(|m| m.with_bias(regime.bias().clone(), regime.offset() * unit))
            .and_then(|m| {
                let start = (
                    regime.initial_mean().clone(),
                    regime.initial_covariance().clone(),
                );
                m.with_initial(start.0, start.1)
            })
            .unwrap()
        });
        let rows = model.transition().chunks(3).map(<[f64]>::to_vec).collect();
        Slds::new(model.initial().to_vec(), rows, regimes.collect()).unwrap()
    };
    let model = three_regimes(true);
    let y = with_holes(&model, 50, 5);
    let seen = y.iter().flatten().flatten().filter(|y| !y.is_nan()).count() as f64;
    let run = |model: &Slds, y: &Sequence| {
        let mut filter = SldsFilter::new(model.clone()).unwrap();
        let mut numbers = Vec::new();
        for row in y.iter() {
            filter.update(row).unwrap();
            numbers.extend_from_slice(filter.regimes());
            numbers.extend_from_slice(filter.mean());
        }
        let smoothed = model.smooth(y).unwrap();
        (
            numbers,
            filter.elbo(),
            smoothed.regimes().to_vec(),
            smoothed.elbo(),
        )
    };
    let here = run(&model, &y);
    for k in [-40, -3, 7, 33] {
        let unit = 2f64.powi(k);
        let mut there = Sequence::new(2).unwrap();
        for row in y.iter() {
            let row = row.map(|row| [row[0] * unit, row[1] * unit]);
            there.push(row.as_ref().map(|row| &row[..])).unwrap();
        }
        let there = run(&scaled(&model, unit), &there);
        assert_eq!(there.0, here.0, "filter, 2^{k}");
        assert_eq!(there.2, here.2, "smoother, 2^{k}");
        let shift = seen * unit.ln();
        close(there.1 + shift, here.1, 1e-12, "score");
        close(there.3 + shift, here.3, 1e-12, "bound");
    }
}
