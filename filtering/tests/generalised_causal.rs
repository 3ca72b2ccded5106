//! The causal generalised filter against exact posteriors, recordings and data of its own making.

mod generalised_reference;

use generalised_reference::{Table, folders, golden, spec};
use proptest::prelude::*;
use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::causal::{
    CausalGeneralisedFilter, CausalSettings, Generated, Generation, NoiseShape, compare,
};
use scotopic_filtering::generalised::model::{
    CausePrior, Equations, GaussianPrior, GenerativeModel, Level, Linear, Lorenz, NoisePrecision,
    Number, Point, Sizes,
};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Result};

/// The filter may err by this factor more than the exact posterior of equal look-ahead.
const OF_THE_BOUND: f64 = 1.05;
/// Bins at both ends of a recording where the generator repeats its first and last sample, which a filter
/// that knows neither end cannot model.
const ENDS: usize = 8;
/// Means away from the ends: the noise's samples are Markov of order 7 only in the filter; s = 1 is the
/// hardest, and its posterior standard deviations are 0.06.
const MEANS: f64 = 0.01;
/// The same for variances, relative.
const VARIANCES: f64 = 0.01;
/// Log evidence of a recording, nats: the ends (10 of 64 bins in 256 numbers) count too.
const EVIDENCE: f64 = 6.0;

fn smooth(order: usize, smoothness: f64) -> CausalSettings {
    CausalSettings::from(Embedding {
        states: order,
        causes: 2,
        smoothness,
    })
}

fn convolution() -> GenerativeModel<Linear> {
    let equations = Linear::convolution();
    let theta = equations.defaults();
    let e8 = f64::exp(8.0);
    GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0]).unwrap()
}

/// The model of the recordings.
fn recorded_convolution() -> GenerativeModel<Linear> {
    let spec = spec("conv_known");
    let matrix = |name: &str| {
        let rows = spec[name].as_array().unwrap();
        // A column vector may be written as a list of numbers.
        let width = rows[0].as_array().map_or(1, Vec::len);
        DMatrix::from_fn(rows.len(), width, |i, j| {
            let row = &rows[i];
            row.as_f64().unwrap_or_else(|| row[j].as_f64().unwrap())
        })
    };
    let number = |name: &str| spec[name].as_f64().unwrap();
    let equations = Linear::new(matrix("A"), matrix("B"), matrix("C")).unwrap();
    let theta = equations.defaults();
    let start: Vec<f64> = matrix("x0").iter().copied().collect();
    GenerativeModel::single(
        equations,
        &theta,
        number("log_prec_obs").exp(),
        number("log_prec_state").exp(),
        number("prior_prec_cause"),
        &start,
    )
    .unwrap()
}

/// Running errors of a belief about known states.
#[derive(Default)]
struct Errors {
    squares: f64,
    normalised: f64,
    count: f64,
    ranked: f64,
}

impl Errors {
    fn add(&mut self, scheme: &impl Scheme, truth: &[f64]) {
        let n = truth.len();
        let error = DVector::from_column_slice(scheme.states()) - DVector::from_column_slice(truth);
        self.squares += error.norm_squared();
        self.count += n as f64;
        let covariance = DMatrix::from_row_slice(n, n, scheme.state_covariance());
        if let Some(factor) = covariance.cholesky() {
            self.normalised += error.dot(&factor.solve(&error));
            self.ranked += n as f64;
        }
    }

    fn rmse(&self) -> f64 {
        (self.squares / self.count).sqrt()
    }

    fn nees(&self) -> f64 {
        self.normalised / self.ranked
    }
}

/// rough…: white samples; smooth05…: s = 0.5.
fn smoothness_of(name: &str) -> f64 {
    let digits: String = name
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    match name.starts_with("rough") {
        true => 0.0,
        false => digits.parse::<f64>().unwrap() / 10.0,
    }
}

