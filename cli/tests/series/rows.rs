//! Rows and times that would otherwise be taken for others, and what is told of those that are not there.

use super::refusals::{folder, of};

#[test]
fn names_are_once_in_every_row_of_json_lines() {
    let folder = folder(&[
        ("one.jsonl", "{\"y\":1}\n{\"y\":2,\"y\":3}\n"),
        (
            "other.jsonl",
            "{\"y\":1}\n{\"y\":2}\n\n{\"z\":0,\"y\":2,\"z\":3}\n",
        ),
        ("wide.jsonl", "{\"y\":1}\n{\"z\":0,\"y\":2}\n"),
    ]);
    folder.refused(
        &of("score", "level.toml", &["one.jsonl"]),
        &["one.jsonl, line 2", "\"y\" for the second time"],
    );
    folder.refused(
        &of("score", "level.toml", &["other.jsonl"]),
        &["other.jsonl, line 4", "\"z\" for the second time"],
    );
    folder.good(&of("score", "level.toml", &["wide.jsonl"]));
}

#[test]
fn a_number_beyond_the_largest_is_shown_as_it_is_written() {
    let folder = folder(&[("big.jsonl", "{\"y\":1}\n{\"y\":1e400}\n")]);
    folder.refused(
        &of("score", "level.toml", &["big.jsonl"]),
        &["big.jsonl, line 2, column y", "`1e400`"],
    );
}

#[test]
fn points_among_decimal_commas() {
    let folder = folder(&[
        ("point.csv", "t;y\n0,5;1,5\n1,5;1.234\n"),
        ("first.csv", "1.234\n2,5\n"),
        ("time.csv", "t;y\n1.000;1,5\n2.000;2,5\n"),
        ("good.csv", "t;y\n1;-99,5\n2;1,5e1\n"),
    ]);
    let score = |file, more: &[&'static str]| {
        [
            &of("score", "level.toml", &[file, "--decimal-comma"])[..],
            more,
        ]
        .concat()
    };
    let y = ["--columns", "y"];
    let said = ["point.csv, line 3, column y", "`1.234`", "thousands"];
    folder.refused(&score("point.csv", &y), &said);
    folder.refused(
        &score("first.csv", &[]),
        &["first.csv, line 1", "`1.234`", "thousands"],
    );
    folder.refused(
        &score("time.csv", &["--time", "t"]),
        &["time.csv, line 2, column t", "`1.000`", "thousands"],
    );
    // What is missing may be said with a point.
    let value = folder.json(&score(
        "good.csv",
        &["--time", "t", "--missing", "-99.5", "--json"],
    ));
    assert_eq!(value["observations"], 1);
}

