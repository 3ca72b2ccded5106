//! Fits of linear-Gaussian models: from a diffuse start, with diagonal noise, with numbers that are held, and what they say at their end.

use super::{Folder, noise, table};

const NILE: &str = include_str!("../../../examples/nile.csv");
/// A level that leaves its start out.
const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1000.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[10000.0]]\n";

/// The number of a file's matrix of one entry.
#[track_caller]
fn number(folder: &Folder, file: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
    let line = text.lines().find(|line| line.starts_with(key));
    let line = line.unwrap_or_else(|| panic!("no {key}: {text}"));
    let entry = line.rsplit('[').next().unwrap();
    entry.trim_end_matches(']').parse().unwrap()
}

/// statsmodels: −632.545625 with 15098.5 and 1469.2 (docs/filtering.md).
#[test]
fn a_level_is_fitted_from_a_diffuse_start() {
    let folder = Folder::with(&[("nile.csv", NILE), ("level.toml", LEVEL)]);
    let fit = [
        "fit",
        "nile.csv",
        "--columns",
        "volume",
        "--model",
        "level.toml",
    ];
    let own = ["--learn", "Q,R", "--out", "m.toml", "--json"];
    let told = folder.json(&[&fit[..], &own].concat());
    let ln_p = told["fits"][0]["log_evidence"].as_f64().unwrap();
    assert!((ln_p + 632.545_625).abs() < 1e-5, "{ln_p}");
    // Two variances and a diffuse state.
    assert_eq!(told["fits"][0]["parameters"], 3);
    let (q, r) = ("process_noise", "observation_noise");
    assert!((number(&folder, "m.toml", r) / 15_098.5 - 1.0).abs() < 1e-3);
    assert!((number(&folder, "m.toml", q) / 1469.2 - 1.0).abs() < 1e-3);
    let summary = [
        "summary",
        "--model",
        "m.toml",
        "nile.csv",
        "--columns",
        "volume",
    ];
    let summary = folder.json(&[&summary[..], &["--json"]].concat());
    assert_eq!(summary["free_parameters"], 3);
    // With Q held where it is best, R is the same.
    let held = ["--fix", "Q=1469.2", "--learn", "R", "--out", "h.toml"];
    folder.good(&[&fit[..], &held].concat());
    assert_eq!(number(&folder, "h.toml", q), 1469.2);
    assert!((number(&folder, "h.toml", r) / 15_098.5 - 1.0).abs() < 1e-3);
    folder.refused(
        &[
            &fit[..],
            &["--fix", "Q=1", "--learn", "Q,R", "--out", "n.toml"],
        ]
        .concat(),
        &["--fix Q=1", "--learn"],
    );
    for (wrong, said) in [
        ("level=1", "F, b, Q, H, d and R"),
        ("Q", "NAME=VALUE"),
        ("Q=inf", "finite"),
        ("R=-1", "observation_noise"),
    ] {
        folder.refused(
            &[&fit[..], &["--fix", wrong, "--out", "n.toml"]].concat(),
            &["--fix", said],
        );
    }
    assert!(!folder.path().join("n.toml").exists());
}

/// What one number stands for is held; of a matrix the file is the place to say it.
#[test]
fn a_matrix_is_not_held_at_one_number() {
    let trend = "kind = \"linear-gaussian\"\nlearned = [\"Q\", \"R\", \"diagonal\"]\ntransition = [[1.0, 1.0], [0.0, 1.0]]\n\
                 process_noise = [[1000.0, 0.0], [0.0, 10.0]]\nobservation = [[1.0, 0.0]]\nobservation_noise = [[10000.0]]\n";
    let folder = Folder::with(&[("nile.csv", NILE), ("trend.toml", trend)]);
    let fit = [
        "fit",
        "nile.csv",
        "--columns",
        "volume",
        "--model",
        "trend.toml",
        "--out",
        "m.toml",
    ];
    folder.refused(
        &[&fit[..], &["--fix", "Q=1"]].concat(),
        &["--fix Q=1", "2×2", "model file"],
    );
    // A trend keeps its diagonal Q, and the file says so again.
    folder.good(&fit);
    let text = std::fs::read_to_string(folder.path().join("m.toml")).unwrap();
    assert!(
        text.contains("\"diagonal\"") && text.contains(", 0.0], [0.0, "),
        "{text}"
    );
    folder.good(&[
        "summary",
        "--model",
        "m.toml",
        "nile.csv",
        "--columns",
        "volume",
    ]);
    let kind = [
        "fit",
        "nile.csv",
        "--columns",
        "volume",
        "--kind",
        "poisson",
        "--out",
        "p.toml",
    ];
    folder.refused(
        &[&kind[..], &["--fix", "Q=1"]].concat(),
        &["a fit of hidden states has no use for --fix"],
    );
}

