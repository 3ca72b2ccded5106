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
fn operations_are_timed_with_their_gradients() {
    let out = alone(&["bench", "operations", "--samples", "1", "--device", "flex"]).good();
    for case in [
        "relaxed Poisson sample, sigmoid, τ 0.5",
        "Poisson counts",
        "recursive ELBO and its gradient",
    ] {
        assert!(out.contains(case), "no {case}: {out}");
    }
}

#[test]
fn a_report_has_a_column_for_every_instruction_set() {
    let folder = folder();
    let args = ["bench", "products", "--samples", "1", "--device", "flex"];
    scotopic(
        folder.path(),
        &[&args[..], &["--report", "page.md"]].concat(),
    )
    .good();
    let page = std::fs::read_to_string(folder.path().join("page.md")).unwrap();
    let command = "`scotopic bench products --samples 1 --seed 0 --device flex --report FILE`";
    assert!(page.contains(command), "{page}");
    let heading = page
        .lines()
        .find(|line| line.starts_with("| case"))
        .unwrap();
    assert!(heading.contains("portable, 1 thread |"), "{heading}");
    let row = page
        .lines()
        .find(|line| line.starts_with("| products:"))
        .unwrap();
    assert_eq!(row.matches('|').count(), heading.matches('|').count());
    assert_eq!(
        row.matches(" ms |").count(),
        heading.matches(" thread").count(),
        "{row}"
    );
    let refused = scotopic(
        folder.path(),
        &[&args[..], &["--report", "nowhere/page.md"]].concat(),
    );
    assert!(refused.bad(1).contains("nowhere"));
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
