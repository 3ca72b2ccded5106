//! An AR-HMM by the program: from the template to a sample, a fit, and what is asked of it.

use std::fs;

use super::support::{folder, scotopic};

#[test]
fn an_ar_hmm_from_its_template_to_forecasts() {
    let folder = folder();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    let template = run(&["model", "template", "autoregression"]).good();
    fs::write(folder.path().join("truth.toml"), template).unwrap();
    let checked = run(&["model", "check", "truth.toml"]).good();
    assert!(checked.contains("1 column"), "{checked}");
    let sample = [
        "sample",
        "--model",
        "truth.toml",
        "--length",
        "1500",
        "--out",
        "x.csv",
    ];
    run(&sample).good();
    let fit = run(&[
        "fit",
        "x.csv",
        "--columns",
        "y1",
        "--kind",
        "autoregression",
        "--lags",
        "2",
        "--n-states",
        "2",
        "--restarts",
        "4",
        "--out",
        "fitted.toml",
        "--json",
    ])
    .json();
    let found = fit["fits"][0]["log_evidence"].as_f64().unwrap();
    let score = |model: &str| {
        let all = [
            "score",
            "--model",
            model,
            "--json",
            "x.csv",
            "--columns",
            "y1",
        ];
        run(&all).json()["log_evidence"].as_f64().unwrap()
    };
    // The optimum is above the truth, by half a chi-square of its 11 free parameters.
    let (own, truth) = (score("fitted.toml"), score("truth.toml"));
    assert!((own - found).abs() < 1e-6, "{own} and {found}");
    assert!(own > truth && own < truth + 20.0, "{own} and {truth}");
    let text = fs::read_to_string(folder.path().join("fitted.toml")).unwrap();
    assert!(text.contains("kind = \"autoregression\""), "{text}");
    let with = |verb: &[&str], more: &[&str]| {
        let model = ["--model", "fitted.toml", "x.csv", "--columns", "y1"];
        run(&[verb, &model, more].concat())
    };
    for (verb, more) in [
        ("filter", &["--alarm", "0.01"][..]),
        ("smooth", &[]),
        ("decode", &[]),
    ] {
        let lines = with(&[verb], more).good();
        assert!(
            lines.lines().count() >= 1500,
            "{verb}: {}",
            lines.lines().count()
        );
    }
    let summary = with(&["summary"], &[]).good();
    assert!(summary.contains("coefficients[2,2,1,1]"), "{summary}");
    let residuals = with(&["residuals"], &[]);
    assert_eq!(residuals.code, Some(0), "{}", residuals.err);
    let forecast = with(&["forecast"], &["--ahead", "3", "--samples", "2"]).good();
    assert_eq!(forecast.lines().count(), 3, "{forecast}");
    let every = with(&["forecast"], &["--every", "1", "--out", "f.csv"]);
    assert!(every.code == Some(0), "{}", every.err);
    let rank = run(&[
        "compare",
        "x.csv",
        "--columns",
        "y1",
        "--model",
        "fitted.toml",
        "--model",
        "truth.toml",
        "--by",
        "prequential",
        "--from",
        "3",
    ])
    .good();
    assert!(rank.contains("fitted.toml"), "{rank}");
    // What has no lags says something of the first rows too.
    let heavy = run(&["model", "template", "student-t"]).good();
    fs::write(folder.path().join("heavy.toml"), heavy).unwrap();
    let two = ["--model", "fitted.toml", "--model", "heavy.toml"];
    let rank = run(&[&["compare", "x.csv", "--columns", "y1"][..], &two].concat()).good();
    assert!(rank.contains("--from 3"), "{rank}");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let done = scotopic(folder.path(), arguments);
        assert_ne!(done.code, Some(0), "{}", done.out);
        done.err
    };
    let rows: String = (0..60)
        .map(|t| format!("{}\n", (t * t % 17) as f64))
        .collect();
    fs::write(folder.path().join("x.csv"), format!("y\n{rows}")).unwrap();
    let lags = run(&[
        "fit", "x.csv", "--kind", "poisson", "--lags", "2", "--out", "m.toml",
    ]);
    assert!(
        lags.contains("--lags is of the kind autoregression"),
        "{lags}"
    );
    let fit = [
        "fit",
        "x.csv",
        "--kind",
        "autoregression",
        "--n-states",
        "1",
        "--out",
        "m.toml",
    ];
    scotopic(folder.path(), &fit).good();
    // The last observation is missing: what comes next depends on it.
    fs::write(folder.path().join("x.csv"), format!("y\n{rows}NA\n")).unwrap();
    let forecast = run(&["forecast", "--model", "m.toml", "x.csv"]);
    assert!(forecast.contains("missing"), "{forecast}");
}
