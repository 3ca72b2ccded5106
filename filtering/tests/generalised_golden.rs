//! The generalised schemes against recorded runs of the published implementations.

#[path = "reference/generalised.rs"]
mod reference;

use std::path::Path;

use reference::{Convolution, Lorenz, Table, files, folders, furthest, json, name, number, tag};
use scotopic_filtering::generalised::Record;
use scotopic_filtering::generalised::dem::{Dem, DemSettings};
use scotopic_filtering::generalised::model::GenerativeModel;
use scotopic_filtering::generalised::scheme::Embedding;

fn order(n: f64) -> (usize, usize) {
    (n as usize, (n as usize).min(2))
}

fn reference_settings(file: &str, s: f64) -> DemSettings { settings(file, s) }
fn settings(file: &str, s: f64) -> DemSettings {
    let (states, causes) = order(tag(file, "n").unwrap());
    DemSettings {
        substeps: tag(file, "nD").unwrap_or(1.0) as usize,
        ..DemSettings::published(Embedding {
            states,
            causes,
            smoothness: s,
        })
    }
}

fn means(records: &[Record], part: impl Fn(&Record) -> Vec<f64>) -> Vec<Vec<f64>> {
    records.iter().map(part).collect()
}

fn known_convolution(folder: &Path) -> GenerativeModel<Convolution> {
    let spec = json(&folder.join("../spec.json"));
    let (equations, theta) = Convolution::read(&spec);
    let x0 = reference::numbers(&spec["x0"]);
    GenerativeModel::single(
        equations,
        &theta,
        number(&spec, "log_prec_obs").exp(),
        number(&spec, "log_prec_state").exp(),
        number(&spec, "prior_prec_cause"),
        &x0,
    )
    .unwrap()
}

#[test]
fn convolution_with_known_parameters() {
    let mut runs = 0;
    for folder in folders("dem/golden/conv_known") {
        let data = Table::read(&folder.join("data.csv")).sequence("y");
        let summary = reference::named_rows(&folder.join("../summary.csv"));
        for file in files(&folder, "DEM_", ".csv") {
            let label = format!("{}/{}", name(&folder), name(&file));
            let s = tag(&name(&file), "s").unwrap();
            let mut dem = Dem::new(known_convolution(&folder), settings(&name(&file), s)).unwrap();
            let found = dem.run(&data, None).unwrap();
            let expected = Table::read(&file);
            let absolute = |_| 1.0;
            let relative = |e: f64| e.abs().max(1e-300);
            let x = furthest(&means(&found, |r| r.states.clone()), &expected.columns("qx"), absolute);
            let v = furthest(&means(&found, |r| r.causes.clone()), &expected.columns("qv"), absolute);
            let y = furthest(&means(&found, |r| r.predicted.clone()), &expected.columns("qy"), absolute);
            let var_x = furthest(
                &means(&found, |r| r.state_variances().collect()),
                &expected.columns("var_x"),
                relative,
            );
            let var_v = furthest(
                &means(&found, |r| r.cause_variances().collect()),
                &expected.columns("var_v"),
                relative,
            );
            let row = summary.iter().find(|r| {
                name(&folder) == format!("{}_seed{}", r["data"], r["seed"])
                    && r["scheme"] == "DEM"
                    && r["s_inv"].parse() == Ok(s)
                    && r["n"].parse() == Ok(tag(&name(&file), "n").unwrap())
                    && r["nD"].parse() == Ok(tag(&name(&file), "nD").unwrap())
            });
            let f = row.map_or(f64::NAN, |r| {
                let f: f64 = r["F"].parse().unwrap();
                (dem.free_energy() - f).abs() / f.abs()
            });
            println!("{label}: x {x:.1e} v {v:.1e} y {y:.1e} var_x {var_x:.1e} var_v {var_v:.1e} F {f:.1e}");
            runs += 1;
        }
    }
    println!("{runs} runs");
}

