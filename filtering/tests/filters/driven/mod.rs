//! Linear-Gaussian models with inputs or times of rows, against statsmodels (`tests/golden/driven.py`) and closed forms.

mod fits;
mod irregular;
mod model;
mod units;
mod verbs;

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
use scotopic_filtering::nalgebra::DMatrix;
use serde_json::{Value, json};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/driven.json")).unwrap()
}

/// Rows with NaN for null.
fn rows(value: &Value) -> Vec<Vec<f64>> {
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let row = |row: &Value| row.as_array().unwrap().iter().map(number).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn sequence(value: &Value) -> Sequence {
    let rows = rows(value);
    let mut all = Sequence::new(rows[0].len()).unwrap();
    rows.iter().for_each(|row| all.push(Some(row)).unwrap());
    all
}

/// The model of the case `known`: two states, two outputs, B, D and an entry of H that is the input a.
fn known() -> (DrivenGaussian, Sequence, Value) {
    let case = golden()["known"].clone();
    let mut file = json!({"inputs": ["a", "b"]});
    for key in [
        "transition",
        "bias",
        "control",
        "process_noise",
        "observation",
        "offset",
        "direct",
        "observation_noise",
        "initial_mean",
        "initial_covariance",
    ] {
        file[key] = case[key].clone();
    }
    let data = sequence(&case["rows"]);
    (serde_json::from_value(file).unwrap(), data, case)
}

/// A walk seen with the direct effect of one input.
fn walk(effect: f64) -> DrivenGaussian {
    let base = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[0.5]]).unwrap();
    DrivenGaussian::new(base, vec!["u".to_owned()])
        .unwrap()
        .with_direct(DMatrix::from_element(1, 1, effect))
        .unwrap()
}
