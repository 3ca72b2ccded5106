//! The causal generalised filter against exact posteriors, recordings and data of its own making.

use super::reference::convolution::{drawn, smooth};
use super::reference::joint_gaussian::convolution;
use super::reference::{Table, folders, golden, spec};
use scotopic_filtering::Filter;
use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Generation, compare,
};
use scotopic_filtering::generalised::model::{
    CausePrior, Equations, GaussianPrior, GenerativeModel, Level, Linear, Lorenz, NoisePrecision,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

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
    fn add(&mut self, filter: &impl Filter, truth: &[f64]) {
        let belief = filter.belief().gaussian().unwrap();
        let n = truth.len();
        let error = DVector::from_column_slice(belief.mean) - DVector::from_column_slice(truth);
        self.squares += error.norm_squared();
        self.count += n as f64;
        let covariance = DMatrix::from_row_slice(n, n, belief.covariance);
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
        for lag in [0, 1, 2] {
            let Some(exact) = Table::read(&folder.join(format!("exact_lag{lag}.csv"))) else {
                println!("{name}: no exact_lag{lag}.csv: skipped");
                continue;
            };
            let (mean, variance) = (exact.block("qx"), exact.block("var_x"));
            let settings = CausalConfig {
                lag,
                ..smooth(6, smoothness_of(&name))
            };
            let mut filter =
                CausalGeneralisedFilter::new(recorded_convolution(), settings, None).unwrap();
            let (mut errors, mut bound) = (Errors::default(), 0.0);
            for (t, row) in y.iter().enumerate() {
                filter.update(Some(row)).unwrap();
                let Some(at) = t.checked_sub(lag) else {
                    continue;
                };
                errors.add(&filter, &x[at]);
                for i in 0..x[at].len() {
                    bound += (mean[at][i] - x[at][i]).powi(2);
                    if at < ENDS || t + ENDS >= y.len() {
                        continue;
                    }
                    let moved = (filter.states()[i] - mean[at][i]).abs();
                    assert!(moved < MEANS, "{name} lag {lag} bin {at}: {moved:e}");
                    let found = filter.state_covariance()[i * x[at].len() + i];
                    let ratio = (found / variance[at][i] - 1.0).abs();
                    assert!(ratio < VARIANCES, "{name} lag {lag} bin {at}: {ratio:e}");
                }
            }
            let ratio = errors.rmse() / (bound / errors.count).sqrt();
            let nees = errors.nees();
            println!("{name} lag {lag}: RMSE / exact {ratio:.4}, NEES {nees:.3}");
            assert!(ratio < OF_THE_BOUND, "{name} lag {lag}: {ratio}");
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
        let found = filter.elbo();
        println!("{name}: log evidence {found:.3}, exact {expected:.3}");
        assert!(
            (found - expected).abs() < EVIDENCE,
            "{name}: {found} {expected}"
        );
    }
}

#[test]
fn the_generator_replays_the_recordings() {
    // The linear map of eq. G31; the files hold 15 digits.
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
                time_step: spec["time_scale"].as_f64().unwrap(),
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

#[test]
fn beliefs_about_drawn_data_are_calibrated() {
    // 4000 bins of two correlated states: a mean of NEES has a standard deviation of about 0.03.
    for (s, seed) in [(0.0, 11), (0.5, 12), (1.0, 13)] {
        let data = drawn(s, 4000, seed);
        for lag in [0, 2] {
            let settings = CausalConfig {
                lag,
                ..smooth(6, s)
            };
            let mut filter = CausalGeneralisedFilter::new(convolution(), settings, None).unwrap();
            let mut errors = Errors::default();
            for t in 0..data.outputs.ncols() {
                filter
                    .update(Some(data.outputs.column(t).as_slice()))
                    .unwrap();
                if t >= lag {
                    errors.add(&filter, data.states.column(t - lag).as_slice());
                }
            }
            let nees = errors.nees();
            println!("s {s} lag {lag}: RMSE {:.4}, NEES {nees:.3}", errors.rmse());
            assert!((0.9..1.1).contains(&nees), "s {s} lag {lag}: {nees}");
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
    let settings = CausalConfig::default();
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
