//! Diffuse starts that the observations do not determine as a whole: what is known and what is not is no matter of rounding.

use scotopic_filtering::gaussian::{LinearGaussian, StructuralModel};
use scotopic_filtering::{AnyModel, DiscreteResidual, ForecastSettings, Sequence};

/// Digits that statsmodels' own recursion keeps.
const DIGITS: f64 = 1e-9;

/// Quarters of which the third is never seen, and the second not in the first year.
fn quarters() -> Sequence {
    let none = f64::NAN;
    let years = [
        [5.1, none, none, 4.2],
        [5.6, 6.3, none, 4.9],
        [6.1, 6.8, none, 5.0],
        [6.4, 7.1, none, 5.5],
        [6.2, 7.5, none, none],
    ];
    let mut quarters = Sequence::new(1).unwrap();
    for y in years.concat().into_iter().take(18) {
        quarters.push((!y.is_nan()).then_some(&[y])).unwrap();
    }
    quarters
}

fn seasons() -> LinearGaussian {
    let model = StructuralModel::new("level,seasonal:4").unwrap();
    model.linear_gaussian(&[0.5, 0.3, 0.1]).unwrap()
}

/// Forecasts and residuals of statsmodels (`UnobservedComponents(y, "llevel", seasonal=4, use_exact_diffuse=True)` at these variances): the
/// fifth row has F∞ = 0 before all directions are known, and the third quarter is never known.
#[test]
fn a_season_that_is_never_seen_is_alone_unknown() {
    let model = AnyModel::LinearGaussian(seasons());
    let settings = ForecastSettings {
        ahead: 8,
        ..ForecastSettings::default()
    };
    let forecast = model.forecast(&quarters(), &settings).unwrap();
    let expected = [
        None,
        Some((5.473975109220402, 1.905541085574471)),
        Some((6.400740169006754, 2.137834839170029)),
        Some((7.378151016150353, 2.256632616342656)),
        None,
        Some((5.473975109220402, 3.305541085574471)),
        Some((6.400740169006754, 3.53783483917003)),
        Some((7.378151016150353, 3.656632616342655)),
    ];
    for (h, expected) in expected.into_iter().enumerate() {
        let (mean, variance) = (forecast.mean[h][0], forecast.variance[h][0]);
        assert_eq!(forecast.predictive[h][0].is_known(), expected.is_some());
        match expected {
            None => assert!(variance.is_infinite(), "{h}: {variance}"),
            Some((m, v)) => assert!(
                (mean - m).abs() < DIGITS && (variance - v).abs() < DIGITS,
                "{h}: {mean} {variance}"
            ),
        }
    }
    let residuals = model
        .residuals(&quarters(), DiscreteResidual::default(), None)
        .unwrap();
    let expected = [
        (5, 0.3227486121839514),
        (8, 0.41475753100312673),
        (9, 0.26389933145587413),
        (10, 0.15900388439205446),
        (12, 0.056301884512509996),
        (13, 0.22923972704442858),
        (14, 0.16569866637304698),
        (16, 0.258979577866717),
        (17, -0.2344496567192054),
        (18, 0.32180792265628955),
    ];
    let found = &residuals.standardised[0];
    for (t, z) in found.iter().enumerate() {
        match expected.iter().find(|(row, _)| *row == t + 1) {
            None => assert!(z.is_nan(), "{}: {z}", t + 1),
            Some((_, expected)) => assert!((z - expected).abs() < DIGITS, "{}: {z}", t + 1),
        }
    }
    assert_eq!(residuals.diagnostics[0].count, expected.len());
}

/// No row says how the level and the third quarter share what is seen: every state is moved by that. The signal of a row that was seen is
/// known all the same, and no mean is beyond the data.
#[test]
fn smoothed_states_that_nothing_tells_are_infinite_and_their_means_of_the_size_of_the_data() {
    let smoothed = seasons().smooth(&quarters()).unwrap();
    for (t, belief) in smoothed.smoothed().iter().enumerate() {
        for i in 0..belief.states() {
            assert!(belief.covariance()[(i, i)].is_infinite(), "{t} {i}");
            assert!(
                belief.mean()[i].abs() < 20.0,
                "{t} {i} {}",
                belief.mean()[i]
            );
        }
        let signal = belief.mean()[0] + belief.mean()[1];
        if let Some(y) = quarters().get(t) {
            assert!((signal - y[0]).abs() < 1.0, "{t} {signal}");
        }
    }
}

/// A regressor that is constant cannot be told from the level. The other one is determined, as by statsmodels without the constant
/// (`UnobservedComponents(y, "llevel", exog=x, mle_regression=False, use_exact_diffuse=True).smooth([0.5, 0.2])`).
#[test]
fn a_coefficient_beside_two_that_are_one_is_determined() {
    let x = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0, 1.0, 2.0, 0.0, 1.0];
    let y = [1.2, 0.1, 2.3, 1.0, 0.2, 3.1, 0.8, 2.2, 0.1, 1.3];
    let model = StructuralModel::new("level,regression").unwrap();
    let names = ["x", "always"].map(str::to_owned);
    let model = model.with_inputs(&names).unwrap();
    for always in [1.0, 0.3, 1e6] {
        let rows = (0..10).map(|t| [y[t], x[t], always]);
        let rows = Sequence::of_rows(rows).unwrap();
        let driven = model.driven(&[0.5, 0.2]).unwrap();
        for (t, belief) in driven.smooth(&rows).unwrap().smoothed().iter().enumerate() {
            let (m, p) = (belief.mean(), belief.covariance());
            assert!(p[(0, 0)].is_infinite() && p[(2, 2)].is_infinite(), "{t}");
            assert!((m[1] - 1.035538751724138).abs() < DIGITS, "{t} {}", m[1]);
            assert!((p[(1, 1)] - 0.067204081083643).abs() < DIGITS, "{t}");
            assert!(m[0].abs() < 5.0, "{t} {}", m[0]);
        }
        let told = model.coefficients(&[0.5, 0.2], &rows).unwrap();
        assert!((told[0].2 - 0.067204081083643f64.sqrt()).abs() < DIGITS);
        assert!(told[1].2.is_infinite());
    }
}

/// Rows that see one state alone, again and again, beside others that see all: ln p and the last belief are those of least squares, in
/// which such a row is one more equation.
#[test]
fn a_row_that_sees_one_state_again_adds_no_direction() {
    let inputs = ["a", "b", "c"].map(str::to_owned);
    let model = StructuralModel::new("regression").unwrap();
    let model = model.with_inputs(&inputs).unwrap();
    let rows = [
        [1.0, 0.7, 0.3, 0.9],
        [0.5, 0.0, 1.0, 0.0],
        [0.7, 0.0, 1.0, 0.0],
        [0.6, 0.0, 1.0, 0.0],
    ];
    let rows = Sequence::of_rows(rows).unwrap();
    let told = model.coefficients(&[1.0], &rows).unwrap();
    assert!((told[1].1 - 0.6).abs() < 1e-12 && (told[1].2 - (1f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!(told[0].2.is_infinite() && told[2].2.is_infinite());
    let found = model.log_likelihood(&[1.0], &[rows]).unwrap();
    assert_eq!((found.diffuse, found.observations), (2, 4));
}