#[test]
fn lorenz_with_known_parameters() {
    for folder in folders("dem/golden/lorenz_known") {
        let spec = json(&folder.join("../spec.json"));
        let data = Table::read(&folder.join("data.csv")).sequence("y");
        for file in files(&folder, "DEM_", ".csv") {
            let file_name = name(&file);
            let s = if name(&folder).starts_with("s0125") { 0.125 } else { 0.5 };
            let start = if file_name.contains("trueinit") { "x0_true" } else { "x0_wrong" };
            let model = GenerativeModel::single(
                Lorenz {
                    scale: number(&spec, "time_scale"),
                },
                &reference::numbers(&spec["P"]),
                number(&spec, "log_prec_obs").exp(),
                number(&spec, "log_prec_state").exp(),
                number(&spec, "log_prec_cause").exp(),
                &reference::numbers(&spec[start]),
            )
            .unwrap();
            let mut dem = Dem::new(model, settings(&file_name, s)).unwrap();
            let found = dem.run(&data, None).unwrap();
            let expected = Table::read(&file);
            let absolute = |_| 1.0;
            let x = furthest(&means(&found, |r| r.states.clone()), &expected.columns("qx"), absolute);
            let var_v = furthest(
                &means(&found, |r| r.cause_variances().collect()),
                &expected.columns("var_v"),
                |e| e,
            );
            println!("{}/{file_name}: x {x:.1e} var_v {var_v:.1e} F {}", name(&folder), dem.free_energy());
        }
    }
}

#[test]
fn convolution_with_unknown_parameters() {
    use scotopic_filtering::generalised::model::{CausePrior, GaussianPrior, Level, NoisePrecision};
    for folder in folders("dem/golden/conv_params") {
        let spec = json(&folder.join("spec.json"));
        let (equations, theta) = Convolution::read(&spec);
        let table = Table::read(&folder.join("data.csv"));
        let data = table.sequence("y");
        let known = spec["cause_known"].as_bool().unwrap();
        let inputs = scotopic_filtering::Sequence::of_numbers(reference::numbers(&spec["cause"])).unwrap();
        let mut mean = theta.clone();
        let mut variance = vec![0.0; theta.len()];
        for index in reference::numbers(&spec["free_param_index_colmajor_f_g_h"]) {
            mean[index as usize - 1] = number(&spec, "prior_mean_free");
            variance[index as usize - 1] = number(&spec, "prior_logvar_free").exp();
        }
        let (states, outputs) = (equations.states, equations.outputs);
        let unknown = |size, h: &str, c: &str| NoisePrecision::unknown(size, number(&spec, h), number(&spec, c));
        let model = GenerativeModel {
            cause: CausePrior {
                mean: vec![0.0; equations.causes],
                precision: NoisePrecision::scalar(equations.causes, number(&spec, "cause_prec")),
            },
            levels: vec![Level {
                equations,
                parameters: GaussianPrior::independent(&mean, &variance).unwrap(),
                output: unknown(outputs, "hE", "hC"),
                motion: unknown(states, "gE", "gC"),
                start: vec![0.0; states],
            }],
        };
        for file in files(&folder, "DEM_", "_F.csv") {
            let stem = name(&file).strip_suffix("_F.csv").unwrap().to_owned();
            let mut settings = settings(&stem, number(&spec, "s"));
            settings.sweeps = 16;
            settings.first_time = 4.0;
            let mut dem = Dem::new(model.clone(), settings).unwrap();
            let learnt = dem.learn(&data, known.then_some(&inputs)).unwrap();
            let params = Table::read(&folder.join(format!("{stem}_params.csv")));
            let index = params.column("index").unwrap();
            let post = params.column("post_mean").unwrap();
            println!("== {}/{stem}", name(&folder));
            let f = Table::read(&file).column("F").unwrap();
            println!("F found    {:.5?}", learnt.sweeps.iter().map(|s| s.0).collect::<Vec<_>>());
            let action = Table::read(&file).column("action").unwrap();
            for k in 0..3 { let lp = (action[k]-f[k])/(data.len() as f64 - 1.0); println!("REC Lp {:.6} Lu {:.6}", lp, f[k]-lp); }
            println!("F recorded {f:.5?}");
            let found: Vec<f64> = index.iter().map(|&i| learnt.parameters[i as usize - 1]).collect();
            println!("theta {found:?} recorded {post:?}");
            let lap = folder.join(stem.replace("DEM", "LAP") + "_params.csv");
            if lap.is_file() {
                let mut gf = scotopic_filtering::generalised::lap::GeneralisedFiltering::new(model.clone(), DemSettings { sweeps: 16, ..reference_settings(&stem, number(&spec, "s")) }).unwrap();
                match gf.learn(&data, known.then_some(&inputs)) {
                    Ok(l) => {
                let found: Vec<f64> = index.iter().map(|&i| l.parameters[i as usize - 1]).collect();
                println!("LAP {found:?} {:?} {:?}", l.log_precisions, l.passes); }
                Err(e) => println!("LAP {e}"), }
                println!("LAP rec {:?} {:?} {:?}", Table::read(&lap).column("post_mean").unwrap(), Table::read(&folder.join(stem.replace("DEM", "LAP") + "_logprec.csv")).column("post_mean").unwrap(), Table::read(&folder.join(stem.replace("DEM", "LAP") + "_F.csv")).column("F").unwrap());
            }
            println!("h {:?} recorded {:?}", learnt.log_precisions, Table::read(&folder.join(format!("{stem}_logprec.csv"))).column("post_mean").unwrap());
        }
    }
}


