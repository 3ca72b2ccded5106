//! The gradient of ln p by every parameter of a file, against differences of ln p of files with one number moved.

use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
use scotopic_filtering::hmm::{DrivenHmm, Hmm};
use scotopic_filtering::{AnyModel, Coordinate, Error, Sequence, Slope};
use serde_json::{Value, json};

/// Of central differences of functions whose third derivatives are of the size of the gradient.
const STEP: f64 = 1e-5;
/// What differences of this step leave of ten to thirty nats: 1e-15·30/1e-5, and STEP² of the third derivative.
const DIFFERENCE: f64 = 2e-8;

fn chain(emission: Value) -> Value {
    json!({
        "initial": [0.3, 0.7],
        "transition": [[0.8, 0.2], [0.35, 0.65]],
        "emission": emission,
    })
}

/// Files of hidden Markov models of every emission, and observations of each; `null` is missing.
fn chains() -> Vec<(Value, Vec<Vec<f64>>)> {
    let nan = f64::NAN;
    let one = |rows: &[f64]| rows.iter().map(|y| vec![*y]).collect::<Vec<_>>();
    let pairs = vec![
        vec![0.4, -1.0],
        vec![1.3, 0.2],
        vec![nan, 0.7],
        vec![-0.2, nan],
        vec![2.0, 1.1],
        vec![0.1, -0.4],
    ];
    let counts = vec![
        vec![2.0, 0.0],
        vec![5.0, 1.0],
        vec![nan, 3.0],
        vec![1.0, 4.0],
        vec![7.0, 2.0],
    ];
    let exposed = counts.iter().enumerate();
    let exposed = exposed.map(|(t, row)| [&row[..], &[1.0 + 0.5 * t as f64]].concat());
    let given = |ys: [f64; 6]| {
        let inputs = [0.3, -1.2, 0.8, 2.0, -0.4, 1.1];
        ys.iter()
            .zip(inputs)
            .map(|(y, x)| vec![*y, x])
            .collect::<Vec<_>>()
    };
    let means = json!([[0.0, -0.5], [1.0, 0.8]]);
    let weights = json!([[0.2, -0.6], [-0.5, 0.9]]);
    vec![
        (
            json!({"kind": "categorical", "probabilities": [[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]}),
            one(&[0.0, 2.0, nan, 1.0, 2.0, 2.0]),
        ),
        (
            json!({"kind": "bernoulli", "probabilities": [[0.2, 0.7], [0.6, 0.4]]}),
            vec![
                vec![1.0, 0.0],
                vec![0.0, nan],
                vec![1.0, 1.0],
                vec![0.0, 0.0],
            ],
        ),
        (
            json!({"kind": "poisson", "rates": [[1.5, 2.0], [4.0, 0.7]]}),
            counts.clone(),
        ),
        (
            json!({"kind": "poisson", "rates": [[1.5, 2.0], [4.0, 0.7]], "exposure": "hours"}),
            exposed.collect(),
        ),
        (
            json!({"kind": "negative-binomial", "means": [[1.5, 2.0], [4.0, 0.7]], "shapes": [[0.8, 3.0], [2.0, 1.4]]}),
            counts,
        ),
        (
            json!({"kind": "diagonal-gaussian", "means": means, "variances": [[0.5, 1.0], [1.4, 0.3]]}),
            pairs.clone(),
        ),
        (
            json!({"kind": "full-gaussian", "means": means,
                   "covariances": [[[0.5, 0.2], [0.2, 1.0]], [[1.4, -0.3], [-0.3, 0.6]]]}),
            pairs.clone(),
        ),
        (
            json!({"kind": "student-t", "locations": means, "scales": [[0.5, 1.0], [1.4, 0.3]], "freedoms": [[4.0, 7.0], [2.5, 12.0]]}),
            pairs.clone(),
        ),
        (
            json!({"kind": "logistic-regression", "inputs": ["x"], "weights": weights}),
            given([1.0, 0.0, nan, 1.0, 1.0, 0.0]),
        ),
        (
            json!({"kind": "poisson-regression", "inputs": ["x"], "weights": weights}),
            given([1.0, 3.0, nan, 0.0, 2.0, 4.0]),
        ),
        (
            json!({"kind": "linear-regression", "inputs": ["x"], "weights": weights, "variances": [0.5, 1.3]}),
            given([1.0, -0.3, nan, 0.7, 2.1, 0.4]),
        ),
        (
            json!({"kind": "autoregression", "intercepts": [[3.0, 1.0], [2.0, 5.0]],
                   "coefficients": [[[[0.5, 0.1], [0.0, -0.3]]], [[[-0.2, 0.4], [0.3, 0.6]]]],
                   "covariances": [[[0.5, 0.2], [0.2, 1.0]], [[1.4, -0.3], [-0.3, 0.6]]], "origin": [4.0, 3.0]}),
            pairs.clone(),
        ),
        (
            json!({"kind": "autoregression", "intercepts": [[0.0, 0.1], [0.2, -0.5]],
                   "coefficients": [[[[0.5, 0.1], [0.0, -0.3]]], [[[-0.2, 0.4], [0.3, 0.6]]]],
                   "variances": [[0.5, 1.0], [1.4, 0.3]]}),
            pairs,
        ),
    ]
}

/// The number at `place` of nested arrays of the sizes `shape`.
fn at<'a>(value: &'a mut Value, shape: &[usize], place: usize) -> &'a mut Value {
    let mut value = value;
    let mut size: usize = shape.iter().product();
    let mut place = place;
    for n in shape {
        size /= n;
        value = &mut value[place / size];
        place %= size;
    }
    value
}