#[test]
fn recorded_convolution_reaches_the_exact_posterior() {
    for folder in folders("conv_known") {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let data = Table::read(&folder.join("data.csv")).unwrap();
        let (y, x) = (data.block("y"), data.block("x"));
        for delay in [0, 1, 2] {
            let Some(exact) = Table::read(&folder.join(format!("exact_lag{delay}.csv"))) else {
                println!("{name}: no exact_lag{delay}.csv: skipped");
                continue;
            };
            let (mean, variance) = (exact.block("qx"), exact.block("var_x"));
            let settings = CausalSettings {
                delay,
                ..smooth(6, smoothness_of(&name))
            };
            let mut filter =
                CausalGeneralisedFilter::new(recorded_convolution(), settings, None).unwrap();
            let (mut errors, mut bound) = (Errors::default(), 0.0);
            for (t, row) in y.iter().enumerate() {
                filter.update(Some(row)).unwrap();
                let Some(at) = t.checked_sub(delay) else {
                    continue;
                };
                errors.add(&filter, &x[at]);
                for i in 0..x[at].len() {
                    bound += (mean[at][i] - x[at][i]).powi(2);
                    if at < ENDS || t + ENDS >= y.len() {
                        continue;
                    }
                    let moved = (filter.states()[i] - mean[at][i]).abs();
                    assert!(moved < MEANS, "{name} lag {delay} bin {at}: {moved:e}");
                    let found = filter.state_covariance()[i * x[at].len() + i];
                    let ratio = (found / variance[at][i] - 1.0).abs();
                    assert!(ratio < VARIANCES, "{name} lag {delay} bin {at}: {ratio:e}");
                }
            }
            let ratio = errors.rmse() / (bound / errors.count).sqrt();
            let nees = errors.nees();
            println!("{name} lag {delay}: RMSE / exact {ratio:.4}, NEES {nees:.3}");
            assert!(ratio < OF_THE_BOUND, "{name} lag {delay}: {ratio}");
        }
    }
}

#[test]
fn recorded_convolution_has_the_exact_log_evidence() {
    let Some(root) = golden() else {
        return;
    };
    let Some(exact) = Table::read(&root.join("conv_known/exact_summary.csv")) else {
        println!("no exact_summary.csv: skipped");
        return;
    };
    for row in (0..exact.len()).filter(|&row| exact.text(row, "lag") == "0") {
        let name = format!(
            "{}_seed{}",
            exact.text(row, "data"),
            exact.text(row, "seed")
        );
        let Some(data) = Table::read(&root.join(format!("conv_known/{name}/data.csv"))) else {
            println!("no {name}: skipped");
            continue;
        };
        let settings = smooth(6, smoothness_of(&name));
        let mut filter =
            CausalGeneralisedFilter::new(recorded_convolution(), settings, None).unwrap();
        for y in data.block("y") {
            filter.update(Some(&y)).unwrap();
        }
        let expected: f64 = exact.text(row, "log_evidence").parse().unwrap();
        let found = filter.log_evidence().unwrap();
        println!("{name}: log evidence {found:.3}, exact {expected:.3}");
        assert!(
            (found - expected).abs() < EVIDENCE,
            "{name}: {found} {expected}"
        );
    }
}

#[test]
fn the_generator_replays_the_recordings() {
    // Section 10's linear map; the files hold 15 digits.
    for folder in folders("conv_known") {
        let data = Table::read(&folder.join("data.csv")).unwrap();
        let part = |prefix: &str| {
            let rows = data.block(prefix);
            DMatrix::from_fn(rows[0].len(), rows.len(), |i, t| rows[t][i])
        };
        let (w, v, z) = (part("w"), part("v"), part("z"));
        let mut c = DMatrix::zeros(3, w.ncols());
        let model = recorded_convolution();
        let deviation = |precision: &NoisePrecision| precision.expected()[(0, 0)].sqrt();
        let (of_w, of_z) = (
            deviation(&model.levels[0].motion),
            deviation(&model.levels[0].output),
        );
        c.rows_mut(0, 2).copy_from(&(w * of_w));
        c.rows_mut(2, 1)
            .copy_from(&(v * deviation(&model.cause.precision)));
        let made = Generation::default()
            .respond(model, &c, &(z * of_z))
            .unwrap();
        assert!((made.states - part("x")).amax() < 1e-11);
        assert!((made.outputs - part("y")).amax() < 1e-11);
    }
}

