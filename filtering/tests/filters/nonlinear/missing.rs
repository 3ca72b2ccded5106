//! Missing observations are no evidence, however far the belief spreads.

use scotopic_filtering::Error;
use scotopic_filtering::nonlinear::models::{Ar1Poisson, DiagonalLinear, SinQuadratic};
use scotopic_filtering::nonlinear::{NonlinearConfig, NonlinearFilter, Representation};

/// The evidence of one number is right to as much as rounding of the spread, relative.
const ROUNDING: f64 = 1e-9;

fn settings(representation: Representation) -> NonlinearConfig {
    NonlinearConfig {
        representation,
        ..NonlinearConfig::default()
    }
}

/// x_t = 1.5 x_{t−1} + N(0, 0.5), unseen for as long as its variance is a number.
#[test]
fn an_unstable_state_that_is_not_seen_costs_nothing_until_its_variance_is_no_number() {
    for (representation, rows) in [
        (Representation::Quadratic, 2000),
        (Representation::table(), 60),
    ] {
        let model = DiagonalLinear::new(vec![1.5], vec![1.0], vec![0.5], vec![0.3]).unwrap();
        let mut filter = NonlinearFilter::new(model, settings(representation)).unwrap();
        let mut variance = 1.0f64;
        for t in 0..rows {
            let before = filter.clone();
            match filter.update(None) {
                Ok(step) => {
                    assert_eq!((step.increment, step.elbo), (0.0, 0.0), "row {t}");
                    let found = filter.covariance()[0];
                    assert!(
                        (found / variance - 1.0).abs() < ROUNDING,
                        "row {t}: {found} {variance}"
                    );
                }
                Err(Error::NotFinite { index, .. }) => {
                    assert_eq!(index, t);
                    assert!(variance > 1e300, "row {t}: {variance}");
                    assert_eq!(filter, before);
                    return;
                }
                Err(other) => panic!("row {t}: {other}"),
            }
            variance = 2.25 * variance + 0.5;
        }
        assert_eq!(
            rows, 60,
            "the variance has left the range of numbers and nobody said so"
        );
    }
}

#[test]
fn what_is_seen_after_a_gap_has_its_exact_evidence() {
    for gap in [1, 5, 20, 100] {
        let model = DiagonalLinear::new(vec![1.5], vec![1.0], vec![0.5], vec![0.3]).unwrap();
        let mut filter = NonlinearFilter::new(model, settings(Representation::Quadratic)).unwrap();
        let (mut mean, mut variance) = (0.0f64, 1.0f64);
        for y in [Some(0.7)]
            .into_iter()
            .chain(vec![None; gap])
            .chain([Some(2.0)])
        {
            let step = filter.update(y.as_ref().map(std::slice::from_ref)).unwrap();
            let mut expected = 0.0;
            if let Some(y) = y {
                let total = variance + 0.3;
                expected =
                    -0.5 * ((y - mean).powi(2) / total + (std::f64::consts::TAU * total).ln());
                mean += variance / total * (y - mean);
                variance *= 0.3 / total;
            }
            let off = (step.increment - expected).abs();
            assert!(off < 1e-6, "gap {gap}: {} {expected}", step.increment);
            (mean, variance) = (1.5 * mean, 2.25 * variance + 0.5);
        }
    }
}

/// Where f bends a gap loses something of q, but no evidence: the increment is 0 and the sum stays below the truth.
#[test]
fn missing_rows_of_curved_models_have_no_increment() {
    let mut waves = NonlinearFilter::new(
        SinQuadratic::new(0.09, 0.25, 0.0, 1.0).unwrap(),
        NonlinearConfig::default(),
    )
    .unwrap();
    let mut counts = NonlinearFilter::new(
        Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0).unwrap(),
        NonlinearConfig::default(),
    )
    .unwrap();
    for t in 0..40 {
        let seen = t % 3 == 0;
        let (a, b) = (
            waves.update(seen.then_some(&[-0.8])).unwrap(),
            counts.update(seen.then_some(&[2.0])).unwrap(),
        );
        assert_eq!(seen, a.increment != 0.0);
        assert_eq!(seen, b.increment != 0.0);
    }
}
