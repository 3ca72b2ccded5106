//! Help texts, version and completions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::support::alone;

/// Compares help texts with the stored ones; `UPDATE_SNAPSHOTS=1` stores them anew.
#[test]
fn help_texts_are_the_stored_ones() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|v| v == "1");
    let pages: [&[&str]; 42] = [
        &[],
        &["train"],
        &["evaluate"],
        &["experiment"],
        &["experiment", "page"],
        &["analyse"],
        &["infer"],
        &["filter"],
        &["fit"],
        &["smooth"],
        &["decode"],
        &["forecast"],
        &["sample"],
        &["score"],
        &["residuals"],
        &["summary"],
        &["compare"],
        &["live"],
        &["model"],
        &["model", "list"],
        &["model", "template"],
        &["model", "check"],
        &["show"],
        &["data"],
        &["data", "list"],
        &["data", "info"],
        &["data", "fetch"],
        &["data", "verify"],
        &["data", "prepare"],
        &["data", "series"],
        &["data", "series", "list"],
        &["data", "series", "get"],
        &["devices"],
        &["bench"],
        &["config"],
        &["config", "show"],
        &["config", "check"],
        &["config", "keys"],
        &["export"],
        &["import"],
        &["completions"],
        &["-h"],
    ];
    let mut expected_names = BTreeSet::new();
    for page in pages {
        let short = page == ["-h"];
        let args = if short {
            page.to_vec()
        } else {
            [page, &["--help"]].concat()
        };
        let help = alone(&args).good();
        let name = match page {
            [] => "scotopic.txt".to_string(),
            ["-h"] => "scotopic-short.txt".to_string(),
            parts => format!("scotopic-{}.txt", parts.join("-")),
        };
        for line in help.lines() {
            assert!(
                line.chars().count() <= 100,
                "{name} is wider than 100 columns: {line}"
            );
        }
        let path = snapshots.join(&name);
        if update {
            fs::create_dir_all(&snapshots).unwrap();
            fs::write(&path, &help).unwrap();
        }
        let stored = fs::read_to_string(&path)
            .unwrap_or_default()
            .replace("\r\n", "\n");
        assert_eq!(
            help, stored,
            "{name} differs; if it should, run the test with UPDATE_SNAPSHOTS=1"
        );
        expected_names.insert(name);
    }
    for entry in fs::read_dir(&snapshots).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            expected_names.contains(&name),
            "{name} is a snapshot of no page"
        );
    }
}

#[test]
fn version_is_that_of_the_package() {
    assert_eq!(
        alone(&["--version"]).good(),
        format!("scotopic {}\n", env!("CARGO_PKG_VERSION"))
    );
}

/// Without a command there is nothing to do: the help, and the code of a request that makes no sense.
#[test]
fn without_a_command_it_shows_its_help() {
    let done = alone(&[]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.err.contains("Usage: scotopic <COMMAND>"),
        "{}",
        done.err
    );
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = alone(&["completions", shell]).good();
        for word in ["train", "evaluate", "infer", "show", "devices", "resume"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert!(alone(&["completions", "basic"]).bad(2).contains("bash"));
}