#[test]
fn recorded_lorenz_is_followed_from_true_and_wrong_starts() {
    let found = folders("lorenz_known");
    if found.is_empty() {
        return;
    }
    let spec = spec("lorenz_known");
    let start = |name: &str| -> Vec<f64> {
        let values = spec[name].as_array().unwrap();
        values.iter().map(|v| v.as_f64().unwrap()).collect()
    };
    // From the wrong start the variance says how wrong it may be: the start is off by 14 in one state.
    let cases = [("x0_true", 0.0, 0.64), ("x0_wrong", 100.0, 1.0)];
    for folder in found {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let digits = name.trim_start_matches('s').split('_').next().unwrap();
        let s = format!("0.{}", &digits[1..]).parse::<f64>().unwrap();
        let data = Table::read(&folder.join("data.csv")).unwrap();
        let (y, x) = (data.block("y"), data.block("x"));
        for (from, variance, limit) in cases {
            let equations = Lorenz {
                bin: spec["time_scale"].as_f64().unwrap(),
                ..Lorenz::demonstration()
            };
            let precision = |name: &str| f64::exp(spec[name].as_f64().unwrap());
            let (z, w) = (precision("log_prec_obs"), precision("log_prec_state"));
            let model =
                GenerativeModel::single(equations, &start("P"), z, w, 1.0, &start(from)).unwrap();
            let p = DMatrix::identity(3, 3) * variance;
            let mut filter = CausalGeneralisedFilter::new(model, smooth(6, s), Some(&p)).unwrap();
            let (mut all, mut later) = (Errors::default(), Errors::default());
            for (t, row) in y.iter().enumerate() {
                filter.update(Some(row)).unwrap();
                all.add(&filter, &x[t]);
                if t >= 8 {
                    later.add(&filter, &x[t]);
                }
            }
            let (rmse, after) = (all.rmse(), later.rmse());
            let nees = later.nees();
            println!("{name} {from}: RMSE {rmse:.3}, after 8 bins {after:.3}, NEES {nees:.2}");
            assert!(after < limit, "{name} {from}: {after}");
            assert!(variance > 0.0 || rmse < limit, "{name} {from}: {rmse}");
        }
    }
}

fn drawn(smoothness: f64, bins: usize, seed: u64) -> Generated {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let generation = Generation {
        smoothness,
        ..Generation::default()
    };
    generation.run(convolution(), bins, None, &mut rng).unwrap()
}

#[test]
fn beliefs_about_drawn_data_are_calibrated() {
    // 4000 bins of two correlated states: a mean of NEES has a standard deviation of about 0.03.
    for (s, seed) in [(0.0, 11), (0.5, 12), (1.0, 13)] {
        let data = drawn(s, 4000, seed);
        for delay in [0, 2] {
            let settings = CausalSettings {
                delay,
                ..smooth(6, s)
            };
            let mut filter = CausalGeneralisedFilter::new(convolution(), settings, None).unwrap();
            let mut errors = Errors::default();
            for t in 0..data.outputs.ncols() {
                filter
                    .update(Some(data.outputs.column(t).as_slice()))
                    .unwrap();
                if t >= delay {
                    errors.add(&filter, data.states.column(t - delay).as_slice());
                }
            }
            let nees = errors.nees();
            println!(
                "s {s} delay {delay}: RMSE {:.4}, NEES {nees:.3}",
                errors.rmse()
            );
            assert!((0.9..1.1).contains(&nees), "s {s} delay {delay}: {nees}");
        }
    }
}

#[test]
fn the_evidence_of_samples_prefers_the_smoothness_and_order_that_made_them() {
    let data = drawn(0.5, 600, 5);
    let rows = data
        .outputs
        .column_iter()
        .map(|y| y.iter().copied().collect::<Vec<_>>());
    let sequence = Sequence::of_rows(rows).unwrap();
    let settings = CausalSettings::default();
    let (orders, smoothness) = ([2, 4, 6], [0.0, 0.5, 1.0]);
    let truth = Some(&data.states);
    let table = compare(
        &convolution(),
        &sequence,
        &orders,
        &smoothness,
        settings,
        None,
        truth,
    );
    let table = table.unwrap();
    let best = table
        .iter()
        .max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence))
        .unwrap();
    for row in &table {
        println!("{row:?}");
    }
    assert_eq!((best.order, best.smoothness), (6, 0.5));
    assert!((0.85..1.15).contains(&best.nees.unwrap()));
}

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

