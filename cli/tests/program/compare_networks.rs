//! `scotopic compare` of trained networks.

use super::support::{folder, scotopic, strings, tiny, trained};

/// What is compared is what `evaluate` finds for each alone, on the same images.
#[test]
fn networks_are_compared_by_what_evaluate_finds() {
    let folder = folder();
    trained(folder.path(), "one", &[]);
    trained(folder.path(), "two", &["--set", "objective.beta=7"]);
    let asked = ["--split", "validation", "--steps", "9"];
    let compared = scotopic(
        folder.path(),
        &[&["compare", "one", "two", "--json"][..], &asked].concat(),
    )
    .json();
    let rows = compared["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for (row, name) in rows.iter().zip(["one", "two"]) {
        assert_eq!(row["network"], name);
        let alone = scotopic(
            folder.path(),
            &[&["evaluate", name, "--json"][..], &asked].concat(),
        )
        .json();
        for (key, value) in alone.as_object().unwrap() {
            assert_eq!(&row[key], value, "{name}: {key}");
        }
        let sum = alone["reconstruction"].as_f64().unwrap() + alone["kl"].as_f64().unwrap();
        assert_eq!(row["free_energy"].as_f64(), Some(sum));
        // The mean over 12 neurons of the expected counts of the last step.
        let rates = scotopic(
            folder.path(),
            &[
                &["analyse", name, "--analysis", "rates", "--json"][..],
                &["--split", "validation", "--steps", "9", "--out", name],
            ]
            .concat(),
        )
        .json();
        let mean = rates["rates"]["summary"]["mean"].as_f64().unwrap();
        let spikes = row["spikes"].as_f64().unwrap();
        // Two sums of the same f32 numbers, in f64.
        assert!(
            (spikes - 12.0 * mean).abs() <= 1e-12 * spikes,
            "{spikes}: {rates}"
        );
    }
}

#[test]
fn table_and_figure_are_written() {
    let folder = folder();
    trained(folder.path(), "one", &[]);
    trained(folder.path(), "two", &["--seed", "1"]);
    let text = scotopic(
        folder.path(),
        &[
            "compare",
            "one",
            "two",
            "--split",
            "validation",
            "--out",
            "compared",
        ],
    )
    .good();
    assert!(text.starts_with("2 networks, 40 images of "), "{text}");
    let csv = std::fs::read_to_string(folder.path().join("compared/networks.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .starts_with("network,family,iterations")
    );
    let figure = std::fs::read(folder.path().join("compared/networks.png")).unwrap();
    assert!(figure.starts_with(b"\x89PNG"));
}

/// Networks that saw other images, one network, a folder that is none, options for series.
#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = folder();
    trained(folder.path(), "one", &[]);
    let other = tiny(&["--out", "other", "--set", "data.seed=5"]);
    scotopic(folder.path(), &strings(&other)).good();
    let refused = |args: &[&str], code: i32, says: &str| {
        let error = scotopic(folder.path(), args).bad(code);
        assert!(error.contains(says), "{args:?}: {error}");
    };
    refused(
        &["compare", "one", "other"],
        1,
        "trained on different images",
    );
    refused(&["compare", "one"], 2, "one alone is nothing to compare");
    refused(&["compare", "one", "nowhere"], 2, "nowhere");
    refused(
        &["compare", "one", "other", "--factorisations", "exact"],
        2,
        "--factorisations is for series",
    );
    refused(
        &["compare", "one", "other", "--model", "m.toml"],
        2,
        "--model is for series of observations, and 2 files are named",
    );
}
