//! `scotopic filter`, `fit` and `compare`: the same numbers whatever the way, and a word for what is wrong.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::support::{command, folder, scotopic};

/// Counts that go up and down, with a gap.
const QUAKES: &str = "count\n13\n14\n8\n10\nNA\n7\n32\n27\n26\n24\n31\n12\n9\n11\n14\n30\n28\n";
const HMM: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n\
                   [emission]\nkind = \"poisson\"\nrates = [[10.0], [27.0]]\n";
const LINEAR: &str = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[10.0]]\n\
                      observation = [[1.0]]\nobservation_noise = [[16.0]]\noffset = [18.0]\nbias = [0.0]\n\
                      initial_mean = [0.0]\ninitial_covariance = [[80.0]]\n";
const VOLATILITY: &str =
    "kind = \"stochastic-volatility\"\na = 0.9\nq = 0.1\nbeta = 15.0\nm0 = 0.0\nv0 = 1.0\n";

const CONVOLUTION: &str = "kind = \"generalised\"\noutput_precision = 1000.0\nmotion_precision = 1000.0\n\
                           start_variance = 0.01\n[equations]\nkind = \"linear_convolution\"\n\
                           [embedding]\nstates = 3\nsmoothness = 0.5\n";
/// What a slow wave does to the four outputs of that model, about.
fn waves() -> (String, String) {
    let (mut y, mut x) = ("y1,y2,y3,y4\n".to_owned(), String::new());
    for t in 0..40 {
        let (a, b) = (
            (0.3 * f64::from(t)).sin(),
            0.5 * (0.3 * f64::from(t) + 1.0).sin(),
        );
        let row: Vec<String> = [0.1633, 0.0676, -0.0676, -0.1633]
            .iter()
            .map(|c| format!("{:.6}", 0.125 * a + c * b))
            .collect();
        y += &(row.join(",") + "\n");
        x += &format!("{a},{b}\n");
    }
    (y, x)
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn prepared() -> tempfile::TempDir {
    let folder = folder();
    for (name, text) in [
        ("quakes.csv", QUAKES),
        ("hmm.toml", HMM),
        ("linear.toml", LINEAR),
        ("volatility.toml", VOLATILITY),
        ("convolution.toml", CONVOLUTION),
    ] {
        write(folder.path(), name, text);
    }
    // A header and eight rows, and the header and the rest.
    let lines: Vec<&str> = QUAKES.lines().collect();
    write(folder.path(), "first.csv", &(lines[..9].join("\n") + "\n"));
    write(
        folder.path(),
        "second.csv",
        &(format!("count\n{}\n", lines[9..].join("\n"))),
    );
    folder
}

/// Sizes of blocks below the length of the data, so that something is learned on the way.
const BLOCKS: &str = "rule = \"block-online-em\"\nblock = 4\n";

#[test]
fn a_filter_that_is_saved_goes_on_bit_for_bit() {
    for (model, more) in [
        ("hmm.toml", &[][..]),
        ("hmm.toml", &["--factorisation", "decoupled-lag1"]),
        ("hmm.toml", &["--factorisation", "frozen"]),
        ("hmm.toml", &["--factorisation", "tied"]),
        ("hmm.toml", &["--learn=blocks.toml"]),
        ("hmm.toml", &["--learn=online-em"]),
        ("hmm.toml", &["--learn=rmle"]),
        ("hmm.toml", &["--learn=dirichlet"]),
        ("hmm.toml", &["--learn=fixed-lag"]),
        ("linear.toml", &[]),
        ("linear.toml", &["--factorisation", "diagonal"]),
        ("linear.toml", &["--learn=blocks.toml"]),
        ("linear.toml", &["--learn=rmle"]),
        ("volatility.toml", &[]),
        ("volatility.toml", &["--factorisation", "vjf"]),
        ("volatility.toml", &["--learn"]),
    ] {
        let folder = prepared();
        write(folder.path(), "blocks.toml", BLOCKS);
        let run = |args: &[&str]| scotopic(folder.path(), &[&["filter"], args].concat()).good();
        let whole = run(&[
            &["--model", model, "quakes.csv", "--model-out", "whole.toml"],
            more,
        ]
        .concat());
        let first = run(&[
            &["--model", model, "first.csv", "--save", "half.filter"],
            more,
        ]
        .concat());
        let second = run(&[
            "--resume",
            "half.filter",
            "second.csv",
            "--model-out",
            "parts.toml",
        ]);
        assert_eq!(whole, first + &second, "{model} {more:?}");
        let text = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("whole.toml"), text("parts.toml"), "{model} {more:?}");
    }
}

