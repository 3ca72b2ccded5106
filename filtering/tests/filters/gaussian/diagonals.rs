//! Covariances that are learned as diagonal matrices, whatever F and H are.

use scotopic_filtering::gaussian::{
    GaussianFit, Learned, LinearGaussian, StructuralModel, StructuralSettings,
};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::{Error, Sequence};
use serde_json::json;

use super::diffuse_fits::noises;
use super::structural::series;

fn is_diagonal(m: &DMatrix<f64>) -> bool {
    (0..m.nrows()).all(|i| (0..m.ncols()).all(|j| i == j || m[(i, j)] == 0.0))
}

/// A local linear trend has variances and no covariance: the same maximum as that of the structural model.
#[test]
fn a_trend_with_diagonal_noise_is_the_structural_one() {
    let monthly = series(include_str!("../../../../examples/co2-monthly.csv"));
    let data = [Sequence::of_numbers(monthly.iter().flatten().map(|y| y[0]).take(150)).unwrap()];
    let trend = StructuralModel::new("trend").unwrap();
    let expected = trend.fit(&data, &StructuralSettings::default()).unwrap();
    let file = json!({
        "transition": [[1.0, 1.0], [0.0, 1.0]], "process_noise": [[0.1, 0.0], [0.0, 0.1]],
        "observation": [[1.0, 0.0]], "observation_noise": [[0.1]]
    });
    let start: LinearGaussian = serde_json::from_value(file).unwrap();
    let found = start.maximum_likelihood(&data, &noises(true)).unwrap();
    let end = *found.log_evidence.last().unwrap();
    // Both gradients end below 1e-4, in coordinates of order 1.
    assert!(
        found.converged && (end - expected.log_likelihood).abs() < 1e-4,
        "{end} {}",
        expected.log_likelihood
    );
    assert!(is_diagonal(found.model.process_noise()));
    assert_eq!(
        found.model.learned_parameters(&noises(true).learned),
        expected.free_parameters
    );
    // A covariance of level and slope can only gain.
    let full = start.maximum_likelihood(&data, &noises(false)).unwrap();
    assert!(*full.log_evidence.last().unwrap() > end - 1e-6);
    assert!(!is_diagonal(full.model.process_noise()));
}

fn two_columns() -> Sequence {
    let row = |t: i32| {
        let x = f64::from(t);
        let e = |k: f64| (x * x * k).sin();
        [
            (0.3 * x).sin() + 0.5 * e(0.37),
            (0.3 * x + 0.8).sin() + 0.4 * e(0.91),
        ]
    };
    Sequence::of_rows((0..120).map(row)).unwrap()
}

/// A guess from the data has full F and H; EM and the search of the maximum keep its covariances diagonal, and lose nothing on the way.
#[test]
fn a_guess_from_data_is_learned_with_diagonal_noise() {
    let data = [two_columns()];
    let start = LinearGaussian::initial_guess(2, &data).unwrap();
    assert!(!start.is_diagonal());
    let learned = Learned {
        diagonal: true,
        ..Learned::default()
    };
    let fit = GaussianFit {
        max_iterations: 300,
        learned,
        pseudo_count: 0.01,
        ..GaussianFit::default()
    };
    let without = GaussianFit {
        max_iterations: 30,
        pseudo_count: 0.0,
        ..fit.clone()
    };
    let em = start.fit(&data, &without).unwrap();
    let trace = &em.log_evidence;
    assert!(trace.windows(2).all(|w| w[1] >= w[0] - 1e-9), "{trace:?}");
    let found = start.maximum_likelihood(&data, &fit).unwrap();
    assert!(found.converged, "{found:?}");
    for model in [&em.model, &found.model] {
        for m in [
            model.process_noise(),
            model.observation_noise(),
            model.initial_covariance(),
        ] {
            assert!(is_diagonal(m), "{m}");
        }
        assert!(!is_diagonal(model.transition()) && !is_diagonal(model.observation()));
    }
    // Full covariances: a basis has Q and P0 diagonal, and R has one covariance more.
    let all = start.learned_parameters(&Learned::default());
    assert_eq!(start.learned_parameters(&learned) + 1, all);
}

/// What has covariances to begin with cannot keep to its diagonal; what is not learned may have them.
#[test]
fn a_full_covariance_is_refused_where_it_is_learned() {
    let model = LinearGaussian::from_rows(
        &[[0.9, 0.1], [0.0, 0.5]],
        &[[1.0, 0.2], [0.2, 1.0]],
        &[[1.0, 0.0], [0.0, 1.0]],
        &[[1.0, 0.0], [0.0, 1.0]],
    )
    .unwrap();
    let data = [two_columns()];
    let error = model.maximum_likelihood(&data, &noises(true)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Setting {
                field: "learned.diagonal",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("Q with covariances"), "{error}");
    let only_r = GaussianFit {
        learned: Learned {
            process_noise: false,
            ..noises(true).learned
        },
        ..noises(true)
    };
    let found = model.maximum_likelihood(&data, &only_r).unwrap();
    assert_eq!(found.model.process_noise(), model.process_noise());
    assert!(is_diagonal(found.model.observation_noise()));
}
