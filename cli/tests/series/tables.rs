//! What is read of tables and JSON lines, and where a bad value is said to be.

use super::{Folder, TIMED, noise, table};

const DAYS: &str = "when,y\n2024-01-01,1\n2024-01-03,2\n2024-01-04T12:00:00,0.5\n";

#[test]
fn dates_and_numbers_do_not_mix_in_a_column() {
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("days.csv", DAYS),
        ("mixed.csv", "when,y\r\n2024-01-01,1\r\n19750,2\r\n"),
        ("mixed2.csv", "when,y\n5,1\n\n2024-01-02,2\n"),
        (
            "mixed.jsonl",
            "{\"when\":\"2024-01-01\",\"y\":1}\n{\"when\":19750,\"y\":2}\n",
        ),
    ]);
    let score = |file| vec!["score", "--model", "timed.toml", file];
    folder.good(&score("days.csv"));
    let line3 = [
        "mixed.csv, line 3, column when",
        "`19750`",
        "a date, as in line 2",
    ];
    folder.refused(&score("mixed.csv"), &line3);
    let line4 = [
        "mixed2.csv, line 4, column when",
        "`2024-01-02`",
        "a number, as in line 2",
    ];
    folder.refused(&score("mixed2.csv"), &line4);
    let line2 = [
        "mixed.jsonl, line 2, column when",
        "19750",
        "a date, as in line 1",
    ];
    folder.refused(&score("mixed.jsonl"), &line2);
    // As a time that is only written beside the results.
    folder.write(
        "level.toml",
        "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                  observation = [[1.0]]\nobservation_noise = [[1.0]]\n",
    );
    let beside = [
        "filter",
        "--model",
        "level.toml",
        "mixed.csv",
        "--time",
        "when",
    ];
    folder.refused(&beside, &["mixed.csv, line 3, column when", "`19750`"]);
}

#[test]
fn dates_of_json_lines_are_the_times_of_a_model() {
    let json: String = DAYS
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(when, y)| format!("{{\"when\":\"{when}\",\"y\":{y}}}\n"))
        .collect();
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("days.csv", DAYS),
        ("days.jsonl", &json),
    ]);
    let score = |file| {
        let told = folder.json(&["score", "--model", "timed.toml", file, "--json"]);
        told["log_evidence"].as_f64().unwrap()
    };
    // The rows are 0, 2 and 3.5 days after the first.
    folder.write("numbers.csv", "when,y\n0,1\n2,2\n3.5,0.5\n");
    assert_eq!(score("days.jsonl"), score("days.csv"));
    assert!((score("days.jsonl") - score("numbers.csv")).abs() < 1e-12);
    let ahead = [
        "forecast",
        "--model",
        "timed.toml",
        "days.jsonl",
        "--ahead",
        "1",
        "--given",
    ];
    folder.write("next.jsonl", "{\"when\":\"2024-01-06\"}\n");
    folder.write("next.csv", "when\n2024-01-06\n");
    let forecast = |file| folder.good(&[&ahead[..], &[file]].concat()).0;
    assert_eq!(forecast("next.jsonl"), forecast("next.csv"));
    // Numbers would be of another scale.
    let numbers = [&ahead[..], &["numbers.csv"]].concat();
    let said = ["days.jsonl has dates where numbers.csv has numbers"];
    folder.refused(&numbers, &said);
    // A text that is no date is none.
    folder.write(
        "odd.jsonl",
        "{\"when\":\"2024-01-01\",\"y\":1}\n{\"when\":\"soon\",\"y\":2}\n",
    );
    let said = ["odd.jsonl, line 2, column when", "soon"];
    folder.refused(&["score", "--model", "timed.toml", "odd.jsonl"], &said);
}

#[test]
fn rows_to_come_are_written_as_the_data() {
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("point.csv", "when,y\n0.5,1\n2,2.5\n"),
        ("comma.csv", "when;y\n0,5;1\n2;2,5\n"),
        ("next_point.csv", "when\n3.5\n"),
        ("next_comma.csv", "y;when\n0;3,5\n"),
        ("hole.csv", "when\n\n3\n-9\n"),
    ]);
    let forecast = |data, given| {
        vec![
            "forecast",
            "--model",
            "timed.toml",
            data,
            "--ahead",
            "1",
            "--given",
            given,
        ]
    };
    let comma = [
        forecast("comma.csv", "next_comma.csv"),
        vec!["--decimal-comma"],
    ]
    .concat();
    let point = folder.good(&forecast("point.csv", "next_point.csv")).0;
    assert_eq!(folder.good(&comma).0, point);
    // JSON has one way of writing numbers, whatever the data are.
    folder.write("next.jsonl", "{\"when\":3.5}\n");
    let lines = [forecast("comma.csv", "next.jsonl"), vec!["--decimal-comma"]].concat();
    assert_eq!(folder.good(&lines).0, point);
    let hole = [forecast("point.csv", "hole.csv"), vec!["--missing", "-9"]].concat();
    folder.refused(
        &hole,
        &["hole.csv, line 4, column when: a number is missing"],
    );
}

