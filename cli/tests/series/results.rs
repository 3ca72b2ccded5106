//! What is written: times beyond the data, what ended early, and outputs that are no files.

use super::{Folder, noise, table};

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";

fn folder() -> Folder {
    let years: Vec<f64> = (0..40).map(|t| 1871.0 + f64::from(t)).collect();
    let y = noise(40);
    let dates: Vec<String> = (1..=9).map(|d| format!("2024-01-0{d},{d}")).collect();
    Folder::with(&[
        ("level.toml", LEVEL),
        ("y.csv", &table("year,y", &[&years, &y])),
        ("days.csv", &format!("day,y\n{}\n", dates.join("\n"))),
        ("gap.csv", "year,y\n1,2\n2,3\n4,5\n"),
    ])
}

/// Times an equal step apart go on, dates by the calendar; times with gaps do not.
#[test]
fn forecasts_have_the_times_that_are_known() {
    let folder = folder();
    let run = |file, time| {
        let args = ["forecast", "--model", "level.toml", file, "--time", time];
        folder.good(&[&args[..], &["--ahead", "2"]].concat()).0
    };
    let (years, days, gap) = (
        run("y.csv", "year"),
        run("days.csv", "day"),
        run("gap.csv", "year"),
    );
    assert!(
        years.contains(r#""t":42,"ahead":2,"time":"1912""#),
        "{years}"
    );
    assert!(
        days.contains(r#""t":11,"ahead":2,"time":"2024-01-11""#),
        "{days}"
    );
    assert!(!gap.contains("time"), "{gap}");
    let args = [
        "forecast",
        "--model",
        "level.toml",
        "days.csv",
        "--time",
        "day",
    ];
    let rolling = folder.good(&[&args[..], &["--every", "3"]].concat()).0;
    assert!(rolling.contains(r#""time":"2024-01-04""#), "{rolling}");
    let twice = [&args[..], &["--quantiles", "0.5,0.5"]].concat();
    folder.refused(&twice, &["--quantiles holds 0.5 twice"]);
}

#[test]
fn a_fit_of_any_kind_that_ended_early_says_so() {
    let folder = folder();
    let args = [
        "fit",
        "y.csv",
        "--time",
        "year",
        "--kind",
        "linear-gaussian",
        "--n-states",
        "2",
    ];
    let (out, err) =
        folder.good(&[&args[..], &["--max-iterations", "2", "--out", "m.toml"]].concat());
    assert!(
        out.contains("ended early, after") && out.contains("--max-iterations"),
        "{out}{err}"
    );
}

/// A pipe is read from its other end, and is a pipe afterwards.
#[cfg(unix)]
#[test]
fn a_pipe_as_an_output_is_written_to() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = folder();
    let pipe = folder.path().join("pipe.csv");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for command in ["smooth", "filter"] {
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe).unwrap()
        });
        let args = [command, "--model", "level.toml", "y.csv", "--time", "year"];
        folder.good(&[&args[..], &["--out", "pipe.csv"]].concat());
        assert_eq!(reader.join().unwrap().lines().count(), 41, "{command}");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }
}
