//! What is said while a fit takes long, and when a signal ends a wait.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::{Folder, noise, table};

#[test]
fn a_fit_of_many_lags_reports_from_the_beginning() {
    let folder = Folder::with(&[("y.csv", &table("y", &[&noise(20_000)]))]);
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "autoregression",
        "--lags",
        "500",
        "--n-states",
        "2",
    ];
    let more = ["--out", "x.toml", "--progress", "json"];
    // Far longer than a second: it is ended as soon as it has said something.
    let mut child = folder
        .command(&[&fit[..], &more].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let read = BufReader::new(child.stderr.take().unwrap()).read_line(&mut first);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(read.unwrap() > 0);
    let said: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(said["event"], "progress", "{said}");
    assert_eq!(said["of"], "looking at the data", "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_before_the_first_row_is_told_as_such() {
    let model = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\nrates = [[2.0]]\n";
    let folder = Folder::with(&[("m.toml", model)]);
    let arguments = ["filter", "--model", "m.toml", "--save", "s.filter", "-"];
    let mut child = folder
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Before it watches, a signal ends it without a word; SIGHUP, number 1, is watched last.
    let is_watching = || {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_none_or(|mask| mask & 1 != 0)
    };
    while !is_watching() {
        std::thread::yield_now();
    }
    let interrupt = format!("kill -INT {}", child.id());
    let killed = std::process::Command::new("sh")
        .args(["-c", &interrupt])
        .status();
    assert!(killed.unwrap().success());
    // The input stays open until it has ended.
    let stdin = child.stdin.take();
    let done = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(done.status.code(), Some(130));
    let err = String::from_utf8(done.stderr).unwrap();
    assert_eq!(
        err,
        "scotopic: SIGINT before the first row; saved s.filter\n"
    );
    assert!(folder.path().join("s.filter").exists());
}
