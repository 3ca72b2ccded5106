//! The generalised schemes against recorded runs of the published implementations, exact filters and a network.
//!
//! Files are found by their form below `$SCOTOPIC_REFERENCE`; orders, smoothness and steps are read from their names
//! and their `spec.json`. One test for each form of recording, so that all tolerances stand side by side.

use std::collections::HashMap;
use std::path::Path;

use super::reference::golden::{
    self as reference, Convolution, Lorenz, Table, files, folders, furthest, json, name, number,
    tag,
};
use scotopic_filtering::generalised::dem::{Dem, DemConfig};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{
    CausePrior, GaussianPrior, GenerativeModel, Level, NoisePrecision,
};
use scotopic_filtering::generalised::predictive_coding::{
    Integrator, PredictiveCoding, PredictiveCodingConfig, Pullback, RungeKutta45, Trigonometric,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{
    CovarianceMode, KalmanBucy, Record, WhiteNoiseSystem, sampled_kalman_step, temporal_covariance,
    temporal_precision,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{Result, Sequence};

/// Two implementations of the same linear scheme differ by rounding only.
const MEANS: f64 = 1e-9;
/// Variances are inverses of matrices with condition numbers up to 1e6.
const VARIANCES: f64 = 1e-8;
/// The sum over bins of logarithms of such determinants.
const FREE_ENERGY: f64 = 1e-8;
/// At s = 0 the recorded inverse of Λ rests on a floor of e^−32 under terms of 1e-7 and less.
const WHITE_VARIANCES: f64 = 1e-6;
/// A chaotic flow and forward differences: two implementations of the recorded scheme differ by up to 2e-5.
const LORENZ: f64 = 1e-3;
/// Orders of the Lorenz recordings that two implementations reproduce; at order 2 the filter is itself chaotic.
const LORENZ_ORDERS: [usize; 3] = [1, 4, 6];
/// End points of sixteen sweeps. Where all is uncertain they agree to 1e-9; a log-precision known exactly (prior variance
/// 0, precision e³²) costs the recorded matrix exponential most of its digits: 1e-6 then.
const END_POINTS: f64 = 1e-3;
/// F of every sweep, in nats, for the same reason.
const SWEEP: f64 = 1e-2;
/// F is relative where a cause known to e^−16 makes it −10⁶.
const SWEEP_RELATIVE: f64 = 1e-9;
/// F of every pass of generalised filtering, relative. Rounding, but for a cause known to e^−16: 1e-8 then.
const PASS: f64 = 1e-7;
/// End points of generalised filtering, likewise.
const FILTERED: f64 = 1e-7;
/// Variances below this are rounding.
const ROUNDED: f64 = 1e-6;
/// Sixteen digits less what conditioning costs.
const EXACT: f64 = 1e-12;
/// The recorded Riccati equation and mean were integrated together by the classical Runge–Kutta method in so many
/// steps a sample, which shows: so stepped they are the recording to rounding, and off the truth by 3e-9 and 1.3e-8
/// (40-digit arithmetic; the error falls with the fourth power of the steps).
const RECORDED_STEPS: usize = 20;
/// Steps a sample at which that error is below [`EXACT`]: (20/320)⁴ · 1.3e-8 = 2e-13.
const EXACT_STEPS: usize = 320;
/// The recorded network steps with a relative tolerance of 1e-3.
const NETWORK: f64 = 1e-2;
/// Sweeps and passes of the recorded runs.
const SWEEPS: usize = 16;

fn settings(file: &str, s: f64) -> DemConfig {
    let states = tag(file, "n").unwrap() as usize;
    DemConfig {
        substeps: tag(file, "nD").unwrap_or(1.0) as usize,
        sweeps: SWEEPS,
        ..DemConfig::published(Embedding {
            states,
            causes: states.min(2),
            smoothness: s,
        })
    }
}

type Part = fn(&Record) -> Vec<f64>;
const STATES: Part = |r| r.states.clone();
const CAUSES: Part = |r| r.causes.clone();
const PREDICTED: Part = |r| r.predicted.clone();
const STATE_VARIANCES: Part = |r| r.state_variances().collect();
const CAUSE_VARIANCES: Part = |r| r.cause_variances().collect();

/// Fails unless a part of the records is column `column` of the table, within `tolerance` times `scale`.
#[track_caller]
fn agree(
    label: &str,
    found: &[Record],
    part: Part,
    expected: &Table,
    column: &str,
    tolerance: f64,
    scale: fn(f64) -> f64,
) {
    let found: Vec<Vec<f64>> = found.iter().map(part).collect();
    let off = furthest(&found, &expected.columns(column), scale);
    assert!(off <= tolerance, "{label}: {column} off by {off:e}");
}

/// The same of means and variances under noise of smoothness `s`.
#[track_caller]
fn posterior_agrees(label: &str, found: &[Record], expected: &Table, s: f64) {
    agree(label, found, STATES, expected, "qx", MEANS, absolutely);
    agree(label, found, CAUSES, expected, "qv", MEANS, absolutely);
    let within = if s > 0.0 { VARIANCES } else { WHITE_VARIANCES };
    let vary = |part, column| agree(label, found, part, expected, column, within, relatively);
    vary(STATE_VARIANCES, "var_x");
    if s > 0.0 {
        vary(CAUSE_VARIANCES, "var_v");
    }
}

fn absolutely(_: f64) -> f64 {
    1.0
}

fn relatively(expected: f64) -> f64 {
    expected.abs().max(1e-300)
}

/// The row of a summary for one run.
fn summary(folder: &Path, file: &str, more: &[(&str, &str)]) -> Option<HashMap<String, String>> {
    let all = reference::named_rows(&folder.join("../summary.csv"));
    let fits = |row: &HashMap<String, String>| {
        let same = |key: &str, value: Option<f64>| {
            value.is_none_or(|v| row.get(key).and_then(|c| c.parse().ok()) == Some(v))
        };
        name(folder) == format!("{}_seed{}", row["data"], row["seed"])
            && file.starts_with(&row["scheme"])
            && same("n", tag(file, "n"))
            && same("nD", tag(file, "nD"))
            && same("s_inv", tag(file, "s"))
            && more.iter().all(|(key, value)| row[*key] == *value)
    };
    all.into_iter().find(fits)
}

fn known_convolution(folder: &Path) -> GenerativeModel<Convolution> {
    let spec = json(&folder.join("../spec.json"));
    let (equations, theta) = Convolution::read(&spec);
    GenerativeModel::single(
        equations,
        &theta,
        number(&spec, "log_prec_obs").exp(),
        number(&spec, "log_prec_state").exp(),
        number(&spec, "prior_prec_cause"),
        &reference::numbers(&spec["x0"]),
    )
    .unwrap()
}

#[test]
fn convolution_with_known_parameters() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/conv_known") {
        let data = Table::read(&folder.join("data.csv")).sequence("y");
        for file in files(&folder, "DEM_", ".csv") {
            let label = format!("{}/{}", name(&folder), name(&file));
            let s = tag(&name(&file), "s").unwrap();
            let mut dem = Dem::new(known_convolution(&folder), settings(&name(&file), s))?;
            let found = dem.run(&data, None)?;
            let expected = Table::read(&file);
            posterior_agrees(&label, &found, &expected, s);
            agree(
                &label, &found, PREDICTED, &expected, "qy", MEANS, absolutely,
            );
            if s > 0.0
                && let Some(row) = summary(&folder, &name(&file), &[])
            {
                let f: f64 = row["F"].parse().unwrap();
                let off = (dem.free_energy() - f).abs() / f.abs().max(1.0);
                assert!(off <= FREE_ENERGY, "{label}: F off by {off:e}");
            }
            runs += 1;
        }
    }
    assert!(runs > 0, "no recording of known convolutions");
    Ok(())
}

