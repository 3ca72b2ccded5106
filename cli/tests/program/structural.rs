//! `scotopic fit --component` and `scotopic model`.

use std::path::Path;

use super::support::alone;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name);
    path.to_string_lossy().into_owned()
}

#[test]
fn the_level_of_the_nile_goes_from_fit_to_filter() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder
        .path()
        .join("nile.toml")
        .to_string_lossy()
        .into_owned();
    let nile = example("nile.csv");
    let fit = [
        "fit",
        &nile,
        "--columns",
        "volume",
        "--component",
        "level",
        "--json",
        "--out",
        &out,
    ];
    let told: serde_json::Value = serde_json::from_str(&alone(&fit).good()).unwrap();
    let fitted = &told["fits"][0];
    let evidence = fitted["log_evidence"].as_f64().unwrap();
    // The reference has six decimals.
    assert!((evidence + 632.545_625).abs() < 1e-6, "{told}");
    assert_eq!(fitted["diffuse_observations"], 1);
    assert_eq!(fitted["converged"], true);
    let lines = alone(&[
        "filter",
        "--model",
        &out,
        &nile,
        "--columns",
        "volume",
        "--quiet",
    ])
    .good();
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert!((last["elbo"].as_f64().unwrap() - evidence).abs() < 1e-9);
}

#[test]
fn parameters_that_are_not_there_are_named() {
    let nile = example("nile.csv");
    for (option, value, said) in [
        ("--fix", "levels=1", "irregular, level"),
        ("--fix", "level", "NAME=VALUE"),
        ("--tie", "level,slope", "irregular, level"),
        ("--learn", "slope", "irregular, level"),
        ("--initial-variance", "0", "above 0"),
    ] {
        let args = [
            "fit",
            &nile,
            "--columns",
            "volume",
            "--component",
            "level",
            option,
            value,
            "--out",
            "never.toml",
        ];
        let done = alone(&args);
        assert_eq!(done.code, Some(2), "{option} {value}: {}", done.err);
        assert!(done.err.contains(said), "{option} {value}: {}", done.err);
    }
}

#[test]
fn every_template_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [
        "hmm",
        "linear-gaussian",
        "structural",
        "generalised",
        "stochastic-volatility",
    ] {
        let text = alone(&["model", "template", kind]).good();
        let file = folder.path().join("model.toml");
        std::fs::write(&file, text).unwrap();
        alone(&["model", "check", &file.to_string_lossy()]).good();
    }
    assert_eq!(alone(&["model", "template", "hnm"]).code, Some(2));
}
