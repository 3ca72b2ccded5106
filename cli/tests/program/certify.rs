//! `scotopic compare --certify`: bounds of ln p with δ and seed, from simulated data and without the states.

use std::fs;

use super::support::{folder, scotopic};

const COUNTS: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.3, 0.7]]\n\
                      [emission]\nkind = \"poisson\"\nrates = [[1.0], [6.0]]\n";
const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[0.1]]\n\
                     observation = [[1.0]]\nobservation_noise = [[1.0]]\n";
const START: &str = "initial_mean = [0.0]\ninitial_covariance = [[1.0]]\n";
const DRIVEN: &str = "kind = \"ar1-poisson\"\na = 0.9\nc = 1.0\nq = 0.1\nm0 = 0.0\nv0 = 0.5\n";

#[test]
fn every_kind_is_bracketed_under_every_factorisation() {
    let folder = folder();
    let run = |args: &[&str]| scotopic(folder.path(), args);
    for (name, text, factorisations) in [
        ("counts.toml", COUNTS, 9),
        ("level.toml", LEVEL, 6),
        ("driven.toml", DRIVEN, 3),
    ] {
        let start = if name == "level.toml" { START } else { "" };
        fs::write(folder.path().join(name), format!("{text}{start}")).unwrap();
        run(&[
            "sample", "--model", name, "--length", "160", "--seed", "1", "--out", "y.csv",
            "--states", "x.csv",
        ])
        .good();
        let args = [
            "compare",
            "y.csv",
            "--model",
            name,
            "--certify",
            "--true-states",
            "x.csv",
            "--particles",
            "200",
            "--seed",
            "3",
            "--json",
        ];
        let told = run(&args).json();
        assert_eq!(told, run(&args).json(), "a seed gives the same bounds");
        assert_eq!(
            (told["seed"].as_u64(), told["delta"].as_f64()),
            (Some(3), Some(0.025))
        );
        let rows = told["rows"].as_array().unwrap();
        assert_eq!(rows.len(), factorisations, "{told}");
        let plain = run(&["compare", "y.csv", "--model", name, "--json"]).json();
        for (row, plain) in rows.iter().zip(plain["rows"].as_array().unwrap()) {
            let of = |row: &serde_json::Value, key: &str| row[key].as_f64().unwrap();
            // ln p = L + gap, where the gap is known.
            let exact = of(plain, "gap") - of(plain, "free_energy");
            assert!(
                of(row, "lower") <= exact && exact <= of(row, "upper"),
                "{row} {plain}"
            );
            assert!(of(row, "width") < 0.05 * 160.0, "{row}");
            // Written numbers have all digits; two runs of one fit.
            assert!((of(row, "free_energy") - of(plain, "free_energy")).abs() < 1e-9);
        }
    }
}

#[test]
fn without_the_states_there_is_a_lower_bound_alone() {
    let folder = folder();
    let run = |args: &[&str]| scotopic(folder.path(), args);
    fs::write(folder.path().join("counts.toml"), COUNTS).unwrap();
    fs::write(
        folder.path().join("slow.toml"),
        COUNTS.replace("6.0", "3.0"),
    )
    .unwrap();
    fs::write(folder.path().join("y.csv"), "n\n0\n1\n7\n5\n0\n2\n").unwrap();
    let one = ["compare", "y.csv", "--model", "counts.toml", "--certify"];
    let text = run(&[&one[..], &["--factorisations", "frozen", "--out", "c"]].concat()).good();
    assert!(
        text.contains("δ = 0.025") && text.contains("seed 0"),
        "{text}"
    );
    assert!(
        text.contains("no upper bound without --true-states"),
        "{text}"
    );
    let table = fs::read_to_string(folder.path().join("c/certified.csv")).unwrap();
    assert_eq!(table.lines().count(), 2, "{table}");
    let two = run(&[&one[..], &["--model", "slow.toml", "--json"]].concat()).json();
    let rows = two["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["model"], "slow.toml");
    assert!(rows[1]["upper"].is_null());

    let refused = run(&[&one[..], &["--delta", "1.5"]].concat());
    assert!(refused.bad(2).contains("delta"));
    fs::write(folder.path().join("x.csv"), "s\n1\n2\n").unwrap();
    let refused = run(&[&one[..], &["--true-states", "x.csv"]].concat());
    assert!(refused.bad(2).contains("expected 6"));
    fs::write(folder.path().join("x.csv"), "s\n1\n2\n0\n1\n1\n1\n").unwrap();
    let refused = run(&[&one[..], &["--true-states", "x.csv"]].concat());
    assert!(refused.bad(2).contains("state 3"));
    let refused = run(&[&one[..], &["--init", "counts.toml"]].concat());
    assert!(refused.bad(2).contains("--certify"));
}

#[test]
fn models_with_other_numbers_of_diffuse_states_are_not_on_one_scale() {
    let folder = folder();
    let run = |args: &[&str]| scotopic(folder.path(), args);
    fs::write(folder.path().join("level.toml"), format!("{LEVEL}{START}")).unwrap();
    // A level without a start is diffuse.
    fs::write(folder.path().join("diffuse.toml"), LEVEL).unwrap();
    fs::write(folder.path().join("y.csv"), "y\n0.1\n0.4\n-0.2\n0.9\n").unwrap();
    let args = [
        "compare",
        "y.csv",
        "--model",
        "level.toml",
        "--model",
        "diffuse.toml",
        "--by",
        "bic",
    ];
    let text = run(&args).good();
    assert!(
        text.contains("not on one scale") && text.contains("1 of diffuse.toml"),
        "{text}"
    );
    let told = run(&[&args[..], &["--json"]].concat()).json();
    assert!(told["note"].as_str().unwrap().contains("diffuse"));
    let same = [
        "compare",
        "y.csv",
        "--model",
        "level.toml",
        "--model",
        "level.toml",
    ];
    assert!(!run(&same).good().contains("not on one scale"));
}
