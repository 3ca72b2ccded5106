//! Samples of autoregressions, and fits of series that are no such process.

use super::{Folder, noise, table};

/// The numbers of the first column.
fn numbers(text: &str) -> Vec<f64> {
    let cells = text.lines().skip(1).map(|line| line.split(',').next());
    cells.map(|cell| cell.unwrap().parse().unwrap()).collect()
}

#[test]
fn a_sample_near_a_unit_root_goes_on_from_the_data() {
    // A walk with a drift, whose regression has a root that no series tells from 1; in volts·1e-5 as in volts·1e9.
    let mut at = 0.0;
    let walk: Vec<f64> = noise(300)
        .iter()
        .map(|e| {
            at += 0.2 + e;
            at
        })
        .collect();
    for unit in [1e-5, 1.0, 1e9] {
        let y: Vec<f64> = walk.iter().map(|x| unit * (1000.0 + x)).collect();
        let folder = Folder::with(&[("y.csv", &table("y", &[&y]))]);
        let fit = [
            "fit",
            "y.csv",
            "--kind",
            "autoregression",
            "--lags",
            "2",
            "--n-states",
            "1",
        ];
        folder.good(&[&fit[..], &["--out", "ar.toml"]].concat());
        let sample = ["sample", "--model", "ar.toml", "--length", "20"];
        let drawn = numbers(&folder.good(&sample).0);
        // A step is at most 1.2 in the data, and normal of deviation 0.6 in the model.
        let (last, farthest) = (y[299], 20.0 * 2.0 * unit);
        assert!(
            drawn.iter().all(|x| (x - last).abs() < farthest),
            "{last} {drawn:?}"
        );
    }
}

#[test]
fn a_sample_of_a_unit_root_without_data_starts_at_zero() {
    let walk = |b: f64, a: f64| {
        format!(
            "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"autoregression\"\n\
             intercepts = [[{b}]]\ncoefficients = [[[[{a}]]]]\ncovariances = [[[0.01]]]\n"
        )
    };
    for (b, a, rest) in [(0.5, 1.0, 0.0), (0.5, 1.0 + 1e-12, 0.0), (0.5, 0.9, 5.0)] {
        let folder = Folder::with(&[("ar.toml", &walk(b, a))]);
        let drawn = numbers(
            &folder
                .good(&["sample", "--model", "ar.toml", "--length", "1"])
                .0,
        );
        // The first step, with noise of deviation 0.1.
        assert!((drawn[0] - (b + a * rest)).abs() < 0.6, "{a}: {drawn:?}");
    }
}

#[test]
fn a_series_that_its_past_gives_exactly_has_no_noise() {
    let line: Vec<f64> = (0..60).map(|t| 3.0 + 0.25 * f64::from(t)).collect();
    let flat = vec![7.0; 60];
    let folder = Folder::with(&[
        ("line.csv", &table("y", &[&line])),
        ("flat.csv", &table("y", &[&flat])),
    ]);
    let fit = |file| {
        let fit = [
            "fit",
            file,
            "--kind",
            "autoregression",
            "--n-states",
            "1",
            "--out",
            "x.toml",
        ];
        fit.map(str::to_owned)
    };
    let of = |file: &'static str, said: &[&str]| {
        let all = fit(file);
        folder.refused(&all.iter().map(String::as_str).collect::<Vec<_>>(), said);
    };
    of(
        "line.csv",
        &[
            "y: each row is given by those before it exactly",
            "--pseudo-count",
        ],
    );
    of("flat.csv", &["y does not vary"]);
    assert!(
        !folder
            .run(&[
                "fit",
                "line.csv",
                "--kind",
                "autoregression",
                "--n-states",
                "1",
                "--out",
                "x.toml"
            ])
            .2
            .contains("vary")
    );
}

const COUNTS: &str = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\n\
                      rates = [[2.0]]\nexposure = \"e\"\n";

