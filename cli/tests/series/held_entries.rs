//! Single entries of linear-Gaussian models that fits hold: `fixed` and `tied` of a file, --fix and --tie.

use super::{Folder, noise, table};

const NILE: &str = include_str!("../../../examples/nile.csv");
/// A level whose start is left out, of which F and H stay.
const LEVEL: &str = "kind = \"linear-gaussian\"\nlearned = [\"F\", \"Q\", \"H\", \"R\"]\nfixed = [\"F[0][0]\", \"observation[0][0]\"]\n\
                     transition = [[1.0]]\nprocess_noise = [[1000.0]]\nobservation = [[1.0]]\nobservation_noise = [[10000.0]]\n";
const FIT: [&str; 4] = ["fit", "nile.csv", "--columns", "volume"];

fn text(folder: &Folder, file: &str) -> String {
    std::fs::read_to_string(folder.path().join(file)).unwrap()
}

/// Entry i, j of a matrix of a file.
#[track_caller]
fn entry(folder: &Folder, file: &str, key: &str, (i, j): (usize, usize)) -> f64 {
    let table: toml::Table = toml::from_str(&text(folder, file)).unwrap();
    table[key][i][j].as_float().unwrap()
}

/// statsmodels: −632.545625 with 15098.5 and 1469.2 (docs/filtering.md).
#[test]
fn a_level_is_fitted_by_fixed_entries() {
    let folder = Folder::with(&[("nile.csv", NILE), ("level.toml", LEVEL)]);
    let own = ["--model", "level.toml", "--out", "m.toml", "--json"];
    let told = folder.json(&[&FIT[..], &own].concat());
    let ln_p = told["fits"][0]["log_evidence"].as_f64().unwrap();
    assert!((ln_p + 632.545_625).abs() < 1e-5, "{ln_p}");
    // Two variances and a diffuse state.
    assert_eq!(told["fits"][0]["parameters"], 3);
    let (q, r) = ("process_noise", "observation_noise");
    // Five digits are known of them.
    assert!((entry(&folder, "m.toml", r, (0, 0)) / 15_098.5 - 1.0).abs() < 1e-3);
    assert!((entry(&folder, "m.toml", q, (0, 0)) / 1469.2 - 1.0).abs() < 1e-3);
    let written = text(&folder, "m.toml");
    assert!(
        written.contains("fixed = [\"F[0][0]\", \"observation[0][0]\"]"),
        "{written}"
    );
    // A further fit keeps them, and ends where it begins.
    let again = ["--model", "m.toml", "--out", "n.toml", "--json"];
    let again = folder.json(&[&FIT[..], &again].concat());
    assert!((again["fits"][0]["log_evidence"].as_f64().unwrap() - ln_p).abs() < 1e-6);
    assert_eq!(entry(&folder, "n.toml", "transition", (0, 0)), 1.0);
    assert!(text(&folder, "n.toml").contains("fixed = "));
    let summary = [
        "summary",
        "nile.csv",
        "--columns",
        "volume",
        "--json",
        "--model",
        "m.toml",
    ];
    let summary = folder.json(&summary);
    assert_eq!(summary["free_parameters"], 3);
    assert_eq!(summary["estimates"][0]["name"], "transition[1,1]");
    assert_eq!(summary["estimates"][0]["remark"], "held");
    // What is fixed may be fixed at another number, and then ln p is lower.
    let other = [
        "--model",
        "m.toml",
        "--fix",
        "F[0][0]=0.9",
        "--out",
        "o.toml",
        "--json",
    ];
    let other = folder.json(&[&FIT[..], &other].concat());
    assert!(other["fits"][0]["log_evidence"].as_f64().unwrap() < ln_p);
    assert_eq!(entry(&folder, "o.toml", "transition", (0, 0)), 0.9);
    assert_eq!(text(&folder, "o.toml").matches("F[0][0]").count(), 1);
}

