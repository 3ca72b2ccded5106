//! Inputs in transitions: against the model without, differences, and independent numbers (`tests/golden/transitions.py`).

use scotopic_filtering::hmm::{
    Categorical, DrivenHmm, DrivenHmmFilter, Emission, Hmm, LogisticRegression, Poisson,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{
    AnyFilter, AnyModel, Belief, Decoding, Error, Filter, ForecastSettings, Sequence,
};
use serde_json::Value;

use super::{numbers, rows};

/// Sums of hundreds of logarithms, in another order.
const ORACLE: f64 = 1e-8;

pub fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/transitions.json")).unwrap()
}

/// Rows in which null is missing.
pub fn golden_rows(golden: &Value) -> Sequence {
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let row = |row: &Value| -> Vec<f64> { row.as_array().unwrap().iter().map(number).collect() };
    Sequence::of_rows(golden["rows"].as_array().unwrap().iter().map(row)).unwrap()
}

fn choices(golden: &Value) -> DrivenHmm {
    let names = ["contrast", "previous"].map(str::to_owned).to_vec();
    let emission = LogisticRegression::new(names, rows(&golden["emission"])).unwrap();
    let initial = numbers(&golden["initial"]);
    let base = Hmm::new(initial, rows(&golden["transition"]), emission.into()).unwrap();
    let weights = golden["weights"].as_array().unwrap().iter().map(rows);
    DrivenHmm::new(base, vec!["contrast".to_owned(), "reward".to_owned()])
        .unwrap()
        .with_weights(weights.collect())
        .unwrap()
        .with_origin(numbers(&golden["origin"]))
        .unwrap()
}

fn counts() -> Hmm {
    let emission = Poisson::new(vec![vec![0.5], vec![3.0], vec![9.0]]).unwrap();
    let transition = vec![
        vec![0.8, 0.15, 0.05],
        vec![0.1, 0.7, 0.2],
        vec![0.0, 0.3, 0.7],
    ];
    Hmm::new(vec![0.5, 0.2, 0.3], transition, emission.into()).unwrap()
}

/// Weights of two inputs, without a pattern.
fn weights() -> Vec<Vec<Vec<f64>>> {
    let w = |n: usize| (2.3 * n as f64).sin();
    let entry = |i: usize, j: usize| vec![w(7 * i + 3 * j + 1), w(5 * i + 2 * j + 2)];
    (0..3)
        .map(|i| (0..3).map(|j| entry(i, j)).collect())
        .collect()
}

fn driven() -> DrivenHmm {
    let new = DrivenHmm::new(counts(), vec!["a".to_owned(), "b".to_owned()]).unwrap();
    let new = new.with_weights(weights()).unwrap();
    new.with_origin(vec![0.3, -0.2]).unwrap()
}

/// Counts, some missing, and two inputs.
fn data(length: usize) -> Sequence {
    let row = |t: usize| {
        let y = if t % 7 == 3 {
            f64::NAN
        } else {
            (t * t % 11) as f64
        };
        [y, (1.7 * t as f64).sin(), (0.9 * t as f64).cos()]
    };
    Sequence::of_rows((0..length).map(row)).unwrap()
}

#[test]
fn without_weights_it_is_the_model_without_inputs() {
    let sequence = data(60);
    let mut own = Sequence::new(1).unwrap();
    for row in sequence.iter() {
        own.push(row.map(|row| &row[..1])).unwrap();
    }
    let plain = counts().smooth(&own).unwrap();
    let new = DrivenHmm::new(counts(), vec!["a".to_owned(), "b".to_owned()]).unwrap();
    let found = new.smooth(&sequence).unwrap();
    assert!((found.log_evidence() - plain.log_evidence()).abs() < 1e-12);
    for (a, b) in found.marginals().iter().zip(plain.marginals()) {
        assert!((a - b).abs() < 1e-12);
    }
    let (path, joint) = new.viterbi(&sequence).unwrap();
    let (expected, height) = counts().viterbi(&own).unwrap();
    assert_eq!(path, expected);
    assert!((joint - height).abs() < 1e-12);
}

#[test]
fn an_independent_recursion_has_the_same_numbers() {
    let golden = golden();
    let (model, sequence) = (choices(&golden), golden_rows(&golden));
    assert_eq!(model.inputs(), ["contrast", "previous", "reward"]);
    let smoothed = model.smooth(&sequence).unwrap();
    let expected = golden["log_evidence"].as_f64().unwrap();
    assert!((smoothed.log_evidence() - expected).abs() < ORACLE);
    let mut filter = DrivenHmmFilter::new(model.clone());
    let (filtered, marginals) = (rows(&golden["filtered"]), rows(&golden["smoothed"]));
    for (t, row) in sequence.iter().enumerate() {
        filter.update(row).unwrap();
        if t % 50 == 0 {
            let own = &smoothed.marginals()[3 * t..3 * t + 3];
            let filtered = filter.belief().iter().zip(&filtered[t / 50]);
            let all = filtered.chain(own.iter().zip(&marginals[t / 50]));
            all.for_each(|(a, b)| assert!((a - b).abs() < ORACLE, "{t}: {a} and {b}"));
        }
    }
    assert_eq!(filter.elbo(), smoothed.log_evidence());
    let path: Vec<f64> = numbers(&golden["path"]);
    let decoded = AnyModel::DrivenHmm(Box::new(model))
        .decode(&sequence, Decoding::Viterbi)
        .unwrap();
    let found: Vec<f64> = decoded.states.iter().map(|s| *s as f64).collect();
    assert_eq!(found, path);
    assert!((decoded.log_joint - golden["log_joint"].as_f64().unwrap()).abs() < ORACLE);
}

