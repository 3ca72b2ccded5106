//! Partly missing rows: the marginalised answers, exactly.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::GaussianFactorisation::*;
use scotopic_filtering::gaussian::{GaussianFit, Kalman, LinearGaussian};
use scotopic_filtering::nalgebra::{DMatrix, DVector};

/// Sums of some hundred terms of order 1, in two orders.
const ROUNDING: f64 = 1e-10;

fn wave(k: usize) -> f64 {
    (1.0 + 0.7 * k as f64).sin()
}

fn model() -> LinearGaussian {
    let noise = |n: usize, k: usize| {
        let a = DMatrix::from_fn(n, n, |i, j| 0.5 * wave(k + 3 * i + j));
        &a * a.transpose() + DMatrix::identity(n, n) * 0.2
    };
    LinearGaussian::new(
        DMatrix::from_row_slice(2, 2, &[0.8, 0.3, -0.2, 0.7]),
        noise(2, 5),
        DMatrix::from_fn(3, 2, |i, j| wave(7 * i + 2 * j)),
        noise(3, 11),
    )
    .and_then(|m| {
        m.with_bias(
            DVector::from_vec(vec![0.2, -0.1]),
            DVector::from_vec(vec![1.0, 0.0, -2.0]),
        )
    })
    .and_then(|m| m.with_initial(DVector::from_vec(vec![0.5, 0.5]), noise(2, 17)))
    .unwrap()
}

/// The model of the entries `seen` alone.
fn reduced(model: &LinearGaussian, seen: &[usize]) -> LinearGaussian {
    let r = model.observation_noise();
    LinearGaussian::new(
        model.transition().clone(),
        model.process_noise().clone(),
        model.observation().select_rows(seen),
        r.select_rows(seen).select_columns(seen),
    )
    .and_then(|m| m.with_bias(model.bias().clone(), model.offset().select_rows(seen)))
    .and_then(|m| {
        m.with_initial(
            model.initial_mean().clone(),
            model.initial_covariance().clone(),
        )
    })
    .unwrap()
}

fn row(t: usize) -> [f64; 3] {
    [0, 1, 2].map(|i| 2.0 * wave(40 + 5 * t + i))
}

/// Rows of which entry i is missing where `missing(t, i)`.
fn series(length: usize, missing: impl Fn(usize, usize) -> bool) -> Sequence {
    let mut s = Sequence::new(3).unwrap();
    for t in 0..length {
        let mut row = row(t);
        (0..3)
            .filter(|&i| missing(t, i))
            .for_each(|i| row[i] = f64::NAN);
        s.push(Some(&row)).unwrap();
    }
    s
}

#[test]
fn an_entry_that_is_always_missing_is_as_a_model_without_it() {
    let model = model();
    for gone in 0..3 {
        let seen: Vec<usize> = (0..3).filter(|&i| i != gone).collect();
        let small = reduced(&model, &seen);
        let partly = series(25, |_, i| i == gone);
        let rows = (0..25).map(|t| seen.iter().map(|&i| row(t)[i]).collect::<Vec<_>>());
        let whole = Sequence::of_rows(rows).unwrap();
        for kind in [
            Reversed,
            TemporalMeanField,
            Diagonal,
            Decoupled,
            FrozenMeanField,
            Jelbo,
        ] {
            let (a, b) = (
                model.posterior(&partly, kind).unwrap(),
                small.posterior(&whole, kind).unwrap(),
            );
            assert!((a.elbo() - b.elbo()).abs() < ROUNDING, "{kind:?}");
            assert!((a.log_evidence() - b.log_evidence()).abs() < ROUNDING);
            for (a, b) in a.marginals().iter().zip(b.marginals()) {
                assert!((a.mean() - b.mean()).amax() < ROUNDING, "{kind:?}");
                assert!(
                    (a.covariance() - b.covariance()).amax() < ROUNDING,
                    "{kind:?}"
                );
            }
        }
        let (a, b) = (
            model.gradient(&partly).unwrap(),
            small.gradient(&whole).unwrap(),
        );
        assert!((a.transition - b.transition).amax() < ROUNDING);
        assert!((a.process_noise - b.process_noise).amax() < ROUNDING);
        for (k, &i) in seen.iter().enumerate() {
            assert!((a.offset[i] - b.offset[k]).abs() < ROUNDING);
            for (l, &j) in seen.iter().enumerate() {
                let (a, b) = (a.observation_noise[(i, j)], b.observation_noise[(k, l)]);
                assert!((a - b).abs() < ROUNDING);
            }
        }
        // What is not seen says nothing of its own parameters.
        assert!(a.offset[gone].abs() < ROUNDING);
        assert!(a.observation_noise[(gone, gone)].abs() < ROUNDING);
    }
}

