//! Hidden Markov models that are given inputs or an exposure, from the data to forecasts.

use std::fs;

use super::support::{folder, scotopic};

const CHOICES: &str = include_str!("../../../examples/choices.csv");

/// Weights of three states that are far apart: a fit of fewer rows than there are.
fn fitted() -> tempfile::TempDir {
    let folder = folder();
    fs::write(folder.path().join("choices.csv"), CHOICES).unwrap();
    let fit = scotopic(
        folder.path(),
        &[
            "fit",
            "choices.csv",
            "--columns",
            "choice",
            "--inputs",
            "contrast,previous",
            "--kind",
            "logistic-regression",
            "--n-states",
            "3",
            "--restarts",
            "4",
            "--out",
            "choices.toml",
            "--json",
        ],
    )
    .json();
    // The optimum of an independent program: filtering/tests/golden/regressions.json.
    let found = fit["fits"][0]["log_evidence"].as_f64().unwrap();
    assert!((found + 714.726_728_229).abs() < 1e-3, "{found}");
    folder
}

#[test]
fn a_glm_hmm_from_the_data_to_forecasts() {
    let folder = fitted();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    let text = fs::read_to_string(folder.path().join("choices.toml")).unwrap();
    assert!(
        text.contains("inputs = [") && text.contains("contrast"),
        "{text}"
    );
    let checked = run(&["model", "check", "choices.toml"]).good();
    assert!(
        checked.contains("1 column given contrast, previous"),
        "{checked}"
    );
    // The columns are found by their names, in any order, with or without --columns.
    let shuffled: String = CHOICES
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{},{}\n", cells[2], cells[0], cells[1])
        })
        .collect();
    fs::write(folder.path().join("shuffled.csv"), shuffled).unwrap();
    let score = |arguments: &[&str]| {
        let all = [&["score", "--model", "choices.toml", "--json"], arguments].concat();
        run(&all).json()["log_evidence"].as_f64().unwrap()
    };
    let one = score(&["choices.csv"]);
    assert_eq!(one, score(&["shuffled.csv"]));
    assert_eq!(one, score(&["shuffled.csv", "--columns", "choice"]));
    for verb in [
        &[
            "filter",
            "--model",
            "choices.toml",
            "choices.csv",
            "--alarm",
            "0.01",
        ][..],
        &["smooth", "--model", "choices.toml", "choices.csv"],
        &["decode", "--model", "choices.toml", "choices.csv"],
        &["residuals", "--model", "choices.toml", "choices.csv"],
    ] {
        run(verb).good();
    }
    let summary = run(&["summary", "--model", "choices.toml", "choices.csv"]).good();
    assert!(summary.contains("weights[3,2]"), "{summary}");
    fs::write(
        folder.path().join("next.csv"),
        "previous,contrast\n1,1\n1,-1\n",
    )
    .unwrap();
    let forecast = run(&[
        "forecast",
        "--model",
        "choices.toml",
        "choices.csv",
        "--ahead",
        "2",
        "--given",
        "next.csv",
    ]);
    let lines = forecast.good();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let every = run(&[
        "forecast",
        "--model",
        "choices.toml",
        "choices.csv",
        "--every",
        "100",
        "--out",
        "f.csv",
    ]);
    assert!(
        every.code == Some(0) && every.err.contains("14 forecasts"),
        "{}",
        every.err
    );
    let drawn = run(&["sample", "--model", "choices.toml", "--given", "next.csv"]).good();
    assert!(drawn.starts_with("y1,contrast,previous\n"), "{drawn}");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = fitted();
    let run = |arguments: &[&str]| {
        let done = scotopic(folder.path(), arguments);
        assert_ne!(done.code, Some(0), "{}", done.out);
        done.err
    };
    let forecast = run(&["forecast", "--model", "choices.toml", "choices.csv"]);
    assert!(
        forecast.contains("--given") && forecast.contains("contrast, previous"),
        "{}",
        forecast
    );
    fs::write(folder.path().join("bare.csv"), "choice,contrast\n1,0.5\n").unwrap();
    let bare = run(&["score", "--model", "choices.toml", "bare.csv"]);
    assert!(bare.contains("previous"), "{}", bare);
    let kind = run(&[
        "fit",
        "choices.csv",
        "--columns",
        "choice",
        "--inputs",
        "contrast",
        "--kind",
        "categorical",
        "--out",
        "c.toml",
    ]);
    assert!(kind.contains("inputs"), "{}", kind);
    fs::write(
        folder.path().join("odd.csv"),
        "choice,contrast,previous\n2,0.5,1\n",
    )
    .unwrap();
    let odd = run(&["score", "--model", "choices.toml", "odd.csv"]);
    assert!(odd.contains("0 or 1"), "{}", odd);
}