/// `diagonal` alone is everything, diagonal.
#[test]
fn diagonal_alone_learns_everything() {
    let (x, e) = (noise(120), noise(360));
    let mut state = 0.0;
    let walk: Vec<f64> = x
        .iter()
        .map(|x| {
            state = 0.9 * state + x;
            state
        })
        .collect();
    let a: Vec<f64> = walk.iter().zip(&e[120..]).map(|(w, e)| w + e).collect();
    let b: Vec<f64> = walk
        .iter()
        .zip(&e[240..])
        .map(|(w, e)| 2.0 * w - 3.0 * e)
        .collect();
    let folder = Folder::with(&[("y.csv", &table("a,b", &[&a, &b]))]);
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "linear-gaussian",
        "--n-states",
        "1",
        "--learn",
        "diagonal",
    ];
    let told = folder.json(&[&fit[..], &["--out", "m.toml", "--json"]].concat());
    // F, H, d, R, and m0 and P0 of a state whose scale and origin are any: 1 + 2 + 2 + 2 + 1 + 1, and Q for its scale.
    assert_eq!(told["fits"][0]["parameters"], 9);
    let text = std::fs::read_to_string(folder.path().join("m.toml")).unwrap();
    assert!(text.contains("learned = [\"diagonal\"]"), "{text}");
    // Of one state R alone has covariances.
    assert!(text.contains("observation_noise = [["), "{text}");
    let noise = text
        .lines()
        .find(|line| line.starts_with("observation_noise"))
        .unwrap();
    assert_eq!(
        noise.matches(" 0.0").count() + noise.matches("[0.0").count(),
        2,
        "{noise}"
    );
    folder.good(&["summary", "--model", "m.toml", "y.csv"]);
}

/// Two waves and nothing else: with two states or more no noise is left, and with few iterations no fit ends.
#[test]
fn a_comparison_without_a_best_says_why() {
    let wave = |t: usize| (0.4 * t as f64).sin() + 0.5 * (1.1 * t as f64).cos();
    let y: Vec<f64> = (0..150).map(wave).collect();
    let folder = Folder::with(&[("y.csv", &table("y", &[&y]))]);
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "linear-gaussian",
        "--n-states",
        "1,2",
        "--restarts",
        "3",
        "--out",
        "m.toml",
    ];
    let (code, out, err) = folder.run(&fit);
    assert_eq!(code, Some(1), "{out}\n{err}");
    assert!(
        out.contains("states") && out.contains("1 state: the noise of column 1 collapsed"),
        "{out}"
    );
    assert!(
        err.contains("no model is written") && err.contains("--pseudo-count 0.01"),
        "{err}"
    );
    assert!(!folder.path().join("m.toml").exists());
    let (code, out, _) = folder.run(&[&fit[..], &["--json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(1));
    assert_eq!(told["fits"].as_array().unwrap().len(), 2);
    assert!(told["best"].is_null() && told["model"].is_null());
    // What it advises.
    let advised = &fit[..fit.len() - 4];
    folder.good(
        &[
            advised,
            &[
                "--restarts",
                "3",
                "--pseudo-count",
                "0.01",
                "--out",
                "k.toml",
            ],
        ]
        .concat(),
    );
}

/// One series tells no covariance of its start; two do.
#[test]
fn the_start_of_one_series_is_said_to_be_untold() {
    let part = |from: usize, to: usize| {
        let rows: Vec<&str> = NILE.lines().collect();
        format!("{}\n{}\n", rows[0], rows[1 + from..1 + to].join("\n"))
    };
    let (a, b) = (part(0, 50), part(50, 100));
    let folder = Folder::with(&[("nile.csv", NILE), ("a.csv", &a), ("b.csv", &b)]);
    let fit = |data: &[&str], learn: &[&str]| {
        let own = [
            "--columns",
            "volume",
            "--kind",
            "linear-gaussian",
            "--n-states",
            "1",
        ];
        let out = ["--restarts", "2", "--force", "--out", "m.toml"];
        folder.good(&[&["fit"], data, &own, learn, &out].concat()).0
    };
    let said = "one series has one start";
    assert!(fit(&["nile.csv"], &[]).contains(said));
    assert!(!fit(&["a.csv", "b.csv"], &[]).contains(said));
    assert!(!fit(&["nile.csv"], &["--learn", "F,Q,R"]).contains(said));
}

/// A column that was never observed, and inputs that do not vary, by their names.
#[test]
fn what_the_data_do_not_hold_is_named() {
    let y = noise(40);
    let mut rows = String::from("a,b,k\n");
    y.iter().for_each(|y| rows += &format!("{y},,3\n"));
    let folder = Folder::with(&[("y.csv", &rows)]);
    let fit = ["fit", "y.csv", "--out", "m.toml", "--columns"];
    folder.refused(
        &[&fit[..], &["a,b", "--kind", "linear-gaussian"]].concat(),
        &["the column b has no observation"],
    );
    folder.refused(
        &[
            &fit[..],
            &["a", "--component", "level,regression", "--inputs", "k"],
        ]
        .concat(),
        &["the input k does not vary"],
    );
    assert!(!folder.path().join("m.toml").exists());
    // Without a level a constant is what its coefficient is of.
    folder.good(
        &[
            &fit[..],
            &["a", "--component", "regression", "--inputs", "k"],
        ]
        .concat(),
    );
}

/// Restarts on one thread and on three: the same file, bit for bit.
#[test]
fn threads_change_nothing() {
    let folder = Folder::with(&[("nile.csv", NILE)]);
    for how in [
        &[
            "--kind",
            "linear-gaussian",
            "--n-states",
            "1",
            "--pseudo-count",
            "0.01",
        ][..],
        &["--component", "level,cycle"],
    ] {
        let files = ["1", "3"].map(|threads| {
            let fit = ["fit", "nile.csv", "--columns", "volume", "--restarts", "4"];
            let own = ["--threads", threads, "--force", "--out", "m.toml"];
            folder.good(&[&fit[..], how, &own].concat());
            std::fs::read_to_string(folder.path().join("m.toml")).unwrap()
        });
        assert_eq!(files[0], files[1], "{how:?}");
    }
}