#[test]
fn the_gradient_is_that_of_differences() {
    let sequences = [data(40), data(25)];
    let model = driven();
    let gradient = model.gradient(&sequences).unwrap();
    let evidence = |model: &DrivenHmm| -> f64 {
        sequences
            .iter()
            .map(|s| model.log_evidence(s).unwrap())
            .sum()
    };
    // Error of order h² = 1e-10 times third derivatives of order 10, rounding 1e-14/h.
    let h = 1e-5;
    let check = |found: f64, at: &dyn Fn(f64) -> DrivenHmm, what: String| {
        let difference = (evidence(&at(h)) - evidence(&at(-h))) / (2.0 * h);
        let close = (found - difference).abs() < 1e-7 * (1.0 + difference.abs());
        assert!(close, "{what}: {found} and {difference}");
    };
    for i in 0..3 {
        for j in 0..3 {
            for m in 0..2 {
                let at = |d: f64| {
                    let mut w = weights();
                    w[i][j][m] += d;
                    model.clone().with_weights(w).unwrap()
                };
                let found = gradient.weights[(i * 3 + j) * 2 + m];
                check(found, &at, format!("w[{i}][{j}][{m}]"));
            }
            let at = |d: f64| {
                let base = counts();
                let mut a: Vec<Vec<f64>> =
                    base.transition().chunks(3).map(<[f64]>::to_vec).collect();
                a[i][j] *= d.exp();
                let total: f64 = a[i].iter().sum();
                a[i].iter_mut().for_each(|p| *p /= total);
                let base = Hmm::new(base.initial().to_vec(), a, base.emission().clone()).unwrap();
                let new = DrivenHmm::new(base, model.transition_inputs()).unwrap();
                let new = new.with_weights(weights()).unwrap();
                new.with_origin(model.origin().to_vec()).unwrap()
            };
            check(gradient.transition[i * 3 + j], &at, format!("A[{i}][{j}]"));
        }
    }
}