#[test]
fn counts_of_an_exposure_are_rates() {
    let folder = folder();
    // Two rates, 20 and 200 a unit of time, in stretches of 25 rows; with `spread` the counts vary more than Poisson's.
    let table = |spread: f64| -> String {
        let row = |t: u32| {
            let hours = f64::from(1 + t % 3) * 0.5;
            let rate = if (t / 25).is_multiple_of(2) {
                20.0
            } else {
                200.0
            };
            let more = if (t / 3).is_multiple_of(2) {
                1.0 - spread
            } else {
                1.0 + spread
            };
            format!("{},{hours}\n", (rate * hours * more).round())
        };
        std::iter::once("count,hours\n".to_owned())
            .chain((0..200).map(row))
            .collect()
    };
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    for (kind, spread) in [("poisson", 0.0), ("negative-binomial", 0.6)] {
        fs::write(folder.path().join("counts.csv"), table(spread)).unwrap();
        run(&[
            "fit",
            "counts.csv",
            "--kind",
            kind,
            "--exposure",
            "hours",
            "--n-states",
            "2",
            "--restarts",
            "3",
            "--out",
            "m.toml",
            "--force",
        ])
        .good();
        let text = fs::read_to_string(folder.path().join("m.toml")).unwrap();
        assert!(text.contains("exposure = \"hours\""), "{text}");
        let said = run(&["summary", "--model", "m.toml", "counts.csv", "--json"]).json();
        let all = said["estimates"].as_array().unwrap().iter();
        let mut rates: Vec<f64> = all
            .filter(|e| {
                ["rates", "means"]
                    .iter()
                    .any(|key| e["name"].as_str().unwrap().starts_with(key))
            })
            .map(|e| e["value"].as_f64().unwrap())
            .collect();
        rates.sort_by(f64::total_cmp);
        assert!(
            (rates[0] / 20.0 - 1.0).abs() < 0.05 && (rates[1] / 200.0 - 1.0).abs() < 0.05,
            "{kind}: {rates:?}"
        );
    }
}

const ECONOMY: &str = include_str!("../../../datasets/series/macrodata.csv");

#[test]
fn a_regression_as_a_component_from_the_data_to_forecasts() {
    let folder = folder();
    fs::write(folder.path().join("us.csv"), ECONOMY).unwrap();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    let components = ["--component", "level,regression", "--inputs", "unemp"];
    let fit = [
        &[
            "fit",
            "us.csv",
            "--columns",
            "infl",
            "--out",
            "us.toml",
            "--json",
        ][..],
        &components,
    ]
    .concat();
    let fit = run(&fit).json();
    let found = fit["fits"][0]["log_evidence"].as_f64().unwrap();
    // statsmodels: filtering/tests/golden/driven.json.
    assert!((found + 449.163_745).abs() < 1e-4, "{found}");
    let effect = fit["fits"][0]["coefficients"][0]["mean"].as_f64().unwrap();
    assert!((effect + 0.9549).abs() < 1e-3, "{effect}");
    let checked = run(&["model", "check", "us.toml"]).good();
    assert!(checked.contains("1 column given unemp"), "{checked}");
    let data = ["us.csv", "--columns", "infl", "--model", "us.toml"];
    let with = |verb: &str, more: &[&str]| run(&[&[verb][..], &data, more].concat());
    let score = with("score", &[]).good();
    assert!(score.contains("-449.1637"), "{score}");
    let smoothed = with("smooth", &[]).good();
    assert_eq!(smoothed.lines().count(), 203);
    fs::write(folder.path().join("next.csv"), "unemp\n9.6\n9.7\n").unwrap();
    let ahead = with("forecast", &["--ahead", "2", "--given", "next.csv"]).good();
    assert_eq!(ahead.lines().count(), 2);
    let without = with("forecast", &["--ahead", "2"]).bad(2);
    assert!(without.contains("--given"), "{without}");
    // An input that is missing is named by its place.
    let mut lines: Vec<String> = ECONOMY.lines().map(str::to_owned).collect();
    let place = lines[0]
        .split(',')
        .position(|n| n.trim_matches('"') == "unemp");
    let mut cells: Vec<&str> = lines[3].split(',').collect();
    cells[place.unwrap()] = "";
    lines[3] = cells.join(",");
    fs::write(folder.path().join("us.csv"), lines.join("\n")).unwrap();
    let error = with("score", &[]).bad(1);
    assert!(
        error.contains("observation 3, entry 2") && error.contains("unemp"),
        "{error}"
    );
}