/// The parameters of the file moved by `h` in the coordinate of entry `place`; of a covariance both entries of a pair.
fn moved(file: &Value, slope: &Slope, place: usize, h: f64) -> Value {
    let mut file = file.clone();
    let key = slope.parameter;
    let holder = match file.get(key) {
        Some(_) => &mut file[key],
        None => &mut file["emission"][key],
    };
    let columns = *slope.shape.last().unwrap_or(&1);
    let row = place / columns * columns..(place / columns + 1) * columns;
    let number = |value: &Value| value.as_f64().unwrap();
    let own = number(at(holder, &slope.shape, place));
    let is_event = key == "probabilities" && !are_distributions(&slope.shape, holder);
    match slope.by {
        Coordinate::Value if key.contains("covariance") || key.ends_with("_noise") => {
            let (i, j) = (place / columns % columns, place % columns);
            let other = place / (columns * columns) * columns * columns + j * columns + i;
            *at(holder, &slope.shape, place) = json!(own + h);
            *at(holder, &slope.shape, other) = json!(own + h);
        }
        Coordinate::Value => *at(holder, &slope.shape, place) = json!(own + h),
        Coordinate::Log => *at(holder, &slope.shape, place) = json!(own * h.exp()),
        Coordinate::Logit if is_event => {
            let up = own * h.exp();
            *at(holder, &slope.shape, place) = json!(up / (up + 1.0 - own));
        }
        Coordinate::Logit => {
            *at(holder, &slope.shape, place) = json!(own * h.exp());
            let total: f64 = row
                .clone()
                .map(|k| number(at(holder, &slope.shape, k)))
                .sum();
            for k in row {
                let scaled = number(at(holder, &slope.shape, k)) / total;
                *at(holder, &slope.shape, k) = json!(scaled);
            }
        }
    }
    file
}

/// Whether each row of probabilities adds up to 1; otherwise each entry is of an event.
fn are_distributions(shape: &[usize], holder: &mut Value) -> bool {
    let row = (0..shape[1]).map(|k| at(holder, shape, k).as_f64().unwrap());
    (row.sum::<f64>() - 1.0).abs() < 1e-9
}

fn check(what: &str, file: &Value, data: &[Sequence], model: impl Fn(&Value) -> AnyModel) {
    let evidence = |file: &Value| -> f64 {
        let each = data.iter().map(|s| match model(file) {
            AnyModel::Hmm(m) => m.log_evidence(s),
            AnyModel::DrivenHmm(m) => m.log_evidence(s),
            AnyModel::LinearGaussian(m) => m.log_evidence(s),
            AnyModel::Driven(m) => m.log_evidence(s),
            _ => unreachable!("no such file here"),
        });
        each.map(Result::unwrap).sum()
    };
    let slopes = model(file).slopes(data).unwrap();
    assert!(
        (slopes.log_evidence - evidence(file)).abs() < 1e-11,
        "{what}"
    );
    for slope in &slopes.each {
        assert_eq!(slope.values.len(), slope.shape.iter().product::<usize>());
        let size = slope.values.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        for (place, found) in slope.values.iter().enumerate() {
            let difference = |h| evidence(&moved(file, slope, place, h));
            let numeric = (difference(STEP) - difference(-STEP)) / (2.0 * STEP);
            let columns = *slope.shape.last().unwrap_or(&1);
            let paired = (slope.parameter.contains("covariance")
                || slope.parameter.ends_with("_noise"))
                && place / columns % columns != place % columns;
            let expected = if paired { 2.0 * found } else { *found };
            assert!(
                (numeric - expected).abs() <= DIFFERENCE * size.max(1.0),
                "{what} {}[{place}] by {}: {expected}, and differences {numeric}",
                slope.parameter,
                slope.by.name()
            );
        }
    }
    // Parts add up.
    let mut sum = model(file).slopes(&data[..1]).unwrap();
    sum.add(&model(file).slopes(&data[1..]).unwrap()).unwrap();
    for (a, b) in sum.each.iter().zip(&slopes.each) {
        let pairs = a.values.iter().zip(&b.values);
        pairs.for_each(|(a, b)| assert!((a - b).abs() <= 1e-10 * b.abs().max(1.0), "{what}"));
    }
}