#[test]
fn a_file_of_lines_that_ends_before_the_filter_is_not_continued() {
    let rows = |range: std::ops::Range<usize>| {
        let lines: String = range.map(|t| format!("{}\n", t % 7)).collect();
        format!("y\n{lines}")
    };
    let folder = folder(&[
        ("a.csv", &rows(0..50)),
        ("b.csv", &rows(50..60)),
        ("c.csv", &rows(0..3)),
    ]);
    folder.good(&of(
        "filter",
        "level.toml",
        &["a.csv", "--save", "a.filter", "--out", "a.jsonl"],
    ));
    folder.good(&of("filter", "level.toml", &["c.csv", "--out", "c.jsonl"]));
    folder.good(&of(
        "filter",
        "level.toml",
        &["a.csv", "--every", "20", "--out", "e.csv"],
    ));
    let resume = |out| ["filter", "--resume", "a.filter", "b.csv", "--out", out];
    folder.refused(
        &resume("c.jsonl"),
        &["a.filter", "c.jsonl", "observation 3", "50", "--force"],
    );
    let count = |name| {
        std::fs::read_to_string(folder.path().join(name))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!(count("c.jsonl"), 3);
    folder.good(&resume("a.jsonl"));
    assert_eq!(count("a.jsonl"), 60);
    // The last line was of observation 40, and the next is of 60.
    folder.good(&[&resume("e.csv")[..], &["--every", "20"]].concat());
    assert_eq!(count("e.csv"), 1 + 3);
    folder.good(&[&resume("c.jsonl")[..], &["--force"]].concat());
    assert_eq!(count("c.jsonl"), 10);
}

#[test]
fn a_saved_filter_goes_on_after_its_last_time() {
    let folder = folder(&[
        ("a.csv", "t,y\n1,1\n2,2\n5,0\n"),
        ("before.csv", "t,y\n4,1\n6,2\n"),
        ("after.csv", "t,y\n6,1\n7,2\n"),
        ("dates.csv", "t,y\n2024-01-01,1\n2024-01-02,2\n"),
        ("days.csv", "when,y\n2024-01-01,1\n2024-01-03,2\n"),
        ("numbers.csv", "when,y\n19800,1\n19801,2\n"),
        ("later.csv", "when,y\n2024-01-04,1\n2024-01-05,2\n"),
    ]);
    folder.good(&of(
        "filter",
        "poisson.toml",
        &["a.csv", "--time", "t", "--save", "a.filter"],
    ));
    let resume = |saved, data| ["filter", "--resume", saved, data, "--time", "t"];
    folder.refused(
        &resume("a.filter", "before.csv"),
        &["before.csv, line 2", "the time 4", "after 5"],
    );
    folder.refused(
        &resume("a.filter", "dates.csv"),
        &["dates.csv, line 2", "2024-01-01", "after 5"],
    );
    let kept = [
        &resume("a.filter", "before.csv")[..],
        &["--save", "b.filter"],
    ]
    .concat();
    folder.refused(&kept, &["after 5"]);
    folder.refused(&resume("b.filter", "before.csv"), &["after 5"]);
    folder.good(&resume("a.filter", "after.csv"));
    folder.good(&of(
        "filter",
        "timed.toml",
        &["days.csv", "--save", "d.filter"],
    ));
    folder.refused(
        &["filter", "--resume", "d.filter", "numbers.csv"],
        &["numbers.csv, line 2", "numbers", "dates"],
    );
    folder.good(&["filter", "--resume", "d.filter", "later.csv"]);
}

#[test]
fn dates_in_one_file_and_numbers_in_another() {
    let folder = folder(&[
        (
            "days.csv",
            "when,y\n2024-01-01,1\n2024-01-03,2\n2024-01-04,1\n",
        ),
        ("numbers.csv", "when,y\n19800,1\n19801,2\n"),
    ]);
    let said = ["days.csv has dates", "numbers.csv has numbers"];
    for verb in ["score", "smooth", "residuals", "summary", "filter"] {
        folder.refused(&of(verb, "timed.toml", &["days.csv", "numbers.csv"]), &said);
    }
    let fit = of(
        "fit",
        "timed.toml",
        &["numbers.csv", "days.csv", "--out", "x.toml"],
    );
    folder.refused(&fit, &said);
}

#[test]
fn gaps_of_the_time_are_told_by_all() {
    let folder = folder(&[
        ("gap.csv", "t,y\n1,1\n2,2\n5,0\n6,1\n7,0\n"),
        ("first.csv", "t,y\n1,1\n5,2\n6,0\n7,1\n8,0\n"),
        ("even.csv", "t,y\n1,1\n2,2\n3,0\n4,1\n5,1\n"),
        ("uneven.csv", "t,y\n0.3,1\n1.9,2\n2.2,0\n5,1\n7.5,1\n9,0\n"),
        ("blank.jsonl", "\n1\n\n\n3\n\n"),
    ]);
    let (_, err) = folder.good(&of("score", "poisson.toml", &["blank.jsonl"]));
    assert!(err.contains("2 blank lines were skipped"), "{err}");
    // Of a series without a grid no rows are missing.
    let (_, err) = folder.good(&of("score", "poisson.toml", &["uneven.csv", "--time", "t"]));
    assert!(err.contains("not equally spaced (4 of 5 steps"), "{err}");
    let verbs = [
        "filter",
        "smooth",
        "decode",
        "forecast",
        "residuals",
        "score",
        "summary",
    ];
    for verb in verbs {
        for (file, told) in [("gap.csv", true), ("first.csv", true), ("even.csv", false)] {
            let (_, err) = folder.good(&of(verb, "poisson.toml", &[file, "--time", "t"]));
            let said = format!("{file}: the time steps farther");
            assert_eq!(err.contains(&said), told, "{verb} {file}: {err}");
            assert!(!told || err.contains("in 1 place:"), "{err}");
        }
    }
    let fit = [
        "fit",
        "gap.csv",
        "--time",
        "t",
        "--kind",
        "poisson",
        "--n-states",
        "1",
    ];
    let (_, err) = folder.good(&[&fit[..], &["--out", "x.toml"]].concat());
    assert!(err.contains("gap.csv: the time steps farther"), "{err}");
}
