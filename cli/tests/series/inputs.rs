//! Inputs whose effects cannot be told apart are told by their names.

use super::{Folder, TIMED, noise, table};

fn folder() -> Folder {
    let (a, e) = (noise(200), noise(400)[200..].to_vec());
    let y: Vec<f64> = a.iter().zip(&e).map(|(a, e)| a + e).collect();
    let choice: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > 0.0))).collect();
    let b: Vec<f64> = a.iter().map(|a| 2.0 * a + 1.0).collect();
    let (zero, three) = (vec![0.0; 200], vec![3.0; 200]);
    let text = table(
        "y,choice,a,b,zero,three",
        &[&y, &choice, &a, &b, &zero, &three],
    );
    Folder::with(&[("d.csv", &text)])
}

const CASES: [(&str, &str); 3] = [
    ("a,b", "the inputs a, b are collinear"),
    ("a,zero", "the input zero does not vary"),
    ("three", "the input three does not vary"),
];

#[test]
fn regressions_of_hidden_states_refuse_them() {
    let folder = folder();
    for (inputs, said) in CASES {
        for (kind, column) in [
            ("linear-regression", "y"),
            ("logistic-regression", "choice"),
        ] {
            let fit = [
                "fit",
                "d.csv",
                "--kind",
                kind,
                "--columns",
                column,
                "--inputs",
                inputs,
            ];
            let fit = [&fit[..], &["--n-states", "1", "--out", "x.toml", "--force"]].concat();
            folder.refused(&fit, &[said, "--pseudo-count"]);
            // Pseudo-observations decide between what the data do not; that they do not is said.
            let (_, err) = folder.good(&[&fit[..], &["--pseudo-count", "0.1"]].concat());
            assert!(err.contains(said), "{err}");
        }
    }
}

#[test]
fn linear_models_warn_of_them() {
    let folder = folder();
    for (inputs, said) in CASES {
        let fit = [
            "fit",
            "d.csv",
            "--columns",
            "y",
            "--inputs",
            inputs,
            "--out",
            "x.toml",
            "--force",
        ];
        let linear = [
            "--kind",
            "linear-gaussian",
            "--n-states",
            "1",
            "--restarts",
            "1",
            "--max-iterations",
            "3",
        ];
        for more in [
            &linear[..],
            &["--component", "level,regression", "--restarts", "1"],
        ] {
            let (_, _, err) = folder.run(&[&fit[..], more].concat());
            assert!(err.contains(said), "{err}");
        }
    }
    let fit = [
        "fit",
        "d.csv",
        "--columns",
        "y",
        "--inputs",
        "a",
        "--out",
        "x.toml",
        "--force",
    ];
    let (_, err) = folder.good(
        &[
            &fit[..],
            &["--component", "level,regression", "--restarts", "1"],
        ]
        .concat(),
    );
    assert!(!err.contains("the input"), "{err}");
}

#[test]
fn inputs_are_no_observations() {
    let days = "when,y\n2024-01-01,1\n2024-01-02,\n2024-01-04,2\n";
    let folder = Folder::with(&[("timed.toml", TIMED), ("a.csv", days), ("b.csv", days)]);
    // A time alone is not seen, of one file or of several.
    for files in [&["a.csv"][..], &["a.csv", "b.csv"]] {
        let (out, _) = folder.good(&[&["filter", "--model", "timed.toml"][..], files].concat());
        let unseen = out.matches("\"seen\":false").count();
        assert_eq!(unseen, files.len(), "{out}");
    }
    let residuals = [
        "residuals",
        "--model",
        "timed.toml",
        "a.csv",
        "--figure",
        "r.png",
    ];
    folder.good(&[&residuals[..], &["--figure-column", "1"]].concat());
    let input = [&residuals[..], &["--figure-column", "2"]].concat();
    folder.refused(&input, &["--figure-column is 2", "predicts 1"]);
}

#[test]
fn options_of_other_fits_are_refused() {
    let folder = Folder::with(&[("d.csv", &table("y,x", &[&noise(60), &noise(120)[60..]]))]);
    let level = [
        "fit",
        "d.csv",
        "--columns",
        "y",
        "--component",
        "level",
        "--out",
        "m.toml",
    ];
    for option in [
        ["--transition-inputs", "x"],
        ["--exposure", "x"],
        ["--lags", "3"],
    ] {
        folder.refused(&[&level[..], &option].concat(), &[option[0], "--kind"]);
    }
}

