//! Switching linear dynamical systems: from a template to a fit, and every verb on it.

use super::Folder;

/// The values of a column.
fn column(text: &str, name: &str) -> Vec<f64> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = header.iter().position(|h| *h == name).unwrap();
    lines
        .map(|line| line.split(',').nth(at).unwrap().parse().unwrap())
        .collect()
}

#[test]
fn a_series_of_two_regimes_goes_through_every_verb() {
    let folder = Folder::with(&[]);
    let template = folder.good(&["model", "template", "slds"]).0;
    folder.write("truth.toml", &template);
    let checked = folder.good(&["model", "check", "truth.toml"]).0;
    assert!(checked.contains("2 dimensions and 2 regimes"), "{checked}");
    let drawn = [
        "sample",
        "--model",
        "truth.toml",
        "--length",
        "300",
        "--seed",
        "2",
        "--states",
        "states.csv",
        "--out",
        "y.csv",
    ];
    folder.good(&drawn);
    let states = std::fs::read_to_string(folder.path().join("states.csv")).unwrap();
    let regimes = column(&states, "regime");
    assert_eq!(column(&states, "x2").len(), 300);
    // Two numbers of regimes, by BIC.
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "slds",
        "--n-states",
        "1,2",
        "--restarts",
        "3",
        "--max-iterations",
        "60",
        "--tolerance",
        "1e-3",
        "--out",
        "fitted.toml",
        "--json",
    ];
    let fitted = folder.json(&fit);
    assert_eq!(fitted["best"], 2);
    assert_eq!(fitted["fits"][1]["bound"], true);
    let text = std::fs::read_to_string(folder.path().join("fitted.toml")).unwrap();
    // What is shared stands once.
    assert_eq!(text.matches("observation_noise").count(), 1);
    assert_eq!(text.matches("[[regimes]]").count(), 2);
    for model in ["truth.toml", "fitted.toml"] {
        let on = |verb: &str, more: &[&str]| {
            folder.good(&[&[verb, "y.csv", "--model", model][..], more].concat())
        };
        let decoded = column(&on("decode", &["--out-format", "csv"]).0, "state");
        let same = decoded.iter().zip(&regimes).filter(|(a, b)| a == b).count();
        // Which of the two is called 1 is a matter of chance in a fit.
        assert!(same.max(300 - same) > 255, "{model}: {same} of 300");
        for verb in ["filter", "smooth"] {
            let lines = on(verb, &["--out-format", "csv"]).0;
            let (first, second) = (column(&lines, "regime1"), column(&lines, "regime2"));
            assert!(
                first
                    .iter()
                    .zip(&second)
                    .all(|(a, b)| (a + b - 1.0).abs() < 1e-9)
            );
            assert_eq!(column(&lines, "mean2").len(), 300);
        }
        assert!(on("score", &[]).0.contains("log score"));
        assert!(
            on("forecast", &["--ahead", "3", "--samples", "2"])
                .0
                .lines()
                .count()
                >= 3
        );
        assert!(on("residuals", &[]).0.len() > 100);
        let summary = ["summary", "y.csv", "--model", model];
        folder.refused(&summary, &["switching linear dynamical system", "bound"]);
        let learn = ["filter", "y.csv", "--model", model, "--learn"];
        folder.refused(&learn, &["fitted to whole sequences"]);
        let certify = ["compare", "y.csv", "--model", model, "--certify"];
        folder.refused(&certify, &["switching linear dynamical system"]);
    }
    let compared = folder
        .good(&[
            "compare",
            "y.csv",
            "--model",
            "truth.toml",
            "--model",
            "fitted.toml",
        ])
        .0;
    assert!(compared.contains("log score"), "{compared}");
    let more = [
        "fit",
        "y.csv",
        "--model",
        "fitted.toml",
        "--max-iterations",
        "2",
        "--out",
        "more.toml",
    ];
    assert!(folder.good(&more).0.contains("2 regimes"));
}

#[test]
fn options_of_other_kinds_are_refused() {
    let folder = Folder::with(&[("y.csv", "y\n0.1\n0.7\n0.2\n0.9\n")]);
    let refused = |more: &[&str], said: &[&str]| {
        folder.refused(
            &[&["fit", "y.csv", "--out", "m.toml"][..], more].concat(),
            said,
        );
    };
    refused(
        &["--kind", "linear-gaussian", "--dimension", "2"],
        &["a fit of a linear-gaussian model has no use for --dimension"],
    );
    refused(
        &["--kind", "slds", "--pseudo-count", "1"],
        &["a fit of slds has no use for --pseudo-count"],
    );
    refused(&["--kind", "slds", "--learn", "F"], &["--learn"]);
    refused(&["--kind", "slds", "--inputs", "y"], &["--inputs"]);
    assert!(!folder.path().join("m.toml").exists());
}

