//! What can be asked of a fitted model: smooth, decode, forecast, sample, score, residuals, summary; models ranked.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::{alone, folder, scotopic};

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1469.18]]\n\
                     observation = [[1.0]]\nobservation_noise = [[15098.52]]\noffset = [0.0]\nbias = [0.0]\n\
                     initial_mean = [1000.0]\ninitial_covariance = [[1e5]]\n";
const COUNTS: &str = "kind = \"hmm\"\ninitial = [0.5, 0.3, 0.2]\n\
                      transition = [[0.8, 0.15, 0.05], [0.2, 0.6, 0.2], [0.05, 0.25, 0.7]]\n\
                      [emission]\nkind = \"poisson\"\nrates = [[12.0], [45.0], [95.0]]\n";
const DICE: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n\
                    [emission]\nkind = \"categorical\"\nprobabilities = [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]\n";
const VOLATILITY: &str =
    "kind = \"stochastic-volatility\"\na = 0.9\nq = 0.1\nbeta = 15.0\nm0 = 0.0\nv0 = 1.0\n";
const CONVOLUTION: &str = "kind = \"generalised\"\noutput_precision = 1000.0\nmotion_precision = 1000.0\n\
                           start_variance = 0.01\n[equations]\nkind = \"linear_convolution\"\n\
                           [embedding]\nstates = 3\nsmoothness = 0.5\n";

/// Written numbers have all digits; sums of a hundred observations.
const ROUNDING: f64 = 1e-9;

/// The Nile, counts that go up and down with a gap, and models of both.
fn prepared() -> tempfile::TempDir {
    let folder = folder();
    for (name, text) in [
        ("level.toml", LEVEL),
        ("counts.toml", COUNTS),
        ("dice.toml", DICE),
        ("volatility.toml", VOLATILITY),
        ("convolution.toml", CONVOLUTION),
        (
            "counts.csv",
            "count\n13\n14\n8\n10\nNA\n7\n32\n47\n96\n84\n31\n12\n9\n11\n14\n30\n28\n",
        ),
        ("dice.csv", "face\n0\n1\n2\n2\n2\n0\n1\n0\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    scotopic(
        folder.path(),
        &["data", "series", "get", "nile", "--out", "nile.csv"],
    )
    .good();
    folder
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn rows(csv: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut lines = csv
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect());
    let header = lines.next().unwrap();
    (header, lines.collect())
}

/// Of the golden numbers of scotopic-filtering, by statsmodels and hmmlearn.
fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../filtering/tests/golden/fitted.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn close(found: &str, expected: &Value) {
    let (found, expected) = (found.parse::<f64>().unwrap(), expected.as_f64().unwrap());
    let size = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() < ROUNDING * size,
        "{found}, {expected}"
    );
}

#[test]
fn smoothed_states_are_written_with_their_times_and_drawn() {
    let folder = prepared();
    let run = |args: &[&str]| scotopic(folder.path(), &[&["smooth", "--model"], args].concat());
    let done = run(&[
        "level.toml",
        "nile.csv",
        "--time",
        "year",
        "--out",
        "s.csv",
        "--figure",
        "s.svg",
    ]);
    assert!(
        done.err.contains("100 observations, ln p -639.301 nats"),
        "{}",
        done.err
    );
    done.good();
    let (header, lines) = rows(&text(folder.path(), "s.csv"));
    assert_eq!(header, ["t", "seen", "mean1", "var1", "time"]);
    let g = &golden()["nile"];
    for (t, line) in lines.iter().enumerate() {
        close(&line[2], &g["smoothed_mean"][t]);
        close(&line[3], &g["smoothed_variance"][t]);
    }
    assert_eq!((lines.len(), lines[99][4].as_str()), (100, "1970.0"));
    assert!(text(folder.path(), "s.svg").contains("smoothed: nile.csv"));

    let lines = run(&["counts.toml", "counts.csv", "counts.csv"]).good();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["file"], &first["t"]),
        (&"counts.csv".into(), &1.into())
    );
    assert_eq!(first["belief"].as_array().unwrap().len(), 3);
    assert_eq!(lines.lines().count(), 34);
    assert!(
        lines.starts_with("{\"file\":\"counts.csv\",\"t\":1,\"seen\":true,\"belief\":["),
        "{lines}"
    );
    run(&["volatility.toml", "counts.csv"]).good();
}