/// ln N of all numbers seen, from their joint covariance.
fn dense(model: &LinearGaussian, data: &Sequence) -> f64 {
    let (n, steps) = (model.states(), data.len());
    let (f, h) = (model.transition(), model.observation());
    let (mut mean, mut covariance) = (
        DVector::zeros(n * steps),
        DMatrix::zeros(n * steps, n * steps),
    );
    let (mut m, mut p) = (
        model.initial_mean().clone(),
        model.initial_covariance().clone(),
    );
    for t in 0..steps {
        if t > 0 {
            m = f * m + model.bias();
            p = f * p * f.transpose() + model.process_noise();
        }
        mean.rows_mut(n * t, n).copy_from(&m);
        let mut cross = p.clone();
        for u in t..steps {
            if u > t {
                cross = f * cross;
            }
            covariance
                .view_mut((n * u, n * t), (n, n))
                .copy_from(&cross);
            covariance
                .view_mut((n * t, n * u), (n, n))
                .copy_from(&cross.transpose());
        }
    }
    let mut rows: Vec<(usize, usize, f64)> = Vec::new();
    for (t, y) in data.iter().enumerate() {
        let seen = y
            .into_iter()
            .flatten()
            .enumerate()
            .filter(|(_, v)| !v.is_nan());
        rows.extend(seen.map(|(i, v)| (t, i, *v)));
    }
    let k = rows.len();
    let mut look = DMatrix::zeros(k, n * steps);
    for (r, &(t, i, _)) in rows.iter().enumerate() {
        look.view_mut((r, n * t), (1, n)).copy_from(&h.row(i));
    }
    let e = DVector::from_fn(k, |r, _| rows[r].2 - model.offset()[rows[r].1]) - &look * mean;
    let mut s = &look * covariance * look.transpose();
    for (a, &(t, i, _)) in rows.iter().enumerate() {
        for (b, &(u, j, _)) in rows.iter().enumerate() {
            if t == u {
                s[(a, b)] += model.observation_noise()[(i, j)];
            }
        }
    }
    let factor = s.cholesky().unwrap();
    let log_det: f64 = factor.l().diagonal().iter().map(|l| 2.0 * l.ln()).sum();
    -0.5 * (k as f64 * std::f64::consts::TAU.ln() + log_det + e.dot(&factor.solve(&e)))
}

fn holes() -> Sequence {
    series(12, |t, i| (3 * t + 5 * i) % 4 == 0 || t == 7)
}

#[test]
fn the_evidence_of_any_pattern_is_that_of_the_joint_distribution() {
    let (model, data) = (model(), holes());
    assert_eq!(data.get(7), None);
    let found = model.log_evidence(&data).unwrap();
    assert!((found - dense(&model, &data)).abs() < ROUNDING);
}

#[test]
fn the_gradient_is_the_slope_of_the_evidence() {
    let (model, data) = (model(), holes());
    let gradient = model.gradient(&data).unwrap();
    // Central differences: an error of third order, some 1e-9 here.
    let step = 1e-5;
    let slope = |change: &dyn Fn(f64) -> LinearGaussian| {
        let at = |h: f64| change(h).log_evidence(&data).unwrap();
        (at(step) - at(-step)) / (2.0 * step)
    };
    for (i, j) in [(0, 0), (1, 1), (2, 2), (0, 1), (1, 2)] {
        let changed = |h: f64| {
            let mut r = model.observation_noise().clone();
            r[(i, j)] += h;
            if i != j {
                r[(j, i)] += h;
            }
            LinearGaussian::new(
                model.transition().clone(),
                model.process_noise().clone(),
                model.observation().clone(),
                r,
            )
            .and_then(|m| m.with_bias(model.bias().clone(), model.offset().clone()))
            .and_then(|m| {
                m.with_initial(
                    model.initial_mean().clone(),
                    model.initial_covariance().clone(),
                )
            })
            .unwrap()
        };
        let both = if i == j { 1.0 } else { 2.0 };
        let found = both * gradient.observation_noise[(i, j)];
        assert!((found - slope(&changed)).abs() < 1e-6, "R {i} {j}");
    }
    for i in 0..3 {
        let changed = |h: f64| {
            let mut d = model.offset().clone();
            d[i] += h;
            model.clone().with_bias(model.bias().clone(), d).unwrap()
        };
        assert!((gradient.offset[i] - slope(&changed)).abs() < 1e-6, "d {i}");
    }
}

#[test]
fn em_never_lowers_the_evidence() {
    let data = [series(60, |t, i| (7 * t + 3 * i) % 5 < 2)];
    let fit = model().fit(&data, &GaussianFit::default()).unwrap();
    assert!(fit.log_evidence.windows(2).all(|w| w[1] >= w[0] - 1e-9));
    assert!(fit.log_evidence.last().unwrap() > &(fit.log_evidence[0] + 1.0));
}

#[test]
fn whole_rows_keep_their_bits_and_empty_ones_are_missing() {
    let model = model();
    let mut filters = [0, 1].map(|_| Kalman::new(model.clone()).unwrap());
    for t in 0..20 {
        let y = row(t);
        let [a, b] = &mut filters;
        if t % 3 == 1 {
            a.update(None).unwrap();
            b.update(Some(&[f64::NAN; 3])).unwrap();
        } else {
            a.update(Some(&y)).unwrap();
            b.update(Some(&y)).unwrap();
        }
        assert_eq!(a.mean(), b.mean());
        assert_eq!(a.covariance(), b.covariance());
        assert_eq!(a.elbo(), b.elbo());
    }
    assert!(filters[0].update(Some(&[f64::INFINITY, 0.0, 0.0])).is_err());
}