#[test]
fn generalised_filtering_with_known_parameters() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/conv_known") {
        let data = Table::read(&folder.join("data.csv")).sequence("y");
        for file in files(&folder, "LAP_", ".csv") {
            let label = format!("{}/{}", name(&folder), name(&file));
            let s = tag(&name(&file), "s").unwrap();
            let settings = settings(&name(&file), s);
            let found = GeneralisedFiltering::new(known_convolution(&folder), settings)?
                .run(&data, None)?;
            let expected = Table::read(&file);
            posterior_agrees(&label, &found, &expected, s);
            if s > 0.0 {
                let f = expected.column("F_t").unwrap();
                for (t, (f, r)) in f.iter().zip(&found).enumerate() {
                    let off = (r.free_energy - f).abs() / f.abs().max(1.0);
                    assert!(off <= FREE_ENERGY, "{label}: F of bin {t} off by {off:e}");
                }
            }
            runs += 1;
        }
    }
    assert!(runs > 0, "no recording of generalised filtering");
    Ok(())
}

#[test]
fn lorenz_with_known_parameters() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/lorenz_known") {
        let spec = json(&folder.join("../spec.json"));
        let data = Table::read(&folder.join("data.csv")).sequence("y");
        for file in files(&folder, "DEM_", ".csv") {
            let label = format!("{}/{}", name(&folder), name(&file));
            let wrong = name(&file).contains("wronginit");
            let (init, start) = if wrong {
                ("wrong", "x0_wrong")
            } else {
                ("true", "x0_true")
            };
            let order = tag(&name(&file), "n").unwrap() as usize;
            let row = summary(&folder, &name(&file), &[("init", init)]);
            let (Some(row), true) = (row, LORENZ_ORDERS.contains(&order)) else {
                continue;
            };
            let s = row["s_inv"].parse().unwrap();
            let model = GenerativeModel::single(
                Lorenz {
                    scale: number(&spec, "time_scale"),
                },
                &reference::numbers(&spec["P"]),
                number(&spec, "log_prec_obs").exp(),
                number(&spec, "log_prec_state").exp(),
                number(&spec, "log_prec_cause").exp(),
                &reference::numbers(&spec[start]),
            )?;
            let found = Dem::new(model, settings(&name(&file), s))?.run(&data, None)?;
            let expected = Table::read(&file);
            agree(&label, &found, STATES, &expected, "qx", LORENZ, absolutely);
            agree(
                &label,
                &found,
                CAUSE_VARIANCES,
                &expected,
                "var_v",
                VARIANCES,
                relatively,
            );
            runs += 1;
        }
    }
    assert!(runs > 0, "no recording of the Lorenz system");
    Ok(())
}