#[test]
fn states_are_decoded_by_either_method() {
    let folder = prepared();
    let run = |args: &[&str]| {
        scotopic(
            folder.path(),
            &[&["decode", "--model", "counts.toml", "counts.csv"], args].concat(),
        )
    };
    let path = run(&["--out-format", "csv"]);
    assert!(path.err.contains("ln p(path, data)"), "{}", path.err);
    let (header, lines) = rows(&path.good());
    assert_eq!(header, ["t", "seen", "state", "probability"]);
    assert_eq!(
        (
            lines[0][2].as_str(),
            lines[8][2].as_str(),
            lines[4][1].as_str()
        ),
        ("1", "3", "0")
    );
    let likely = run(&["--method", "posterior", "--out", "p.csv", "--quiet"]);
    assert_eq!(likely.err, "");
    likely.good();
    assert_eq!(rows(&text(folder.path(), "p.csv")).1.len(), 17);
    let error = scotopic(
        folder.path(),
        &["decode", "--model", "level.toml", "nile.csv"],
    )
    .bad(2);
    assert!(error.contains("scotopic smooth"), "{error}");
}

#[test]
fn forecasts_have_quantiles_samples_and_rolling_origins() {
    let folder = prepared();
    let run = |args: &[&str]| scotopic(folder.path(), &[&["forecast", "--model"], args].concat());
    let nile = [
        "level.toml",
        "nile.csv",
        "--columns",
        "volume",
        "--out-format",
        "csv",
    ];
    let csv = run(&[
        &nile[..],
        &[
            "--ahead",
            "10",
            "--quantiles",
            "0.025,0.9",
            "--figure",
            "f.svg",
        ],
    ]
    .concat())
    .good();
    let (header, lines) = rows(&csv);
    assert_eq!(
        header,
        ["t", "ahead", "mean1", "var1", "q0.025_1", "q0.9_1"]
    );
    let g = &golden()["nile"];
    for (h, line) in lines.iter().enumerate() {
        assert_eq!(line[0], (101 + h).to_string());
        close(&line[2], &g["forecast_mean"][h]);
        close(&line[3], &g["forecast_variance"][h]);
        close(&line[4], &g["quantiles"][0][h]);
        close(&line[5], &g["quantiles"][3][h]);
    }
    assert!(
        text(folder.path(), "f.svg").contains("87.5 % interval"),
        "an interval in the legend"
    );

    let rolling = run(&[&nile[..], &["--every", "10", "--ahead", "2"]].concat());
    assert!(
        rolling.err.contains("18 forecasts of rows that came: RMSE"),
        "{}",
        rolling.err
    );
    let (header, lines) = rows(&rolling.good());
    assert_eq!(header[1..3], ["origin", "ahead"]);
    // Nothing came after the last row.
    assert_eq!((lines.len(), lines[19].last().unwrap().as_str()), (20, ""));

    let symbols = run(&["dice.toml", "dice.csv"]).good();
    let symbols: Value = serde_json::from_str(&symbols).unwrap();
    let p: f64 = symbols["probability"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_f64().unwrap())
        .sum();
    assert!((p - 1.0).abs() < ROUNDING);
    let drawn = |seed: &str| {
        run(&[
            "counts.toml",
            "counts.csv",
            "--samples",
            "3",
            "--seed",
            seed,
        ])
        .good()
    };
    assert_eq!(drawn("1"), drawn("1"));
    assert!(drawn("1") != drawn("2"));
    for (args, said) in [
        (
            &["counts.toml", "counts.csv", "--quantiles", "1.0"][..],
            "--quantiles",
        ),
        (
            &["counts.toml", "counts.csv", "--figure", "f.gif"],
            "do not move",
        ),
        (&["level.toml", "nile.csv"], "--columns"),
    ] {
        let error = run(args).bad(2);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn samples_are_read_back_with_their_states() {
    let folder = prepared();
    for model in ["level", "counts", "dice", "volatility", "convolution"] {
        let file = format!("{model}.toml");
        let args = [
            "sample", "--model", &file, "--length", "40", "--seed", "3", "--out", "y.csv",
            "--states", "x.csv",
        ];
        scotopic(folder.path(), &args).good();
        let first = text(folder.path(), "y.csv");
        scotopic(
            folder.path(),
            &[
                "filter",
                "--model",
                &file,
                "y.csv",
                "--true-states",
                "x.csv",
                "--every",
                "0",
            ],
        )
        .good();
        scotopic(folder.path(), &args).good();
        assert_eq!(text(folder.path(), "y.csv"), first, "{model}");
    }
}

#[test]
fn scores_are_those_of_the_filter_and_of_hmmlearn() {
    let folder = prepared();
    scotopic(
        folder.path(),
        &["data", "series", "get", "sunspots", "--out", "sunspots.csv"],
    )
    .good();
    let rounded: Vec<String> = rows(&text(folder.path(), "sunspots.csv"))
        .1
        .iter()
        .map(|row| row[1].parse::<f64>().unwrap().round_ties_even().to_string())
        .collect();
    fs::write(
        folder.path().join("spots.csv"),
        format!("spots\n{}\n", rounded.join("\n")),
    )
    .unwrap();
    let args = [
        "score",
        "--model",
        "counts.toml",
        "spots.csv",
        "counts.csv",
        "--json",
    ];
    let json = scotopic(folder.path(), &args).json();
    close(
        &json["files"][0]["log_evidence"].to_string(),
        &golden()["counts"]["log_evidence"],
    );
    assert_eq!(
        (&json["files"][1]["observations"], &json["observations"]),
        (&16.into(), &325.into())
    );
    let table = scotopic(folder.path(), &args[..5]).good();
    assert!(table.contains("total") && table.contains("ln p"), "{table}");
    let loose = [&args[..4], &["--factorisation", "frozen"]].concat();
    assert!(scotopic(folder.path(), &loose).good().contains("ELBO"));
}

#[test]
fn residuals_are_tested_written_and_drawn() {
    let folder = prepared();
    let run = |args: &[&str]| scotopic(folder.path(), &[&["residuals", "--model"], args].concat());
    let nile = ["level.toml", "nile.csv", "--time", "year", "--lags", "10"];
    let json = run(&[
        &nile[..],
        &["--json", "--out", "z.csv", "--figure", "z.svg"],
    ]
    .concat())
    .json();
    let (tests, g) = (&json["files"][0]["columns"][0]["tests"], &golden()["nile"]);
    close(
        &tests["independence"]["statistic"].to_string(),
        &g["tests"]["ljung_box"][0],
    );
    close(
        &tests["normality"]["p_value"].to_string(),
        &g["tests"]["jarque_bera"][1],
    );
    close(
        &tests["heteroscedasticity"]["p_value"].to_string(),
        &g["tests"]["heteroscedasticity"][1],
    );
    let (header, lines) = rows(&text(folder.path(), "z.csv"));
    assert_eq!(header, ["t", "seen", "z1", "time"]);
    close(&lines[7][2], &g["residuals"][7]);
    let svg = text(folder.path(), "z.svg");
    for panel in [
        "Standardised residuals",
        "Histogram",
        "Quantiles",
        "Autocorrelations",
    ] {
        assert!(svg.contains(panel), "{panel}");
    }
    let table = run(&["counts.toml", "counts.csv", "--method", "mid-quantile"]).good();
    assert!(
        table.contains("Ljung–Box") && table.contains("16"),
        "{table}"
    );
    run(&["volatility.toml", "counts.csv"]).good();
    run(&["dice.toml", "dice.csv"]).good();
    let error = run(&[
        "level.toml",
        "nile.csv",
        "--time",
        "year",
        "--figure",
        "z.gif",
    ])
    .bad(2);
    assert!(error.contains(".svg or .png"), "{error}");
}

#[test]
fn a_summary_has_errors_intervals_and_criteria() {
    let folder = prepared();
    let best = &golden()["nile"]["optimum"];
    let model = LEVEL
        .replace("1469.18", &best[0].to_string())
        .replace("15098.52", &best[1].to_string());
    fs::write(folder.path().join("best.toml"), model).unwrap();
    let run = |args: &[&str]| {
        scotopic(
            folder.path(),
            &[&["summary", "nile.csv", "--time", "year", "--model"], args].concat(),
        )
    };
    let json = run(&["best.toml", "--json"]).json();
    let found = json["estimates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["name"] == "observation_noise[1,1]");
    let error = found.unwrap()["standard_error"].as_f64().unwrap();
    let expected = golden()["nile"]["standard_errors"][1].as_f64().unwrap();
    // Central differences at a hundredth of a standard error.
    assert!((error / expected - 1.0).abs() < 1e-5, "{error}, {expected}");
    let table = run(&["best.toml", "--hold", "process"]);
    assert_eq!(table.err, "");
    let table = table.good();
    assert!(
        table.contains("95 % interval") && table.contains("1 free parameter\n"),
        "{table}"
    );
    fs::write(
        folder.path().join("poor.toml"),
        LEVEL.replace("15098.52", "90000.0"),
    )
    .unwrap();
    let poor = run(&["poor.toml"]);
    assert!(poor.err.contains("could rise by about"), "{}", poor.err);
    let error = run(&["best.toml", "--hold", "rates"]).bad(1);
    assert!(error.contains("process_noise[1,1]"), "{error}");
    let args = ["summary", "--model", "convolution.toml", "y.csv"];
    scotopic(
        folder.path(),
        &[
            "sample",
            "--model",
            "convolution.toml",
            "--out",
            "y.csv",
            "--length",
            "20",
        ],
    )
    .good();
    assert!(
        scotopic(folder.path(), &args)
            .bad(1)
            .contains("continuous time cannot be summarised")
    );
    let args = ["smooth", "--model", "convolution.toml", "y.csv"];
    assert!(
        scotopic(folder.path(), &args)
            .bad(1)
            .contains("cannot be smoothed")
    );
}

#[test]
fn models_are_ranked_on_the_same_rows() {
    let folder = prepared();
    fs::write(
        folder.path().join("stiff.toml"),
        LEVEL.replace("1469.18", "1.0"),
    )
    .unwrap();
    let run = |args: &[&str]| {
        scotopic(
            folder.path(),
            &[
                &[
                    "compare",
                    "nile.csv",
                    "--time",
                    "year",
                    "--model",
                    "stiff.toml",
                ],
                args,
            ]
            .concat(),
        )
    };
    let json = run(&["--model", "level.toml", "--json"]).json();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), rows[0]["model"].as_str()),
        (2, Some("level.toml"))
    );
    close(
        &rows[0]["log_evidence"].to_string(),
        &golden()["nile"]["log_evidence"],
    );
    assert!(rows[0].get("prequential").is_none());
    let by = run(&[
        "--model",
        "level.toml",
        "--by",
        "prequential",
        "--from",
        "51",
    ])
    .good();
    assert!(by.contains("prequential") && by.contains("behind"), "{by}");
    let error = run(&["--model", "level.toml", "--factorisations", "jelbo"]).bad(2);
    assert!(error.contains("for one model"), "{error}");
    let error = run(&["--model", "convolution.toml"]).bad(2);
    assert!(error.contains("same rows"), "{error}");
}

