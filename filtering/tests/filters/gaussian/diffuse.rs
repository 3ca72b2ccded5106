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