/// Two columns of one noise that see one state, from the data and from the file.
#[test]
fn columns_of_one_noise() {
    let (x, a, b) = (
        noise(300),
        noise(600)[300..].to_vec(),
        noise(900)[600..].to_vec(),
    );
    let mut state = 0.0;
    let walk: Vec<f64> = x
        .iter()
        .map(|x| {
            state = 0.9 * state + x;
            state
        })
        .collect();
    let add = |h: f64, e: &[f64]| -> Vec<f64> {
        walk.iter()
            .zip(e)
            .map(|(w, e)| 5.0 + h * w + 0.5 * e)
            .collect()
    };
    let folder = Folder::with(&[("y.csv", &table("a,b", &[&add(1.0, &a), &add(2.0, &b)]))]);
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "linear-gaussian",
        "--n-states",
        "1",
        "--restarts",
        "3",
        "--learn",
        "diagonal",
    ];
    let held = [
        "--tie",
        "R[0][0],R[1][1]",
        "--fix",
        "H[0][0]=1",
        "--json",
        "--out",
    ];
    let told = folder.json(&[&fit[..], &held, &["m.toml"]].concat());
    let free = folder.json(&[&fit[..], &["--json", "--out", "f.toml"]].concat());
    let (own, all) = (&told["fits"][0], &free["fits"][0]);
    assert_eq!(own["converged"], true);
    // H[0][0] is the scale of the state, which is none of what is told: one number less.
    assert_eq!(
        own["parameters"].as_u64().unwrap() + 1,
        all["parameters"].as_u64().unwrap()
    );
    let (lower, upper) = (
        own["log_evidence"].as_f64().unwrap(),
        all["log_evidence"].as_f64().unwrap(),
    );
    // Both noises are alike: half a chi-square of one degree.
    assert!(
        lower <= upper + 1e-3 && upper - lower < 6.0,
        "{lower} {upper}"
    );
    let r = |i| entry(&folder, "m.toml", "observation_noise", (i, i));
    assert_eq!(r(0), r(1));
    // The noise is 0.5 times one of variance 1/12 (uniform) or 1: the same number for both columns by the tie, and as large as the free ones.
    let mean = 0.5
        * (entry(&folder, "f.toml", "observation_noise", (0, 0))
            + entry(&folder, "f.toml", "observation_noise", (1, 1)));
    assert!((r(0) / mean - 1.0).abs() < 0.2, "{} {mean}", r(0));
    assert_eq!(entry(&folder, "m.toml", "observation", (0, 0)), 1.0);
    let written = text(&folder, "m.toml");
    assert!(
        written.contains("fixed = [\"H[0][0]\"]")
            && written.contains("tied = [[\"R[0][0]\", \"R[1][1]\"]]"),
        "{written}"
    );
    // From the file: the same end, the same count, one standard error.
    let again = [
        "fit", "y.csv", "--model", "m.toml", "--out", "n.toml", "--json",
    ];
    let again = folder.json(&again);
    assert!((again["fits"][0]["log_evidence"].as_f64().unwrap() - lower).abs() < 1e-4);
    assert_eq!(again["fits"][0]["parameters"], own["parameters"]);
    let summary = folder.json(&["summary", "y.csv", "--model", "m.toml", "--json"]);
    let error = |name: &str| {
        let all = summary["estimates"].as_array().unwrap();
        let one = all.iter().find(|e| e["name"] == name).unwrap();
        one["standard_error"].as_f64().unwrap()
    };
    assert_eq!(
        error("observation_noise[1,1]"),
        error("observation_noise[2,2]")
    );
    assert_eq!(summary["free_parameters"], own["parameters"]);
    let compare = [
        "compare", "y.csv", "--model", "m.toml", "--model", "f.toml", "--by", "aic", "--json",
    ];
    let rows = folder.json(&compare);
    let row = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["parameters"] == own["parameters"]);
    assert!(
        (row.unwrap()["aic"].as_f64().unwrap() - own["aic"].as_f64().unwrap()).abs()
            < 1e-6 * lower.abs()
    );
    // Rules that learn while filtering keep no entry, and say so; of parameters without one they learn.
    let learn = [
        "filter",
        "y.csv",
        "--model",
        "m.toml",
        "--learn=block-online-em",
        "--out",
        "l.csv",
    ];
    folder.refused(&learn, &["fixed", "tied", "H[0][0]", "whole matrices"]);
    let some = written.replace("learned = [\"diagonal\"]", "learned = [\"F\", \"Q\"]");
    assert_ne!(some, written);
    folder.write("some.toml", &some);
    folder.good(&[
        "filter",
        "y.csv",
        "--model",
        "some.toml",
        "--learn=block-online-em",
        "--out",
        "l.csv",
        "--model-out",
        "k.toml",
    ]);
    assert_eq!(entry(&folder, "k.toml", "observation", (0, 0)), 1.0);
    assert!(text(&folder, "k.toml").contains("tied = [["));
}