/// The model of a `conv_params` folder, the true parameters, and which of them are free.
fn unknown_convolution(folder: &Path) -> (GenerativeModel<Convolution>, Vec<f64>, Vec<usize>) {
    let spec = json(&folder.join("spec.json"));
    let (equations, theta) = Convolution::read(&spec);
    let index = reference::numbers(&spec["free_param_index_colmajor_f_g_h"]);
    let free: Vec<usize> = index.iter().map(|&i| i as usize - 1).collect();
    let (mut mean, mut variance) = (theta.clone(), vec![0.0; theta.len()]);
    for &i in &free {
        mean[i] = number(&spec, "prior_mean_free");
        variance[i] = number(&spec, "prior_logvar_free").exp();
    }
    let (states, outputs, causes) = (equations.states, equations.outputs, equations.causes);
    let unknown = |size, mean: &str, variance: &str| {
        NoisePrecision::unknown(size, number(&spec, mean), number(&spec, variance))
    };
    let model = GenerativeModel {
        cause: CausePrior {
            mean: vec![0.0; causes],
            precision: NoisePrecision::scalar(causes, number(&spec, "cause_prec")),
        },
        levels: vec![Level {
            equations,
            parameters: GaussianPrior::independent(&mean, &variance).unwrap(),
            output: unknown(outputs, "hE", "hC"),
            motion: unknown(states, "gE", "gC"),
            start: vec![0.0; states],
        }],
    };
    (model, theta, free)
}

/// The data of a `conv_params` folder, its known input if it has one, and its smoothness.
fn unknown_data(folder: &Path) -> (Sequence, Option<Sequence>, f64) {
    let spec = json(&folder.join("spec.json"));
    let data = Table::read(&folder.join("data.csv")).sequence("y");
    let cause = Sequence::of_numbers(reference::numbers(&spec["cause"])).unwrap();
    let known = spec["cause_known"].as_bool().unwrap().then_some(cause);
    (data, known, number(&spec, "s"))
}

