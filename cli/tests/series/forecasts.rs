//! Forecasts whose times or values cannot all be told.

use super::refusals::{folder, of};

/// Every line of a table has the cells of its header, also where the time that follows is not known.
#[test]
fn a_time_that_is_not_known_is_an_empty_cell() {
    let folder = folder(&[
        (
            "uneven.csv",
            "t,y\n2020-01-01,1\n2020-01-02,2\n2020-01-05,1\n2020-01-06,0\n",
        ),
        (
            "even.csv",
            "t,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,1\n",
        ),
        ("bare.csv", "y\n1\n2\n"),
    ]);
    let table = ["--columns", "y", "--out-format", "csv"];
    let timed = ["--time", "t"];
    let cells = |data: &[&str], more: &[&str]| -> Vec<Vec<String>> {
        let all = [data, &table, more].concat();
        let (out, _) = folder.good(&of("forecast", "level.toml", &all));
        let row = |line: &str| line.split(',').map(str::to_owned).collect();
        out.lines().map(row).collect()
    };
    for data in [["uneven.csv", "even.csv"], ["even.csv", "uneven.csv"]] {
        let rows = cells(&data, &timed);
        assert_eq!(rows[0][..5], ["file", "t", "ahead", "time", "mean1"]);
        for row in &rows[1..] {
            assert_eq!(row.len(), rows[0].len());
            let next = if row[0] == "even.csv" {
                "2020-01-04"
            } else {
                ""
            };
            assert_eq!(row[3], next);
            assert!(row[4].parse::<f64>().is_ok(), "{row:?}");
        }
    }
    let each = cells(&["uneven.csv"], &["--time", "t", "--every", "1"]);
    let times: Vec<&str> = each[1..].iter().map(|row| &*row[3]).collect();
    assert_eq!(times, ["2020-01-02", "2020-01-05", "2020-01-06", ""]);
    // Where no time is known there is no such column.
    assert_eq!(cells(&["bare.csv"], &[])[0][..2], ["t", "ahead"]);
    let lines = ["uneven.csv", "--columns", "y", "--time", "t"];
    let line = folder.json(&of("forecast", "level.toml", &lines));
    assert!(line.get("time").is_none() && line["mean"].is_array());
}

/// A model that runs away is said to, and when.
#[test]
fn what_leaves_the_range_of_numbers() {
    let away = "kind = \"linear-gaussian\"\ntransition = [[1.5]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                observation_noise = [[1.0]]\ninitial_mean = [1.0]\ninitial_covariance = [[1.0]]\n";
    let folder = folder(&[("away.toml", away), ("y.csv", "y\n1\n2\n")]);
    folder.refused(
        &of("forecast", "away.toml", &["y.csv", "--ahead", "2000"]),
        &["y.csv", "the forecast is inf", "diverged"],
    );
    let (code, out, err) = folder.run(&[
        "sample",
        "--model",
        "away.toml",
        "--length",
        "3000",
        "--out",
        "drawn.csv",
    ]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("what was drawn is"), "{err}");
    assert!(!folder.path().join("drawn.csv").exists());
}
