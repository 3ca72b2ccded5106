//! Variational EM.

use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::nalgebra::DVector;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::switching::{Slds, SldsFit};
use scotopic_filtering::{Error, Sequence};

use super::{close, three_regimes, with_holes};

/// What a sum of some hundred terms may lose between two iterations.
const ROUNDING: f64 = 1e-8;

fn settings(max_iterations: usize) -> SldsFit {
    SldsFit {
        max_iterations,
        tolerance: 0.0,
        restarts: 3,
        ..SldsFit::default()
    }
}

#[track_caller]
fn never_falls(elbo: &[f64]) {
    for pair in elbo.windows(2) {
        assert!(pair[1] >= pair[0] - ROUNDING * pair[0].abs(), "{pair:?}");
    }
}

#[test]
fn the_bound_never_falls_and_what_is_shared_stays_so() {
    for own in [false, true] {
        let truth = three_regimes(own);
        let data = [
            with_holes(&truth, 80, 1),
            with_holes(&truth, 60, 2),
            with_holes(&truth, 1, 3),
        ];
        for several in [&data[..], &data[..1]] {
            let fitted = truth.fit(several, &settings(25)).unwrap();
            never_falls(&fitted.elbo);
            assert_eq!(fitted.iterations, 25);
            let model = &fitted.model;
            assert_eq!(model.shares_observation(), !own);
            // The start is learned from several sequences alone.
            assert_eq!(model.initial() == truth.initial(), several.len() == 1);
            let start = |m: &Slds| m.regimes()[0].initial_mean().clone();
            assert_eq!(start(model) == start(&truth), several.len() == 1);
        }
    }
}

/// Of one regime, EM of a linear-Gaussian model.
#[test]
fn one_regime_is_fitted_as_a_linear_gaussian_model() {
    let line = three_regimes(false).regimes()[1].clone();
    let model = Slds::new(vec![1.0], vec![vec![1.0]], vec![line.clone()]).unwrap();
    let data = [with_holes(&model, 120, 6), with_holes(&model, 90, 7)];
    let fitted = model.fit(&data, &settings(5)).unwrap();
    let em = scotopic_filtering::gaussian::GaussianFit {
        max_iterations: 5,
        tolerance: 0.0,
        ..Default::default()
    };
    let expected = line.fit(&data, &em).unwrap();
    for (found, expected) in fitted.elbo.iter().zip(&expected.log_evidence) {
        close(*found, *expected, 1e-9, "ln p");
    }
    let found = &fitted.model.regimes()[0];
    assert!((found.transition() - expected.model.transition()).amax() < 1e-8);
    assert!((found.observation_noise() - expected.model.observation_noise()).amax() < 1e-8);
    assert!((found.initial_mean() - expected.model.initial_mean()).amax() < 1e-8);
}

/// A number that turns between two laws: mean-reverting, and a drifting random walk.
fn two_paces() -> Slds {
    let regime = |f: f64, b: f64, q: f64| {
        LinearGaussian::from_rows(&[[f]], &[[q]], &[[1.0]], &[[0.05]])
            .and_then(|m| m.with_bias(DVector::from_element(1, b), DVector::zeros(1)))
            .unwrap()
    };
    Slds::new(
        vec![0.5, 0.5],
        vec![vec![0.97, 0.03], vec![0.05, 0.95]],
        vec![regime(0.5, 0.0, 0.05), regime(0.97, 0.5, 0.5)],
    )
    .unwrap()
}

