//! Exact diffuse starts: against the limit of large variances, and least squares with a flat prior.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{Kalman, LinearGaussian, StructuralModel};
use scotopic_filtering::nalgebra::{DMatrix, DVector};

use super::structural::nile;

fn series(length: usize) -> Sequence {
    let mut s = Sequence::new(1).unwrap();
    for t in 0..length {
        let x = t as f64;
        let y = 5.0 + 0.3 * x + (1.3 * x).sin() + (x * x).cos();
        s.push((t % 6 != 4 && t != 1).then_some(&[y])).unwrap();
    }
    s
}

fn models() -> Vec<LinearGaussian> {
    [
        ("level", vec![0.7, 0.4]),
        ("trend", vec![0.7, 0.4, 0.1]),
        ("trend", vec![0.7, 0.0, 0.1]),
        ("trend,seasonal:4", vec![0.5, 0.3, 0.0, 0.0]),
        (
            "level,trigonometric:5,ar:2",
            vec![0.5, 0.3, 0.1, 0.2, 0.7, -0.3],
        ),
        ("level,arma:1:1", vec![0.0, 0.3, 0.2, 0.7, 0.4]),
    ]
    .into_iter()
    .map(|(components, values)| {
        let model = StructuralModel::new(components).unwrap();
        model.linear_gaussian(&values).unwrap()
    })
    .collect()
}

#[test]
fn the_level_of_the_nile_is_that_of_the_filter() {
    let model = StructuralModel::new("level").unwrap();
    let filter = model.linear_gaussian(&[15_098.52, 1469.18]).unwrap();
    // The reference has six decimals at these rounded parameters.
    assert!((filter.log_evidence(&nile()).unwrap() + 632.545_625).abs() < 1e-6);
}

/// Flat prior on the start δ of the diffuse states: y = A δ + e, e ~ N(0, S). The posterior of any state is Gaussian
/// least squares.
#[test]
fn smoothed_beliefs_are_those_of_least_squares() {
    let data = series(14);
    for model in models() {
        let (n, steps) = (model.states(), data.len());
        let (f, h) = (model.transition(), model.observation());
        let marked: Vec<usize> = (0..n).filter(|&i| model.diffuse()[i]).collect();
        let d = marked.len();
        // x = B δ + u, u ~ N(0, C), stacked over time.
        let (mut b, mut c) = (
            DMatrix::zeros(n * steps, d),
            DMatrix::zeros(n * steps, n * steps),
        );
        let mut power = DMatrix::identity(n, n);
        let mut p = model.initial_covariance().clone();
        for t in 0..steps {
            if t > 0 {
                power = f * power;
                p = f * p * f.transpose() + model.process_noise();
            }
            b.rows_mut(n * t, n)
                .copy_from(&power.select_columns(&marked));
            let mut cross = p.clone();
            for u in t..steps {
                if u > t {
                    cross = f * cross;
                }
                c.view_mut((n * u, n * t), (n, n)).copy_from(&cross);
                c.view_mut((n * t, n * u), (n, n))
                    .copy_from(&cross.transpose());
            }
        }
        let seen: Vec<usize> = (0..steps).filter(|&t| data.get(t).is_some()).collect();
        let k = seen.len();
        let mut look = DMatrix::zeros(k, n * steps);
        let mut y = DVector::zeros(k);
        for (r, &t) in seen.iter().enumerate() {
            look.view_mut((r, n * t), (1, n)).copy_from(h);
            y[r] = data.get(t).unwrap()[0];
        }
        let s = &look * &c * look.transpose()
            + DMatrix::identity(k, k) * model.observation_noise()[(0, 0)];
        let factor = s.cholesky().unwrap();
        let a = &look * &b;
        let information = a.transpose() * factor.solve(&a);
        let inverse = information.clone().cholesky().unwrap().inverse();
        let delta = &inverse * a.transpose() * factor.solve(&y);
        let e = &y - &a * &delta;
        let half_log_det = |l: DMatrix<f64>| l.diagonal().iter().map(|l| l.ln()).sum::<f64>();
        let log_evidence = -0.5
            * ((k - d) as f64 * std::f64::consts::TAU.ln() + e.dot(&factor.solve(&e)))
            - half_log_det(factor.l())
            - half_log_det(information.cholesky().unwrap().l());
        let found = model.smooth(&data).unwrap();
        // Inverses of matrices of condition 1e4 at most.
        assert!(
            (found.log_evidence() - log_evidence).abs() < 1e-8,
            "{model:?}"
        );
        let look_c = &look * &c;
        let gain = factor.solve(&look_c).transpose();
        let mean = &b * &delta + &gain * &e;
        let left = &b - &gain * &a;
        let covariance = &c - &gain * &look_c + &left * inverse * left.transpose();
        for (t, belief) in found.smoothed().iter().enumerate() {
            let (m, v) = (mean.rows(n * t, n), covariance.view((n * t, n * t), (n, n)));
            assert!((belief.mean() - m).amax() < 1e-8, "{t} {model:?}");
            assert!((belief.covariance() - v).amax() < 1e-8, "{t} {model:?}");
        }
        // The last filtered belief is the last smoothed one.
        let last = found.filtered().last().unwrap();
        assert!((last.mean() - found.smoothed().last().unwrap().mean()).amax() < 1e-8);
    }
}