#[test]
fn kalman() {
    use scotopic_filtering::generalised::{Gain, KalmanBucy, WhiteNoiseSystem, sampled_kalman_step};
    use scotopic_filtering::nalgebra::{DMatrix, DVector};
    for folder in folders("dem/golden/kalman") {
        let spec = json(&folder.join("spec.json"));
        let matrix = |key: &str| {
            let rows = reference::rows(&spec[key]);
            DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
        };
        let system = WhiteNoiseSystem { motion: matrix("A"), output: matrix("C"), motion_noise: matrix("Q"), output_noise: matrix("R") };
        let dt = number(&spec, "dt");
        let p = system.steady_covariance().unwrap();
        println!("Pinf {:e} gain {:e}", (&p - matrix("Pinf")).amax(), (system.gain(&p).unwrap() - matrix("gain_inf")).amax());
        let table = Table::read(&folder.join("data.csv"));
        let y = table.columns("y");
        for (gain, name) in [(Gain::Riccati, "kb_riccati"), (Gain::Steady, "kb_stat")] {
            let mut kb = KalmanBucy::new(system.clone(), dt, gain).unwrap();
            let found: Vec<Vec<f64>> = y.iter().map(|y| { kb.update(y).unwrap(); kb.mean().to_vec() }).collect();
            println!("{name} {:e}", furthest(&found, &table.columns(name), |e| e.abs().max(1.0)));
        }
        let sampled = system.sampled(dt);
        let n = p.nrows();
        let (mut m, mut p) = (DVector::zeros(n), DMatrix::identity(n, n));
        let mut evidence = 0.0;
        let (mut means, mut vars) = (vec![], vec![]);
        for y in &y {
            let (now, ahead, l) = sampled_kalman_step(&sampled, &system.output, (&m, &p), &DVector::from_column_slice(y)).unwrap();
            evidence += l;
            means.push(now.0.as_slice().to_vec());
            vars.push(now.1.diagonal().as_slice().to_vec());
            (m, p) = ahead;
        }
        println!("kf {:e} var {:e} ev {evidence} {}", furthest(&means, &table.columns("kf"), |e| e.abs().max(1.0)), furthest(&vars, &table.columns("kfvar"), |e| e.abs().max(1.0)), number(&spec, "kf_loglik"));
    }
}

#[test]
fn pc() {
    use scotopic_filtering::generalised::predictive_coding::*;
    for folder in folders("pc_network") {
        let y = reference::plain(&folder.join("y.csv"));
        let mu0 = reference::plain(&folder.join("mu0.csv"));
        let d = y[0].len();
        let start: Vec<f64> = mu0.concat();
        for integrator in [Integrator::RungeKutta(Default::default()), Integrator::LocalLinearisation { steps: 1 }] {
            let model = GenerativeModel::single(Pullback { states: d }, &[], 1.0, 1.0, 1.0, &start[..d]).unwrap();
            let mut net = PredictiveCoding::new(model, PredictiveCodingSettings { integrator, ..Default::default() }).unwrap();
            net.set_belief(&start).unwrap();
            let mut found = vec![]; let mut vfe = vec![];
            for y in &y { net.update(y).unwrap(); found.push([net.states(), net.motion()].concat()); vfe.push(vec![net.free_energy()]); }
            println!("{integrator:?} action {} mu {:e} vfe {:e}", net.action(), furthest(&found, &reference::plain(&folder.join("mu.csv")), |_| 1.0), furthest(&vfe, &reference::plain(&folder.join("vfe.csv")), |e| e));
            let x = reference::plain(&folder.join("x_true.csv"));
            let mse: f64 = found.iter().zip(&x).flat_map(|(f, x)| f.iter().zip(x).map(|(f, x)| (f - x).powi(2))).sum::<f64>() / (x.len() * d) as f64;
            println!("mse {mse}");
        }
    }
}
