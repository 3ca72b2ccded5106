//! The folder of a run: who may write into it, what may be edited, and what is said while it fills.

use std::fs;
use std::path::Path;

use scotopic_train::checkpoint::Checkpoint;
use serde_json::Value;

use super::run_files::{assert_same_run, interrupted, last, logged, metrics, wait_until};
use super::support::{command, folder, scotopic, start, strings, tiny, trained};

fn edit(run: &Path, old: &str, new: &str) {
    let path = run.join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(path, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn one_process_at_a_time_trains_into_a_folder() {
    let folder = folder();
    let run = folder.path().join("run");
    let args = tiny(&["--out", "run", "--set", "train.iterations=100000"]);
    let mut child = start(folder.path(), &strings(&args));
    wait_until(&mut child, || logged(&run) > 0);
    let holder = format!("process {}", child.id());
    for args in [
        strings(&tiny(&["--out", "run"])),
        vec!["train", "--resume", "run", "--device", "flex"],
    ] {
        let error = scotopic(folder.path(), &args).bad(1);
        assert!(error.contains(&holder), "{error}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock of a killed process holds nobody up.
    let error = scotopic(folder.path(), &strings(&tiny(&["--out", "run"]))).bad(1);
    assert!(error.contains("already holds a run"), "{error}");
}

/// What somebody else keeps in a folder stays as it was, and nothing is added.
#[test]
fn a_folder_with_other_files_is_not_taken() {
    let folder = folder();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("metrics.jsonl"), "mine").unwrap();
    let error = scotopic(folder.path(), &strings(&tiny(&["--out", "own"]))).bad(1);
    assert!(
        error.contains("own holds files that are not of a run"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(own.join("metrics.jsonl")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
}

#[test]
fn edits_of_a_run_are_refused_or_taken_over() {
    let folder = folder();
    let run = interrupted(folder.path(), &["--set", "train.iterations=300"], 4);
    let resume = ["train", "--resume", "stopped", "--device", "flex"];
    let whole = fs::read_to_string(run.join("config.toml")).unwrap();
    let before = metrics(&run);

    edit(&run, "log_every = 1", "log_every = 2");
    let error = scotopic(folder.path(), &resume).bad(1);
    assert!(
        error.contains("train.log_every = 2 (was 1)") && error.contains("--extend"),
        "{error}"
    );
    edit(&run, "latents = 12", "latents = 13");
    let extend = [&resume[..], &["--extend", "0"]].concat();
    let error = scotopic(folder.path(), &extend).bad(1);
    assert!(
        error.contains("model.latents = 13 (was 12)") && error.contains("train.learning_rate.peak"),
        "{error}"
    );
    assert!(!error.contains("log_every = 2"), "{error}");
    edit(&run, "latents = 13", "latents = 12");
    edit(&run, "iterations = 300", "iterations = 310");
    let error = scotopic(folder.path(), &extend).bad(1);
    assert!(
        error.contains("train.iterations = 310 (was 300)"),
        "{error}"
    );
    edit(&run, "log_every = 2", "log_every = often");
    let error = scotopic(folder.path(), &extend).bad(1);
    assert!(error.contains("config.toml"), "{error}");
    assert_eq!(metrics(&run), before, "a refused run must stay as it is");

    fs::write(
        run.join("config.toml"),
        whole.replace("log_every = 1", "log_every = 5"),
    )
    .unwrap();
    let extend = [&resume[..], &["--extend", "50"]].concat();
    let done = scotopic(folder.path(), &extend);
    assert!(
        done.err.contains("train.log_every = 5 (was 1)")
            && done.err.contains("train.iterations = 350 (was 300)")
            && done.err.contains("learning rate"),
        "{}",
        done.err
    );
    done.good();
    let end = Checkpoint::read(&last(&run)).unwrap();
    assert_eq!(
        (end.progress.iteration, end.config.train.log_every),
        (350, 5)
    );
    let text = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(text.contains("iterations = 350"), "{text}");
}

/// An extension by nothing is the run as it was planned.
#[test]
fn a_complete_run_can_be_extended() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    let resume = ["train", "--resume", "run", "--device", "flex", "--extend"];
    let error = scotopic(folder.path(), &[&resume[..], &["0"]].concat()).bad(1);
    assert!(error.contains("already complete"), "{error}");
    scotopic(folder.path(), &[&resume[..], &["12"]].concat()).good();
    assert_eq!(metrics(&run).len(), 42);
    let error = scotopic(folder.path(), &["train", "--extend", "3"]).bad(2);
    assert!(error.contains("--resume"), "{error}");
}

#[test]
fn a_run_without_a_checkpoint_starts_when_it_is_resumed() {
    let folder = folder();
    let more = [
        "--set",
        "train.iterations=300",
        "--set",
        "train.save_every=300",
        "--set",
        "validation.every=300",
    ];
    let whole = trained(folder.path(), "whole", &more);
    let run = folder.path().join("run");
    let args = tiny(&[&more[..], &["--out", "run"]].concat());
    let mut child = start(folder.path(), &strings(&args));
    wait_until(&mut child, || logged(&run) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!last(&run).exists(), "it was killed too late");
    let error = scotopic(folder.path(), &strings(&tiny(&["--out", "run"]))).bad(1);
    assert!(
        error.contains("already holds a run") && error.contains("--resume run"),
        "{error}"
    );
    let resume = ["train", "--resume", "run", "--device", "flex"];
    let done = scotopic(folder.path(), &resume);
    assert!(done.err.contains("no checkpoint yet"), "{}", done.err);
    done.good();
    assert_same_run(&whole, &run);
}

/// What an extension changes is in the folder before the first checkpoint, so that the run can be resumed afterwards.
#[test]
fn an_extension_from_the_beginning_is_kept() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    fs::remove_file(last(&run)).unwrap();
    let resume = ["train", "--resume", "run", "--device", "flex"];
    scotopic(folder.path(), &[&resume[..], &["--extend", "5"]].concat()).good();
    assert_eq!(metrics(&run).len(), 35);
    let error = scotopic(folder.path(), &resume).bad(1);
    assert!(error.contains("already complete"), "{error}");
}

#[cfg(unix)]
#[test]
fn paths_may_have_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = OsStr::from_bytes(b"run\xff");
    let args = tiny(&["--json", "--set", "train.iterations=4", "--out"]);
    let output = command(folder.path(), &strings(&args))
        .arg(name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(folder.path().join(name).join("config.toml").exists());
    for (command_name, more) in [
        ("evaluate", &["--json"][..]),
        ("show", &[]),
        ("infer", &["--out", "seen", "--json"]),
        ("export", &["--out", "exported"]),
    ] {
        let output = command(folder.path(), &[command_name])
            .arg(name)
            .args(more)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command_name}: {said}");
    }
    // Bytes that are no text where a name is expected are a usage error.
    let output = command(folder.path(), &["train", "--preset"])
        .arg(name)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn progress_is_told_off_a_terminal_too() {
    let folder = folder();
    let args = tiny(&["--out", "a"]);
    let done = scotopic(folder.path(), &strings(&args));
    let lines = done
        .err
        .lines()
        .filter(|line| line.contains("validation: F"));
    assert_eq!(lines.count(), 3, "{}", done.err);
    assert!(
        !done.err.contains('\r') && !done.err.contains('\x1b'),
        "{}",
        done.err
    );
    done.good();
    let args = tiny(&["--out", "b", "--quiet"]);
    let done = scotopic(folder.path(), &strings(&args));
    assert_eq!(done.err, "");
    done.good();
    let args = tiny(&["--out", "c", "--progress", "json"]);
    let done = scotopic(folder.path(), &strings(&args));
    let events: Vec<Value> = done
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let of = |name: &str| events.iter().filter(|e| e["event"] == name).count();
    assert_eq!((of("validation"), of("log")), (3, 30));
    done.good();
}

#[test]
fn results_are_replaced_only_when_asked() {
    let folder = folder();
    trained(folder.path(), "run", &["--set", "train.iterations=4"]);
    let infer = ["infer", "run", "--out", "out", "--device", "flex"];
    let export = ["export", "run", "--out", "out"];
    fs::write(folder.path().join("y.csv"), "1\n2\n0\n3\n1\n2\n").unwrap();
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "poisson",
        "--n-states",
        "1..2",
        "--out",
        "y.toml",
    ];
    for args in [&infer[..], &export, &fit] {
        scotopic(folder.path(), args).good();
        let error = scotopic(folder.path(), args).bad(2);
        assert!(
            error.contains("exists") && error.contains("--force"),
            "{error}"
        );
        scotopic(folder.path(), &[args, &["--force"]].concat()).good();
    }
    // The refit of a model into its own file says what is replaced.
    let refit = ["fit", "y.csv", "--model", "y.toml", "--out", "y.toml"];
    scotopic(folder.path(), &refit).good();
}

#[cfg(unix)]
#[test]
fn another_name_of_the_data_is_the_data() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("y.csv"), "1\n2\n0\n3\n").unwrap();
    fs::hard_link(at("y.csv"), at("hard.csv")).unwrap();
    std::os::unix::fs::symlink("y.csv", at("soft.csv")).unwrap();
    let model = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\nrates = [[2.0]]\n";
    fs::write(at("m.toml"), model).unwrap();
    for other in ["hard.csv", "soft.csv", "./y.csv"] {
        let args = ["filter", "--model", "m.toml", "y.csv", "--out", other];
        let error = scotopic(folder.path(), &args).bad(2);
        assert!(error.contains("would be overwritten"), "{error}");
        assert_eq!(fs::read_to_string(at("y.csv")).unwrap(), "1\n2\n0\n3\n");
    }
}

/// A device has no end: what is read of it has.
#[cfg(unix)]
#[test]
fn special_files_are_no_models() {
    let folder = folder();
    fs::write(folder.path().join("y.csv"), "1\n2\n0\n3\n").unwrap();
    for args in [
        ["filter", "--model", "/dev/zero", "y.csv"],
        ["filter", "--resume", "/dev/zero", "y.csv"],
        ["infer", "/dev/zero", "--out", "seen"],
        ["import", "/dev/zero", "--out", "imported"],
        ["train", "--config", "/dev/zero", "--dry-run"],
    ] {
        let done = scotopic(folder.path(), &args);
        assert!(matches!(done.code, Some(1 | 2)), "{args:?}: {done:?}");
        assert!(done.err.contains("/dev/zero"), "{}", done.err);
    }
}