#[test]
fn a_column_that_is_not_there_is_called_by_its_name() {
    let folder = Folder::with(&[("timed.toml", TIMED), ("y.csv", "day,y\n1,1\n2,2\n")]);
    let said = ["y.csv, line 1, column when", "no column `when`", "day, y"];
    folder.refused(
        &["score", "--model", "timed.toml", "y.csv", "--columns", "y"],
        &said,
    );
    folder.write("y.jsonl", "{\"day\":1,\"y\":1}\n{\"y\":2}\n");
    // A row without a time is not one at the time of the row before.
    let timed = [
        "filter",
        "--model",
        "level.toml",
        "y.jsonl",
        "--time",
        "day",
    ];
    folder.write(
        "level.toml",
        "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                  observation = [[1.0]]\nobservation_noise = [[1.0]]\n",
    );
    folder.refused(&timed, &["y.jsonl, line 2, column day", "nothing"]);
}

#[test]
fn a_bad_value_of_a_fit_is_found_by_file_and_line() {
    let mut counts: String = "a,b\n".to_owned();
    for t in 0..40 {
        counts += &format!("{},{}\n", t % 3, (t / 2) % 4);
    }
    let bad = counts.replacen("0,2\n", "0,2.5\n", 1);
    let line = 1 + bad.lines().position(|line| line == "0,2.5").unwrap();
    let folder = Folder::with(&[("good.csv", &counts), ("bad.csv", &bad)]);
    let place = format!("bad.csv, line {line} (row {})", line - 1);
    let said = [&place[..], "2.5", "a count"];
    let fit = |more: &[&str]| {
        let all = ["fit", "good.csv", "bad.csv", "--out", "x.toml", "--force"];
        [&all[..], more]
            .concat()
            .iter()
            .map(|s| (*s).to_owned())
            .collect::<Vec<_>>()
    };
    let refused = |more: &[&str]| {
        let all = fit(more);
        folder.refused(&all.iter().map(String::as_str).collect::<Vec<_>>(), &said);
    };
    refused(&["--kind", "plds", "--n-states", "1"]);
    refused(&["--kind", "poisson"]);
    let good = [
        "fit",
        "good.csv",
        "--kind",
        "plds",
        "--n-states",
        "1",
        "--max-iterations",
        "2",
    ];
    folder.good(&[&good[..], &["--out", "plds.toml"]].concat());
    refused(&["--model", "plds.toml"]);
    let good = [
        "fit",
        "good.csv",
        "--kind",
        "poisson",
        "--n-states",
        "1",
        "--out",
        "hmm.toml",
    ];
    folder.good(&good);
    refused(&["--model", "hmm.toml"]);
    // So for all that takes whole series.
    for model in ["plds.toml", "hmm.toml"] {
        for verb in ["score", "smooth", "residuals"] {
            let said = [&format!("bad.csv, line {line}")[..], "2.5"];
            folder.refused(&[verb, "--model", model, "bad.csv"], &said);
        }
    }
}

/// Columns of several files are matched by place: where their names say another order, that is refused.
#[test]
fn columns_in_another_order_are_refused() {
    let (a, b) = (noise(40), noise(80));
    let one = table("a,b", &[&a, &b[40..]]);
    let other = table("b,a", &[&b[..40], &a]);
    let folder = Folder::with(&[("one.csv", &one), ("other.csv", &other)]);
    let fit = [
        "fit",
        "one.csv",
        "other.csv",
        "--kind",
        "diagonal-gaussian",
        "--n-states",
        "1",
        "--out",
        "m.toml",
    ];
    folder.refused(&fit, &["one.csv", "other.csv", "b, a", "--columns"]);
    folder.good(&[&fit[..], &["--columns", "a,b"]].concat());
    folder.refused(
        &["score", "one.csv", "other.csv", "--model", "m.toml"],
        &["b, a", "--columns"],
    );
    folder.good(&[
        "score",
        "one.csv",
        "other.csv",
        "--model",
        "m.toml",
        "--columns",
        "a,b",
    ]);
}

