//! Maximum likelihood.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{
    DrivenGaussian, GaussianFit, Learned, LinearGaussian, StructuralModel, StructuralSettings,
};
use serde_json::Value;

use super::{golden, sequence};

/// US inflation with unemployment, quarter by quarter.
fn inflation(unit: f64, price: f64) -> Sequence {
    let text = include_str!("../../../../datasets/series/macrodata.csv");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name: &str| {
        names
            .iter()
            .position(|n| n.trim_matches('"') == name)
            .unwrap()
    };
    let (y, u) = (place("infl"), place("unemp"));
    let row = |line: &str| {
        let cells: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        [unit * cells[y], price * cells[u]]
    };
    Sequence::of_rows(lines.map(row)).unwrap()
}

fn regression(components: &str) -> StructuralModel {
    StructuralModel::new(components)
        .unwrap()
        .with_inputs(&["unemp".to_owned()])
        .unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn regressions_as_components_are_those_of_statsmodels() {
    let data = [inflation(1.0, 1.0)];
    for (name, components) in [
        ("static", "level,regression"),
        ("walking", "level,regression:walk"),
    ] {
        let case = &golden()[name];
        let model = regression(components);
        let given = numbers(&case["given"]);
        let at = model.log_likelihood(&given, &data).unwrap();
        let expected = case["log_likelihood"].as_f64().unwrap();
        assert!((at.log_likelihood / expected - 1.0).abs() < 1e-8, "{name}");
        // As a linear-Gaussian model with an input.
        let driven = model.driven(&given).unwrap();
        let evidence = driven.log_evidence(&data[0]).unwrap();
        assert!((evidence - at.log_likelihood).abs() < 1e-9, "{evidence}");
        let fit = model.fit(&data, &StructuralSettings::default()).unwrap();
        let best = case["best_log_likelihood"].as_f64().unwrap();
        assert!(
            fit.converged && fit.log_likelihood > best - 1e-4,
            "{name} {fit:?}"
        );
        if name == "static" {
            // The gradient of the other optimiser ends at 1e-5 or so.
            for (own, other) in fit.estimates.iter().zip(numbers(&case["best"])) {
                assert!((own / other - 1.0).abs() < 1e-3, "{own} {other}");
            }
            let told = model.coefficients(&fit.estimates, &data[0]).unwrap();
            let coefficient = numbers(&case["coefficient"]);
            assert_eq!(told[0].0, "unemp");
            assert!((told[0].1 - coefficient[0]).abs() < 1e-3);
            assert!((told[0].2 - coefficient[1]).abs() < 1e-3);
        }
    }
}

#[test]
fn units_of_data_and_of_inputs_do_not_matter() {
    let model = regression("level,regression:walk");
    let fit = |unit: f64, price: f64| {
        let data = [inflation(unit, price)];
        model.fit(&data, &StructuralSettings::default()).unwrap()
    };
    let (own, other) = (fit(1.0, 1.0), fit(1e-5, 1e9));
    // ln p moves by ln of the unit of the numbers predicted, and by that of the coefficient's diffuse start.
    let seen = own.observations as f64 - own.diffuse as f64;
    let moved = other.log_likelihood + seen * 1e-5f64.ln() + 1e9f64.ln();
    assert!((moved - own.log_likelihood).abs() < 1e-4, "{moved}");
    assert!(other.converged);
    for (k, unit) in [1e-10, 1e-10, 1e-28].iter().enumerate() {
        let ratio = other.estimates[k] / unit / own.estimates[k];
        assert!((ratio - 1.0).abs() < 1e-3, "{k} {ratio}");
    }
}

#[test]
fn effects_of_inputs_are_fitted_to_the_optimum() {
    let case = &golden()["scalar"];
    let data = [sequence(&case["rows"])];
    let base = LinearGaussian::from_rows(&[[0.5]], &[[1.0]], &[[1.0]], &[[1.0]]).unwrap();
    let start = DrivenGaussian::new(base, vec!["v".to_owned()]).unwrap();
    let fit = GaussianFit {
        max_iterations: 500,
        learned: Learned {
            bias: false,
            observation: false,
            initial: false,
            ..Learned::default()
        },
        ..GaussianFit::default()
    };
    let fitted = start.maximum_likelihood(&data, &fit).unwrap();
    let best = case["best_log_likelihood"].as_f64().unwrap();
    assert!(
        fitted.converged && fitted.log_evidence[1] > best - 1e-5,
        "{fitted:?}"
    );
    let [f, effect, _, offset, direct, _] = numbers(&case["best"])[..] else {
        panic!("six numbers");
    };
    let model = &fitted.model;
    for (own, other) in [
        (model.base().transition()[(0, 0)], f),
        (model.control()[(0, 0)], effect),
        (model.base().offset()[0], offset),
        (model.direct()[(0, 0)], direct),
    ] {
        // The other optimiser compares values, not gradients.
        assert!((own - other).abs() < 1e-3, "{own} {other}");
    }
    assert_eq!(model.learned_parameters(&fit.learned), 6);
}

#[test]
fn a_fit_from_the_data_finds_a_direct_effect() {
    let case = &golden()["scalar"];
    let data = [sequence(&case["rows"])];
    let start = DrivenGaussian::initial_guess(1, &data, &["v".to_owned()]).unwrap();
    let fit = GaussianFit {
        max_iterations: 500,
        ..GaussianFit::default()
    };
    let fitted = start.maximum_likelihood(&data, &fit).unwrap();
    // More is free than in the case above.
    assert!(fitted.log_evidence[1] > case["best_log_likelihood"].as_f64().unwrap() - 1e-5);
    let constant = Sequence::of_rows((0..20).map(|t| [1.0, f64::from(t)])).unwrap();
    let start =
        DrivenGaussian::initial_guess(1, std::slice::from_ref(&constant), &["v".to_owned()]);
    assert!(
        start
            .unwrap()
            .maximum_likelihood(&[constant], &fit)
            .is_err()
    );
}

#[test]
fn a_diffuse_start_is_fitted_as_the_structural_model_is() {
    let data = [inflation(1.0, 1.0)];
    let structural = regression("level,regression");
    let best = structural
        .fit(&data, &StructuralSettings::default())
        .unwrap();
    let start = structural.driven(&[1.0, 1.0]).unwrap();
    let fit = GaussianFit {
        max_iterations: 200,
        learned: Learned {
            transition: false,
            bias: false,
            observation: false,
            offset: false,
            control: false,
            direct: false,
            ..Learned::default()
        },
        ..GaussianFit::default()
    };
    let fitted = start.maximum_likelihood(&data, &fit).unwrap();
    // The gradient is within 1e-4 nats of none; the variance of the coefficient is 0 and stays so.
    assert!(
        (fitted.log_evidence[1] - best.log_likelihood).abs() < 1e-3,
        "{fitted:?}"
    );
    assert_eq!(fitted.model.base().process_noise()[(1, 1)], 0.0);
}

#[test]
fn a_regression_needs_its_columns() {
    let model = StructuralModel::new("level,regression").unwrap();
    let rows = [inflation(1.0, 1.0)];
    assert!(model.log_likelihood(&[1.0, 1.0], &rows).is_err());
    assert!(
        StructuralModel::new("level")
            .unwrap()
            .with_inputs(&["u".to_owned()])
            .is_err()
    );
    assert!(StructuralModel::new("level,regression,regression:walk").is_err());
    let model = regression("level,regression");
    assert!(model.linear_gaussian(&[1.0, 1.0]).is_err());
    let mut holed = Sequence::new(2).unwrap();
    holed.push(Some(&[1.0, 2.0])).unwrap();
    holed.push(Some(&[1.0, f64::NAN])).unwrap();
    let error = model.log_likelihood(&[1.0, 1.0], &[holed]).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("observation 1, entry 1") && told.contains("unemp"),
        "{told}"
    );
}
