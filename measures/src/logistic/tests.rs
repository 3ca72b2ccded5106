//! Finite differences, closed forms, and another implementation.

use super::objective::Objective;
use super::*;
use crate::Rows;
use crate::rng::CounterRng;

/// Classes around centres of their own, `[n, features]`.
fn clusters(n: usize, features: usize, classes: usize, spread: f64) -> (Vec<f32>, Vec<u8>) {
    let mut draws = CounterRng(11);
    let centres: Vec<f64> = (0..classes * features).map(|_| draws.normal()).collect();
    let labels: Vec<u8> = (0..n).map(|i| (i % classes) as u8).collect();
    let mut x = Vec::with_capacity(n * features);
    for &label in &labels {
        for j in 0..features {
            let centre = centres[usize::from(label) * features + j];
            x.push((centre + spread * draws.normal()) as f32);
        }
    }
    (x, labels)
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    // Sizes that leave incomplete blocks, lanes and pieces.
    for (n, features, classes) in [(7, 5, 3), (130, 3, 2), (257, 9, 4)] {
        let (x, labels) = clusters(n, features, classes, 1.0);
        let labels: Vec<usize> = labels.into_iter().map(usize::from).collect();
        let objective = Objective {
            x: &x,
            features,
            labels: &labels,
            classes,
            penalty: 0.1,
        };
        let mut draws = CounterRng(12);
        let w: Vec<f64> = (0..classes * (features + 1))
            .map(|_| draws.normal())
            .collect();
        let (_, gradient) = objective.value_and_gradient(&w);
        for i in 0..w.len() {
            let h = 1e-5;
            let at = |step: f64| {
                let mut w = w.clone();
                w[i] += step;
                objective.value_and_gradient(&w).0
            };
            let difference = (at(h) - at(-h)) / (2.0 * h);
            // h² and rounding, 1e-16/h: both 1e-10 or so.
            assert!((difference - gradient[i]).abs() < 1e-8, "{i}");
        }
    }
}

#[test]
fn separable_data_are_separated() {
    let (x, labels) = clusters(300, 8, 5, 0.05);
    let x = Rows::new("codes", &x, [300, 8]).unwrap();
    let read_out = LogisticConfig::default().train(x, &labels, 5).unwrap();
    assert_eq!(read_out.accuracy(x, &labels).unwrap(), 1.0);
    assert!(read_out.converged);
    let probabilities = read_out.probabilities(x).unwrap();
    for row in probabilities.chunks_exact(5) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn without_information_the_intercepts_are_the_frequencies() {
    // One constant feature: p(k) = n_k/n exactly.
    let labels = [0u8, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let x = Rows::new("codes", &[3.0; 10], [10, 1]).unwrap();
    let config = LogisticConfig {
        tolerance: 1e-10,
        ..Default::default()
    };
    let read_out = config.train(x, &labels, 3).unwrap();
    let p = read_out.probabilities(x).unwrap();
    for (p, expected) in p.iter().zip([0.4, 0.3, 0.3]) {
        assert!((p - expected).abs() < 1e-8);
    }
    // Entropy of (0.4, 0.3, 0.3).
    let entropy = -(0.4 * 0.4f64.ln() + 0.6 * 0.3f64.ln());
    assert!((read_out.log_loss(x, &labels).unwrap() - entropy).abs() < 1e-8);
}

#[test]
fn two_points_have_a_closed_form() {
    // x = ±1, C: w₁ = −w₀ = w, b = 0; the derivative of w² − 2C ln σ(2w) is zero where w = 2C σ(−2w).
    let x = Rows::new("codes", &[-1.0, 1.0], [2, 1]).unwrap();
    for c in [0.1, 1.0, 30.0] {
        let config = LogisticConfig {
            c,
            standardise: false,
            tolerance: 1e-12,
            ..Default::default()
        };
        let read_out = config.train(x, &[0usize, 1], 2).unwrap();
        let w = read_out.weights[1];
        assert!(
            (w - 2.0 * c / (1.0 + (2.0 * w).exp())).abs() < 1e-9,
            "C {c}: w {w}"
        );
        assert!((read_out.weights[0] + w).abs() < 1e-9);
        assert!(read_out.intercepts[0].abs() < 1e-9);
    }
}

#[test]
fn another_implementation_finds_the_same_weights() {
    // scikit-learn 1.9.1, LogisticRegression(C=1, solver="newton-cholesky", tol=1e-13).
    let label = |i: usize| (i % 3) as u8;
    let entry = |i: usize, j: usize| {
        let angle = 1.0 + 1.7 * i as f64 + 2.3 * j as f64;
        let offset = f64::from(u8::from(usize::from(label(i)) == j));
        (angle.sin() + 0.5 * offset) as f32
    };
    let x: Vec<f32> = (0..90).map(|n| entry(n / 3, n % 3)).collect();
    let labels: Vec<u8> = (0..30).map(label).collect();
    let x = Rows::new("codes", &x, [30, 3]).unwrap();
    let config = LogisticConfig {
        standardise: false,
        tolerance: 1e-11,
        ..Default::default()
    };
    let read_out = config.train(x, &labels, 3).unwrap();
    let weights = [
        [0.235483186119, -0.279989574983, -0.387769941344],
        [0.115964087884, 0.636437020844, 0.035445065469],
        [-0.351447274003, -0.356447445862, 0.352324875875],
    ];
    let intercepts = [0.085619270864, -0.127231201461, 0.041611930596];
    // What the tolerance of 1e-11 leaves.
    for (found, expected) in read_out.weights.iter().zip(weights.as_flattened()) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    for (found, expected) in read_out.intercepts.iter().zip(intercepts) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    assert!(read_out.converged);
    let p = read_out.probabilities(x).unwrap();
    assert!((p[0] - 0.577233783742).abs() < 1e-9);
    assert_eq!(read_out.accuracy(x, &labels).unwrap(), 14.0 / 30.0);
}

#[test]
fn threads_change_no_bit() {
    let (x, labels) = clusters(1000, 12, 4, 2.0);
    let train = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let x = Rows::new("codes", &x, [1000, 12]).unwrap();
        let train = || LogisticConfig::default().train(x, &labels, 4).unwrap();
        pool.build().unwrap().install(train)
    };
    assert_eq!(train(1), train(3));
}

#[test]
fn nonsense_is_named() {
    let x = Rows::new("codes", &[0.0, 1.0], [2, 1]).unwrap();
    let train = |config: LogisticConfig, labels: &[u8], classes| {
        config.train(x, labels, classes).unwrap_err().to_string()
    };
    let config = LogisticConfig::default;
    assert!(train(config(), &[0], 2).contains("found 1, expected 2, as codes"));
    assert!(train(config(), &[0, 2], 2).starts_with("labels, entry 1: found 2"));
    assert!(train(config(), &[0, 0], 1).contains("`classes`"));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = LogisticConfig {
            c: bad,
            ..Default::default()
        };
        assert!(train(config, &[0, 1], 2).contains("`c`"));
    }
}

#[test]
fn extreme_features_give_finite_weights() {
    let values = [1e30, 0.0, -1e30, 1e-30, 3e30, 0.0, 1e20, -1e-30];
    let x = Rows::new("codes", &values, [4, 2]).unwrap();
    for standardise in [true, false] {
        let config = LogisticConfig {
            standardise,
            ..Default::default()
        };
        let read_out = config.train(x, &[0u8, 1, 0, 1], 2).unwrap();
        assert!(read_out.weights.iter().all(|w| w.is_finite()));
    }
}
