//! What is asked of a saved filter in place of a model.

use super::Folder;

/// Two symbols in one state.
const FAIR: &str = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"categorical\"\n\
                    probabilities = [[0.5, 0.5]]\n";
const RULE: &str = "rule = \"dirichlet\"\nemission_weight = 2.0\n";

fn folder() -> Folder {
    let folder = Folder::with(&[
        ("m.toml", FAIR),
        ("rule.toml", RULE),
        ("y.csv", "y\n1\n1\n1\n1\n"),
    ]);
    for (learn, file) in [("rule.toml", "d.filter"), ("rmle", "r.filter")] {
        let learn = format!("--learn={learn}");
        let all = [
            "filter", "y.csv", "--model", "m.toml", &learn, "--save", file,
        ];
        folder.good(&[&all[..], &["--every", "0"]].concat());
    }
    folder
}

/// Four of the second symbol after 2 · (½, ½): Beta(5, 1), whose quantiles are p^(1/5), and Beta(1, 5) of the first.
#[test]
fn counts_have_credible_intervals() {
    let folder = folder();
    let all = ["summary", "--model", "d.filter", "--level", "0.9"];
    let told = folder.json(&[&all[..], &["--json"]].concat());
    assert_eq!(
        (&told["rule"], &told["observations"]),
        (&"dirichlet".into(), &4.into())
    );
    let parameters = told["parameters"].as_array().unwrap();
    let of = |name: &str| parameters.iter().find(|p| p["name"] == name).unwrap();
    let p = of("probabilities[1,2]");
    // Var of Beta(5, 1) = 5/(36 · 7).
    for (found, exact) in [
        (&p["mean"], 5.0 / 6.0),
        (&p["deviation"], (5.0f64 / 252.0).sqrt()),
        (&p["interval"][0], 0.05f64.powf(0.2)),
        (&p["interval"][1], 0.95f64.powf(0.2)),
        (
            &of("probabilities[1,1]")["interval"][1],
            1.0 - 0.05f64.powf(0.2),
        ),
        (&of("transition[1,1]")["mean"], 1.0),
    ] {
        let found = found.as_f64().unwrap();
        assert!((found - exact).abs() < 1e-10, "{found} {exact}"); // lgamma of libm, halvings
    }
    assert_eq!(of("initial[1]")["remark"], "held");
    let (text, _) = folder.good(&all);
    for part in [
        "4 observations, learned by dirichlet",
        "90 % interval",
        "0.833333",
        "0.549280 … 0.989794",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn what_a_saved_filter_does_not_tell_is_said_in_words() {
    let folder = folder();
    let summary = |file: &str, more: &[&str], said: &[&str]| {
        folder.refused(&[&["summary", "--model", file][..], more].concat(), said);
    };
    summary("r.filter", &[], &["r.filter", "dirichlet"]);
    summary(
        "d.filter",
        &["y.csv"],
        &["d.filter is a saved filter", "leave y.csv out"],
    );
    summary("d.filter", &["--hold", "initial"], &["--hold"]);
    summary("d.filter", &["--figure", "f.svg"], &["--figure"]);
    summary("d.filter", &["--level", "1.5"], &["level"]);
    summary("m.toml", &[], &["m.toml is a model", "data"]);
    // Cut short.
    let bytes = std::fs::read(folder.path().join("d.filter")).unwrap();
    std::fs::write(folder.path().join("cut.filter"), &bytes[..bytes.len() - 9]).unwrap();
    summary("cut.filter", &[], &["cut.filter was cut short"]);
    for verb in ["score", "smooth", "forecast"] {
        let said = [
            "d.filter is a saved filter, and no model",
            "--resume",
            "--model-out",
        ];
        folder.refused(&[verb, "y.csv", "--model", "d.filter"], &said);
    }
}