#[test]
fn every_line_says_what_is_believed() {
    let folder = prepared();
    let lines = scotopic(
        folder.path(),
        &["filter", "--model", "hmm.toml", "quakes.csv"],
    )
    .good();
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 17);
    let mut sum = 0.0;
    for (t, line) in lines.iter().enumerate() {
        assert_eq!(line["t"], t + 1);
        assert_eq!(line["seen"], t != 4);
        let belief: f64 = line["belief"]
            .as_array()
            .unwrap()
            .iter()
            .map(|q| q.as_f64().unwrap())
            .sum();
        assert!((belief - 1.0).abs() < 1e-12);
        sum += line["increment"].as_f64().unwrap();
        assert!((sum - line["elbo"].as_f64().unwrap()).abs() < 1e-9);
    }
    assert_eq!(lines[4]["increment"], 0.0, "nothing was seen");
    let few = [
        "filter",
        "--model",
        "linear.toml",
        "quakes.csv",
        "--every",
        "5",
        "--out",
        "l.csv",
    ];
    assert_eq!(scotopic(folder.path(), &few).good(), "");
    let table = fs::read_to_string(folder.path().join("l.csv")).unwrap();
    assert!(
        table.starts_with("t,seen,increment,elbo,mean1,var1\n5,0,"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 1 + 3);
}