#[test]
fn dem_learns_what_was_learnt() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/conv_params") {
        let (model, _, free) = unknown_convolution(&folder);
        let (data, known, s) = unknown_data(&folder);
        for file in files(&folder, "DEM_", "_F.csv") {
            let stem = name(&file).trim_end_matches("_F.csv").to_owned();
            let label = format!("{}/{stem}", name(&folder));
            let mut dem = Dem::new(model.clone(), settings(&stem, s))?;
            let learned = dem.learn(&data, known.as_ref())?;
            let recorded = |what: &str, column: &str| {
                let path = folder.join(format!("{stem}_{what}.csv"));
                DVector::from_vec(Table::read(&path).column(column).unwrap())
            };
            // The recorded F stays where it was at a sweep that is taken back.
            let f = recorded("F", "F");
            assert_eq!(learned.sweeps.len(), f.len(), "{label}: sweeps");
            let mut best = f64::NEG_INFINITY;
            for (k, (&(found, better), &expected)) in learned.sweeps.iter().zip(&f).enumerate() {
                best = if better { found } else { best };
                let off = (best - expected).abs();
                assert!(
                    off <= SWEEP + SWEEP_RELATIVE * expected.abs(),
                    "{label}: F of sweep {k} off by {off:e}"
                );
            }
            let expected = recorded("params", "post_mean");
            let found =
                DVector::from_iterator(free.len(), free.iter().map(|&i| learned.parameters[i]));
            let off = (found - &expected).amax() / expected.amax();
            assert!(off <= END_POINTS, "{label}: parameters off by {off:e}");
            let expected = recorded("params", "post_var");
            for (&i, &v) in free.iter().zip(&expected) {
                let off = (learned.parameter_covariance[(i, i)] / v - 1.0).abs();
                assert!(
                    off <= END_POINTS,
                    "{label}: variance of θ[{i}] off by {off:e}"
                );
            }
            // Not every set of recordings keeps the states; after a sweep that was taken back they are of one unknown.
            let path = folder.join(format!("{stem}_states.csv"));
            if path.is_file() && learned.sweeps.last().is_some_and(|s| s.1) {
                let states = Table::read(&path);
                agree(
                    &label,
                    &learned.beliefs,
                    STATES,
                    &states,
                    "qx",
                    END_POINTS,
                    absolutely,
                );
            }
            let expected = recorded("logprec", "post_mean");
            let found = DVector::from_vec(learned.log_precisions);
            let off = (found - &expected).amax() / expected.amax().max(1.0);
            assert!(off <= END_POINTS, "{label}: log-precisions off by {off}");
            runs += 1;
        }
    }
    assert!(runs > 0, "no recording of learning");
    Ok(())
}

/// Without the published options learning from the same recordings also works: nearer to the truth than the prior, and F never falls
/// from one kept sweep to the next. Causes known to e^−16 are left out: without `masks` their errors, which
/// nothing learned can change, are all of F.
#[test]
fn dem_learns_without_quirks() -> Result<()> {
    for folder in folders("dem/golden/conv_params") {
        let (model, theta, free) = unknown_convolution(&folder);
        let (data, known, s) = unknown_data(&folder);
        if known.is_some() {
            continue;
        }
        for file in files(&folder, "DEM_", "_F.csv") {
            let stem = name(&file).trim_end_matches("_F.csv").to_owned();
            let published = settings(&stem, s);
            if published.embedding.states < 2 {
                continue;
            }
            let settings = DemConfig {
                published: Default::default(),
                ..published
            };
            let learned = Dem::new(model.clone(), settings)?.learn(&data, None)?;
            let distance = |at: &dyn Fn(usize) -> f64| {
                let squares = free.iter().map(|&i| (at(i) - theta[i]).powi(2));
                squares.sum::<f64>().sqrt()
            };
            let prior = &model.levels[0].parameters.mean;
            let (before, after) = (
                distance(&|i| prior[i]),
                distance(&|i| learned.parameters[i]),
            );
            assert!(
                after < before,
                "{}/{stem}: {after} after {before}",
                name(&folder)
            );
            let kept: Vec<f64> = learned.sweeps.iter().filter(|s| s.1).map(|s| s.0).collect();
            assert!(kept.windows(2).all(|f| f[1] > f[0]), "{kept:?}");
        }
    }
    Ok(())
}