#[test]
fn alarms_mark_what_the_prediction_does_not_hold() {
    let folder = prepared();
    let odd = text(folder.path(), "nile.csv").replace("1899.0,774.0", "1899.0,2400.0");
    fs::write(folder.path().join("odd.csv"), odd).unwrap();
    let args = [
        "filter",
        "--model",
        "level.toml",
        "odd.csv",
        "--time",
        "year",
        "--alarm",
        "0.001",
        "--out-format",
        "csv",
    ];
    let done = scotopic(folder.path(), &args);
    let said = done.err.clone();
    let (header, lines) = rows(&done.good());
    assert_eq!(
        header,
        [
            "t",
            "seen",
            "increment",
            "elbo",
            "tail",
            "alarm",
            "mean1",
            "var1",
            "time"
        ]
    );
    let marked: Vec<&str> = lines
        .iter()
        .filter(|l| l[5] == "1")
        .map(|l| l[8].as_str())
        .collect();
    // The level follows the odd year, and the next ones are below it.
    assert_eq!(marked[0], "1899.0");
    let counted = format!(
        "{} of 100 observations with a tail probability below 0.001",
        marked.len()
    );
    assert!(marked.len() < 5 && said.contains(&counted), "{said}");
    // Without --alarm the lines are as they were.
    let plain = scotopic(folder.path(), &args[..6]).good();
    assert!(!plain.contains("tail"));
    assert!(
        scotopic(
            folder.path(),
            &["filter", "--model", "level.toml", "odd.csv", "--alarm", "2"]
        )
        .bad(2)
        .contains("0.01")
    );
}

