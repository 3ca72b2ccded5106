//! Filter and smoother.

use scotopic_filtering::gaussian::{DrivenFilter, DrivenGaussian, LinearGaussian};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::{AnyModel, Error, Filter, Sequence};

use super::{known, rows, walk};

#[test]
fn evidence_and_smoothed_beliefs_are_those_of_statsmodels() {
    let (model, data, case) = known();
    let evidence = model.log_evidence(&data).unwrap();
    let golden = case["log_evidence"].as_f64().unwrap();
    // Two filters in doubles.
    assert!(
        (evidence / golden - 1.0).abs() < 1e-12,
        "{evidence} {golden}"
    );
    let smoothed = model.smooth(&data).unwrap();
    let (means, covariances) = (
        rows(&case["smoothed_mean"]),
        rows(&case["smoothed_covariance"]),
    );
    for (t, belief) in smoothed.smoothed().iter().enumerate() {
        for i in 0..2 {
            assert!((belief.mean()[i] - means[t][i]).abs() < 1e-10, "{t} {i}");
            for j in 0..2 {
                let apart = belief.covariance()[(i, j)] - covariances[t][2 * i + j];
                assert!(apart.abs() < 1e-10, "{t} {i} {j}");
            }
        }
    }
    assert_eq!(smoothed.log_evidence(), evidence);
}

#[test]
fn inputs_that_are_added_shift_what_is_seen() {
    // By superposition: y_t − H ξ_t − D u_t with ξ_t = F ξ_{t−1} + B u_t, ξ_1 = 0, is of the model without inputs.
    let base = LinearGaussian::from_rows(
        &[[0.9, 0.3], [0.0, 0.7]],
        &[[0.2, 0.0], [0.0, 0.1]],
        &[[1.0, 0.4]],
        &[[0.3]],
    )
    .unwrap();
    let (b, d) = (DMatrix::from_row_slice(2, 1, &[0.5, -0.8]), 1.7);
    let model = DrivenGaussian::new(base.clone(), vec!["u".to_owned()])
        .unwrap()
        .with_control(b.clone())
        .unwrap()
        .with_direct(DMatrix::from_element(1, 1, d))
        .unwrap();
    let (mut driven, mut plain) = (Sequence::new(2).unwrap(), Sequence::new(1).unwrap());
    let mut shift = DMatrix::zeros(2, 1);
    for t in 0..50 {
        let x = f64::from(t);
        let (u, noise) = ((0.4 * x).cos(), (1.3 * x * x).sin());
        if t > 0 {
            shift = base.transition() * shift + &b * u;
        }
        let own = (base.observation() * &shift)[(0, 0)] + d * u;
        let seen = t % 6 != 4;
        let y = if seen { noise + own } else { f64::NAN };
        driven.push(Some(&[y, u])).unwrap();
        plain.push(seen.then_some(&[noise])).unwrap();
    }
    let (a, b) = (
        model.log_evidence(&driven).unwrap(),
        base.log_evidence(&plain).unwrap(),
    );
    // Sums of 50 terms in two orders.
    assert!((a - b).abs() < 1e-11, "{a} {b}");
}

#[test]
fn a_dynamic_regression_of_ones_is_a_level() {
    let base = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[0.5]]).unwrap();
    let base = base.with_diffuse(&[true]).unwrap();
    let numbers: Vec<f64> = (0..30).map(|t| (f64::from(t) * 1.7).sin()).collect();
    let level = base
        .log_evidence(&Sequence::of_numbers(numbers.clone()).unwrap())
        .unwrap();
    let model = DrivenGaussian::new(base, vec!["one".to_owned()]).unwrap();
    let model = model.with_regressor(0, 0, "one").unwrap();
    let rows = Sequence::of_rows(numbers.iter().map(|y| [*y, 1.0])).unwrap();
    assert!((model.log_evidence(&rows).unwrap() - level).abs() < 1e-12);
    // In other units of the input, κ of the diffuse start moves ln p by ln of the unit.
    let scaled = Sequence::of_rows(numbers.iter().map(|y| [*y, 1e9])).unwrap();
    let base = LinearGaussian::from_rows(&[[1.0]], &[[0.1e-18]], &[[1.0]], &[[0.5]]).unwrap();
    let base = base.with_diffuse(&[true]).unwrap();
    let model = DrivenGaussian::new(base, vec!["one".to_owned()]).unwrap();
    let model = model.with_regressor(0, 0, "one").unwrap();
    let moved = model.log_evidence(&scaled).unwrap() + 1e9f64.ln();
    assert!((moved - level).abs() < 1e-9, "{moved} {level}");
}