#[test]
fn generalised_filtering_learns_what_was_learnt() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/conv_params") {
        let (model, _, free) = unknown_convolution(&folder);
        let (data, known, s) = unknown_data(&folder);
        for file in files(&folder, "LAP_", "_F.csv") {
            let stem = name(&file).trim_end_matches("_F.csv").to_owned();
            let label = format!("{}/{stem}", name(&folder));
            let recorded = |what: &str| Table::read(&folder.join(format!("{stem}_{what}.csv")));
            let mut scheme = GeneralisedFiltering::new(model.clone(), settings(&stem, s))?;
            let learned = scheme.learn(&data, known.as_ref())?;
            let f = recorded("F").column("F").unwrap();
            assert_eq!(learned.passes.len(), f.len(), "{label}: passes");
            for (k, (found, expected)) in learned.passes.iter().zip(&f).enumerate() {
                let off = (found - expected).abs() / expected.abs().max(1.0);
                assert!(off <= PASS, "{label}: F of pass {k} off by {off:e}");
            }
            let covariance = |at: &DMatrix<f64>, i| at[(i, i)];
            for (what, indices, means, spread) in [
                (
                    "params",
                    free.clone(),
                    &learned.parameters,
                    &learned.parameter_covariance,
                ),
                (
                    "logprec",
                    (0..learned.log_precisions.len()).collect(),
                    &learned.log_precisions,
                    &learned.log_precision_covariance,
                ),
            ] {
                let table = recorded(what);
                let expected = table.column("post_mean").unwrap();
                for (&i, m) in indices.iter().zip(&expected) {
                    let off = (means[i] - m).abs() / m.abs().max(1.0);
                    assert!(off <= FILTERED, "{label}: {what} {i} off by {off:e}");
                }
                let expected = table.column("post_var").unwrap();
                for (&i, v) in indices.iter().zip(&expected) {
                    // What is known exactly was recorded with a variance of −8e-16, by rounding.
                    let off = (covariance(spread, i) - v).abs() / v.abs().max(ROUNDED);
                    assert!(
                        off <= FILTERED,
                        "{label}: variance of {what} {i} off by {off:e}"
                    );
                }
            }
            if folder.join(format!("{stem}_states.csv")).is_file() {
                let states = recorded("states");
                let beliefs = &learned.beliefs;
                agree(&label, beliefs, STATES, &states, "qx", FILTERED, absolutely);
                agree(&label, beliefs, CAUSES, &states, "qv", FILTERED, absolutely);
            }
            runs += 1;
        }
    }
    assert!(
        runs > 0,
        "no recording of learning by generalised filtering"
    );
    Ok(())
}

/// The same recordings without quirks: nearer to the truth than the prior, and F ends above where it began.
#[test]
fn generalised_filtering_learns_without_quirks() -> Result<()> {
    for folder in folders("dem/golden/conv_params") {
        let (model, theta, free) = unknown_convolution(&folder);
        let (data, known, s) = unknown_data(&folder);
        if known.is_some() {
            continue;
        }
        for file in files(&folder, "LAP_", "_F.csv") {
            let stem = name(&file).trim_end_matches("_F.csv").to_owned();
            let settings = DemConfig {
                published: Default::default(),
                ..settings(&stem, s)
            };
            let learned = GeneralisedFiltering::new(model.clone(), settings)?.learn(&data, None)?;
            let distance = |at: &[f64]| {
                let squares = free.iter().map(|&i| (at[i] - theta[i]).powi(2));
                squares.sum::<f64>().sqrt()
            };
            let prior = model.levels[0].parameters.mean.as_slice();
            let (before, after) = (distance(prior), distance(&learned.parameters));
            let label = format!("{}/{stem}: {after} after {before}", name(&folder));
            assert!(after < before, "{label}");
            assert!(learned.passes.last() > learned.passes.first(), "{label}");
        }
    }
    Ok(())
}

/// x̂ at the end of every sample, from 0 and P = I: the Kalman–Bucy equations in `steps` steps of the classical
/// Runge–Kutta method a sample, y held.
fn runge_kutta(
    system: &WhiteNoiseSystem,
    dt: f64,
    data: &[Vec<f64>],
    steps: usize,
) -> Vec<Vec<f64>> {
    let (a, c, q) = (&system.motion, &system.output, &system.motion_noise);
    let precision = system.output_noise.clone().try_inverse().unwrap();
    let n = a.nrows();
    let (mut p, mut x) = (DMatrix::identity(n, n), DVector::zeros(n));
    let h = dt / steps as f64;
    let mut means = Vec::new();
    for y in data {
        let y = DVector::from_column_slice(y);
        let slope = |p: &DMatrix<f64>, x: &DVector<f64>| {
            let gain = p * c.transpose() * &precision;
            let dp = a * p + p * a.transpose() + q - &gain * c * p;
            (dp, a * x + gain * (&y - c * x))
        };
        for _ in 0..steps {
            let (p1, x1) = slope(&p, &x);
            let (p2, x2) = slope(&(&p + &p1 * (h / 2.0)), &(&x + &x1 * (h / 2.0)));
            let (p3, x3) = slope(&(&p + &p2 * (h / 2.0)), &(&x + &x2 * (h / 2.0)));
            let (p4, x4) = slope(&(&p + &p3 * h), &(&x + &x3 * h));
            p += (p1 + p2 * 2.0 + p3 * 2.0 + p4) * (h / 6.0);
            x += (x1 + x2 * 2.0 + x3 * 2.0 + x4) * (h / 6.0);
        }
        means.push(x.as_slice().to_vec());
    }
    means
}

