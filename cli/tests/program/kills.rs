//! What a kill leaves can be continued.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use scotopic_cli::filtering::snapshot;
use scotopic_filtering::Filter as _;

use super::run_files::{assert_same_run, interrupted, logged, wait_until};
use super::support::{folder, listing, scotopic, start, strings, tiny, trained};

/// How many kills: `SCOTOPIC_KILLS`, else 20.
fn wanted() -> usize {
    std::env::var("SCOTOPIC_KILLS").map_or(20, |text| text.parse().expect("a number of kills"))
}

/// Instants below the time that a run takes, as far as it is known, by SplitMix64: the same parts of it in every run of the tests.
struct Instants {
    state: u64,
    most: Duration,
}

impl Instants {
    fn next(&mut self) -> Duration {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let portion = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        self.most.mul_f64(portion)
    }

    /// Notes whether a kill came in time: the machine may be faster than when the time was taken, or slower.
    fn learn(&mut self, in_time: bool) {
        self.most = self.most.mul_f64(if in_time { 1.1 } else { 0.7 });
    }
}

/// Killed many times at any instant, during checkpoints too (there is one at every iteration), and continued
/// each time. A run that completes before its next kill is compared, and another one begun.
#[test]
fn kills_of_a_training_change_nothing() {
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
    let mut instants = Instants { state: 20, most };
    let wanted = wanted();
    let (mut kills, mut torn) = (0, 0);
    for attempt in 0.. {
        let name = format!("run-{attempt}");
        let run = folder.path().join(&name);
        let begin = tiny(&[&more[..], &["--out", &name]].concat());
        let resume: Vec<String> = ["train", "--resume", &name, "--device", "flex"]
            .map(String::from)
            .to_vec();
        loop {
            // A folder without a configuration is no run yet: it is begun again.
            let args = if run.join("config.toml").exists() {
                &resume
            } else {
                let _ = fs::remove_dir_all(&run);
                &begin
            };
            let mut child = start(folder.path(), &strings(args));
            if kills < wanted {
                sleep(instants.next());
                child.kill().unwrap(); // SIGKILL; nothing happens to a child that has ended
            }
            let status = child.wait().unwrap();
            instants.learn(status.code().is_none());
            if status.code().is_some() {
                break; // it completed, or says that it had before it was killed
            }
            kills += 1;
            let half = |path: &PathBuf| path.to_string_lossy().ends_with(".part");
            torn += usize::from(run.exists() && listing(&run).iter().any(half));
        }
        assert_same_run(&whole, &run);
        if kills == wanted {
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

/// A kill while the folder was being made leaves its lock, and no config.toml: such a folder may be used again.
#[test]
fn a_folder_without_a_configuration_is_no_run() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("run/last")).unwrap();
    fs::write(folder.path().join("run/run.json"), "{").unwrap();
    fs::write(folder.path().join("run/run.lock"), "1").unwrap();
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(2);
    assert!(error.contains("no config.toml"), "{error}");
    trained(folder.path(), "run", &[]);
}

/// A filter that saves often, killed at any instant and continued with the rows that its snapshot has not counted: the
/// file of results is as if it had never been killed.
#[test]
fn kills_of_a_filter_change_nothing() {
    const ROWS: usize = 20_000;
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let rows: Vec<String> = (0..ROWS).map(|n| format!("{}\n", n * n % 13)).collect();
    let model = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n[emission]\n\
                 kind = \"poisson\"\nrates = [[2.0], [9.0]]\n";
    fs::write(path("m.toml"), model).unwrap();
    fs::write(path("y.csv"), rows.concat()).unwrap();
    let more = ["--quiet", "--save-every", "100", "--save"];
    let begin = ["filter", "--model", "m.toml", "--learn", "y.csv", "--out"];
    let begun = Instant::now();
    let whole = [&begin[..], &["whole.csv"], &more, &["whole.filter"]].concat();
    scotopic(folder.path(), &whole).good();
    let most = begun.elapsed();
    let expected = (
        fs::read(path("whole.csv")).unwrap(),
        fs::read(path("whole.filter")).unwrap(),
    );
    let torn = |found: &PathBuf| found.to_string_lossy().ends_with(".part");
    let mut instants = Instants { state: 7, most };
    let (wanted, mut kills) = (wanted(), 0);
    for attempt in 0.. {
        let (out, saved) = (format!("{attempt}.csv"), format!("{attempt}.filter"));
        let output = ["--out", &out];
        let keep = [&more[..], &[&saved]].concat();
        loop {
            let args = match path(&saved).exists() {
                false => [&begin[..5], &output, &keep].concat(),
                true => {
                    let counted = snapshot::load(&path(&saved)).unwrap().0.observations();
                    let rest = rows[counted as usize..].concat();
                    if rest.is_empty() {
                        // Killed after its last row was counted, perhaps in its very last save: no run follows that
                        // would remove the half file.
                        for left in listing(folder.path()).iter().filter(|path| torn(path)) {
                            fs::remove_file(folder.path().join(left)).unwrap();
                        }
                        break;
                    }
                    fs::write(path("rest.csv"), rest).unwrap();
                    [
                        &["filter", "--resume", &saved, "rest.csv"],
                        &output[..],
                        &keep,
                    ]
                    .concat()
                }
            };
            let mut child = start(folder.path(), &args);
            if kills < wanted {
                sleep(instants.next());
                child.kill().unwrap();
            }
            let status = child.wait().unwrap();
            instants.learn(status.code().is_none());
            if status.code().is_some() {
                break;
            }
            kills += 1;
        }
        assert!(fs::read(path(&out)).unwrap() == expected.0, "{out} differs");
        assert!(
            fs::read(path(&saved)).unwrap() == expected.1,
            "{saved} differs"
        );
        assert!(
            !listing(folder.path()).iter().any(torn),
            "a half file stayed"
        );
        if kills == wanted {
            break;
        }
    }
}