fn white() -> CausalSettings {
    CausalSettings {
        cause: NoiseShape::Sampled {
            smoothness: 0.0,
            order: 0,
        },
        ..CausalSettings::of_shape(NoiseShape::White, 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// E5, discrete: with white noise the filter is the Kalman filter of the exactly discretised model.
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
        let evidence = filter.log_evidence().unwrap();
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
        let w = DMatrix::from_fn(n, n, |i, j| match (i == j, q[(i, i)] > 0.0) {
            (true, true) => 1.0 / q[(i, i)],
            (true, false) => sharp,
            _ => 0.0,
        });
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
        assert!(
            (filter.log_evidence().unwrap() - expected).abs() < 1e-6,
            "{part}"
        );
    }
}

/// E8: noise that is the output of a linear filter of order p makes (x, w, w', …) Markov, and the Kalman filter
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
        let settings = CausalSettings {
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
        assert!((filter.log_evidence().unwrap() - kalman.evidence).abs() < 1e-8);
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
    let settings = CausalSettings {
        output: Autocorrelation::Matern { length, order: 1 },
        memory: 6,
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
    assert!((filter.log_evidence().unwrap() - expected).abs() < 1e-7);
}

#[test]
fn two_levels_are_calibrated() {
    // The cause of a leaky integrator is the output of a slow oscillator above it.
    let upper = DMatrix::from_row_slice(2, 2, &[-0.1, 0.4, -0.4, -0.1]);
    let output = DMatrix::from_row_slice(1, 2, &[1.0, 0.0]);
    let level = |equations: Linear, z: f64, w: f64| {
        let sizes = equations.sizes();
        Level {
            parameters: GaussianPrior::known(&equations.defaults()),
            output: NoisePrecision::scalar(1, z),
            motion: NoisePrecision::scalar(sizes.states, w),
            start: vec![0.0; sizes.states],
            equations,
        }
    };
    let model = GenerativeModel {
        levels: vec![
            level(Linear::ornstein_uhlenbeck(0.5), 25.0, 100.0),
            level(
                Linear::new(upper, DMatrix::zeros(2, 0), output).unwrap(),
                50.0,
                4.0,
            ),
        ],
        cause: CausePrior {
            mean: Vec::new(),
            precision: NoisePrecision::scalar(0, 1.0),
        },
    };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let data = Generation::default()
        .run(model.clone(), 3000, None, &mut rng)
        .unwrap();
    let mut filter = CausalGeneralisedFilter::new(model, smooth(6, 0.5), None).unwrap();
    let (mut errors, mut causes) = (Errors::default(), 0.0);
    for t in 0..data.outputs.ncols() {
        filter
            .update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
        errors.add(&filter, data.states.column(t).as_slice());
        let error = filter.causes()[0] - data.causes[(0, t)];
        causes += error * error / filter.cause_covariance()[0] / data.outputs.ncols() as f64;
    }
    println!(
        "two levels: NEES of states {:.3}, of the cause {causes:.3}",
        errors.nees()
    );
    assert!((0.9..1.1).contains(&errors.nees()) && (0.9..1.1).contains(&causes));
}

#[test]
fn long_runs_neither_diverge_nor_lose_their_calibration() {
    // A tenth of a minute in all; the example `generalised_long_run` goes to a million bins.
    let bins = 10_000;
    let data = drawn(0.5, bins, 8);
    let lorenz = Lorenz::demonstration();
    let theta = lorenz.defaults();
    let start = [0.9, 0.8, 30.0];
    let chaos = GenerativeModel::single(lorenz, &theta, 1.0, f64::exp(16.0), 1.0, &start).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
    let chaotic = Generation::default()
        .run(chaos.clone(), bins, None, &mut rng)
        .unwrap();
    for order in 1..=6 {
        let mut filter =
            CausalGeneralisedFilter::new(convolution(), smooth(order, 0.5), None).unwrap();
        let mut errors = Errors::default();
        let mut other =
            CausalGeneralisedFilter::new(chaos.clone(), smooth(order, 0.5), None).unwrap();
        let mut chaotic_errors = Errors::default();
        for t in 0..bins {
            filter
                .update(Some(data.outputs.column(t).as_slice()))
                .unwrap();
            errors.add(&filter, data.states.column(t).as_slice());
            other
                .update(Some(chaotic.outputs.column(t).as_slice()))
                .unwrap();
            chaotic_errors.add(&other, chaotic.states.column(t).as_slice());
        }
        println!(
            "order {order}: convolution {:.4} NEES {:.3}, Lorenz {:.3} NEES {:.2}",
            errors.rmse(),
            errors.nees(),
            chaotic_errors.rmse(),
            chaotic_errors.nees(),
        );
        assert!((0.9..1.1).contains(&errors.nees()) && errors.rmse() < 0.065);
        // The observation's standard deviation is 1, that of the attractor about 10.
        assert!(chaotic_errors.rmse() < 0.5);
    }
}

/// Equations whose f or g leaves the numbers.
#[derive(Debug, Clone, PartialEq)]
struct Explosive {
    in_f: bool,
}

impl Equations for Explosive {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 1,
            causes: 0,
            outputs: 1,
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let grows = if self.in_f { 1e3 } else { 0.0 };
        out[0] = at.x[0].scaled(grows).exp();
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let grows = if self.in_f { 0.0 } else { 1e3 };
        out[0] = at.x[0].scaled(grows).exp();
    }
}

#[test]
fn a_failed_update_changes_nothing_and_names_its_term() -> Result<()> {
    for (in_f, term) in [(true, "f ("), (false, "g (")] {
        let model = GenerativeModel::single(Explosive { in_f }, &[], 1.0, 1.0, 1.0, &[5.0])?;
        let mut filter = CausalGeneralisedFilter::new(model, smooth(2, 0.5), None)?;
        if in_f {
            filter.update(Some(&[0.0]))?;
        }
        let mean = (
            filter.states().to_vec(),
            filter.bins(),
            filter.log_evidence(),
        );
        match filter.update(Some(&[0.0])) {
            Err(Error::NotFinite { index, what, .. }) => {
                assert_eq!(index, u64::from(in_f));
                assert!(what.starts_with(term), "{what}");
            }
            other => panic!("{other:?}"),
        }
        let after = (
            filter.states().to_vec(),
            filter.bins(),
            filter.log_evidence(),
        );
        assert_eq!(mean, after);
    }
    // What follows a failure is what would have followed without it, bit for bit.
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(6, 0.5), None)?;
    let mut untouched = filter.clone();
    let data = drawn(0.5, 20, 1);
    for t in 0..data.outputs.ncols() {
        let y = data.outputs.column(t);
        assert!(filter.update(Some(&[1.0, 2.0])).is_err());
        assert!(filter.update(Some(&[f64::NAN; 4])).is_err());
        filter.update(Some(y.as_slice()))?;
        untouched.update(Some(y.as_slice()))?;
        assert_eq!(filter.states(), untouched.states());
        assert_eq!(filter.state_covariance(), untouched.state_covariance());
    }
    assert_eq!(filter.log_evidence(), untouched.log_evidence());
    Ok(())
}