/// Other columns than those that a model was fitted to, and a saved filter was given, would be matched by place too.
#[test]
fn a_fitted_model_and_a_saved_filter_know_the_order_of_their_columns() {
    let (a, b) = (noise(80), noise(160)[80..].to_vec());
    let b: Vec<f64> = b.iter().map(|b| 9.0 + b).collect();
    let headless = table("", &[&a, &b]);
    let folder = Folder::with(&[
        ("xy.csv", &table("x,y", &[&a, &b])),
        ("yx.csv", &table("y,x", &[&b, &a])),
        ("uv.csv", &table("u,v", &[&a, &b])),
        ("none.csv", headless.trim_start()),
    ]);
    let fit = [
        "fit",
        "xy.csv",
        "--kind",
        "diagonal-gaussian",
        "--n-states",
        "1",
        "--out",
        "q.toml",
    ];
    folder.good(&fit);
    folder.good(&["model", "check", "q.toml"]);
    let said = ["q.toml has the columns x, y", "yx.csv", "--columns"];
    for verb in [
        "score", "filter", "smooth", "summary", "compare", "forecast",
    ] {
        let of = |more: &[&'static str]| [&[verb, "--model", "q.toml"][..], more].concat();
        folder.refused(&of(&["yx.csv"]), &said);
        folder.good(&of(&["xy.csv"]));
        folder.good(&of(&["uv.csv"]));
        folder.good(&of(&["none.csv"]));
    }
    folder.refused(
        &["filter", "--model", "q.toml", "xy.csv", "yx.csv"],
        &["yx.csv"],
    );
    let refit = ["fit", "--model", "q.toml", "yx.csv", "--out", "r.toml"];
    folder.refused(&refit, &said);
    folder.good(&[
        "filter", "--model", "q.toml", "xy.csv", "--save", "s.filter",
    ]);
    let resumed = |data| ["filter", "--resume", "s.filter", data];
    let said = ["s.filter has the columns x, y", "yx.csv", "--columns"];
    folder.refused(&resumed("yx.csv"), &said);
    for data in ["xy.csv", "uv.csv", "none.csv"] {
        folder.good(&resumed(data));
    }
    folder.good(&[&resumed("yx.csv")[..], &["--columns", "x,y"]].concat());
    let score = |data: &[&'static str]| {
        folder.json(&[&["score", "--model", "q.toml", "--json"], data].concat())["log_evidence"]
            .clone()
    };
    assert_eq!(score(&["xy.csv"]), score(&["yx.csv", "--columns", "x,y"]));
}

/// A blank line is no row, which is said; a missing observation is written as one.
#[test]
fn blank_lines_are_told() {
    let level = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                 observation = [[1.0]]\nobservation_noise = [[1.0]]\n";
    let folder = Folder::with(&[
        ("level.toml", level),
        ("blank.csv", "y\r\n1\r\n\r\n\r\n2\r\n\r\n"),
        ("missing.csv", "y\n1\nNA\n\"\"\n2\n\n\n"),
        ("one.csv", "\n1\n\n2\n"),
    ]);
    for verb in ["filter", "smooth"] {
        let run = |file| folder.good(&[verb, "--model", "level.toml", file]);
        let (out, err) = run("blank.csv");
        assert_eq!(out.lines().count(), 2);
        assert!(
            err.contains("blank.csv: 2 blank lines were skipped"),
            "{err}"
        );
        let (out, err) = run("missing.csv");
        assert_eq!(out.lines().count(), 4);
        assert!(!err.contains("blank"), "{err}");
        let (_, err) = run("one.csv");
        assert!(err.contains("one.csv: 1 blank line was skipped"), "{err}");
    }
    let fit = [
        "fit",
        "blank.csv",
        "--kind",
        "diagonal-gaussian",
        "--n-states",
        "1",
        "--out",
        "m.toml",
    ];
    let (_, _, err) = folder.run(&fit);
    assert!(err.contains("2 blank lines"), "{err}");
}

/// One thing is not several.
#[test]
fn numbers_of_things_have_their_form() {
    let poisson = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\nrates = [[1.0]]\n";
    let folder = Folder::with(&[
        ("m.toml", poisson),
        ("one.csv", "y\n3\n"),
        ("wide.csv", "y,x\n3,1\n"),
    ]);
    let (out, err) = folder.good(&["smooth", "--model", "m.toml", "one.csv"]);
    assert!(err.contains("1 observation,"), "{out}{err}");
    let (_, err) = folder.good(&["filter", "--model", "m.toml", "one.csv"]);
    assert!(err.contains("1 observation:"), "{err}");
    let (out, _) = folder.good(&["summary", "--model", "m.toml", "one.csv"]);
    assert!(out.contains("1 observation, 1 free parameter\n"), "{out}");
    let (out, _) = folder.good(&[
        "compare", "--model", "m.toml", "--model", "m.toml", "one.csv",
    ]);
    assert!(out.contains("2 models, 1 row of"), "{out}");
    let (out, _) = folder.good(&["model", "check", "m.toml"]);
    assert!(out.contains("1 state of 1 column"), "{out}");
    folder.refused(
        &["smooth", "--model", "m.toml", "wide.csv"],
        &["found 2 columns"],
    );
    let short = [
        "forecast", "--model", "m.toml", "one.csv", "--figure", "f.svg", "--ahead", "1",
    ];
    folder.good(&short);
    let figure = std::fs::read_to_string(folder.path().join("f.svg")).unwrap();
    assert!(figure.contains("1 observation, 1 ahead"), "{figure}");
}
