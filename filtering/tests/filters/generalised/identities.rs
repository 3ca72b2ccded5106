//! The causal filter against closed forms: Kalman filters (eqs. G36, G39) and evidence with gaps.

use super::reference::{Table, folders, spec};
use proptest::prelude::*;
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter, NoiseShape};
use scotopic_filtering::generalised::model::{
    CausePrior, GaussianPrior, GenerativeModel, Level, Linear, NoisePrecision,
};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::nalgebra::{DMatrix, DVector};

/// A textbook Kalman filter: x ← F x + N(0, Q), y = H x + N(0, R), from N(m, P) at the first observation.
struct Kalman {
    f: DMatrix<f64>,
    q: DMatrix<f64>,
    h: DMatrix<f64>,
    r: DMatrix<f64>,
    m: DVector<f64>,
    p: DMatrix<f64>,
    first: bool,
    evidence: f64,
}

impl Kalman {
    fn update(&mut self, y: &[f64]) {
        if !std::mem::take(&mut self.first) {
            self.m = &self.f * &self.m;
            self.p = &self.f * &self.p * self.f.transpose() + &self.q;
        }
        let s = &self.h * &self.p * self.h.transpose() + &self.r;
        let error = DVector::from_column_slice(y) - &self.h * &self.m;
        let factor = s.clone().cholesky().unwrap();
        let gain = &self.p * self.h.transpose() * factor.inverse();
        let log_determinant: f64 = factor.l().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
        let constant = y.len() as f64 * (2.0 * std::f64::consts::PI).ln();
        self.evidence -= 0.5 * (constant + log_determinant + error.dot(&factor.solve(&error)));
        self.m += &gain * error;
        self.p = &self.p - &gain * &self.h * &self.p;
    }
}

/// Van Loan's block exponential.
fn discretised(a: &DMatrix<f64>, d: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let n = a.nrows();
    let mut block = DMatrix::zeros(2 * n, 2 * n);
    block.view_mut((0, 0), (n, n)).copy_from(&(-a));
    block.view_mut((0, n), (n, n)).copy_from(d);
    block.view_mut((n, n), (n, n)).copy_from(&a.transpose());
    let e = block.exp();
    let f = e.view((n, n), (n, n)).transpose();
    let q = &f * e.view((0, n), (n, n));
    (f, q)
}

fn single(
    a: DMatrix<f64>,
    c: DMatrix<f64>,
    z: DMatrix<f64>,
    w: DMatrix<f64>,
) -> GenerativeModel<Linear> {
    let states = a.nrows();
    let equations = Linear::new(a, DMatrix::zeros(states, 0), c).unwrap();
    let theta = equations.defaults();
    GenerativeModel {
        cause: CausePrior {
            mean: Vec::new(),
            precision: NoisePrecision::scalar(0, 1.0),
        },
        levels: vec![Level {
            equations,
            parameters: GaussianPrior::known(&theta),
            output: NoisePrecision::known(z),
            motion: NoisePrecision::known(w),
            start: vec![0.0; states],
        }],
    }
}