#[test]
fn what_cannot_be_held_is_refused() {
    let folder = Folder::with(&[("nile.csv", NILE), ("level.toml", LEVEL)]);
    let model = [&FIT[..], &["--model", "level.toml", "--out", "n.toml"]].concat();
    for (option, value, said) in [
        ("--fix", "F[0][1]=1", "F is 1×1"),
        ("--fix", "G[0][0]=1", "G[0][0]"),
        ("--fix", "F[0]=1", "row and column"),
        ("--fix", "F[0][0]", "NAME=VALUE"),
        ("--fix", "F[0][0]=nan", "finite"),
        ("--fix", "R[0][0]=-1", "observation_noise"),
        ("--fix", "F[0][0]=1,F[0][0]=1", "every entry once"),
        ("--tie", "level,irregular", "such as R[0][0],R[1][1]"),
        ("--tie", "R[0][0]", "two entries"),
        ("--tie", "F[0][0],Q[0][0]", "entries of one parameter"),
        ("--tie", "R[0][0],R[0][1]", "on its diagonal"),
    ] {
        folder.refused(&[&model[..], &[option, value]].concat(), &[option, said]);
    }
    for (from, to, said) in [
        ("F[0][0]", "F[0][2]", "`fixed`: found F[0][2]"),
        ("F[0][0]", "speed[0][0]", "`fixed`: found \"speed[0][0]\""),
        ("observation[0][0]", "F[0][0]", "every entry once"),
        (
            "fixed = [\"F[0][0]\", \"observation[0][0]\"]",
            "tied = [[\"Q[0][0]\", \"H[0][0]\"]]",
            "`tied`",
        ),
        (
            "fixed = [\"F[0][0]\", \"observation[0][0]\"]",
            "fixed = \"F[0][0]\"",
            "a list of entries",
        ),
        (
            "fixed = [\"F[0][0]\", \"observation[0][0]\"]",
            "tied = [\"Q[0][0]\"]",
            "lists of entries",
        ),
        ("\"F[0][0]\",", "\"F[0][0]\", \"m0[0]\",", "diffuse"),
        (
            "\"observation[0][0]\"",
            "\"d[0]\"",
            "rises without end as H shrinks",
        ),
    ] {
        let wrong = LEVEL.replace(from, to);
        assert_ne!(wrong, LEVEL);
        folder.write("wrong.toml", &wrong);
        folder.refused(
            &[&FIT[..], &["--model", "wrong.toml", "--out", "n.toml"]].concat(),
            &[said],
        );
    }
    let poisson = [
        "--kind",
        "poisson",
        "--out",
        "n.toml",
        "--tie",
        "R[0][0],R[1][1]",
    ];
    folder.refused(&[&FIT[..], &poisson].concat(), &["has no use for --tie"]);
    folder.write("hmm.toml", "kind = \"hmm\"\nfixed = [\"F[0][0]\"]\n");
    folder.refused(
        &["model", "check", "hmm.toml"],
        &["`fixed` is of the kinds linear-gaussian"],
    );
    assert!(!folder.path().join("n.toml").exists());
    // Of several numbers of states, those that have no such entry cannot be fitted, and the others are.
    let some = [
        "--kind",
        "linear-gaussian",
        "--n-states",
        "1,2",
        "--learn",
        "F,Q,R,diagonal",
        "--restarts",
        "2",
    ];
    let held = [
        "--fix",
        "F[1][0]=0",
        "--pseudo-count",
        "0.01",
        "--out",
        "n.toml",
    ];
    let (code, out, err) = folder.run(&[&FIT[..], &some, &held].concat());
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert!(format!("{out}{err}").contains("F is 1×1"), "{out}\n{err}");
    assert_eq!(entry(&folder, "n.toml", "transition", (1, 0)), 0.0);
}

/// `diagonal` alone is everything, while filtering as in a fit.
#[test]
fn diagonal_alone_is_learned_while_filtering() {
    let level = LEVEL
        .replace("[\"F\", \"Q\", \"H\", \"R\"]", "[\"diagonal\"]")
        .replace("fixed = [\"F[0][0]\", \"observation[0][0]\"]\n", "");
    let level = format!("{level}initial_mean = [1000.0]\ninitial_covariance = [[1e5]]\n");
    let folder = Folder::with(&[("nile.csv", NILE), ("level.toml", &level)]);
    folder.good(&[
        "filter",
        "nile.csv",
        "--columns",
        "volume",
        "--model",
        "level.toml",
        "--learn=rmle",
        "--out",
        "l.csv",
        "--model-out",
        "k.toml",
    ]);
    assert_ne!(
        entry(&folder, "k.toml", "observation_noise", (0, 0)),
        10_000.0
    );
}