/// Counts of a time that is not positive are none, drawn, forecast or scored.
#[test]
fn an_exposure_is_positive() {
    let folder = Folder::with(&[
        ("counts.toml", COUNTS),
        ("e.csv", "e\n1\n-1\n2\n"),
        ("y.csv", "y,e\n1,1\n2,1\n"),
    ]);
    let place = [
        "e.csv, line 3, column e",
        "found -1, expected an exposure above 0",
    ];
    folder.refused(
        &["sample", "--model", "counts.toml", "--given", "e.csv"],
        &place,
    );
    let forecast = [
        "forecast",
        "--model",
        "counts.toml",
        "y.csv",
        "--given",
        "e.csv",
        "--ahead",
        "3",
    ];
    folder.refused(&forecast, &place);
}

/// What was fitted to words is read and drawn in words.
#[test]
fn symbols_are_those_of_the_model() {
    let folder = Folder::with(&[("w.csv", "choice\nleft\nright\nleft\nleft\n")]);
    let fit = [
        "fit",
        "w.csv",
        "--kind",
        "categorical",
        "--n-states",
        "1",
        "--alphabet",
        "left,right",
    ];
    folder.good(&[&fit[..], &["--out", "m.toml"]].concat());
    let score = |more: &[&str]| {
        folder
            .good(&[&["score", "--model", "m.toml", "w.csv"], more].concat())
            .0
    };
    assert_eq!(score(&[]), score(&["--alphabet", "left,right"]));
    folder.good(&["fit", "w.csv", "--model", "m.toml", "--out", "n.toml"]);
    let (drawn, _) = folder.good(&["sample", "--model", "n.toml", "--length", "50"]);
    let cells: Vec<&str> = drawn.lines().skip(1).collect();
    assert_eq!(cells.len(), 50);
    assert!(
        cells.iter().all(|cell| ["left", "right"].contains(cell)),
        "{drawn}"
    );
}

/// `forecast --samples` writes what `sample` writes: the symbols of a model that was fitted to some.
#[test]
fn forecast_samples_are_symbols() {
    let model = "kind = \"hmm\"\nalphabet = [\"left\", \"right\"]\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\n\
                 kind = \"categorical\"\nprobabilities = [[0.0, 1.0]]\n";
    let folder = Folder::with(&[("m.toml", model), ("y.csv", "y\nright\nright\nright\n")]);
    let all = ["forecast", "y.csv", "--model", "m.toml", "--samples", "2"];
    let told = folder.json(&all);
    assert_eq!(told["samples"], serde_json::json!(["right", "right"]));
    let csv = folder
        .good(&[&all[..], &["--out-format", "csv"]].concat())
        .0;
    assert!(csv.ends_with(",right,right\n"), "{csv}");
    let every = folder
        .good(&["forecast", "y.csv", "--model", "m.toml", "--every", "2"])
        .0;
    assert!(every.contains("\"y\":[\"right\"]"), "{every}");
}

/// A law without a mean has no error of it.
#[test]
fn a_forecast_without_a_mean_has_no_rmse() {
    let model = |df: &str| {
        format!(
            "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"student-t\"\nlocations = [[0.0]]\n\
             scales = [[1.0]]\nfreedoms = [[{df}]]\n"
        )
    };
    let folder = Folder::with(&[
        ("cauchy.toml", &model("1.0")),
        ("t.toml", &model("5.0")),
        ("y.csv", "y\n1\n-1\n0.5\n0\n"),
    ]);
    let every = |model: &str| {
        let all = ["forecast", "y.csv", "--model", model, "--every", "1"];
        folder.good(&all).1
    };
    let told = every("cauchy.toml");
    assert!(
        told.contains("no RMSE, since the law of the forecasts has no mean"),
        "{told}"
    );
    assert!(
        told.contains("100.0 % between the quantiles") && !told.contains("NaN"),
        "{told}"
    );
    // √((1 + ¼ + 0)/3).
    let told = every("t.toml");
    assert!(told.contains("RMSE 0.6455"), "{told}");
}