#[test]
fn a_snapshot_of_a_diffuse_filter_goes_on_bit_for_bit() {
    for model in models() {
        let data = series(12);
        for cut in 0..8 {
            let mut whole = Kalman::new(model.clone()).unwrap().with_lag(2).unwrap();
            for y in data.iter().take(cut) {
                whole.update(y).unwrap();
            }
            let text = serde_json::to_string(&whole).unwrap();
            let mut read: Kalman = serde_json::from_str(&text).unwrap();
            assert_eq!(
                (read.diffuse(), read.elbo()),
                (whole.diffuse(), whole.elbo())
            );
            for y in data.iter().skip(cut) {
                assert_eq!(read.update(y).unwrap(), whole.update(y).unwrap());
            }
            assert_eq!(read.mean(), whole.mean());
            assert_eq!(read.covariance(), whole.covariance());
            assert_eq!(read.diffuse(), 0);
        }
    }
}

#[test]
fn what_is_not_known_yet_has_an_infinite_variance() {
    let trend = StructuralModel::new("trend").unwrap();
    let mut filter = Kalman::new(trend.linear_gaussian(&[1.0, 0.5, 0.1]).unwrap()).unwrap();
    assert_eq!(
        filter.predict_observation(0).covariance()[(0, 0)],
        f64::INFINITY
    );
    filter.update(Some(&[3.0])).unwrap();
    assert_eq!(
        (
            filter.diffuse(),
            filter.covariance()[0],
            filter.covariance()[3]
        ),
        (1, 1.0, f64::INFINITY)
    );
    assert!(filter.lagged(0).is_err() && filter.kernel().unwrap().is_none());
    filter.update(Some(&[4.0])).unwrap();
    assert_eq!(filter.diffuse(), 0);
    assert!(filter.covariance().iter().all(|v| v.is_finite()));
    assert!(filter.lagged(0).is_ok());
    // Two points, two unknowns: the line through them.
    assert_eq!(filter.mean(), [4.0, 1.0]);
    assert!(filter.predict_observation(1).covariance()[(0, 0)].is_finite());
}

#[test]
fn what_needs_a_prior_says_so() {
    let model = StructuralModel::new("level")
        .unwrap()
        .linear_gaussian(&[1.0, 0.5])
        .unwrap();
    let data = series(9);
    for error in [
        model.statistics(&data).err(),
        scotopic_filtering::gaussian::ValueRecursion::new(&model).err(),
    ] {
        assert!(error.unwrap().to_string().contains("diffuse"));
    }
}

/// World consumption of copper on a level and four prices and incomes that hang together (the set `copper` of statsmodels): the first five
/// rows hardly determine the coefficients, all rows do. The variances of coefficients that stay are the same in every row, those of
/// generalised least squares in 70 digits (mpmath).
#[test]
fn coefficients_that_stay_have_one_variance_in_all_rows() {
    let rows = [
        [3173.0, 26.56, 0.7, 19.76, 0.98],
        [3281.1, 27.31, 0.71, 20.78, 1.04],
        [3135.7, 32.95, 0.72, 22.55, 1.05],
        [3359.1, 33.9, 0.7, 23.06, 0.97],
        [3755.1, 42.7, 0.74, 24.93, 1.02],
        [3875.9, 46.11, 0.74, 26.5, 1.04],
        [3905.7, 31.7, 0.74, 27.24, 0.98],
        [3957.6, 27.23, 0.72, 26.21, 0.98],
        [4279.1, 32.89, 0.75, 26.09, 1.03],
        [4627.9, 33.78, 0.77, 27.4, 1.03],
        [4910.2, 31.66, 0.76, 26.94, 0.98],
        [4908.4, 32.28, 0.79, 25.18, 1.0],
        [5327.9, 32.38, 0.83, 23.94, 0.97],
        [5878.4, 33.75, 0.85, 25.07, 1.03],
        [6075.2, 36.25, 0.89, 25.37, 1.08],
        [6312.7, 36.24, 0.93, 24.55, 1.05],
        [6056.8, 38.23, 0.95, 24.98, 1.03],
        [6375.9, 40.83, 0.99, 24.96, 1.03],
        [6974.3, 44.62, 1.0, 25.52, 0.99],
        [7101.6, 52.27, 1.0, 26.01, 1.0],
        [7071.7, 45.16, 1.02, 25.46, 0.96],
        [7754.8, 42.5, 1.07, 22.17, 0.97],
        [8480.3, 43.7, 1.12, 18.56, 0.98],
        [8105.2, 47.88, 1.1, 21.32, 1.01],
        [7157.2, 36.33, 1.07, 22.75, 0.94],
    ];
    let names = ["copperprice", "incomeindex", "alumprice", "inventoryindex"].map(str::to_owned);
    let model = StructuralModel::new("level,regression").unwrap();
    let model = model.with_inputs(&names).unwrap();
    let driven = model.driven(&[0.0, 78_694.7]).unwrap();
    let smoothed = driven.smooth(&Sequence::of_rows(rows).unwrap()).unwrap();
    let exact = [
        (21.315_837_305_49, 194.060_214_047_196_8),
        (7_907.839_283_105_7, 6_204_961.070_190_728),
        (-60.824_452_813_115, 1_955.781_867_316_671),
        (-985.245_217_801_84, 3_180_772.256_114_283),
    ];
    for (t, belief) in smoothed.smoothed().iter().enumerate() {
        for (k, (mean, variance)) in exact.iter().enumerate() {
            let (m, v) = (belief.mean()[1 + k], belief.covariance()[(1 + k, 1 + k)]);
            // The columns together have a condition of 1e5, of which roots lose as much as digits.
            assert!((v / variance - 1.0).abs() < 1e-9, "{t} {k}: {v} {variance}");
            assert!(
                (m - mean).abs() < 1e-7 * variance.sqrt(),
                "{t} {k}: {m} {mean}"
            );
        }
    }
}