#[test]
fn several_files_are_filtered_from_the_beginning_each() {
    let folder = prepared();
    let run = |args: &[&str]| {
        scotopic(
            folder.path(),
            &[&["filter", "--model", "counts.toml"], args].concat(),
        )
    };
    let one = run(&["counts.csv"]).good();
    let two = run(&["counts.csv", "counts.csv", "--alarm", "0.01"]);
    assert!(two.err.contains("2 series, 34 observations"), "{}", two.err);
    let two = two.good();
    let line = |text: &str, n: usize| -> Value {
        serde_json::from_str(text.lines().nth(n).unwrap()).unwrap()
    };
    for n in [0, 16, 17, 33] {
        assert_eq!(line(&two, n)["elbo"], line(&one, n % 17)["elbo"]);
        assert_eq!(line(&two, n)["file"], "counts.csv");
    }
    assert!(line(&two, 4)["tail"].is_null() && line(&two, 4)["alarm"] == false);
    for option in [
        &["--learn"][..],
        &["--save", "a.filter"],
        &["--figure", "a.svg"],
        &["--model-out", "m.toml"],
    ] {
        let error = run(&[&["counts.csv", "counts.csv"], option].concat()).bad(2);
        assert!(
            error.contains(option[0]) && error.contains("one file"),
            "{error}"
        );
    }
}

