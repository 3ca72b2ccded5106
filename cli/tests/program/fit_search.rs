//! What `scotopic fit` says of its fits, and rows that are missing in part.

use std::fs;

use serde_json::Value;

use super::support::{folder, scotopic};

/// Two columns of counts in two states, with gaps in one or both.
const PAIRS: &str = "a,b\n1,9\n0,8\n2,\n1,11\n,10\n0,9\n9,1\n8,\n,\n10,0\n9,2\n11,1\n1,9\n2,8\n0,10\n,11\n8,1\n9,0\n10,1\n";

#[test]
fn fits_say_how_they_were_found() {
    let folder = folder();
    fs::write(folder.path().join("pairs.csv"), PAIRS).unwrap();
    let fit = [
        "fit",
        "pairs.csv",
        "--kind",
        "poisson",
        "--n-states",
        "1..3",
        "--out",
        "m.toml",
        "--force",
        "--quiet",
    ];
    let told = scotopic(folder.path(), &[&fit[..], &["--json"]].concat()).json();
    let fits = told["fits"].as_array().unwrap();
    let evidence: Vec<f64> = fits
        .iter()
        .map(|f| f["log_evidence"].as_f64().unwrap())
        .collect();
    assert!(evidence.is_sorted(), "{evidence:?}");
    assert!(evidence[1] > evidence[0] + 20.0, "{evidence:?}");
    for fit in fits {
        assert!(
            fit["ranked"].as_bool().unwrap()
                && fit["bic"].is_number()
                && fit["found_by"][1].as_u64().unwrap() >= 1
        );
    }
    let table = scotopic(folder.path(), &fit).good();
    assert!(
        table.contains("found by") && table.contains(" of "),
        "{table}"
    );
    // The same seed, other threads: the same bits.
    let model = || fs::read_to_string(folder.path().join("m.toml")).unwrap();
    let before = model();
    scotopic(folder.path(), &[&fit[..], &["--threads", "3"]].concat()).good();
    assert_eq!(model(), before);
    // Ended early: no criterion, and nothing to choose between.
    let early = [
        "fit",
        "pairs.csv",
        "--kind",
        "poisson",
        "--n-states",
        "3",
        "--max-iterations",
        "10",
        "--tolerance",
        "0",
    ];
    let early = [&early[..], &["--out", "e.toml", "--json", "--quiet"]].concat();
    let told = scotopic(folder.path(), &early).json();
    let fit = &told["fits"][0];
    assert!(
        fit["bic"].is_null() && fit["converged"] == Value::Bool(false),
        "{told}"
    );
    assert!(
        fit["warnings"][0].as_str().unwrap().contains("ended early"),
        "{told}"
    );
}

#[test]
fn rows_missing_in_part_are_used_where_they_can_be() {
    let folder = folder();
    fs::write(folder.path().join("pairs.csv"), PAIRS).unwrap();
    let model = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                 [emission]\nkind = \"poisson\"\nrates = [[1.0, 9.0], [9.0, 1.0]]\n";
    fs::write(folder.path().join("hmm.toml"), model).unwrap();
    let filter = ["filter", "--model", "hmm.toml", "pairs.csv"];
    let lines = scotopic(folder.path(), &filter).good();
    let increments: Vec<f64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["increment"]
                .as_f64()
                .unwrap()
        })
        .collect();
    // Row 3 has one count, row 9 has none.
    assert!(
        increments[2] < -0.5 && increments[8] == 0.0,
        "{increments:?}"
    );
    // A rule that keeps one statistic for all states takes them as missing, and says so.
    let online = scotopic(
        folder.path(),
        &[&filter[..], &["--learn=online-em"]].concat(),
    );
    assert!(
        online
            .err
            .contains("missing in part were taken as missing as a whole (4)"),
        "{}",
        online.err
    );
    assert!(online.err.contains("parameters updated"), "{}", online.err);
    let block = scotopic(
        folder.path(),
        &[&filter[..], &["--learn=block-online-em"]].concat(),
    );
    assert!(block.err.contains("never updated"), "{}", block.err);
}

#[test]
fn passes_of_a_rule_never_lower_the_evidence() {
    let folder = folder();
    let counts: String = (0..120)
        .map(|t| {
            format!(
                "{}\n",
                if t / 6 % 2 == 0 {
                    2 + t % 3
                } else {
                    20 + t % 7
                }
            )
        })
        .collect();
    fs::write(folder.path().join("y.csv"), counts).unwrap();
    let model = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                 [emission]\nkind = \"poisson\"\nrates = [[5.0], [12.0]]\n";
    fs::write(folder.path().join("m.toml"), model).unwrap();
    let evidence = |passes: &str| {
        let fit = [
            "fit", "y.csv", "--model", "m.toml", "--rule", "rmle", "--passes", passes, "--out",
            "n.toml", "--force", "--json",
        ];
        scotopic(folder.path(), &fit).json()["fits"][0]["log_evidence"]
            .as_f64()
            .unwrap()
    };
    let trace = ["1", "3", "9"].map(evidence);
    assert!(trace.is_sorted(), "{trace:?}");
}