fn white() -> CausalConfig {
    CausalConfig {
        cause: NoiseShape::Sampled {
            smoothness: 0.0,
            order: 0,
        },
        ..CausalConfig::of_shape(NoiseShape::White, 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Eq. G36, discrete: with white noise the filter is the Kalman filter of the exactly discretised model.
    #[test]
    fn white_noise_gives_the_kalman_filter(
        entries in prop::collection::vec(-1.0..1.0f64, 9),
        seen in prop::collection::vec(-1.0..1.0f64, 6),
        scales in prop::collection::vec(0.3..3.0f64, 5),
        y in prop::collection::vec(-2.0..2.0f64, 24),
    ) {
        let a = DMatrix::from_row_slice(3, 3, &entries) - DMatrix::identity(3, 3) * 0.5;
        let c = DMatrix::from_row_slice(2, 3, &seen);
        let q = DMatrix::from_diagonal(&DVector::from_column_slice(&scales[..3]));
        let r = DMatrix::from_diagonal(&DVector::from_column_slice(&scales[3..]));
        let inverse = |m: &DMatrix<f64>| m.clone().try_inverse().unwrap();
        let model = single(a.clone(), c.clone(), inverse(&r), inverse(&q));
        let p = DMatrix::identity(3, 3);
        let mut filter = CausalGeneralisedFilter::new(model, white(), Some(&p)).unwrap();
        let (f, q) = discretised(&a, &q);
        let m = DVector::zeros(3);
        let mut kalman = Kalman { f, q, h: c, r, m, p, first: true, evidence: 0.0 };
        for row in y.chunks(2) {
            filter.update(Some(row)).unwrap();
            kalman.update(row);
        }
        for i in 0..3 {
            let size = 1.0 + kalman.p.amax() + kalman.m.amax();
            prop_assert!((filter.states()[i] - kalman.m[i]).abs() < 1e-9 * size);
            for j in 0..3 {
                let found = filter.state_covariance()[3 * i + j];
                prop_assert!((found - kalman.p[(i, j)]).abs() < 1e-9 * size);
            }
        }
        let evidence = filter.elbo();
        prop_assert!((evidence - kalman.evidence).abs() < 1e-8 * (1.0 + evidence.abs()));
    }
}

#[test]
fn recorded_kalman_filters_are_reproduced() {
    // A direction without process noise is given this precision, so that w has one.
    let sharp = 1e14;
    for folder in folders("kalman") {
        let part = format!("kalman/{}", folder.file_name().unwrap().to_str().unwrap());
        let spec = spec(&part);
        let matrix = |name: &str| {
            let rows = spec[name].as_array().unwrap();
            let width = rows[0].as_array().unwrap().len();
            DMatrix::from_fn(rows.len(), width, |i, j| spec[name][i][j].as_f64().unwrap())
        };
        let dt = spec["dt"].as_f64().unwrap();
        // In bins of dt: A dt, Q dt; the variance of a sample of the observation noise is R/dt.
        let (a, c) = (matrix("A") * dt, matrix("C"));
        let n = a.nrows();
        let q = matrix("Q") * dt;
        let eigen = q.symmetric_eigen();
        let least = 1e-12 * eigen.eigenvalues.amax();
        let precisions = eigen
            .eigenvalues
            .map(|v| if v > least { 1.0 / v } else { sharp });
        let w = &eigen.eigenvectors
            * DMatrix::from_diagonal(&precisions)
            * eigen.eigenvectors.transpose();
        let w = (&w + w.transpose()) * 0.5;
        let z = (matrix("R") / dt).try_inverse().unwrap();
        let p = DMatrix::identity(n, n);
        let model = single(a, c, z, w);
        let mut filter = CausalGeneralisedFilter::new(model, white(), Some(&p)).unwrap();
        let data = Table::read(&folder.join("data.csv")).unwrap();
        let (y, mean, variance) = (data.block("y"), data.block("kf"), data.block("kfvar"));
        for (t, row) in y.iter().enumerate() {
            filter.update(Some(row)).unwrap();
            for i in 0..n {
                assert!(
                    (filter.states()[i] - mean[t][i]).abs() < 1e-9,
                    "{part} bin {t}"
                );
                let found = filter.state_covariance()[i * n + i];
                assert!((found - variance[t][i]).abs() < 1e-9, "{part} bin {t}");
            }
        }
        let expected = spec["kf_loglik"].as_f64().unwrap();
        assert!((filter.elbo() - expected).abs() < 1e-6, "{part}");
    }
}

/// Eq. G39: noise that is the output of a linear filter of order p makes (x, w, w', …) Markov, and the Kalman filter
/// of that is exact.
#[test]
fn matern_noise_gives_the_kalman_filter_of_the_augmented_state() {
    let length = 1.7;
    for order in [1, 2, 3] {
        // Companion form with all poles at −λ.
        let rate = (2.0 * order as f64 - 1.0_f64).sqrt() / length;
        let n = order + 1;
        let mut a = DMatrix::zeros(n, n);
        (a[(0, 0)], a[(0, 1)]) = (-0.3, 1.0);
        let binomial = [[1.0, 0.0, 0.0], [1.0, 2.0, 0.0], [1.0, 3.0, 3.0]][order - 1];
        for i in 1..n {
            if i + 1 < n {
                a[(i, i + 1)] = 1.0;
            }
            a[(n - 1, i)] = -binomial[i - 1] * rate.powi((order - i + 1) as i32);
        }
        // Unit variance of w: the closed forms of the Matérn spectral densities.
        let density = [2.0 * rate, 4.0 * rate.powi(3), 16.0 / 3.0 * rate.powi(5)][order - 1];
        let mut d = DMatrix::zeros(n, n);
        d[(n - 1, n - 1)] = density;
        let (f, q) = discretised(&a, &d);
        // The stationary covariance of (w, w', w''): 1, λ²/(2ν−2)…, by running the discretised noise.
        let part = f.view((1, 1), (order, order)).into_owned();
        let mut stationary = DMatrix::zeros(order, order);
        for _ in 0..2000 {
            stationary = &part * &stationary * part.transpose() + q.view((1, 1), (order, order));
        }
        assert!((stationary[(0, 0)] - 1.0).abs() < 1e-9);
        let variance = 0.2;
        // w has variance ¼: the augmented state holds w in units of its standard deviation.
        let mut scaled = a.clone();
        scaled[(0, 1)] = 0.5;
        let (f, q) = discretised(&scaled, &d);
        let mut p = DMatrix::zeros(n, n);
        p[(0, 0)] = 1.0;
        p.view_mut((1, 1), (order, order)).copy_from(&stationary);
        let mut h = DMatrix::zeros(1, n);
        h[(0, 0)] = 1.0;
        let mut kalman = Kalman {
            f,
            q,
            h,
            r: DMatrix::from_element(1, 1, variance),
            m: DVector::zeros(n),
            p,
            first: true,
            evidence: 0.0,
        };
        let one = |value| DMatrix::from_element(1, 1, value);
        let model = single(one(-0.3), one(1.0), one(1.0 / variance), one(4.0));
        let settings = CausalConfig {
            motion: NoiseShape::Matern { length, order },
            ..white()
        };
        let mut filter = CausalGeneralisedFilter::new(model, settings, Some(&one(1.0))).unwrap();
        for t in 0..60 {
            let y = [(0.37 * f64::from(t)).sin() + 0.2 * (1.9 * f64::from(t)).cos()];
            filter.update(Some(&y)).unwrap();
            kalman.update(&y);
            assert!(
                (filter.states()[0] - kalman.m[0]).abs() < 1e-9,
                "order {order}"
            );
            let found = filter.state_covariance()[0];
            assert!((found - kalman.p[(0, 0)]).abs() < 1e-9, "order {order}");
        }
        assert!((filter.elbo() - kalman.evidence).abs() < 1e-8);
    }
}

#[test]
fn gaps_in_coloured_observations_leave_the_exact_evidence_of_the_rest() {
    // x' = −a x + white, z exponentially correlated: y is a Gaussian vector with a covariance in closed form.
    let (a, q, r, length, start) = (0.3, 0.5, 0.25, 2.0, 0.8);
    let y: [Option<f64>; 12] = [
        Some(0.3),
        None,
        Some(-0.4),
        Some(0.9),
        None,
        None,
        None,
        Some(0.2),
        Some(0.1),
        None,
        Some(-0.7),
        Some(0.5),
    ];
    let one = |value| DMatrix::from_element(1, 1, value);
    let model = single(one(-a), one(1.0), one(1.0 / r), one(1.0 / q));
    let settings = CausalConfig {
        output: Autocorrelation::Matern { length, order: 1 },
        noise_lags: 6,
        ..white()
    };
    let mut filter = CausalGeneralisedFilter::new(model, settings, Some(&one(start))).unwrap();
    for y in &y {
        let row = y.map(|y| [y]);
        filter.update(row.as_ref().map(|row| &row[..])).unwrap();
    }
    let seen: Vec<usize> = (0..y.len()).filter(|&t| y[t].is_some()).collect();
    let covariance = DMatrix::from_fn(seen.len(), seen.len(), |i, j| {
        let (t, u) = (seen[i].min(seen[j]) as f64, seen[i].max(seen[j]) as f64);
        let at_first = start * (-2.0 * a * t).exp() + q / (2.0 * a) * (1.0 - (-2.0 * a * t).exp());
        at_first * (-a * (u - t)).exp() + r * (-(u - t) / length).exp()
    });
    let values = DVector::from_iterator(seen.len(), seen.iter().map(|&t| y[t].unwrap()));
    let factor = covariance.cholesky().unwrap();
    let log_determinant: f64 = factor.l().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
    let expected = -0.5
        * (values.dot(&factor.solve(&values))
            + log_determinant
            + seen.len() as f64 * (2.0 * std::f64::consts::PI).ln());
    // The nugget of 1e-10 on the correlations of z is the difference.
    assert!((filter.elbo() - expected).abs() < 1e-7);
}
