//! Structural models on real series, against statsmodels (`tests/fixtures/structural/golden.py`).

use scotopic_filtering::gaussian::{StructuralFit, StructuralModel, StructuralSettings};
use scotopic_filtering::{Error, Sequence, SummarySettings};
use serde_json::Value;

/// The second column of a table of the examples; empty cells are missing.
pub fn series(text: &str) -> Sequence {
    let mut sequence = Sequence::new(1).unwrap();
    for line in text.lines().skip(1) {
        let cell = line.rsplit(',').next().unwrap();
        let value: Option<f64> = (!cell.is_empty()).then(|| cell.parse().unwrap());
        sequence
            .push(value.as_ref().map(std::slice::from_ref))
            .unwrap();
    }
    sequence
}

pub fn nile() -> Sequence {
    series(include_str!("../../../../examples/nile.csv"))
}

fn co2() -> Sequence {
    series(include_str!("../../../../examples/co2-monthly.csv"))
}

fn quakes() -> Sequence {
    series(include_str!("../../../../examples/quakes.csv"))
}

fn fit(components: &str, data: &Sequence) -> StructuralFit {
    let model = StructuralModel::new(components).unwrap();
    model
        .fit(std::slice::from_ref(data), &StructuralSettings::default())
        .unwrap()
}

/// A. C. Harvey's and J. Durbin and S. J. Koopman's example; four more digits by statsmodels.
#[test]
fn the_level_of_the_nile() {
    let found = fit("level", &nile());
    assert!(found.converged);
    assert_eq!((found.diffuse, found.observations), (1, 100));
    // The reference is given to six decimals.
    assert!(
        (found.log_likelihood + 632.545_625).abs() < 1e-6,
        "{found:?}"
    );
    for (estimate, reference) in found.estimates.iter().zip([15_098.52, 1469.18]) {
        // Its optimiser stopped at some 1e-5 of the parameters.
        assert!((estimate / reference - 1.0).abs() < 1e-4, "{found:?}");
    }
    let large = StructuralModel::new("level")
        .unwrap()
        .with_initial_variance(1e7)
        .unwrap();
    let found = large
        .fit(&[nile()], &StructuralSettings::default())
        .unwrap();
    assert!(found.converged && found.diffuse == 0);
    assert!(
        (found.log_likelihood + 641.585_578).abs() < 1e-6,
        "{found:?}"
    );
    for (estimate, reference) in found.estimates.iter().zip([15_099.68, 1468.50]) {
        assert!((estimate / reference - 1.0).abs() < 1e-4, "{found:?}");
    }
}

