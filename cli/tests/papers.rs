//! The papers' pages are those that their results make; tasks of an experiment are run once, in any number of parts.
#![cfg(feature = "vision")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use scotopic_cli::experiments::all;
use scotopic_cli::experiments::protocol::{
    Page, Part, Protocol, Results, Settings, Size, Tasks, Values, Verdict,
};
use scotopic_cli::progress::Reporter;

/// All results together, in bytes: they are part of the repository.
const LARGEST: u64 = 1_500_000;

fn papers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/papers")
}

fn published() -> Vec<(&'static Protocol, PathBuf)> {
    let folder = |protocol: &Protocol| papers().join("results").join(protocol.name);
    let all = all().into_iter().map(|p| (p, folder(p)));
    all.filter(|(_, folder)| folder.exists()).collect()
}

#[test]
fn pages_say_what_their_results_say() {
    assert!(!published().is_empty(), "there are no results");
    for (protocol, folder) in published() {
        let results = Results::read(protocol, &folder).unwrap();
        assert_ne!(results.size, Size::Quick, "{}: a smoke test", protocol.name);
        let made = (protocol.page)(&results).unwrap().markdown(&results);
        let file = papers().join(format!("{}.md", protocol.name));
        let page = fs::read_to_string(&file).unwrap();
        for (number, (found, expected)) in page.lines().zip(made.lines()).enumerate() {
            assert_eq!(
                found,
                expected,
                "{}, line {}: `scotopic experiment page {}` makes the page anew",
                file.display(),
                number + 1,
                protocol.name
            );
        }
        assert_eq!(page, made, "{}", file.display());
        let figures = page.split("](images/").skip(1);
        for figure in figures.filter_map(|rest| rest.split(')').next()) {
            assert!(papers().join("images").join(figure).exists(), "{figure}");
        }
    }
}

/// An interval in a row of the README's table stands on the page that the row names.
#[test]
fn the_readme_says_what_the_pages_say() {
    let readme = fs::read_to_string(papers().join("../../README.md")).unwrap();
    let mut intervals = 0;
    for row in readme.lines().filter(|line| line.starts_with('|')) {
        let Some((_, rest)) = row.split_once("](docs/papers/") else {
            continue;
        };
        let (page, _) = rest.split_once(".md)").unwrap();
        let text = fs::read_to_string(papers().join(format!("{page}.md"))).unwrap();
        for (start, _) in row
            .match_indices(" [")
            .filter(|(i, _)| row[..*i].ends_with(char::is_numeric))
        {
            let number = row[..start].rfind(' ').unwrap() + 1;
            let end = start + row[start..].find(']').unwrap() + 1;
            let found = &row[number..end];
            assert!(
                text.contains(found),
                "{found} of the README is not on the page {page}"
            );
            intervals += 1;
        }
    }
    assert!(intervals > 0, "the README has no intervals");
}

#[test]
fn every_result_has_a_page_and_the_results_are_small() {
    let mut bytes = 0;
    for folder in fs::read_dir(papers().join("results")).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        assert!(all().iter().any(|p| p.name == name), "{name}");
        for file in fs::read_dir(folder.path()).unwrap() {
            bytes += file.unwrap().metadata().unwrap().len();
        }
    }
    assert!(bytes <= LARGEST, "{bytes} bytes");
}

/// How often a task of [`COUNTED`] was run.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Two arms that differ by the seed.
const COUNTED: Protocol = Protocol {
    name: "counted",
    about: "",
    unit: "number",
    seeds: 2,
    all_threads: false,
    arms: |_| vec!["one".to_owned(), "two".to_owned()],
    settings: |_| Settings::new(),
    run: |task| {
        RUNS.fetch_add(1, Ordering::Relaxed);
        let mut values = Values::default();
        for unit in 0..3 {
            let more = if task.arm == "two" {
                task.seed as f64
            } else {
                0.0
            };
            values.push("case", "value", f64::from(unit) + more);
        }
        Ok(values)
    },
    page: |results| {
        let mut page = Page::new("Counted");
        let difference = results.difference("two", "one", "case", "value").unwrap();
        let found = format!(
            "{} [{}, {}]",
            difference.mean, difference.low, difference.high
        );
        page.answer(
            "Two is more.",
            found,
            Verdict::of([Some(difference.is_positive())]),
        );
        Ok(page)
    },
};

#[test]
fn parts_add_up_and_nothing_is_run_twice() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks {
        protocol: &COUNTED,
        size: Size::Quick,
        seeds: 2,
        folder: folder.path(),
        data: folder.path(),
        device: scotopic_train::device::DeviceChoice::Flex,
    };
    let run = |part: &str| {
        let stop = AtomicBool::new(false);
        let done = tasks.run(part.parse::<Part>().unwrap(), &stop, Reporter::Quiet);
        assert!(done.unwrap());
    };
    run("1/3");
    assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    let missing = tasks.collect().err().unwrap().to_string();
    assert!(
        missing.contains("2 of 4 tasks") && missing.contains("--task 2/4"),
        "{missing}"
    );
    run("2/3");
    run("3/3");
    run("1/1");
    assert_eq!(RUNS.load(Ordering::Relaxed), 4);
    // Differences of three units are 1 with the first seed and 2 with the second: 1 plus a sixth of a binomial number, 6 of
    // 1/2, whose 2.5 % quantile is 1 (P(0) = 1.6 %, P(≤ 1) = 10.9 %).
    let results = tasks.collect().unwrap();
    let page = (COUNTED.page)(&results).unwrap().markdown(&results);
    assert!(
        page.contains("**A smoke test.**")
            && page.contains("1.5 [1.1666666666666667, 1.8333333333333333]"),
        "{page}"
    );
    assert!(
        page.contains("| – |") && !page.contains("| holds |"),
        "{page}"
    );
    // A file of other settings is not taken for this task's.
    let file = folder.path().join("one-seed-1.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("\"settings\":{}", "\"settings\":{\"a\":1}"),
    )
    .unwrap();
    let stop = AtomicBool::new(false);
    let error = tasks.run(Part::WHOLE, &stop, Reporter::Quiet).unwrap_err();
    assert!(error.to_string().contains("other settings"), "{error}");
}

#[test]
fn the_command_runs_a_part_collects_and_makes_no_page_of_a_smoke_test() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_scotopic"))
            .arg("experiment")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let campbell = ["campbell", "--size", "quick", "--seeds", "1"];
    let with = |more: &[&'static str]| -> Vec<&'static str> { [&campbell, more].concat() };
    assert!(run(&with(&["--task", "1/3"])).status.success());
    let missing = run(&with(&["--collect"]));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("2 of 3 tasks"));
    let whole = run(&campbell);
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stderr)
    );
    assert!(String::from_utf8_lossy(&whole.stdout).contains("A smoke test."));
    let page = run(&[
        "page",
        "campbell",
        "--results",
        "runs/experiments/quick/campbell",
    ]);
    assert!(String::from_utf8_lossy(&page.stderr).contains("smoke test"));
    let wrong = run(&["camp"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean `campbell`"));
}