#[test]
fn nothing_seen_is_no_evidence() {
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(4, 0.5), None).unwrap();
    for _ in 0..50 {
        filter.update(None).unwrap();
    }
    assert_eq!(filter.log_evidence(), Some(0.0));
    assert!(filter.states().iter().all(|&x| x == 0.0));
}

#[test]
fn generalised_states_are_the_taylor_series_of_the_prediction() {
    let data = drawn(0.5, 30, 4);
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(6, 0.5), None).unwrap();
    for t in 0..data.outputs.ncols() {
        filter
            .update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
    }
    let orders = filter.generalised_states();
    let start = filter.states().to_vec();
    filter.update(None).unwrap();
    for (i, &predicted) in filter.states().iter().enumerate() {
        let mut weight = 1.0;
        let mut sum = 0.0;
        for (k, order) in orders.iter().enumerate() {
            weight /= k.max(1) as f64;
            sum += weight * order[i];
        }
        // Orders 0 to 7; the eighth is at most ‖A‖^8/8! ≈ 1e-4 of the state.
        let rest = 1e-3 * (start[0].abs() + start[1].abs());
        assert!(
            (sum - predicted).abs() < rest,
            "state {i}: {sum} {predicted}"
        );
    }
}

#[test]
fn a_filter_goes_on_from_a_snapshot_bit_for_bit() {
    let data = drawn(0.5, 40, 4);
    let settings = CausalSettings {
        delay: 1,
        ..smooth(6, 0.5)
    };
    let mut filter = CausalGeneralisedFilter::new(convolution(), settings, None).unwrap();
    for t in 0..20 {
        filter
            .update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
    }
    // JSON as it is read here may change the last digit of a number.
    let text = serde_json::to_string(&filter).unwrap();
    let read: CausalGeneralisedFilter<Linear> = serde_json::from_str(&text).unwrap();
    for (a, b) in read.states().iter().zip(filter.states()) {
        assert!((a - b).abs() < 1e-12);
    }
    let mut again = CausalGeneralisedFilter::restore(filter.snapshot()).unwrap();
    for t in 20..40 {
        let y = data.outputs.column(t);
        filter.update(Some(y.as_slice())).unwrap();
        again.update(Some(y.as_slice())).unwrap();
        assert_eq!(filter.states(), again.states());
        assert_eq!(filter.causes(), again.causes());
        assert_eq!(filter.state_covariance(), again.state_covariance());
    }
    assert_eq!(filter.log_evidence(), again.log_evidence());
    // What does not fit is named.
    let mut kept = filter.snapshot();
    kept.mean.pop();
    let error = CausalGeneralisedFilter::restore(kept)
        .unwrap_err()
        .to_string();
    assert!(error.contains("mean"), "{error}");
}

