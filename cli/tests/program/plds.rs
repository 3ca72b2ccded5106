//! Poisson and Bernoulli linear dynamical systems from the command line: drawn, fitted, filtered, scored.

use std::path::Path;

use super::support::alone;

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn a_population_goes_from_sample_to_co_smoothing() {
    let folder = tempfile::tempdir().unwrap();
    let (truth, spikes, fitted) = (
        file(folder.path(), "truth.toml"),
        file(folder.path(), "spikes.csv"),
        file(folder.path(), "fitted.toml"),
    );
    std::fs::write(&truth, alone(&["model", "template", "plds"]).good()).unwrap();
    let draw = [
        "sample", "--model", &truth, "--length", "400", "--seed", "1", "--out", &spikes,
    ];
    alone(&draw).good();
    let fit = [
        "fit",
        &spikes,
        "--kind",
        "plds",
        "--n-states",
        "2",
        "--json",
        "--out",
        &fitted,
    ];
    let told: serde_json::Value = serde_json::from_str(&alone(&fit).good()).unwrap();
    let bound = told["fits"][0]["log_evidence"].as_f64().unwrap();
    let score = |model: &str, options: &[&str]| -> serde_json::Value {
        let args = [&["score", "--model", model, &spikes, "--json"], options].concat();
        serde_json::from_str(&alone(&args).good()).unwrap()
    };
    // The filter's bound of the fit is near the smoother's, and above that of the truth.
    let filtered = score(&fitted, &[])["log_evidence"].as_f64().unwrap();
    assert!(
        (filtered - bound).abs() < 0.01 * bound.abs(),
        "{filtered} {bound}"
    );
    assert!(filtered > score(&truth, &[])["log_evidence"].as_f64().unwrap());
    let held_out = score(&fitted, &["--co-smoothing", "3"]);
    assert!(
        held_out["bits_per_spike"].as_f64().unwrap() > 0.0,
        "{held_out}"
    );
    let ahead = alone(&[
        "forecast", "--model", &fitted, &spikes, "--ahead", "2", "--quiet",
    ])
    .good();
    assert_eq!(ahead.lines().count(), 2);
    let smoothed = alone(&["smooth", "--model", &fitted, &spikes, "--quiet"]).good();
    assert_eq!(smoothed.lines().count(), 400);
    let learning = [
        "filter", "--model", &truth, &spikes, "--learn", "--every", "400", "--quiet",
    ];
    assert_eq!(alone(&learning).good().lines().count(), 1);
}

#[test]
fn co_smoothing_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (file(folder.path(), "m.toml"), file(folder.path(), "y.csv"));
    std::fs::write(&model, alone(&["model", "template", "ar1-poisson"]).good()).unwrap();
    std::fs::write(&data, "y\n1\n2\n").unwrap();
    let refused = alone(&["score", "--model", &model, &data, "--co-smoothing", "2"]).bad(2);
    assert!(
        refused.contains("--co-smoothing is of Poisson"),
        "{refused}"
    );
}
