//! Golden numbers of an independent script, tests/golden/slds.py.

use scotopic_filtering::Sequence;
use scotopic_filtering::switching::{Slds, SldsFilter};
use serde_json::Value;

use super::{close, enumerated};

/// Both sides are exact: rounding of sums of some hundred terms.
const EXACT: f64 = 1e-10;
/// A maximum where passes end at a gain of 1e-9 nats an observation: q is off by the root of what the passes left out would gain, some 1e-8.
const MAXIMUM: f64 = 1e-3;

fn read() -> (Slds, Sequence, Value) {
    let all: Value = serde_json::from_str(include_str!("../../golden/slds.json")).unwrap();
    let keys = [
        "initial",
        "transition",
        "initial_mean",
        "initial_covariance",
        "regimes",
    ];
    let file: serde_json::Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), all[*key].clone()))
        .collect();
    let model: Slds = serde_json::from_value(Value::Object(file)).unwrap();
    let mut y = Sequence::new(2).unwrap();
    for row in all["y"].as_array().unwrap() {
        let row: Vec<f64> = (row.as_array().unwrap().iter())
            .map(|y| y.as_f64().unwrap_or(f64::NAN))
            .collect();
        y.push(Some(&row)).unwrap();
    }
    (model, y, all)
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        one => one.as_f64().into_iter().collect(),
    }
}

#[track_caller]
fn all_close(found: &[f64], expected: &Value, tolerance: f64, what: &str) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        close(*found, *expected, tolerance, what);
    }
}

#[test]
fn paths_have_the_density_of_one_gaussian() {
    let (model, y, golden) = read();
    let path: Vec<usize> = (numbers(&golden["path"]).iter())
        .map(|s| *s as usize)
        .collect();
    let joint = model.path_evidence(&y, &path).unwrap();
    close(
        joint,
        golden["path_log_joint"].as_f64().unwrap(),
        EXACT,
        "path",
    );
    close(
        enumerated(&model, &y),
        golden["log_p"].as_f64().unwrap(),
        EXACT,
        "ln p",
    );
}

#[test]
fn the_smoother_finds_the_highest_bound() {
    let (model, y, golden) = read();
    let smoothed = model.smooth(&y).unwrap();
    assert!(smoothed.converged());
    let bound = golden["elbo"].as_f64().unwrap();
    close(smoothed.elbo(), bound, 1e-8, "bound");
    assert!(smoothed.elbo() < golden["log_p"].as_f64().unwrap());
    all_close(
        smoothed.regimes(),
        &golden["elbo_regimes"],
        MAXIMUM,
        "regimes",
    );
    let means: Vec<f64> = (smoothed.beliefs().iter())
        .flat_map(|q| q.mean().as_slice().to_vec())
        .collect();
    all_close(&means, &golden["elbo_means"], MAXIMUM, "means");
}

#[test]
fn the_filter_collapses_to_a_gaussian_a_regime() {
    let (model, y, golden) = read();
    let mut filter = SldsFilter::new(model).unwrap();
    let (mut sums, mut regimes) = (Vec::new(), Vec::new());
    for row in y.iter() {
        sums.push(filter.update(row).unwrap().elbo);
        regimes.extend_from_slice(filter.regimes());
    }
    all_close(&sums, &golden["score"], EXACT, "score");
    all_close(&regimes, &golden["filtered_regimes"], EXACT, "regimes");
    let last = [filter.component(0).unwrap(), filter.component(1).unwrap()];
    let means: Vec<f64> = last
        .iter()
        .flat_map(|q| q.mean().as_slice().to_vec())
        .collect();
    all_close(&means, &golden["last_components"], EXACT, "means");
}