/// A constant input is seen however many rows there are, and inputs of transitions are named as such.
#[test]
fn a_constant_input_of_transitions_is_named() {
    for rows in [300, 800] {
        let ones = vec![1.0; rows];
        let counts: Vec<f64> = noise(rows)
            .iter()
            .map(|x| (3.0 * x + 3.0).floor())
            .collect();
        let folder = Folder::with(&[("d.csv", &table("y,one", &[&counts, &ones]))]);
        let fit = [
            "fit",
            "d.csv",
            "--columns",
            "y",
            "--kind",
            "poisson",
            "--n-states",
            "2",
            "--out",
            "m.toml",
        ];
        let all = [&fit[..], &["--transition-inputs", "one"]].concat();
        folder.refused(&all, &["input one does not vary"]);
    }
}

/// A column that is given by its number is called by its name in the model, which then finds it wherever it is.
#[test]
fn inputs_by_number_are_called_by_their_names() {
    let (u, e) = (noise(200), noise(400)[200..].to_vec());
    let y: Vec<f64> = u.iter().zip(&e).map(|(u, e)| 2.0 * u + e).collect();
    let rows = |columns: &[&[f64]]| table("", columns).trim_start().to_owned();
    let folder = Folder::with(&[
        ("named.csv", &table("y,u", &[&y, &u])),
        ("turned.csv", &table("u,y", &[&u, &y])),
        ("others.csv", &table("y,v", &[&y, &u])),
        ("plain.csv", &rows(&[&y, &u])),
        ("wide.csv", &rows(&[&y, &e, &u])),
    ]);
    let fit = |data: &str, model: &str| {
        let fit = [
            "fit",
            data,
            "--columns",
            "1",
            "--inputs",
            "2",
            "--kind",
            "linear-regression",
            "--n-states",
            "1",
        ];
        folder.good(&[&fit[..], &["--out", model]].concat());
        std::fs::read_to_string(folder.path().join(model)).unwrap()
    };
    let score = |data: &str, model: &str| {
        let told = folder.json(&["score", "--model", model, data, "--json"]);
        told["log_evidence"].as_f64().unwrap()
    };
    assert!(fit("named.csv", "named.toml").contains("inputs = [\"u\"]"));
    assert_eq!(
        score("turned.csv", "named.toml"),
        score("named.csv", "named.toml")
    );
    folder.refused(
        &["score", "--model", "named.toml", "others.csv"],
        &["others.csv", "no column `u`"],
    );
    // Of a table without names the number is its place, and means nothing in a table with names.
    assert!(fit("plain.csv", "plain.toml").contains("inputs = [\"2\"]"));
    assert_eq!(
        score("plain.csv", "plain.toml"),
        score("named.csv", "named.toml")
    );
    folder.refused(
        &["score", "--model", "plain.toml", "turned.csv"],
        &["turned.csv", "column 2 of tables without names", "called y"],
    );
    folder.refused(
        &["score", "--model", "plain.toml", "wide.csv"],
        &["wide.csv", "3 columns"],
    );
}

#[test]
fn symbols_are_of_observations_only() {
    let mut text = "side,u\n".to_owned();
    for (t, u) in noise(60).iter().enumerate() {
        text += &format!("{},{u}\n", if (t / 7) % 2 == 0 { "left" } else { "right" });
    }
    let folder = Folder::with(&[("d.csv", &text), ("odd.csv", "side,u\nleft,right\n")]);
    let alphabet = ["--alphabet", "left,right"];
    let fit = [
        "fit",
        "d.csv",
        "--columns",
        "side",
        "--kind",
        "logistic-regression",
        "--n-states",
        "1",
        "--inputs",
        "u",
    ];
    folder.good(&[&fit[..], &alphabet, &["--out", "m.toml"]].concat());
    let score = |data| [&["score", "--model", "m.toml", data], &alphabet[..]].concat();
    folder.good(&score("d.csv"));
    folder.refused(
        &score("odd.csv"),
        &["odd.csv, line 2, column u", "`right`", "a finite number"],
    );
}

#[test]
fn inputs_of_rows_to_come_are_not_those_of_the_data() {
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("a.csv", "when,y\n1,1\n2,1\n"),
        ("next.csv", "when\n3\n"),
    ]);
    let forecast = [
        "forecast",
        "--model",
        "timed.toml",
        "a.csv",
        "--ahead",
        "1",
        "--every",
        "1",
    ];
    folder.good(&forecast);
    folder.refused(
        &[&forecast[..], &["--given", "next.csv"]].concat(),
        &["--given", "--every"],
    );
}