#[test]
fn a_known_input_drives_the_states() {
    // x' = −x/2 + η from 0 with η = 1: x(t) = 2 (1 − e^{−t/2}); every noise is next to nothing.
    let equations = Linear::ornstein_uhlenbeck(0.5);
    let theta = equations.defaults();
    let model = GenerativeModel::single(equations, &theta, 1.0, 1e18, 1e18, &[0.0]).unwrap();
    let mut filter = CausalGeneralisedFilter::new(model, smooth(2, 0.5), None).unwrap();
    assert!(filter.set_input(&[1.0, 2.0]).is_err());
    assert!(filter.set_input(&[f64::NAN]).is_err());
    filter.set_input(&[1.0]).unwrap();
    for t in 0..10 {
        filter.update(Some(&[0.3])).unwrap();
        let expected = 2.0 * (1.0 - (-0.5 * f64::from(t)).exp());
        assert!((filter.states()[0] - expected).abs() < 1e-6, "bin {t}");
        assert!((filter.causes()[0] - 1.0).abs() < 1e-6);
    }
}

/// No states: y = v + v³ + z.
#[derive(Debug, Clone)]
struct Static;

impl Equations for Static {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 0,
            causes: 1,
            outputs: 1,
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, _: Point<'_, T>, _: &mut [T]) {}
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.v[0] + at.v[0].powi(3);
    }
}

#[test]
fn a_model_without_states_infers_its_causes() {
    let model = GenerativeModel::single(Static, &[], 1e4, 1.0, 1.0, &[]).unwrap();
    for memory in [0, 3] {
        let settings = CausalSettings {
            memory,
            iterations: 20,
            surprise: None,
            ..smooth(2, 1.0)
        };
        let mut filter = CausalGeneralisedFilter::new(model.clone(), settings, None).unwrap();
        for t in 0..60 {
            let v = 1.0 + 0.5 * (0.2 * f64::from(t)).sin();
            filter.update(Some(&[v + v.powi(3)])).unwrap();
            // The noise's deviation is 0.01 and g' at least 1.
            let error = (filter.causes()[0] - v).abs();
            assert!(error < 0.01, "memory {memory}, bin {t}: {error}");
        }
    }
}
