//! What happens where nothing can be written, on a full disk or in a folder that is read-only: a message with the path,
//! exit code 1, and what was there before intact.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run_files::{assert_same_run, last};
use super::support::{Done, folder, scotopic, trained};

/// The program where no file may become longer than `blocks` (of 512 or 1024 bytes, by the shell): writing fails as on a full
/// disk.
fn limited(folder: &Path, blocks: u32, args: &[&str]) -> Done {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    done(command, folder, args)
}

/// The program without the right of root to write where the permissions of a folder forbid it.
fn unprivileged(folder: &Path, args: &[&str]) -> Done {
    let script = "if [ \"$(id -u)\" != 0 ]; then exec \"$0\" \"$@\"; fi; rights=-dac_override,-dac_read_search; \
                  exec setpriv --bounding-set=$rights --inh-caps=$rights -- \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    done(command, folder, args)
}

fn done(mut command: Command, folder: &Path, args: &[&str]) -> Done {
    let output = command
        .arg(env!("CARGO_BIN_EXE_scotopic"))
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

/// Files and folders below `folder`, with what is in them; not the lock of a run, which says who tried last.
fn contents(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
            found.push((path, None));
        } else if !path.ends_with("run.lock") {
            let bytes = fs::read(&path).unwrap();
            found.push((path, Some(bytes)));
        }
    }
    found.sort();
    found
}

/// Makes `folder` and the folders below it read-only, or writable again.
fn set_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for (path, bytes) in contents(folder) {
        if bytes.is_none() {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_folder_is_left_as_it_was() {
    let folder = folder();
    let here = folder.path();
    fs::create_dir(here.join("ro")).unwrap();
    trained(here, "ro/run", &["--set", "train.iterations=4"]);
    let series: String = (0..40).map(|n| format!("{}\n", n % 7)).collect();
    fs::write(here.join("y.csv"), series).unwrap();
    let fit = ["fit", "y.csv", "--kind", "poisson", "--out", "m.toml"];
    scotopic(here, &fit).good();
    let filter = [
        "filter",
        "--model",
        "m.toml",
        "y.csv",
        "--every",
        "0",
        "--save",
        "ro/s.filter",
    ];
    scotopic(here, &filter).good();
    let before = contents(&here.join("ro"));
    set_mode(&here.join("ro"), 0o555);
    let tiny = super::support::tiny(&["--out", "ro/new"]);
    let tiny: Vec<&str> = tiny.iter().map(String::as_str).collect();
    let commands: [(&[&str], &str); 9] = [
        (&tiny, "ro/new"),
        (
            &[
                "train", "--resume", "ro/run", "--extend", "8", "--device", "flex", "-q",
            ],
            "ro/run",
        ),
        (&["export", "ro/run", "--out", "ro/out"], "ro/out"),
        (
            &["infer", "ro/run", "--out", "ro/seen", "--device", "flex"],
            "ro/seen",
        ),
        (
            &["show", "ro/run", "--out", "ro/shown", "--device", "flex"],
            "ro/shown",
        ),
        (
            &["fit", "y.csv", "--kind", "poisson", "--out", "ro/n.toml"],
            "ro/n.toml",
        ),
        (&filter, "ro/s.filter"),
        (
            &["filter", "--model", "m.toml", "y.csv", "--out", "ro/o.csv"],
            "ro/o.csv",
        ),
        (
            &[
                "filter", "--model", "m.toml", "y.csv", "--every", "0", "--figure", "ro/b.svg",
            ],
            "ro/b.svg",
        ),
    ];
    for (args, path) in commands {
        let error = unprivileged(here, args).bad(1);
        assert!(error.contains(path), "{args:?}: {error}");
    }
    let after = contents(&here.join("ro"));
    let differ = after.iter().zip(&before).find(|(now, then)| now != then);
    assert!(
        differ.is_none(),
        "{:?} changed",
        differ.map(|(now, _)| &now.0)
    );
    assert_eq!(after.len(), before.len());
    set_mode(&here.join("ro"), 0o755);
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
