//! What is read once: pipes and devices as data.
#![cfg(unix)]

use std::process::{Command, Stdio};

use super::Folder;

const DRIVEN: &str = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson-regression\"\n\
                      inputs = [\"u\"]\nweights = [[0.5, 0.25]]\n";
const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";
const TIMED: &str = "kind = \"linear-gaussian\"\ntime = \"when\"\ndrift = [[-0.1]]\ndiffusion = [[1.0]]\n\
                     observation = [[1.0]]\nobservation_noise = [[1.0]]\n";

/// A folder with a pipe called `pipe`.
fn folder() -> Folder {
    let rows: String = (0..20_000)
        .map(|t| format!("{},{}\n", t % 3, t % 5))
        .collect();
    let folder = Folder::with(&[
        ("driven.toml", DRIVEN),
        ("level.toml", LEVEL),
        ("timed.toml", TIMED),
        ("rows.csv", &format!("u,y\n{rows}")),
        ("when.csv", "when,y\n1,2\n2,3\n"),
    ]);
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(made.unwrap().success());
    folder
}

/// To look for the columns of a pipe takes its first rows out of it.
#[test]
fn columns_of_a_pipe_are_named() {
    let folder = folder();
    let score = ["score", "--model", "driven.toml", "--format", "csv"];
    // Nobody writes to the pipe: whoever opens it waits for ever.
    for arguments in [
        [&score[..], &["pipe"]].concat(),
        [&score[..], &["/dev/null"]].concat(),
        vec![
            "fit",
            "pipe",
            "--format",
            "csv",
            "--kind",
            "poisson-regression",
            "--inputs",
            "1",
            "--n-states",
            "1",
            "--out",
            "x.toml",
        ],
        vec![
            "fit",
            "pipe",
            "--format",
            "csv",
            "--kind",
            "poisson",
            "--exposure",
            "u",
            "--n-states",
            "1",
            "--out",
            "x.toml",
        ],
    ] {
        folder.refused(&arguments, &["read once", "--columns"]);
    }
    assert!(!folder.path().join("x.toml").exists());
    // With their names, no row is lost.
    let named = [&score[..], &["--columns", "y", "--json"]].concat();
    let reader = folder
        .command(&[&named[..], &["pipe"]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    folder.write(
        "pipe",
        &std::fs::read_to_string(folder.path().join("rows.csv")).unwrap(),
    );
    let piped = reader.wait_with_output().unwrap();
    let piped: serde_json::Value = serde_json::from_slice(&piped.stdout).unwrap();
    let file = folder.json(&[&named[..], &["rows.csv"]].concat());
    assert_eq!(piped["log_evidence"], file["log_evidence"]);
    assert_eq!(piped["observations"], 20_000);
}

#[test]
fn a_pipe_without_a_format_is_not_called_missing() {
    let folder = folder();
    let said = ["pipe: its name does not tell the format", "--format csv"];
    for verb in ["filter", "score", "smooth"] {
        let arguments = [verb, "--model", "level.toml", "pipe"];
        folder.refused(&arguments, &said);
    }
    let forecast = ["forecast", "--model", "timed.toml", "when.csv", "--given"];
    folder.refused(&[&forecast[..], &["pipe"]].concat(), &said);
    folder.refused(
        &["filter", "--model", "level.toml", "nothing"],
        &["there is no file nothing"],
    );
    // The format of the data is that of the inputs, where their name does not tell one.
    let piped = [&forecast[..], &["pipe", "--format", "csv"]].concat();
    let reader = folder
        .command(&piped)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    folder.write("pipe", "when\n4\n");
    let piped = reader.wait_with_output().unwrap();
    assert!(piped.status.success());
    folder.write("next.csv", "when\n4\n");
    let file = folder.good(&[&forecast[..], &["next.csv"]].concat()).0;
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), file);
}
