//! `scotopic bench`: what it prints, not how fast it is.

use super::support::{alone, folder, scotopic, trained};

#[test]
fn every_line_is_a_record_of_a_case() {
    let args = ["bench", "products", "--samples", "2", "--json"];
    let out = alone(&[&args[..], &["--device", "flex", "--seed", "3"]].concat()).good();
    assert_eq!(out.lines().count(), 1);
    let record: serde_json::Value = serde_json::from_str(&out).unwrap();
    for (key, value) in [("group", "products"), ("device", "flex (CPU)")] {
        assert_eq!(record[key], value);
    }
    assert_eq!(
        (&record["samples"], &record["seed"]),
        (&2.into(), &3.into())
    );
    assert_eq!(record["shape"]["latents"], 512);
    let seconds = |key: &str| record[key].as_f64().unwrap();
    assert!(seconds("min_s") > 0.0);
    assert!(seconds("min_s") <= seconds("median_s"));
    assert!(seconds("median_s") <= seconds("p90_s"));
    assert!(record.get("peak_bytes").is_some());
}

#[test]
fn a_trained_model_stands_in_for_the_random_one() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    let args = ["bench", "inference", "--samples", "1", "--device", "flex"];
    let out = scotopic(folder.path(), &[&args[..], &["--model", "run"]].concat()).good();
    assert!(out.contains("M 64 K 12"), "{out}");
    for case in [
        "tensor operations",
        "engine, events",
        "of one image",
        "16-bit",
    ] {
        assert!(out.contains(case), "no {case}: {out}");
    }
}

#[test]
fn refuses_what_it_cannot_time() {
    assert!(
        alone(&["bench", "everything"])
            .bad(2)
            .contains("possible values")
    );
    assert!(
        alone(&["bench", "--samples", "0"])
            .bad(2)
            .contains("--samples")
    );
    let missing = alone(&[
        "bench",
        "inference",
        "--model",
        "nowhere",
        "--device",
        "flex",
    ]);
    assert!(missing.bad(1).contains("nowhere"));
}