#[test]
fn no_fit_is_below_the_best_of_four_optimisers_of_statsmodels() {
    let text = include_str!("../../../../tests/fixtures/structural/golden.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let cases = golden["cases"].as_object().unwrap();
    assert!(cases.len() > 5);
    for (name, case) in cases {
        let data = match name.split(' ').next().unwrap() {
            "nile" => nile(),
            "co2" => co2(),
            _ => quakes(),
        };
        let found = fit(case["components"].as_str().unwrap(), &data);
        let reference = case["log_likelihood"].as_f64().unwrap();
        assert!(found.converged, "{name}: {found:?}");
        assert_eq!(found.diffuse as u64, case["diffuse"].as_u64().unwrap());
        // Its variances stop at 1e-10 or so of the data's where the optimum is 0.
        assert!(
            found.log_likelihood > reference - 1e-4,
            "{name}: {} against {reference} {found:?}",
            found.log_likelihood
        );
    }
}

/// Data in other units: variances scale with the square, ln p by −ln of the unit for each number that is not spent on
/// the diffuse part.
#[test]
fn a_fit_in_other_units_is_the_same_fit() {
    for (components, data) in [
        ("level", nile()),
        ("trend,seasonal:12", co2()),
        ("level,ar:1", nile()),
    ] {
        let base = fit(components, &data);
        for k in [-9, -5, 5, 9] {
            let unit = 10f64.powi(k);
            let mut scaled = Sequence::new(1).unwrap();
            for y in data.iter() {
                scaled
                    .push(y.map(|y| [y[0] * unit]).as_ref().map(|y| &y[..]))
                    .unwrap();
            }
            let found = fit(components, &scaled);
            assert!(found.converged, "{components} {k}");
            let counted = (found.observations - found.diffuse) as f64;
            let expected = base.log_likelihood - counted * unit.ln();
            // ln p is some thousand, and rounded data make another fit in the sixteenth digit.
            assert!(
                (found.log_likelihood - expected).abs() < 1e-7,
                "{components} {k}"
            );
            for (i, name) in found.model.parameter_names().iter().enumerate() {
                let unit = if name.starts_with("ar.") {
                    1.0
                } else {
                    unit * unit
                };
                let expected = base.estimates[i] * unit;
                // The gradient ends below 1e-6: a parameter of standard error 1 in its logarithm is known to that.
                let room = 1e-4 * expected.abs();
                assert!(
                    (found.estimates[i] - expected).abs() <= room,
                    "{components} {k} {name}"
                );
            }
        }
    }
}

#[test]
fn fixed_and_tied_parameters_are_not_estimated_apart() {
    let model = StructuralModel::new("level")
        .unwrap()
        .with_fixed("irregular", 15_000.0)
        .unwrap();
    let found = model
        .fit(&[nile()], &StructuralSettings::default())
        .unwrap();
    assert_eq!(
        (found.estimates[0], found.standard_errors[0]),
        (15_000.0, None)
    );
    assert_eq!(found.free_parameters, 2);
    let free = fit("level", &nile());
    // Near the optimum: the loss is ½ (98.5/3146)².
    let lost = free.log_likelihood - found.log_likelihood;
    assert!(lost > 0.0 && lost < 1e-3, "{lost}");

    let tied = StructuralModel::new("trend")
        .unwrap()
        .with_tied(&["irregular", "level"])
        .unwrap();
    let found = tied.fit(&[nile()], &StructuralSettings::default()).unwrap();
    assert_eq!(found.estimates[0], found.estimates[1]);
    assert!(found.converged && found.free_parameters == 4);
    assert!(
        StructuralModel::new("level")
            .unwrap()
            .with_fixed("levels", 1.0)
            .is_err()
    );
    assert!(
        StructuralModel::new("level")
            .unwrap()
            .with_fixed("level", -1.0)
            .is_err()
    );
    assert!(tied.with_tied(&["level", "slope"]).is_err());
}

/// The inverse Hessian of ln p by its own second differences.
#[test]
fn standard_errors_are_those_of_the_curvature() {
    let found = fit("level", &nile());
    let at = |a: f64, b: f64| {
        let values = [found.estimates[0] + a, found.estimates[1] + b];
        found
            .model
            .log_likelihood(&values, &[nile()])
            .unwrap()
            .log_likelihood
    };
    let (a, b) = (10.0, 4.0);
    let second = |x: f64, y: f64| at(x, y) - 2.0 * at(0.0, 0.0) + at(-x, -y);
    let (aa, bb) = (-second(a, 0.0) / (a * a), -second(0.0, b) / (b * b));
    let ab = -(at(a, b) - at(a, -b) - at(-a, b) + at(-a, -b)) / (4.0 * a * b);
    let determinant = aa * bb - ab * ab;
    for (error, exact) in found
        .standard_errors
        .iter()
        .zip([(bb / determinant).sqrt(), (aa / determinant).sqrt()])
    {
        // Second differences of ln p have 1e-13·632/1e-3 of rounding.
        assert!(
            (error.unwrap() / exact - 1.0).abs() < 1e-3,
            "{error:?} {exact}"
        );
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let level = StructuralModel::new("level").unwrap();
    let fit = |rows: &[[f64; 1]]| {
        let data = Sequence::of_rows(rows).unwrap();
        level
            .fit(&[data], &StructuralSettings::default())
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(fit(&[[1.0], [2.0]]).contains("more than 3"));
    assert!(fit(&[[1.0]; 20]).contains("does not vary"));
    // Beside a level the coefficient of a constant is not determined.
    let rows = (0..20).map(|t| [f64::from(t * t % 7), 3.0]);
    let constant = StructuralModel::new("level,regression")
        .and_then(|model| model.with_inputs(&["k".to_owned()]))
        .unwrap()
        .fit(
            &[Sequence::of_rows(rows).unwrap()],
            &StructuralSettings::default(),
        );
    assert!(
        matches!(&constant, Err(Error::Dependent { columns }) if *columns == [1]),
        "{constant:?}"
    );
    let wide = Sequence::of_rows([[1.0, 2.0], [2.0, 1.0]]).unwrap();
    assert!(level.fit(&[wide], &StructuralSettings::default()).is_err());
    for bad in [
        "",
        "levels",
        "slope",
        "seasonal:1",
        "level,level",
        "arma:0:0",
        "seasonal",
    ] {
        assert!(StructuralModel::new(bad).is_err(), "{bad}");
    }
}

/// The level of Lake Huron in feet, 1875–1972 (P. J. Brockwell, R. A. Davis, Time Series and Forecasting Methods, 1991): a random walk.
/// ln p at no noise is below that at 1e-14 by rounding alone.
#[test]
fn a_variance_that_only_rounding_keeps_from_zero_is_zero() {
    let level = [
        580.38, 581.86, 580.97, 580.80, 579.79, 580.39, 580.42, 580.82, 581.40, 581.32, 581.44,
        581.68, 581.17, 580.53, 580.01, 579.91, 579.14, 579.16, 579.55, 579.67, 578.44, 578.24,
        579.10, 579.09, 579.35, 578.82, 579.32, 579.01, 579.00, 579.80, 579.83, 579.72, 579.89,
        580.01, 579.37, 578.69, 578.19, 578.67, 579.55, 578.92, 578.09, 579.37, 580.13, 580.14,
        579.51, 579.24, 578.66, 578.86, 578.05, 577.79, 576.75, 576.75, 577.82, 578.64, 580.58,
        579.48, 577.38, 576.90, 576.94, 576.24, 576.84, 576.85, 576.90, 577.79, 578.18, 577.51,
        577.23, 578.42, 579.61, 579.05, 579.26, 579.22, 579.38, 579.10, 577.95, 578.12, 579.75,
        580.85, 580.41, 579.96, 579.61, 578.76, 578.18, 577.21, 577.13, 579.10, 578.25, 577.91,
        576.89, 575.96, 576.80, 577.68, 578.38, 578.52, 579.74, 579.31, 579.89, 579.96,
    ];
    let data = [Sequence::of_numbers(level).unwrap()];
    let model = StructuralModel::new("level").unwrap();
    let fit = model.fit(&data, &StructuralSettings::default()).unwrap();
    let names = fit.model.parameter_names();
    let irregular = names.iter().position(|name| name == "irregular").unwrap();
    assert_eq!(
        (fit.estimates[irregular], fit.at_boundary[irregular]),
        (0.0, true)
    );
}

/// Prices of copper in 25 years (the set `copper` of statsmodels): the best period is short, and no start of moderate periods finds
/// it. ln p at the maximum by mpmath with 70 digits.
#[test]
fn a_short_cycle_is_found() {
    let prices = [
        26.56, 27.31, 32.95, 33.9, 42.7, 46.11, 31.7, 27.23, 32.89, 33.78, 31.66, 32.28, 32.38,
        33.75, 36.25, 36.24, 38.23, 40.83, 44.62, 52.27, 45.16, 42.5, 43.7, 47.88, 36.33,
    ];
    let found = fit("level,cycle", &Sequence::of_numbers(prices).unwrap());
    assert!(found.log_likelihood > -72.57731, "{found:?}");
}

/// What `summary` says of a structural model are the errors of its fit, in its parameters: two rows of a rotation and two variances
/// of a cycle are three parameters, tied variances one.
#[test]
fn a_summary_is_of_the_parameters() {
    let settings = SummarySettings::default();
    for components in [
        "level,slope",
        "level,cycle",
        "trigonometric:7",
        "level,ar:2",
    ] {
        let found = fit(components, &quakes());
        let summary = found
            .model
            .summary(&found.estimates, &[quakes()], &settings);
        let summary = summary.unwrap();
        assert_eq!(summary.free_parameters, found.free_parameters);
        assert_eq!(summary.log_evidence, found.log_likelihood);
        // Where the gradient is below 1e-6.
        assert!(
            summary.shortfall < 1e-6,
            "{components}: {}",
            summary.shortfall
        );
        // A variance at 0 is no coordinate in either; ln and exp of the others round.
        for (estimate, error) in summary.estimates.iter().zip(&found.standard_errors) {
            let pair = estimate.standard_error.zip(*error);
            let same = pair.map_or(estimate.standard_error == *error, |(a, b)| {
                (a / b - 1.0).abs() < 1e-8
            });
            assert!(same, "{components}: {estimate:?}, {error:?}");
        }
    }
    let tied = StructuralModel::new("level").unwrap();
    let tied = tied.with_tied(&["irregular", "level"]).unwrap();
    let found = tied.fit(&[nile()], &StructuralSettings::default()).unwrap();
    let summary = tied
        .summary(&found.estimates, &[nile()], &settings)
        .unwrap();
    // 1210.56 by statsmodels' Hessian of the one parameter.
    for estimate in &summary.estimates {
        let error = estimate.standard_error.unwrap();
        assert!((error / 1210.56 - 1.0).abs() < 1e-5, "{error}");
    }
    let hold = |name: &str| SummarySettings {
        hold: vec![name.to_owned()],
        ..SummarySettings::default()
    };
    let walk = StructuralModel::new("level").unwrap();
    let held = walk
        .summary(&[15_000.0, 1500.0], &[nile()], &hold("level"))
        .unwrap();
    assert_eq!(held.free_parameters, 2);
    assert_eq!(held.estimates[1].remark, Some("held"));
    for wrong in ["slope", ""] {
        let error = walk
            .summary(&[1.0, 1.0], &[nile()], &hold(wrong))
            .unwrap_err();
        assert!(error.to_string().contains("irregular, level"), "{error}");
    }
}

/// Three years of weeks: a season of 52 by two of its waves, which are 4 states and not 51.
#[test]
fn a_weekly_season_converges() {
    let wave = |t: usize, n: f64| (std::f64::consts::TAU * n * t as f64 / 52.0).sin();
    // Of a phase that grows with the square of time: without a pattern, of variance ½.
    let error = |t: usize| (0.618 * (t * t) as f64).sin();
    let numbers = (0..156).map(|t| 20.0 + 3.0 * wave(t, 1.0) + 1.5 * wave(t + 5, 2.0) + error(t));
    let data = Sequence::of_numbers(numbers).unwrap();
    let found = fit("level,trigonometric:52:2", &data);
    assert!(found.converged, "{found:?}");
    assert_eq!((found.diffuse, found.observations), (5, 156));
    // Waves that do not change: the variance of the error is all there is.
    let irregular = found.estimates[0];
    assert!((irregular / 0.5 - 1.0).abs() < 0.3, "{found:?}");
}

/// The starts are the same on any number of threads, and so is what is made of them.
#[test]
fn a_fit_is_the_same_on_any_number_of_threads() {
    let fit = |threads: usize| {
        let settings = StructuralSettings {
            threads,
            ..StructuralSettings::default()
        };
        let model = StructuralModel::new("level,cycle").unwrap();
        model.fit(&[nile()], &settings).unwrap()
    };
    assert_eq!(fit(1), fit(3));
}

/// Where all was fixed there are ln p, of statsmodels at these variances, and criteria of the diffuse start alone.
#[test]
fn a_model_of_fixed_parameters_has_a_summary() {
    let model = StructuralModel::new("level").unwrap();
    let values = [15_000.0, 1400.0];
    let model = model.with_fixed("irregular", values[0]).unwrap();
    let model = model.with_fixed("level", values[1]).unwrap();
    let summary = model
        .summary(&values, &[nile()], &SummarySettings::default())
        .unwrap();
    let exact = -632.5505230031063;
    assert!((summary.log_evidence - exact).abs() < 1e-9);
    assert_eq!((summary.free_parameters, summary.shortfall), (1, 0.0));
    assert!((summary.bic - (100f64.ln() - 2.0 * exact)).abs() < 1e-8);
    assert!(summary.estimates.iter().all(|e| e.remark == Some("held")));
}