#[test]
fn a_snapshot_goes_on_bit_for_bit_and_an_error_changes_nothing() {
    let sequence = data(30);
    let mut filter = AnyFilter::new(AnyModel::DrivenHmm(Box::new(driven())), "reversed").unwrap();
    let mut at = Vec::new();
    for row in sequence.iter() {
        let text = serde_json::to_string(&filter).unwrap();
        let mut again: AnyFilter = serde_json::from_str(&text).unwrap();
        let step = filter.update(row).unwrap();
        assert_eq!(again.update(row).unwrap(), step);
        assert_eq!(
            serde_json::to_string(&again).unwrap(),
            serde_json::to_string(&filter).unwrap()
        );
        at.push(step.elbo);
    }
    let before = serde_json::to_string(&filter).unwrap();
    for (row, said) in [
        (Some(&[1.0, f64::NAN, 0.0][..]), "a missing input"),
        (None, "a missing input"),
        (Some(&[0.5, 0.0, 0.0]), "count"),
        (Some(&[1.0, 0.0]), "3 entries"),
        (Some(&[1.0, f64::INFINITY, 0.0]), "finite"),
    ] {
        let error = filter.update(row).unwrap_err();
        assert!(
            matches!(error, Error::Observation { index: 30, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(serde_json::to_string(&filter).unwrap(), before);
    }
    assert_eq!(at[29], driven().log_evidence(&sequence).unwrap());
}

#[test]
fn a_symbol_that_is_missing_is_summed_over() {
    let seen = Categorical::new(vec![vec![0.8, 0.2], vec![0.3, 0.7]]).unwrap();
    let transition = vec![vec![0.9, 0.1], vec![0.2, 0.8]];
    let base = Hmm::new(vec![0.6, 0.4], transition, seen.into()).unwrap();
    let weights = vec![vec![vec![0.0], vec![1.5]], vec![vec![-2.0], vec![0.5]]];
    let model = DrivenHmm::new(base, vec!["cue".to_owned()]).unwrap();
    let model = model.with_weights(weights).unwrap();
    let with = |y: f64| {
        // The first input has no effect, and may be missing.
        let rows = [[0.0, f64::NAN], [1.0, 0.5], [y, -1.0], [1.0, 2.0]];
        model
            .log_evidence(&Sequence::of_rows(rows).unwrap())
            .unwrap()
    };
    let sum = (with(0.0).exp() + with(1.0).exp()).ln();
    assert!((with(f64::NAN) - sum).abs() < 1e-14);
}

#[test]
fn a_forecast_goes_through_the_transitions_of_its_inputs() {
    let (model, sequence) = (driven(), data(12));
    let mut filter =
        AnyFilter::new(AnyModel::DrivenHmm(Box::new(model.clone())), "reversed").unwrap();
    sequence.iter().for_each(|row| {
        filter.update(row).unwrap();
    });
    let inputs = vec![vec![0.4, -1.0], vec![1.2, 0.3]];
    let settings = ForecastSettings {
        ahead: 2,
        samples: 20_000,
        inputs: inputs.clone(),
        ..ForecastSettings::default()
    };
    let forecast = filter.forecast(&settings).unwrap();
    let Belief::Discrete(q) = filter.belief() else {
        panic!("states");
    };
    let mut q = q.to_vec();
    let rates = [0.5, 3.0, 9.0];
    for (h, v) in inputs.iter().enumerate() {
        let a = model.transition_at(v).unwrap();
        q = (0..3)
            .map(|j| (0..3).map(|i| q[i] * a[3 * i + j]).sum())
            .collect();
        let mean: f64 = q.iter().zip(rates).map(|(q, r)| q * r).sum();
        assert!((forecast.mean[h][0] - mean).abs() < 1e-12);
        let drawn = forecast
            .samples
            .iter()
            .map(|s| s.get(h).unwrap()[0])
            .sum::<f64>()
            / 20_000.0;
        // Four standard errors of the mean of the draws.
        assert!((drawn - mean).abs() < 4.0 * (forecast.variance[h][0] / 20_000.0).sqrt());
    }
    let none = filter.forecast(&ForecastSettings::default()).unwrap_err();
    assert!(none.to_string().contains("a, b"), "{none}");
    let more = filter.predictive_given(2, &inputs[0]).unwrap_err();
    assert!(more.to_string().contains("every step"), "{more}");
}

#[test]
fn samples_follow_the_transitions_of_their_inputs() {
    let model = driven();
    let (n, given) = (40_000, [0.7, 0.1]);
    let inputs = Sequence::of_rows((0..n).map(|_| given)).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let (states, rows) = model.sample_given(&inputs, &mut rng).unwrap();
    assert_eq!(rows.get(5).unwrap()[1..], given);
    let a = model.transition_at(&given).unwrap();
    for i in 0..3 {
        let left = states[..n - 1].iter().filter(|s| **s == i).count() as f64;
        for j in 0..3 {
            let went = states.windows(2).filter(|w| w == &[i, j]).count() as f64;
            let p = a[3 * i + j];
            // Four standard errors of a share, and nothing of what is impossible.
            assert!(
                (went / left - p).abs() <= 4.0 * (p * (1.0 - p) / left).sqrt(),
                "{i} to {j}"
            );
        }
    }
    assert!(
        AnyModel::DrivenHmm(Box::new(model))
            .sample(10, &mut rng)
            .is_err()
    );
}

#[test]
fn a_model_told_at_other_inputs_is_the_same() {
    let (model, sequence) = (driven(), data(50));
    let other = model.clone().about(vec![-2.0, 1.5]).unwrap();
    assert!(other.base().transition() != model.base().transition());
    let (a, b) = (
        model.log_evidence(&sequence).unwrap(),
        other.log_evidence(&sequence).unwrap(),
    );
    assert!((a - b).abs() < 1e-12 * a.abs(), "{a} and {b}");
}

#[test]
fn what_cannot_be_is_named() {
    let new = |names: &[&str]| {
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        DrivenHmm::new(counts(), names).map_err(|e| e.to_string())
    };
    assert!(new(&[]).unwrap_err().contains("transition_inputs"));
    assert!(
        new(&["a", "a"])
            .unwrap_err()
            .contains("transition_inputs[1]")
    );
    let one = new(&["a"]).unwrap();
    let ragged = one
        .clone()
        .with_weights(vec![vec![vec![0.0]; 3]; 2])
        .unwrap_err();
    assert!(
        ragged.to_string().contains("transition_weights"),
        "{ragged}"
    );
    let wrong = one
        .clone()
        .with_weights(vec![vec![vec![f64::NAN]; 3]; 3])
        .unwrap_err();
    assert!(
        wrong.to_string().contains("transition_weights[0][0]"),
        "{wrong}"
    );
    let steep = one
        .clone()
        .with_weights(vec![vec![vec![1e10]; 3]; 3])
        .unwrap();
    let far = steep.transition_at(&[1e300]).unwrap_err();
    assert!(far.to_string().contains("range"), "{far}");
    assert!(
        one.with_origin(vec![])
            .unwrap_err()
            .to_string()
            .contains("transition_origin")
    );
    assert_eq!(counts().emission().width(), 1);
}