#[test]
fn white_noise_systems() -> Result<()> {
    let mut runs = 0;
    for folder in folders("dem/golden/kalman") {
        let label = name(&folder);
        let spec = json(&folder.join("spec.json"));
        let matrix = |key: &str| {
            let rows = reference::rows(&spec[key]);
            DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
        };
        let system = WhiteNoiseSystem {
            motion: matrix("A"),
            output: matrix("C"),
            motion_noise: matrix("Q"),
            output_noise: matrix("R"),
        };
        let dt = number(&spec, "dt");
        let steady = system.steady_covariance()?;
        let off = (&steady - matrix("Pinf")).amax();
        assert!(off <= EXACT, "{label}: steady covariance off by {off:e}");
        let off = (system.gain(&steady)? - matrix("gain_inf")).amax();
        assert!(off <= EXACT, "{label}: steady gain off by {off:e}");

        let table = Table::read(&folder.join("data.csv"));
        let data = table.columns("y");
        let larger = |e: f64| e.abs().max(1.0);
        let recorded = table.columns("kb_riccati");
        let off = furthest(
            &runge_kutta(&system, dt, &data, RECORDED_STEPS),
            &recorded,
            larger,
        );
        assert!(
            off <= EXACT,
            "{label}: kb_riccati is not {RECORDED_STEPS} steps: {off:e}"
        );
        let truth = runge_kutta(&system, dt, &data, EXACT_STEPS);
        for (gain, name, expected) in [
            (CovarianceMode::Riccati, "small steps", &truth),
            (CovarianceMode::Steady, "kb_stat", &table.columns("kb_stat")),
        ] {
            let mut filter = KalmanBucy::new(system.clone(), dt, gain)?;
            let mut found = Vec::new();
            for y in &data {
                filter.update(y)?;
                found.push(filter.mean().to_vec());
            }
            let off = furthest(&found, expected, larger);
            assert!(off <= EXACT, "{label}: {name} off by {off:e}");
        }

        let sampled = system.sampled(dt);
        let n = steady.nrows();
        let (mut m, mut p) = (DVector::zeros(n), DMatrix::identity(n, n));
        let (mut means, mut variances, mut evidence) = (Vec::new(), Vec::new(), 0.0);
        for y in &data {
            let y = DVector::from_column_slice(y);
            let (now, ahead, log_p) = sampled_kalman_step(&sampled, &system.output, (&m, &p), &y)?;
            evidence += log_p;
            means.push(now.0.as_slice().to_vec());
            variances.push(now.1.diagonal().as_slice().to_vec());
            (m, p) = ahead;
        }
        let off = furthest(&means, &table.columns("kf"), larger);
        assert!(off <= EXACT, "{label}: Kalman means off by {off:e}");
        let off = furthest(&variances, &table.columns("kfvar"), larger);
        assert!(off <= EXACT, "{label}: Kalman variances off by {off:e}");
        let off = (evidence / number(&spec, "kf_loglik") - 1.0).abs();
        assert!(off <= EXACT, "{label}: log evidence off by {off:e}");
        runs += 1;
    }
    assert!(runs > 0, "no recording of white-noise systems");
    Ok(())
}

/// (μ, μ') and F after every observation, and ΣF.
type NetworkRun = (Vec<Vec<f64>>, Vec<Vec<f64>>, f64);

/// A network of these dynamics on the data of a folder.
fn network<E: scotopic_filtering::generalised::model::Equations>(
    equations: E,
    folder: &Path,
    integrator: Integrator,
) -> Result<NetworkRun> {
    let start = reference::plain(&folder.join("mu0.csv")).concat();
    let model = GenerativeModel::single(equations, &[], 1.0, 1.0, 1.0, &start[..start.len() / 2])?;
    let settings = PredictiveCodingConfig {
        integrator,
        ..Default::default()
    };
    let mut network = PredictiveCoding::new(model, settings)?;
    network.set_belief(&start)?;
    let (mut beliefs, mut energies) = (Vec::new(), Vec::new());
    for y in reference::plain(&folder.join("y.csv")) {
        network.update(&y)?;
        beliefs.push([network.states(), network.motion()].concat());
        energies.push(vec![network.free_energy()]);
    }
    Ok((beliefs, energies, network.action()))
}