#[test]
fn a_missing_input_is_named_and_changes_nothing() {
    let mut filter = DrivenFilter::new(walk(2.0)).unwrap();
    filter.update(Some(&[1.0, 0.5])).unwrap();
    let before = filter.clone();
    for row in [
        Some(&[1.0, f64::NAN][..]),
        Some(&[f64::NAN, f64::INFINITY]),
        Some(&[1.0]),
        None,
    ] {
        let error = filter.update(row).unwrap_err();
        let Error::Observation { index, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*index, 1);
        assert!(error.to_string().contains('u'), "{error}");
        assert_eq!(filter.mean(), before.mean());
        assert_eq!(filter.observations(), 1);
        assert_eq!(filter.signal(), before.signal());
    }
    // An output that is missing is not an error.
    filter.update(Some(&[f64::NAN, 0.1])).unwrap();
    assert_eq!(filter.elbo(), before.elbo());
}

#[test]
fn files_and_snapshots_come_back() {
    let (model, data, case) = known();
    let text = serde_json::to_value(&model).unwrap();
    assert_eq!(text["observation"], case["observation"]);
    assert_eq!(
        serde_json::from_value::<DrivenGaussian>(text.clone()).unwrap(),
        model
    );
    let mut filter = DrivenFilter::new(model.clone()).unwrap();
    for (t, row) in data.iter().enumerate() {
        if t == 20 {
            let kept = serde_json::to_string(&filter).unwrap();
            filter = serde_json::from_str(&kept).unwrap();
        }
        filter.update(row).unwrap();
    }
    assert_eq!(filter.elbo(), model.log_evidence(&data).unwrap());
    for (key, wrong, said) in [
        ("inputs", serde_json::json!(["a", "a"]), "every one once"),
        ("inputs", serde_json::json!(["b"]), "`observation`: found a"),
        ("control", serde_json::json!([[1.0, 2.0]]), "control"),
        (
            "observation",
            serde_json::json!([[1.0, 0.5], [0.2, "c"]]),
            "one of the inputs a, b",
        ),
    ] {
        let mut text = text.clone();
        if key == "inputs" {
            text["control"].take();
            text["direct"].take();
        }
        text[key] = wrong;
        let error = serde_json::from_value::<DrivenGaussian>(text).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn any_model_is_smoothed_and_scored_alike() {
    let (model, data, _) = known();
    let evidence = model.log_evidence(&data).unwrap();
    let any = AnyModel::Driven(Box::new(model));
    assert_eq!((any.width(), any.inputs().len()), (4, 2));
    assert_eq!(any.smooth(&data).unwrap().elbo(), evidence);
}

/// A level and a coefficient, of a regressor far from 0: in a model of the regressor less a constant the coefficient is the same.
#[test]
fn a_regressor_far_from_zero_is_smoothed_as_one_around_it() {
    let base = LinearGaussian::from_rows(
        &[[1.0, 0.0], [0.0, 1.0]],
        &[[0.25, 0.0], [0.0, 0.0]],
        &[[1.0, 0.0]],
        &[[0.75]],
    );
    let base = base.unwrap().with_diffuse(&[true, true]).unwrap();
    let model = DrivenGaussian::new(base, vec!["u".to_owned()]).unwrap();
    let model = model.with_regressor(0, 1, "u").unwrap();
    let u = |t: usize| (t as f64 * 0.7).sin();
    let smoothed = |away: f64| {
        let rows = (0..60).map(|t| {
            let y = (t as f64 * 0.13).cos() + 2.0 * u(t) + 0.5 * (t as f64 * 2.9).sin();
            [y, away + u(t)]
        });
        let rows = Sequence::of_rows(rows).unwrap();
        let smoothed = model.smooth(&rows).unwrap().smoothed().to_vec();
        smoothed
            .iter()
            .map(|b| [b.mean()[1], b.covariance()[(1, 1)]])
            .collect::<Vec<_>>()
    };
    let expected = smoothed(0.0);
    // Rounding of the regressor itself is 1e-16 · 1e6, of its variation.
    for (away, within) in [(1e3, 1e-9), (1e6, 1e-6)] {
        for (found, expected) in smoothed(away).iter().zip(&expected) {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < within * b.abs(), "{away}: {a} {b}");
            }
        }
    }
}
