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
