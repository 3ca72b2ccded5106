//! What happens where nothing more can be written: a message with the path, exit code 1, and what was there before intact.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use super::run_files::{assert_same_run, last};
use super::support::{Done, folder, scotopic, trained};

/// The program where no file may become longer than `blocks` (of 512 or 1024 bytes, by the shell): writing fails as on a full
/// disk.
fn limited(folder: &Path, blocks: u32, args: &[&str]) -> Done {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_scotopic")])
        .args(args)
        .current_dir(folder)
        .env_remove("SCOTOPIC_DATA")
        .output()
        .unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_training_keeps_its_previous_checkpoint() {
    let folder = folder();
    let whole = trained(folder.path(), "whole", &[]);
    let longer = [
        "train", "--resume", "whole", "--extend", "20", "--device", "flex",
    ];
    let run = trained(folder.path(), "run", &[]);
    let before = fs::read(last(&run)).unwrap();
    let extend = [
        "train", "--resume", "run", "--extend", "20", "--device", "flex", "-q",
    ];
    let error = limited(folder.path(), 16, &extend).bad(1);
    assert!(
        error.contains("cannot write") && error.contains("run/"),
        "{error}"
    );
    assert!(
        before == fs::read(last(&run)).unwrap(),
        "the checkpoint was changed"
    );
    // With room, the same command goes on, as if nothing had happened.
    scotopic(folder.path(), &extend).good();
    scotopic(folder.path(), &longer).good();
    assert_same_run(&whole, &run);
}

#[test]
fn nothing_half_written_is_left() {
    let folder = folder();
    trained(folder.path(), "run", &["--set", "train.iterations=4"]);
    let series: String = (0..40).map(|n| format!("{}\n", n % 7)).collect();
    fs::write(folder.path().join("y.csv"), series).unwrap();
    let fit = ["fit", "y.csv", "--kind", "poisson", "--out", "m.toml"];
    scotopic(folder.path(), &fit).good();
    let filter = [
        "filter", "--model", "m.toml", "y.csv", "--every", "0", "--save", "s.filter",
    ];
    scotopic(folder.path(), &filter).good();
    let saved = fs::read(folder.path().join("s.filter")).unwrap();
    for (args, path) in [
        (
            &["export", "run", "--out", "out"][..],
            "out/model.safetensors",
        ),
        (
            &["infer", "run", "--out", "seen", "--device", "flex"],
            "seen/inference.npz",
        ),
        (
            &["fit", "y.csv", "--kind", "poisson", "--out", "n.toml"],
            "n.toml",
        ),
        (&filter, "s.filter"),
        (
            &["filter", "--model", "m.toml", "y.csv", "--out", "o.csv"],
            "o.csv",
        ),
        (
            &[
                "filter", "--model", "m.toml", "y.csv", "--every", "0", "--figure", "b.png",
            ],
            "b.png",
        ),
    ] {
        let error = limited(folder.path(), 0, args).bad(1);
        assert!(error.contains(path), "{args:?}: {error}");
    }
    assert!(saved == fs::read(folder.path().join("s.filter")).unwrap());
    for name in [
        "n.toml",
        "b.png",
        "out/model.safetensors",
        "seen/inference.npz",
    ] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

/// A line that cannot be said is no reason to panic.
#[test]
fn a_full_standard_error_does_no_harm() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let folder = folder();
    let args = super::support::tiny(&["--out", "run"]);
    let status = Command::new(env!("CARGO_BIN_EXE_scotopic"))
        .args(&args)
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(fs::File::options().write(true).open("/dev/full").unwrap())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}
