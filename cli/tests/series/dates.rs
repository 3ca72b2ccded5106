//! Times of results: as they came, and beyond the data.

use super::{Folder, TIMED};

/// The column `name` of CSV.
fn column(text: &str, name: &str) -> Vec<String> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = header.iter().position(|h| *h == name);
    let at = at.unwrap_or_else(|| panic!("no {name} in {header:?}"));
    lines
        .map(|line| line.split(',').nth(at).unwrap().to_owned())
        .collect()
}

const DAYS: &str = "when,y\n2024-01-01,1\n2024-01-03,2\n2024-01-04T12:00:00,\n2024-01-09,0.5\n";
const CAME: [&str; 4] = [
    "2024-01-01",
    "2024-01-03",
    "2024-01-04T12:00:00",
    "2024-01-09",
];

#[test]
fn a_model_of_irregular_times_writes_them_as_they_came() {
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("days.csv", DAYS),
        ("next.csv", "when\n2024-01-12\n2024-02-01\n"),
        ("numbers.csv", "when,y\n0,1\n2,2\n2,1.5\n8,0.5\n"),
        ("comma.csv", "when;y\n0,5;1\n2,25;2\n"),
    ]);
    let of = |verb: &str, data: &str, more: &[&str]| {
        let all = [
            &[verb, data, "--model", "timed.toml", "--out-format", "csv"][..],
            more,
        ];
        folder.good(&all.concat()).0
    };
    for more in [&[][..], &["--time", "when"]] {
        for verb in ["filter", "smooth"] {
            assert_eq!(column(&of(verb, "days.csv", more), "time"), CAME, "{verb}");
        }
        let given = [&["--ahead", "2", "--given", "next.csv"], more].concat();
        let ahead = of("forecast", "days.csv", &given);
        assert_eq!(column(&ahead, "time"), ["2024-01-12", "2024-02-01"]);
        let every = [&["--every", "2"], more].concat();
        assert_eq!(
            column(&of("forecast", "days.csv", &every), "time"),
            [CAME[2]]
        );
    }
    // Two rows of one time are no error of a model that is given the times, and gaps between them none.
    let numbers = folder.good(&[
        "filter",
        "numbers.csv",
        "--model",
        "timed.toml",
        "--out-format",
        "csv",
    ]);
    assert_eq!(column(&numbers.0, "time"), ["0", "2", "2", "8"]);
    assert!(!numbers.1.contains("step"), "{}", numbers.1);
    assert_eq!(
        column(&of("smooth", "comma.csv", &["--decimal-comma"]), "time"),
        ["0.5", "2.25"]
    );
    let drawn = folder
        .good(&["sample", "--model", "timed.toml", "--given", "next.csv"])
        .0;
    assert_eq!(column(&drawn, "when"), ["2024-01-12", "2024-02-01"]);
    let output = [
        "score",
        "days.csv",
        "--model",
        "timed.toml",
        "--columns",
        "1",
    ];
    folder.refused(&output, &["is given the column when"]);
    // What was drawn is read again.
    folder.write("drawn.csv", &drawn);
    of("filter", "drawn.csv", &[]);
    let drawn = folder
        .good(&["sample", "--model", "timed.toml", "--given", "numbers.csv"])
        .0;
    assert_eq!(column(&drawn, "when"), ["0.0", "2.0", "2.0", "8.0"]);
}

#[test]
fn a_filter_of_irregular_times_goes_on_at_the_last_of_them() {
    let folder = Folder::with(&[
        ("timed.toml", TIMED),
        ("a.csv", "when,y\n2024-01-01,1\n2024-01-03,2\n"),
        ("b.csv", "when,y\n2024-01-03,1\n2024-01-09,2\n"),
        (
            "all.csv",
            "when,y\n2024-01-01,1\n2024-01-03,2\n2024-01-03,1\n2024-01-09,2\n",
        ),
    ]);
    folder.good(&[
        "filter",
        "a.csv",
        "--model",
        "timed.toml",
        "--save",
        "s",
        "--out",
        "o.csv",
    ]);
    folder.good(&["filter", "b.csv", "--resume", "s", "--out", "o.csv"]);
    folder.good(&[
        "filter",
        "all.csv",
        "--model",
        "timed.toml",
        "--out",
        "all.out.csv",
    ]);
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(text("o.csv"), text("all.out.csv"));
}

#[test]
fn forecasts_go_on_by_the_calendar() {
    let level = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    let folder = Folder::with(&[("level.toml", level)]);
    for (dates, expected) in [
        (
            &["2023-11-01", "2023-12-01", "2024-01-01"][..],
            &["2024-02-01", "2024-03-01"][..],
        ),
        (
            &["2023-11-30", "2023-12-31", "2024-01-31"],
            &["2024-02-29", "2024-03-31"],
        ),
        (&["2024-01-14", "2024-01-21"], &["2024-01-28", "2024-02-04"]),
        (&["2023-11", "2023-12"], &["2024-01", "2024-02"]),
        (&["1961", "1962"], &["1963", "1964"]),
        // No step that goes on.
        (&["2024-01-14", "2024-01-21", "2024-01-23"], &[]),
    ] {
        let rows: String = dates.iter().map(|date| format!("{date},1\n")).collect();
        folder.write("y.csv", &format!("date,y\n{rows}"));
        let forecast = [
            "forecast",
            "y.csv",
            "--model",
            "level.toml",
            "--time",
            "date",
            "--ahead",
            "2",
            "--out-format",
            "csv",
        ];
        let text = folder.good(&forecast).0;
        match expected {
            [] => assert!(!text.contains("time"), "{text}"),
            expected => assert_eq!(column(&text, "time"), *expected, "{dates:?}"),
        }
    }
}

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";

/// Times go on with the digits that they are written with, where sums of doubles would show their rounding.
#[test]
fn times_go_on_with_the_digits_of_the_data() {
    let folder = Folder::with(&[("m.toml", LEVEL)]);
    for (times, next) in [
        (["0.1", "0.2", "0.3"], ["0.4", "0.5"]),
        (["-0.2", "-0.1", "0.0"], ["0.1", "0.2"]),
        (["1958.25", "1958.50", "1958.75"], ["1959.00", "1959.25"]),
        (["1700.0", "1701.0", "1702.0"], ["1703.0", "1704.0"]),
        (["7", "8", "9"], ["10", "11"]),
        (["0", "0.05", "0.1"], ["0.15", "0.20"]),
        (["1e1", "2e1", "3e1"], ["40", "50"]),
    ] {
        let rows: String = times.iter().map(|t| format!("{t},1\n")).collect();
        folder.write("y.csv", &format!("t,y\n{rows}"));
        let all = [
            "forecast", "y.csv", "--model", "m.toml", "--time", "t", "--ahead", "2",
        ];
        let (out, _) = folder.good(&[&all[..], &["--out-format", "csv"]].concat());
        assert_eq!(column(&out, "time"), next, "{times:?}");
    }
}

#[test]
fn other_dates_than_iso_are_refused_with_what_is_taken() {
    let folder = Folder::with(&[("m.toml", LEVEL)]);
    for time in ["03/02/2020", "1959Q1", "Jan 2020"] {
        folder.write("y.csv", &format!("t,y\n{time},1\n"));
        let all = ["filter", "y.csv", "--model", "m.toml", "--time", "t"];
        folder.refused(&all, &[time, "an ISO date, year first, such as 2024-03,"]);
    }
}