fn two(rows: &[Vec<f64>]) -> [Sequence; 2] {
    let of = |rows: &[Vec<f64>]| {
        let mut sequence = Sequence::new(rows[0].len()).unwrap();
        for row in rows {
            let all_missing = row.iter().all(|y| y.is_nan());
            sequence.push((!all_missing).then_some(&row[..])).unwrap();
        }
        sequence
    };
    let turned: Vec<_> = rows.iter().rev().cloned().collect();
    [of(rows), of(&turned)]
}

fn hmm(file: &Value) -> AnyModel {
    AnyModel::Hmm(serde_json::from_value::<Hmm>(file.clone()).unwrap())
}

#[test]
fn of_every_emission_they_are_differences() {
    for (emission, rows) in chains() {
        let what = emission["kind"].to_string();
        check(&what, &chain(emission), &two(&rows), hmm);
    }
}

#[test]
fn of_driven_transitions_they_are_differences() {
    let mut file = chain(json!({"kind": "poisson", "rates": [[1.0], [9.0]]}));
    file["transition_inputs"] = json!(["v"]);
    file["transition_origin"] = json!([0.5]);
    file["transition_weights"] = json!([[[0.2], [-1.0]], [[1.5], [0.3]]]);
    let rows: Vec<Vec<f64>> = [(2.0, 0.1), (7.0, 1.0), (0.0, -0.7), (11.0, 0.4), (3.0, 2.0)]
        .map(|(y, v)| vec![y, v])
        .to_vec();
    check("driven", &file, &two(&rows), |file| {
        AnyModel::DrivenHmm(Box::new(
            serde_json::from_value::<DrivenHmm>(file.clone()).unwrap(),
        ))
    });
}

fn linear() -> Value {
    json!({
        "transition": [[0.9, 0.2], [-0.1, 0.7]],
        "process_noise": [[0.3, 0.1], [0.1, 0.5]],
        "observation": [[1.0, 0.4], [0.2, -0.8]],
        "observation_noise": [[0.6, -0.2], [-0.2, 0.9]],
        "bias": [0.1, -0.2],
        "offset": [0.5, 0.0],
        "initial_mean": [0.3, 0.1],
        "initial_covariance": [[1.0, 0.2], [0.2, 2.0]],
    })
}

#[test]
fn of_linear_models_they_are_differences() {
    let nan = f64::NAN;
    let rows = vec![
        vec![0.4, -1.0],
        vec![1.3, 0.2],
        vec![nan, nan],
        vec![-0.2, nan],
        vec![2.0, 1.1],
    ];
    check("linear", &linear(), &two(&rows), |file| {
        AnyModel::LinearGaussian(serde_json::from_value::<LinearGaussian>(file.clone()).unwrap())
    });
    let mut file = linear();
    file["inputs"] = json!(["u", "x"]);
    file["control"] = json!([[0.2, 0.0], [0.0, -0.4]]);
    file["direct"] = json!([[0.0, 0.3], [0.5, 0.1]]);
    let given: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(t, y)| [&y[..], &[0.3 * t as f64, 1.0 - t as f64]].concat())
        .collect();
    check("driven", &file, &two(&given), |file| {
        AnyModel::Driven(Box::new(
            serde_json::from_value::<DrivenGaussian>(file.clone()).unwrap(),
        ))
    });
}

#[test]
fn what_has_no_gradient_says_why() {
    let mut file = linear();
    for key in ["initial_mean", "initial_covariance"] {
        file.as_object_mut().unwrap().remove(key);
    }
    file["diffuse"] = json!([true, true]);
    let diffuse: LinearGaussian = serde_json::from_value(file).unwrap();
    let rows = two(&[vec![0.1, 0.2], vec![0.4, 0.0]]);
    let refused = AnyModel::LinearGaussian(diffuse).slopes(&rows);
    assert!(
        matches!(refused, Err(Error::Unsupported { .. })),
        "{refused:?}"
    );
    let of = |file: Value| {
        hmm(&file)
            .slopes(&[Sequence::of_numbers([1.0]).unwrap()])
            .unwrap()
    };
    let counts = of(chain(json!({"kind": "poisson", "rates": [[1.0], [9.0]]})));
    let mut symbols = of(chain(
        json!({"kind": "categorical", "probabilities": [[0.5, 0.5], [0.1, 0.9]]}),
    ));
    let before = symbols.clone();
    assert!(matches!(symbols.add(&counts), Err(Error::Size { .. })));
    assert_eq!(symbols, before);
}