#[test]
fn rows_at_dates_of_any_distance() {
    let folder = folder();
    let level = "kind = \"linear-gaussian\"\ntime = \"when\"\ndrift = [[0.0]]\ndiffusion = [[0.5]]\n\
                 observation = [[1.0]]\nobservation_noise = [[2.0]]\n";
    fs::write(folder.path().join("level.toml"), level).unwrap();
    let rows = "when,y\n2024-01-01,1.0\n2024-01-02,2.5\n2024-01-12,\n2024-03-01,4.0\n";
    fs::write(folder.path().join("rows.csv"), rows).unwrap();
    // The days of the same rows, from any first one.
    let days = "when,y\n100,1.0\n101,2.5\n111,NA\n160,4.0\n";
    fs::write(folder.path().join("days.csv"), days).unwrap();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    let score = |file: &str| {
        let told = run(&["score", "--model", "level.toml", file]).good();
        told.lines().last().unwrap().replace(file, "")
    };
    assert_eq!(
        score("rows.csv").split_whitespace().collect::<Vec<_>>(),
        score("days.csv").split_whitespace().collect::<Vec<_>>()
    );
    // A time alone is no observation.
    assert_eq!(score("rows.csv").split_whitespace().next(), Some("3"));
    let filtered = run(&["filter", "--model", "level.toml", "rows.csv"]).good();
    let third = filtered.lines().nth(2).unwrap();
    assert!(third.contains("\"seen\":false"), "{third}");
    // Nor can it be predicted, by whatever it is called.
    let error = run(&[
        "score",
        "--model",
        "level.toml",
        "rows.csv",
        "--columns",
        "1",
    ])
    .bad(1);
    assert!(error.contains("is given the column when"), "{error}");
    fs::write(folder.path().join("next.csv"), "when\n2024-03-11\n").unwrap();
    let ahead = run(&[
        "forecast",
        "--model",
        "level.toml",
        "rows.csv",
        "--given",
        "next.csv",
        "--samples",
        "2",
    ])
    .good();
    let ahead: serde_json::Value = serde_json::from_str(ahead.trim()).unwrap();
    assert_eq!(ahead["samples"].as_array().unwrap().len(), 2, "{ahead}");
    let smoothed = run(&["smooth", "--model", "level.toml", "rows.csv"]).good();
    let last: serde_json::Value = serde_json::from_str(smoothed.lines().last().unwrap()).unwrap();
    // Ten days of 0.5, and the noise.
    let variance = last["variance"][0].as_f64().unwrap() + 5.0 + 2.0;
    assert!((ahead["variance"][0].as_f64().unwrap() - variance).abs() < 1e-12);
    let wrong = rows.replace("2024-03-01", "2023-03-01");
    fs::write(folder.path().join("rows.csv"), wrong).unwrap();
    let error = run(&["score", "--model", "level.toml", "rows.csv"]).bad(1);
    assert!(
        error.contains("observation 4") && error.contains("sort the rows"),
        "{error}"
    );
}