#[test]
fn predictive_coding_networks() -> Result<()> {
    let (mut runs, mut skipped) = (0, 0);
    for folder in folders("pc_network") {
        let truth = reference::plain(&folder.join("x_true.csv"));
        let states = truth[0].len();
        let integrators = [
            Integrator::RungeKutta(RungeKutta45::default()),
            Integrator::RungeKutta(RungeKutta45 {
                relative: 1e-9,
                absolute: 1e-12,
            }),
            Integrator::LocalLinearisation { steps: 4 },
        ];
        for integrator in integrators {
            let label = format!("{} {integrator:?}", name(&folder));
            // Steps of the locally linear flow are exact for linear dynamics; f_x, held while differentiating, makes them
            // a method of first order for others.
            let linear = name(&folder).contains("pullback");
            if !linear && matches!(integrator, Integrator::LocalLinearisation { .. }) {
                continue;
            }
            let found = match name(&folder) {
                n if n.contains("pullback") => network(Pullback { states }, &folder, integrator)?,
                n if n.contains("trig") || n.contains("sin") => {
                    network(Trigonometric { states }, &folder, integrator)?
                }
                other => {
                    eprintln!("skipped: {other}: dynamics that are not built in");
                    skipped += 1;
                    break;
                }
            };
            let (beliefs, energies, action) = found;
            let recorded = reference::plain(&folder.join("vfe.csv"));
            let total: f64 = recorded.iter().flatten().sum();
            assert!(
                (action / total - 1.0).abs() <= NETWORK,
                "{label}: action {action} for {total}"
            );
            let largest = recorded.iter().flatten().fold(0.0f64, |m, f| m.max(*f));
            let off = furthest(&energies, &recorded, |e| e.max(1e-3 * largest));
            assert!(off <= NETWORK, "{label}: F off by {off}");
            let mu = reference::plain(&folder.join("mu.csv"));
            let off = furthest(&beliefs, &mu, |e| e.abs().max(1.0));
            assert!(off <= NETWORK, "{label}: beliefs off by {off}");
            let error = |beliefs: &[Vec<f64>]| {
                let pairs = beliefs.iter().zip(&truth);
                let squares =
                    pairs.flat_map(|(b, x)| b.iter().zip(x).map(|(b, x)| (b - x).powi(2)));
                squares.sum::<f64>() / (truth.len() * states) as f64
            };
            let (mine, theirs) = (error(&beliefs), error(&mu));
            assert!(
                (mine / theirs - 1.0).abs() <= NETWORK,
                "{label}: error {mine} for {theirs}"
            );
            runs += 1;
        }
    }
    assert!(
        runs + skipped > 0,
        "no recording of predictive coding networks"
    );
    Ok(())
}

#[test]
fn covariances_of_derivatives() {
    let path =
        crate::reference::recordings_root().join("ssm/golden/generalised_noise_covariance.json");
    for case in json(&path)["cases"].as_array().unwrap() {
        let (s, n) = (number(case, "s"), number(case, "n") as usize);
        let label = format!("s {s}, {n} orders");
        let matrix = |key: &str| {
            let rows = reference::rows(&case[key]);
            DMatrix::from_fn(n, n, |i, j| rows[i][j])
        };
        let (v, expected) = (temporal_covariance(n, s).unwrap(), matrix("V"));
        let off = (v - &expected).amax() / expected.amax();
        assert!(off <= EXACT, "{label}: V off by {off:e}");
        // The recorded R was inverted numerically: it has lost as many digits as V's condition number has.
        let lost = f64::EPSILON * number(case, "cond") * 10.0;
        let (r, expected) = (temporal_precision(n, s).unwrap(), matrix("R"));
        for i in 0..n {
            for j in 0..n {
                let scale = (expected[(i, i)] * expected[(j, j)]).sqrt();
                let off = (r[(i, j)] - expected[(i, j)]).abs() / scale;
                assert!(off <= lost + EXACT, "{label}: R[{i}][{j}] off by {off:e}");
            }
        }
    }
}