/// A reader of the pipe has its line before the next observation is there.
#[test]
fn a_stream_is_answered_line_by_line() {
    let folder = prepared();
    let mut child = command(
        folder.path(),
        &["filter", "--model", "hmm.toml", "-", "--quiet"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    for count in ["13", "", "30"] {
        // One column with nothing in it is a blank line, which CSV skips: NA says it.
        let cell = if count.is_empty() { "NA" } else { count };
        writeln!(to, "{cell}").unwrap();
        to.flush().unwrap();
        let line: Value = serde_json::from_str(&from.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["seen"], !count.is_empty());
    }
    drop(to);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_lost() {
    let folder = prepared();
    write(folder.path(), "bad.csv", "count\n13\n14\n2.5\n9\n");
    write(folder.path(), "ragged.csv", "a,b\n1,2\n3\n");
    write(folder.path(), "empty.csv", "");
    write(folder.path(), "unfair.toml", &HMM.replace("0.1]", "0.2]"));
    write(folder.path(), "cut.filter", "scotopic filter 1\nabc");
    let run = |args: &[&str]| scotopic(folder.path(), args);
    let at = run(&[
        "filter", "--model", "hmm.toml", "bad.csv", "--out", "o.jsonl", "--save", "s.filter",
    ])
    .bad(1);
    assert!(
        at.contains("bad.csv") && at.contains("observation 3") && at.contains("2.5"),
        "{at}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("o.jsonl"))
            .unwrap()
            .lines()
            .count(),
        2
    );
    // The filter as it was before the bad row was saved, and continues.
    let on = run(&["filter", "--resume", "s.filter", "quakes.csv"]).good();
    assert!(on.starts_with("{\"t\":3,"), "{on}");
    for (args, code, said) in [
        (
            &["filter", "--model", "hmm.toml", "ragged.csv"][..],
            2,
            "found 2 columns (a, b)",
        ),
        (
            &[
                "filter",
                "--model",
                "hmm.toml",
                "ragged.csv",
                "--columns",
                "a",
                "--every",
                "0",
            ],
            1,
            "line 3",
        ),
        (&["filter", "--model", "hmm.toml", "empty.csv"], 1, "no row"),
        (
            &["filter", "--model", "hmm.toml", "gone.csv"],
            1,
            "gone.csv",
        ),
        (
            &["filter", "--model", "unfair.toml", "quakes.csv"],
            2,
            "transition[0]",
        ),
        (
            &[
                "filter",
                "--model",
                "hmm.toml",
                "quakes.csv",
                "--factorisation",
                "block-4",
            ],
            2,
            "online",
        ),
        (
            &[
                "filter",
                "--model",
                "hmm.toml",
                "quakes.csv",
                "--factorisation",
                "jelbo",
            ],
            2,
            "decoupled-lag1",
        ),
        (
            &["filter", "--model", "hmm.toml", "quakes.csv", "--learn=sgd"],
            2,
            "block-online-em",
        ),
        (
            &["filter", "--resume", "cut.filter", "quakes.csv"],
            2,
            "checksum",
        ),
        (
            &["filter", "--resume", "hmm.toml", "quakes.csv"],
            2,
            "no snapshot",
        ),
        (&["filter", "quakes.csv"], 2, "--model"),
        (
            &[
                "fit",
                "quakes.csv",
                "--kind",
                "categorical",
                "--out",
                "m.toml",
                "--tolerance=-1",
            ],
            2,
            "--tolerance",
        ),
        (
            &["fit", "bad.csv", "--kind", "poisson", "--out", "m.toml"],
            1,
            "2.5",
        ),
        (
            &[
                "compare",
                "quakes.csv",
                "--model",
                "hmm.toml",
                "--factorisations",
                "naive",
            ],
            1,
            "fully-factorised",
        ),
    ] {
        let said_so = run(args).bad(code);
        assert!(said_so.contains(said), "{args:?}: {said_so}");
    }
}

#[test]
fn fitting_finds_the_states() {
    let folder = prepared();
    let fit = [
        "fit",
        "quakes.csv",
        "--kind",
        "poisson",
        "--n-states",
        "1,2",
        "--out",
        "m.toml",
        "--json",
    ];
    let told = scotopic(folder.path(), &fit).json();
    assert_eq!(
        (told["best"].as_u64(), told["observations"].as_u64()),
        (Some(2), Some(16))
    );
    let evidence = |n: usize| told["fits"][n]["log_evidence"].as_f64().unwrap();
    assert!(
        evidence(1) > evidence(0) + 10.0,
        "two levels are there: {told}"
    );
    // From its own model nothing more is gained, and the filter agrees on the evidence.
    let again = [
        "fit",
        "quakes.csv",
        "--model",
        "m.toml",
        "--out",
        "n.toml",
        "--json",
    ];
    let gained = scotopic(folder.path(), &again).json()["fits"][0]["log_evidence"]
        .as_f64()
        .unwrap();
    assert!((gained - evidence(1)).abs() < 1e-3, "{gained}");
    let lines = scotopic(
        folder.path(),
        &["filter", "--model", "n.toml", "quakes.csv"],
    )
    .good();
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert!((last["elbo"].as_f64().unwrap() - gained).abs() < 1e-9);
    let gaussian = [
        "fit",
        "quakes.csv",
        "--kind",
        "linear-gaussian",
        "--n-states",
        "1",
        "--out",
        "g.toml",
    ];
    assert!(
        scotopic(folder.path(), &gaussian)
            .good()
            .contains("linear-Gaussian model of 1")
    );
}

#[test]
fn a_network_of_the_motion_is_fitted_and_filters() {
    let folder = prepared();
    let rows: String = (0..80)
        .map(|t| format!("{}\n", 2.0 * (-0.1 * f64::from(t)).exp()))
        .collect();
    fs::write(folder.path().join("fall.csv"), rows).unwrap();
    let file = "kind = \"generalised\"\noutput_precision = 25.0\nmotion_precision = 25.0\nstart = [2.0]\n\
                [equations]\nkind = \"neural\"\nstates = 1\nflow = { hidden = [4] }\n\
                [embedding]\nstates = 1\nsmoothness = 0.5\n";
    fs::write(folder.path().join("start.toml"), file).unwrap();
    let evidence = |model: &str| {
        let lines = scotopic(folder.path(), &["filter", "--model", model, "fall.csv"]).good();
        let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        last["elbo"].as_f64().unwrap()
    };
    let fit = [
        "fit",
        "fall.csv",
        "--model",
        "start.toml",
        "--max-iterations",
        "5",
        "--out",
        "fall.toml",
        "--json",
    ];
    let told = scotopic(folder.path(), &fit).json();
    let found = told["fits"][0]["log_evidence"].as_f64().unwrap();
    // Rows of the file are read back to the last digit or the one before.
    assert!((evidence("fall.toml") - found).abs() < 1e-6, "{told}");
    assert!(found > evidence("start.toml") + 10.0, "{told}");
    let wide = file.replace("[4]", "[0]");
    fs::write(folder.path().join("wide.toml"), wide).unwrap();
    let refused = scotopic(
        folder.path(),
        &["filter", "--model", "wide.toml", "fall.csv"],
    );
    assert!(refused.bad(2).contains("units"));
}

#[test]
fn factorisations_are_compared_on_one_scale() {
    let folder = prepared();
    let args = [
        "compare",
        "quakes.csv",
        "--model",
        "hmm.toml",
        "--init",
        "hmm.toml",
        "--true-model",
        "hmm.toml",
        "--out",
        "c",
        "--json",
    ];
    let told = scotopic(folder.path(), &args).json();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 9, "{told}");
    for row in rows {
        let gap = row["gap"].as_f64().unwrap();
        assert!(gap > -1e-9, "a bound above the evidence: {row}");
        match row["factorisation"].as_str().unwrap() {
            "reversed" | "forward-markov" => assert!(gap < 1e-9, "{row}"),
            "frozen" | "tied" => assert!(gap > 0.01, "{row}"),
            _ => {} // these two states are so far apart that wide blocks lose next to nothing
        }
        assert!(
            row["updates"].as_u64().unwrap() > 0
                && row["parameter_error"][0].as_f64().unwrap() < 0.5
        );
        assert!(row["bytes"].as_u64().unwrap() > 0);
    }
    let table = fs::read_to_string(folder.path().join("c/compare.csv")).unwrap();
    assert_eq!(table.lines().count(), 10);
    let picture = image::open(folder.path().join("c/compare.png")).unwrap();
    assert!(picture.width() > 600 && picture.height() > 300);
    for (model, rows) in [("linear.toml", 6), ("volatility.toml", 3)] {
        let told = scotopic(
            folder.path(),
            &["compare", "quakes.csv", "--model", model, "--json"],
        )
        .json();
        assert_eq!(told["rows"].as_array().unwrap().len(), rows, "{told}");
    }
}

/// Continuous time: the causal filter, learning, and the table of orders.
#[test]
fn models_of_continuous_time_are_filtered_learned_and_compared() {
    let folder = prepared();
    let (y, x) = waves();
    write(folder.path(), "y.csv", &y);
    write(folder.path(), "x.csv", &x);
    let lines: Vec<&str> = y.lines().collect();
    write(folder.path(), "a.csv", &(lines[..20].join("\n") + "\n"));
    write(
        folder.path(),
        "b.csv",
        &format!("y1,y2,y3,y4\n{}\n", lines[20..].join("\n")),
    );
    let doubt = CONVOLUTION.replace(
        "start_variance",
        "output_log_variance = 1.0\nmotion_log_variance = 1.0\nstart_variance",
    );
    write(folder.path(), "doubt.toml", &doubt);
    let run = |args: &[&str]| scotopic(folder.path(), args);
    for (model, learn) in [("convolution.toml", None), ("doubt.toml", Some("--learn"))] {
        let more: Vec<&str> = learn.into_iter().collect();
        let whole = [
            &["filter", "--model", model, "y.csv", "--model-out", "w.toml"],
            &more[..],
        ]
        .concat();
        let whole = run(&whole).good();
        let first = [
            &["filter", "--model", model, "a.csv", "--save", "h.filter"],
            &more[..],
        ]
        .concat();
        let first = run(&first).good();
        let second = run(&[
            "filter",
            "--resume",
            "h.filter",
            "b.csv",
            "--model-out",
            "p.toml",
        ])
        .good();
        assert_eq!(whole, first + &second, "{model}");
        let text = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("w.toml"), text("p.toml"), "{model}");
        // What was learned is a model again, and not the one that was given.
        assert_eq!(
            text("w.toml").contains("output_precision = 1000.0"),
            learn.is_none()
        );
        run(&["filter", "--model", "w.toml", "y.csv"]).good();
    }
    let told = run(&[
        "compare",
        "y.csv",
        "--model",
        "convolution.toml",
        "--orders",
        "1..3",
        "--smoothness",
        "0,0.5",
        "--true-states",
        "x.csv",
        "--out",
        "c",
        "--json",
    ])
    .json();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4 * 2 * 3, "schemes × smoothness × orders");
    for row in rows {
        let white = row["smoothness"] == 0.0 && row["scheme"] == "dem";
        assert_eq!(row["failed"].is_string(), white, "{row}");
        if row["scheme"] == "causal" {
            assert!(
                row["log_evidence"].is_number() && row["look_ahead"] == 0,
                "{row}"
            );
            assert!(row["rmse"].as_f64().unwrap() < 0.5, "{row}");
        }
    }
    for name in ["c/compare.png", "c/trajectories.png"] {
        assert!(image::open(folder.path().join(name)).unwrap().width() > 600);
    }
    for (args, code, said) in [
        (
            &[
                "compare",
                "y.csv",
                "--model",
                "convolution.toml",
                "--orders",
                "1..99",
            ][..],
            2,
            "no order",
        ),
        (
            &[
                "compare",
                "y.csv",
                "--model",
                "convolution.toml",
                "--schemes",
                "spm",
            ],
            1,
            "dem-published",
        ),
        (
            &[
                "compare",
                "y.csv",
                "--model",
                "convolution.toml",
                "--true-states",
                "a.csv",
            ],
            1,
            "expected 40 rows of 2",
        ),
        (
            &[
                "filter",
                "y.csv",
                "--model",
                "convolution.toml",
                "--factorisation",
                "vjf",
            ],
            2,
            "causally",
        ),
        (
            &[
                "filter",
                "y.csv",
                "--model",
                "convolution.toml",
                "--learn=rmle",
            ],
            2,
            "odem",
        ),
    ] {
        let told = run(args).bad(code);
        assert!(told.contains(said), "{args:?}: {told}");
    }
}