#[test]
fn states_that_were_drawn_are_those_that_beliefs_are_scored_against() {
    let folder = Folder::with(&[]);
    folder.write("truth.toml", &folder.good(&["model", "template", "slds"]).0);
    let sample = [
        "sample",
        "--model",
        "truth.toml",
        "--length",
        "200",
        "--states",
        "states.csv",
        "--out",
        "y.csv",
    ];
    folder.good(&sample);
    let filter = |states: &'static str| {
        [
            "filter",
            "y.csv",
            "--model",
            "truth.toml",
            "--every",
            "0",
            "--true-states",
            states,
        ]
    };
    let (_, err) = folder.good(&filter("states.csv"));
    assert!(err.contains("true regime most probable in"), "{err}");
    let scores = |err: &str| err[err.find("RMSE").unwrap()..].to_owned();
    // The vectors alone are scored alike.
    let states = std::fs::read_to_string(folder.path().join("states.csv")).unwrap();
    let vectors = states.lines().map(|line| line.split_once(',').unwrap().1);
    folder.write(
        "x.csv",
        &vectors.map(|line| format!("{line}\n")).collect::<String>(),
    );
    let (_, alone) = folder.good(&[&filter("x.csv")[..], &["--figure", "f.svg"]].concat());
    assert!(!alone.contains("regime most"), "{alone}");
    assert_eq!(scores(&alone), scores(&err));
    // The panels of the states have the names of the states.
    folder.good(&[&filter("states.csv")[..], &["--figure", "g.svg"]].concat());
    let svg = std::fs::read_to_string(folder.path().join("g.svg")).unwrap();
    assert!(
        svg.contains(">x1</text>") && svg.contains(">x2</text>") && !svg.contains(">regime</text>")
    );
    let (first, rest) = states.split_once('\n').unwrap();
    let (_, after) = rest.split_once(',').unwrap();
    folder.write("odd.csv", &format!("{first}\n3,{after}"));
    folder.refused(
        &filter("odd.csv"),
        &["odd.csv, state 1", "3 is no state", "1 to 2"],
    );
    folder.write(
        "narrow.csv",
        &states
            .lines()
            .map(|l| format!("{}\n", l.split(',').next().unwrap()))
            .collect::<String>(),
    );
    folder.refused(
        &filter("narrow.csv"),
        &["found 1 true states", "expected 2, or the regime and these"],
    );
}

/// Stretches of exact 0 between other numbers: a regime that predicts them without noise has an ELBO without end, and no criterion.
#[test]
fn a_regime_of_one_value_is_not_ranked() {
    let made = super::noise(300);
    let y = (0..300).map(|t| if t / 50 % 2 == 0 { made[t] } else { 0.0 });
    let y: Vec<f64> = y.collect();
    let start = "kind = \"slds\"\ninitial = [0.5, 0.5]\ntransition = [[0.95, 0.05], [0.05, 0.95]]\ninitial_mean = [0.0]\n\
                 initial_covariance = [[1.0]]\nobservation = [[1.0]]\nobservation_noise = [[1e-4]]\n\n[[regimes]]\n\
                 transition = [[0.0]]\nprocess_noise = [[1e-5]]\n\n[[regimes]]\ntransition = [[0.0]]\nprocess_noise = [[0.3]]\n";
    let files = [
        ("zi.csv", super::table("y", &[&y])),
        ("start.toml", start.to_owned()),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let folder = Folder::with(&files);
    let fit = |more: &[&str]| {
        let command = [
            "fit",
            "zi.csv",
            "--model",
            "start.toml",
            "--json",
            "--force",
            "--out",
            "m.toml",
        ];
        folder.json(&[&command[..], more].concat())["fits"][0].clone()
    };
    let (fitted, lower) = (fit(&[]), fit(&["--variance-floor", "1e-8"]));
    for fit in [&fitted, &lower] {
        assert_eq!(fit["ranked"], false, "{fit:#}");
        assert!(fit["bic"].is_null(), "{fit:#}");
        let said = fit["warnings"][0].as_str().unwrap();
        assert!(said.contains("predicts without noise"), "{said}");
    }
    // 150 values of a variance less by 10³: ½ ln 10³ more each; the others lose a little.
    let rise = lower["log_evidence"].as_f64().unwrap() - fitted["log_evidence"].as_f64().unwrap();
    assert!(
        (rise / (150.0 * 0.5 * 1e3f64.ln()) - 1.0).abs() < 0.1,
        "{rise}"
    );
    let several = [
        "fit",
        "zi.csv",
        "--kind",
        "slds",
        "--n-states",
        "2",
        "--json",
        "--out",
        "n.toml",
    ];
    let several = folder.json(&several)["fits"][0].clone();
    let elbo = several["log_evidence"].as_f64().unwrap();
    assert!(
        elbo < fitted["log_evidence"].as_f64().unwrap(),
        "{several:#}"
    );
}