#[test]
fn inputs_of_transitions_from_the_data_to_forecasts() {
    let folder = folder();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    // Rates and weights that a fit of 800 rows tells apart.
    let model = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n\
                 transition_inputs = [\"cue\"]\n\
                 transition_weights = [[[0.0], [2.0]], [[-1.0], [0.0]]]\n\
                 [emission]\nkind = \"poisson\"\nrates = [[1.0], [9.0]]\n";
    fs::write(folder.path().join("truth.toml"), model).unwrap();
    let cues: String = (0..800)
        .map(|t| format!("{}\n", (3.0 * (1.7 * f64::from(t)).sin()).round() / 2.0))
        .collect();
    fs::write(folder.path().join("cues.csv"), format!("cue\n{cues}")).unwrap();
    let sample = [
        "sample",
        "--model",
        "truth.toml",
        "--given",
        "cues.csv",
        "--out",
        "drawn.csv",
    ];
    run(&sample).good();
    let drawn = fs::read_to_string(folder.path().join("drawn.csv")).unwrap();
    let output = drawn
        .lines()
        .next()
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let columns = ["--columns", output.as_str()];
    let fit = [
        &["fit", "drawn.csv"][..],
        &columns,
        &[
            "--transition-inputs",
            "cue",
            "--kind",
            "poisson",
            "--n-states",
            "1..2",
            "--restarts",
            "3",
        ],
        &["--out", "found.toml", "--json"],
    ]
    .concat();
    let fit = run(&fit).json();
    assert_eq!(fit["best"], 2);
    let found = fit["fits"][1]["log_evidence"].as_f64().unwrap();
    let score = |model: &str| {
        let all = ["score", "--model", model, "--json", "drawn.csv"];
        run(&all).json()["log_evidence"].as_f64().unwrap()
    };
    assert!((score("found.toml") - found).abs() < 1e-9);
    // The maximum is above the truth, by half the square of five parameters' errors.
    let gained = found - score("truth.toml");
    assert!((0.0..15.0).contains(&gained), "{gained}");
    let checked = run(&["model", "check", "found.toml"]).good();
    assert!(checked.contains("given cue"), "{checked}");
    let again = [&["fit", "drawn.csv", "--model", "found.toml"][..], &columns].concat();
    run(&[&again[..], &["--out", "found.toml"]].concat()).good();
    for verb in ["filter", "smooth", "decode"] {
        let lines = run(&[&[verb, "--model", "found.toml", "drawn.csv"][..], &columns].concat());
        assert!(lines.good().lines().count() >= 800, "{verb}");
    }
    let summary = run(&["summary", "--model", "found.toml", "drawn.csv"]).good();
    assert!(summary.contains("transition_weights[1,2,1]"), "{summary}");
    fs::write(folder.path().join("next.csv"), "cue\n1.0\n-1.0\n").unwrap();
    let ahead = [
        "forecast",
        "--model",
        "found.toml",
        "drawn.csv",
        "--ahead",
        "2",
    ];
    let told = run(&[&ahead[..], &["--given", "next.csv"]].concat()).good();
    assert_eq!(told.lines().count(), 2);
    let none = run(&ahead).bad(2);
    assert!(none.contains("--given"), "{none}");
    // A filter that is saved goes on bit for bit.
    let filter =
        |rest: &[&str]| run(&[&["filter", "--model", "found.toml"][..], rest].concat()).good();
    let whole = filter(&["drawn.csv"]);
    let rows: Vec<&str> = drawn.lines().collect();
    let part = |name: &str, rows: &[&str]| {
        fs::write(
            folder.path().join(name),
            format!("{}\n{}\n", drawn.lines().next().unwrap(), rows.join("\n")),
        )
        .unwrap();
    };
    part("first.csv", &rows[1..301]);
    part("second.csv", &rows[301..]);
    let first = filter(&["first.csv", "--save", "half.filter"]);
    let second = run(&["filter", "--resume", "half.filter", "second.csv"]).good();
    assert_eq!(first + &second, whole);
    for (arguments, said) in [
        (&["--kind", "autoregression"][..], "--transition-inputs"),
        (&["--kind", "linear-gaussian"], "--transition-inputs"),
        (
            &["--kind", "poisson", "--pseudo-count", "1"],
            "--pseudo-count",
        ),
    ] {
        let all = [
            &[
                "fit",
                "drawn.csv",
                "--transition-inputs",
                "cue",
                "--out",
                "x.toml",
            ],
            arguments,
        ];
        let error = run(&all.concat()).err;
        assert!(error.contains(said), "{error}");
    }
}