#[test]
fn regimes_that_made_the_data_are_found_from_the_data_alone() {
    let truth = two_paces();
    let made = truth
        .sample(600, &mut Xoshiro256PlusPlus::seed_from_u64(5))
        .unwrap();
    let data = [made.observations];
    let fitted = Slds::fit_regimes(2, 1, &data, &settings(60)).unwrap();
    never_falls(&fitted.elbo);
    let (found, bound) = (
        fitted.model.smooth(&data[0]).unwrap(),
        truth.smooth(&data[0]).unwrap(),
    );
    // Seventeen numbers were free to be chosen: half a nat each, about, and less is possible by another maximum.
    assert!(
        found.elbo() > bound.elbo() - 3.0,
        "{} {}",
        found.elbo(),
        bound.elbo()
    );
    let calm = |k: usize| {
        fitted.model.regimes()[k].process_noise()[(0, 0)]
            * fitted.model.regimes()[k].observation()[(0, 0)].powi(2)
    };
    let lively = usize::from(calm(1) > calm(0));
    let right = (found.regimes().chunks(2).zip(&made.regimes))
        .filter(|(q, s)| (q[lively] > 0.5) == (**s == 1))
        .count();
    assert!(right > 540, "{right} of 600");
    // The same seed, the same fit, on any number of threads; one regime is worse.
    let again = SldsFit {
        threads: 1,
        ..settings(60)
    };
    assert_eq!(
        Slds::fit_regimes(2, 1, &data, &again).unwrap().model,
        fitted.model
    );
    let one = Slds::fit_regimes(1, 1, &data, &settings(60)).unwrap();
    assert!(one.elbo.last() < fitted.elbo.last());
}

/// Equal values by chance are no regime of their own: no direction of R or Q is below a share of the variance of the data, in any unit.
#[test]
fn no_regime_collapses_onto_equal_values_in_any_unit() {
    let noise = |t: u32| (f64::from(t * t) * 0.618_033_988_749_895).fract() - 0.5;
    let row = |t: u32| {
        if (40..60).contains(&t) {
            0.25
        } else {
            noise(t)
        }
    };
    let variance = {
        let values: Vec<f64> = (0..120).map(row).collect();
        let mean = values.iter().sum::<f64>() / 120.0;
        values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 120.0
    };
    let mut bounds = Vec::new();
    for unit in [1.0, 2f64.powi(-30), 2f64.powi(20)] {
        let data = [Sequence::of_numbers((0..120).map(|t| row(t) * unit)).unwrap()];
        let fitted = Slds::fit_regimes(2, 1, &data, &settings(80)).unwrap();
        let least = 1e-5 * variance * unit * unit;
        for regime in fitted.model.regimes() {
            assert!(regime.observation_noise()[(0, 0)] >= least * (1.0 - 1e-12));
        }
        never_falls(&fitted.elbo);
        bounds.push(fitted.elbo.last().unwrap() + 120.0 * unit.ln());
    }
    close(bounds[1], bounds[0], 1e-9, "unit");
    close(bounds[2], bounds[0], 1e-9, "unit");
}

#[test]
fn data_and_settings_that_are_none_are_refused() {
    let constant = [Sequence::of_numbers([3.0; 50]).unwrap()];
    let fit = SldsFit::default();
    let refused = Slds::fit_regimes(2, 1, &constant, &fit).unwrap_err();
    assert!(matches!(refused, Error::Dependent { .. }), "{refused}");
    let data = [Sequence::of_numbers((0..50).map(|t| f64::from(t).sin())).unwrap()];
    for (regimes, states, fit) in [
        (0, 1, fit.clone()),
        (2, 0, fit.clone()),
        (
            2,
            1,
            SldsFit {
                restarts: 0,
                ..fit.clone()
            },
        ),
        (
            2,
            1,
            SldsFit {
                variance_floor: 0.0,
                ..fit.clone()
            },
        ),
        (
            2,
            1,
            SldsFit {
                tolerance: f64::NAN,
                ..fit.clone()
            },
        ),
    ] {
        assert!(Slds::fit_regimes(regimes, states, &data, &fit).is_err());
    }
    let one = [Sequence::of_numbers([1.0]).unwrap()];
    assert!(Slds::fit_regimes(1, 1, &one, &fit).is_err());
}

/// Q and R have a floor, and yet a covariance of columns that are one column twice cannot be learned.
#[test]
fn columns_that_depend_on_one_another_are_named() {
    let noise = |t: u32| (f64::from(t * t) * 0.618_033_988_749_895).fract() - 0.5;
    let rows = (1..120).map(|t| [noise(t), (f64::from(t) * 0.7).sin(), 2.0 * noise(t)]);
    let data = [Sequence::of_rows(rows).unwrap()];
    let refused = Slds::fit_regimes(2, 1, &data, &settings(3)).unwrap_err();
    assert!(matches!(refused, Error::Dependent { columns } if columns == [0, 2]));
}
