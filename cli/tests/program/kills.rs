//! What a kill leaves can be continued.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::run_files::{assert_same_run, interrupted, last, logged, wait_until};
use super::support::{folder, listing, scotopic, start, strings, tiny, trained};

/// SplitMix64: 20 instants that are the same in every run of the tests.
struct Instants(u64);

impl Instants {
    fn below(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let portion = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        most.mul_f64(portion)
    }
}

/// Killed 20 times at any instant, during checkpoints too (there is one at every iteration), and continued
/// each time. A run that completes before its next kill is compared, and another one begun.
#[test]
fn twenty_kills_change_nothing() {
    let folder = folder();
    let more = [
        "--set",
        "train.iterations=200",
        "--set",
        "train.save_every=1",
        "--set",
        "train.ema=0.5",
    ];
    let begun = Instant::now();
    let whole = trained(folder.path(), "whole", &more);
    let most = begun.elapsed().mul_f64(0.4);
    let mut instants = Instants(20);
    let (mut kills, mut torn) = (0, 0);
    for attempt in 0.. {
        let name = format!("run-{attempt}");
        let run = folder.path().join(&name);
        let begin = tiny(&[&more[..], &["--out", &name]].concat());
        let resume: Vec<String> = ["train", "--resume", &name, "--device", "flex"]
            .map(String::from)
            .to_vec();
        loop {
            // What is not there yet cannot be continued: such a run is begun again.
            let args = if last(&run).exists() {
                &resume
            } else {
                let _ = fs::remove_dir_all(&run);
                &begin
            };
            let mut child = start(folder.path(), &strings(args));
            if kills < 20 {
                sleep(instants.below(most));
                child.kill().unwrap(); // SIGKILL; nothing happens to a child that has ended
            }
            let status = child.wait().unwrap();
            if status.code().is_some() {
                break; // it completed, or says that it had before it was killed
            }
            kills += 1;
            let half = |path: &PathBuf| path.to_string_lossy().ends_with(".part");
            torn += usize::from(run.exists() && listing(&run).iter().any(half));
        }
        assert_same_run(&whole, &run);
        if kills == 20 {
            break;
        }
    }
    // Not asserted, because it depends on the instants: how many kills hit a file while it was being written.
    println!("{torn} of {kills} kills left a file half written");
}

#[test]
fn files_that_a_kill_left_half_written_go_away() {
    let folder = folder();
    let run = interrupted(folder.path(), &["--set", "train.iterations=3000"], 2);
    let leftovers = [
        run.join("last/.checkpoint.safetensors.1.part"),
        run.join(".metrics.jsonl.1.part"),
    ];
    for path in &leftovers {
        fs::write(path, "half").unwrap();
    }
    let mut child = start(
        folder.path(),
        &["train", "--resume", "stopped", "--device", "flex"],
    );
    let before = logged(&run);
    wait_until(&mut child, || logged(&run) > before);
    child.kill().unwrap();
    child.wait().unwrap();
    for path in leftovers {
        assert!(!path.exists(), "{} is still there", path.display());
    }
}

#[test]
fn before_the_first_checkpoint_there_is_nothing_to_resume_from() {
    let folder = folder();
    let run = folder.path().join("run");
    let more = [
        "--set",
        "train.iterations=3000",
        "--set",
        "train.save_every=3000",
        "--set",
        "validation.every=3000",
    ];
    let mut child = start(
        folder.path(),
        &strings(&tiny(&[&more[..], &["--out", "run"]].concat())),
    );
    wait_until(&mut child, || logged(&run) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(1);
    assert!(
        error.contains("nothing to resume from") && error.contains("checkpoint.safetensors"),
        "{error}"
    );
    let error = scotopic(folder.path(), &strings(&tiny(&["--out", "run"]))).bad(1);
    assert!(
        error.contains("already holds a run") && error.contains("--out"),
        "{error}"
    );
    trained(folder.path(), "another", &[]);
}

/// A kill while the folder was being made leaves no config.toml: such a folder may be used again.
#[test]
fn a_folder_without_a_configuration_is_no_run() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("run/last")).unwrap();
    fs::write(folder.path().join("run/run.json"), "{").unwrap();
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(2);
    assert!(error.contains("no config.toml"), "{error}");
    trained(folder.path(), "run", &[]);
}
