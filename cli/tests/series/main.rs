//! The commands for series, in tests that build without burn
//! (`cargo test -p scotopic-cli --no-default-features --features filters --test series`).
#![cfg(feature = "filters")]

mod carried;
mod collapse;
mod comparison;
mod counts_of_parameters;
mod dates;
mod figures;
mod fit_options;
mod forecasts;
mod held_entries;
mod inputs;
mod keys;
mod learning;
mod linear_gaussian;
mod long_runs;
mod named_columns;
mod npz;
mod pipes;
mod refusals;
mod results;
mod rows;
mod samples;
mod saved_filters;
mod spikes;
mod switching;
mod tables;
mod undetermined;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A continuous-time model of the column `y` at the times of the column `when`.
const TIMED: &str = "kind = \"linear-gaussian\"\ntime = \"when\"\ndrift = [[-0.1]]\ndiffusion = [[1.0]]\n\
                     observation = [[1.0]]\nobservation_noise = [[1.0]]\n";

/// A folder with files of these names and contents.
struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scotopic"));
        command.args(arguments).current_dir(self.path());
        command
    }

    /// Exit code, stdout and stderr.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let done = self.command(arguments).stdin(Stdio::null()).output();
        let done = done.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    }

    /// The stdout and stderr of a run that must go well.
    #[track_caller]
    fn good(&self, arguments: &[&str]) -> (String, String) {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, Some(0), "{out}\n{err}");
        (out, err)
    }

    /// What a run that must go well prints as JSON.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.good(arguments).0).unwrap()
    }

    /// Whether a run is refused with all of `said` in its message, and without a panic.
    #[track_caller]
    fn refused(&self, arguments: &[&str], said: &[&str]) {
        let (code, out, err) = self.run(arguments);
        assert!(matches!(code, Some(1 | 2)), "{code:?} {out}\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        for part in said {
            assert!(err.contains(part), "{part:?} is not in: {err}");
        }
    }
}

/// Numbers in (−1, 1) that are as good as noise, and the same everywhere: fractions of multiples of the golden ratio, hashed by
/// their sine.
fn noise(n: usize) -> Vec<f64> {
    let one = |t: usize| 2.0 * ((t as f64 * 12.9898).sin() * 43_758.545).rem_euclid(1.0) - 1.0;
    (1..=n).map(one).collect()
}

/// A table of columns.
fn table(header: &str, columns: &[&[f64]]) -> String {
    let mut text = format!("{header}\n");
    for t in 0..columns[0].len() {
        let row: Vec<String> = columns.iter().map(|c| c[t].to_string()).collect();
        text += &format!("{}\n", row.join(","));
    }
    text
}