#[test]
fn spike_times_are_counted_in_bins() {
    let folder = prepared();
    fs::write(
        folder.path().join("trial.txt"),
        "1000\n2500\n12000\n31000\n",
    )
    .unwrap();
    let spikes = [
        "filter",
        "--model",
        "counts.toml",
        "trial.txt",
        "--bin",
        "10ms",
        "--spike-unit",
        "us",
    ];
    assert_eq!(scotopic(folder.path(), &spikes).good().lines().count(), 4);
    fs::write(folder.path().join("binned.csv"), "count\n2\n1\n0\n1\n0\n").unwrap();
    let long = scotopic(
        folder.path(),
        &[&spikes[..], &["--spike-end", "50ms"]].concat(),
    )
    .good();
    assert_eq!(
        long,
        scotopic(
            folder.path(),
            &["filter", "--model", "counts.toml", "binned.csv"]
        )
        .good()
    );
    let wrong = scotopic(
        folder.path(),
        &[
            "filter",
            "--model",
            "counts.toml",
            "trial.txt",
            "--bin",
            "10",
        ],
    )
    .bad(2);
    assert!(wrong.contains("10ms"), "{wrong}");
    fs::write(folder.path().join("bad.txt"), "1\n2\nx\n").unwrap();
    let wrong = scotopic(
        folder.path(),
        &["filter", "--model", "counts.toml", "bad.txt", "--bin", "1s"],
    )
    .bad(1);
    assert!(
        wrong.contains("bad.txt") && wrong.contains("line 3"),
        "{wrong}"
    );
}

#[test]
fn sample_series_are_listed_and_written() {
    let list = alone(&["data", "series", "list"]).good();
    for name in ["nile", "sunspots", "co2", "macrodata", "public domain"] {
        assert!(list.contains(name), "{list}");
    }
    let folder = prepared();
    let again = ["data", "series", "get", "nile", "--out", "nile.csv"];
    assert!(scotopic(folder.path(), &again).bad(2).contains("--force"));
    let out = scotopic(folder.path(), &again[..4]).good();
    assert_eq!(out, text(folder.path(), "nile.csv"));
    assert!(
        alone(&["data", "series", "get", "lynx"])
            .bad(2)
            .contains("nile, sunspots")
    );
}

/// Every command uses what there is of a row, and so all have one ln p: here the closed form of independent columns.
#[test]
fn rows_that_are_missing_in_part_are_used_by_every_command() {
    let folder = folder();
    let model = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n\
                 [emission]\nkind = \"diagonal-gaussian\"\nmeans = [[1.0, -2.0]]\nvariances = [[4.0, 0.25]]\n";
    fs::write(folder.path().join("m.toml"), model).unwrap();
    fs::write(folder.path().join("p.csv"), "a,b\n1.5,\n,-2.5\n3,-1\n,\n").unwrap();
    let normal = |y: f64, mean: f64, variance: f64| {
        -0.5 * ((std::f64::consts::TAU * variance).ln() + (y - mean).powi(2) / variance)
    };
    let seen = [
        normal(1.5, 1.0, 4.0),
        normal(-2.5, -2.0, 0.25),
        normal(3.0, 1.0, 4.0),
        normal(-1.0, -2.0, 0.25),
    ];
    let expected: f64 = seen.iter().sum();
    let run = |args: &[&str]| {
        scotopic(
            folder.path(),
            &[args, &["p.csv", "--model", "m.toml"]].concat(),
        )
    };
    let lines = run(&["filter"]).good();
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    for (command, found) in [
        ("filter", last["elbo"].as_f64()),
        (
            "score",
            run(&["score", "--json"]).json()["log_evidence"].as_f64(),
        ),
        (
            "summary",
            run(&["summary", "--json"]).json()["log_evidence"].as_f64(),
        ),
    ] {
        let found = found.unwrap_or_else(|| panic!("{command} says no ln p"));
        assert!(
            (found - expected).abs() < ROUNDING,
            "{command}: {found}, {expected}"
        );
    }
}
