//! A run that is stopped anywhere and continued is the run that was never stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use scotopic_datasets::npy;
use scotopic_train::checkpoint::{Checkpoint, Kind};
use scotopic_train::run_dir::RunDir;
use serde_json::Value;

use super::support::{command, folder, listing, scotopic, start, strings, tiny, trained};

fn last(run: &Path) -> PathBuf {
    run.join("last/checkpoint.safetensors")
}

/// Names, shapes and bits of all tensors.
fn bits(path: &Path) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let checkpoint = Checkpoint::read(path).unwrap();
    let of = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect();
    checkpoint.arrays.iter().map(|(name, a)| (name.clone(), a.shape.clone(), of(&a.values))).collect()
}

/// The rows of metrics.jsonl without their seconds.
fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        assert!(row.as_object_mut().unwrap().remove("seconds").is_some());
        row
    };
    text.lines().map(row).collect()
}

/// The rows of epochs.csv without their seconds.
fn epochs(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("epochs.csv")).unwrap();
    let row = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(2);
        cells.join(",")
    };
    text.lines().map(row).collect()
}

#[track_caller]
fn assert_same_run(a: &Path, b: &Path) {
    assert!(bits(&last(a)) == bits(&last(b)), "the tensors of last/ differ");
    assert!(bits(&a.join("best/model.safetensors")) == bits(&b.join("best/model.safetensors")), "best/ differs");
    let progress = |run: &Path| {
        let mut progress = Checkpoint::read(&last(run)).unwrap().progress;
        progress.seconds = 0.0;
        progress
    };
    assert_eq!(progress(a), progress(b));
    assert_eq!(metrics(a), metrics(b));
    assert_eq!(epochs(a), epochs(b));
}

fn logged(run: &Path) -> usize {
    fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

/// Waits until `done` says so, or the child has ended.
fn wait_until(child: &mut Child, done: impl Fn() -> bool) {
    while !done() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
}

/// What Ctrl-C does.
fn interrupt(child: &Child) {
    let killed = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// Begins a run, interrupts it once it has logged `rows` rows, and returns its folder.
#[track_caller]
fn interrupted(folder: &Path, more: &[&str], rows: usize) -> PathBuf {
    let run = folder.join("stopped");
    let args = tiny(&[more, &["--out", "stopped"]].concat());
    let mut child = start(folder, &strings(&args));
    wait_until(&mut child, || logged(&run) >= rows);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "the run ended before it was interrupted");
    run
}

/// Interrupted, continued, and compared with the run that went through.
#[track_caller]
fn stop_and_go(more: &[&str], rows: usize) {
    let folder = folder();
    let more = [more, &["--set", "train.iterations=400", "--set", "train.save_every=70"]].concat();
    let whole = trained(folder.path(), "whole", &more);
    let stopped = interrupted(folder.path(), &more, rows);
    let at = Checkpoint::read(&last(&stopped)).unwrap();
    assert_eq!(at.kind, Kind::Training);
    assert!((rows..400).contains(&at.progress.iteration), "{}", at.progress.iteration);
    assert_eq!(logged(&stopped), at.progress.iteration, "a row of metrics for every iteration");
    scotopic(folder.path(), &["train", "--resume", "stopped", "--device", "flex"]).good();
    assert_same_run(&whole, &stopped);
}

/// 5 batches are an epoch: row 7 is in the middle of the second.
#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    stop_and_go(&[], 7);
}

/// 150 images are 4 batches of 32 and a rest that is left out; 12 rows are 3 epochs.
#[test]
fn with_a_running_average() {
    stop_and_go(&["--set", "train.ema=0.9", "--set", "data.train=150"], 12);
}

#[test]
fn with_two_windows() {
    stop_and_go(&["--set", "train.windows=2"], 3);
}

/// The comparison must be able to fail: another seed is another run.
#[test]
fn another_seed_is_another_run() {
    let folder = folder();
    let a = trained(folder.path(), "a", &[]);
    let b = trained(folder.path(), "b", &["--seed", "1"]);
    let again = trained(folder.path(), "again", &["--set", "seed=0"]);
    assert!(bits(&last(&a)) != bits(&last(&b)));
    assert_ne!(metrics(&a), metrics(&b));
    assert_same_run(&a, &again);
}

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
    let more = ["--set", "train.iterations=200", "--set", "train.save_every=1", "--set", "train.ema=0.5"];
    let begun = Instant::now();
    let whole = trained(folder.path(), "whole", &more);
    let most = begun.elapsed().mul_f64(0.4);
    let mut instants = Instants(20);
    let (mut kills, mut torn) = (0, 0);
    for attempt in 0.. {
        let name = format!("run-{attempt}");
        let run = folder.path().join(&name);
        let begin = tiny(&[&more[..], &["--out", &name]].concat());
        let resume: Vec<String> = ["train", "--resume", &name, "--device", "flex"].map(String::from).to_vec();
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
            torn += usize::from(listing(&run).iter().any(|path| path.to_string_lossy().ends_with(".part")));
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
    let leftovers = [run.join("last/.checkpoint.safetensors.1.part"), run.join(".metrics.jsonl.1.part")];
    for path in &leftovers {
        fs::write(path, "half").unwrap();
    }
    let mut child = start(folder.path(), &["train", "--resume", "stopped", "--device", "flex"]);
    let before = logged(&run);
    wait_until(&mut child, || logged(&run) > before);
    child.kill().unwrap();
    child.wait().unwrap();
    for path in leftovers {
        assert!(!path.exists(), "{} is still there", path.display());
    }
}

/// A torn last line, as a kill leaves it, and rows after the checkpoint are written again.
#[test]
fn rows_beyond_the_checkpoint_are_written_again() {
    let folder = folder();
    let more = ["--set", "train.iterations=300"];
    let whole = trained(folder.path(), "whole", &more);
    let run = interrupted(folder.path(), &more, 4);
    let row = fs::read_to_string(whole.join("metrics.jsonl")).unwrap().lines().last().unwrap().to_string();
    let append = |name: &str, text: &str| {
        let path = run.join(name);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old + text).unwrap();
    };
    append("metrics.jsonl", &format!("{row}\n{}", &row[..row.len() / 2]));
    append("epochs.csv", "300,60.0,1.0,1,1,1,1,1,1,1,1,1,40,4,0\n310,6");
    scotopic(folder.path(), &["train", "--resume", "stopped", "--device", "flex"]).good();
    assert_same_run(&whole, &run);
}

#[test]
fn before_the_first_checkpoint_there_is_nothing_to_resume_from() {
    let folder = folder();
    let run = folder.path().join("run");
    let more = ["--set", "train.iterations=3000", "--set", "train.save_every=3000", "--set", "validation.every=3000"];
    let mut child = start(folder.path(), &strings(&tiny(&[&more[..], &["--out", "run"]].concat())));
    wait_until(&mut child, || logged(&run) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let error = scotopic(folder.path(), &["train", "--resume", "run", "--device", "flex"]).bad(1);
    assert!(error.contains("nothing to resume from") && error.contains("checkpoint.safetensors"), "{error}");
    let error = scotopic(folder.path(), &strings(&tiny(&["--out", "run"]))).bad(1);
    assert!(error.contains("already holds a run") && error.contains("--out"), "{error}");
    trained(folder.path(), "another", &[]);
}

/// A kill while the folder was being made leaves no config.toml: such a folder may be used again.
#[test]
fn a_folder_without_a_configuration_is_no_run() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("run/last")).unwrap();
    fs::write(folder.path().join("run/run.json"), "{").unwrap();
    let error = scotopic(folder.path(), &["train", "--resume", "run", "--device", "flex"]).bad(2);
    assert!(error.contains("no config.toml"), "{error}");
    trained(folder.path(), "run", &[]);
}

#[test]
fn a_complete_run_says_so() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    let before = (fs::read(last(&run)).unwrap(), metrics(&run), epochs(&run));
    let error = scotopic(folder.path(), &["train", "--resume", "run", "--device", "flex"]).bad(1);
    assert!(error.contains("already complete") && error.contains("scotopic show run"), "{error}");
    assert!(before == (fs::read(last(&run)).unwrap(), metrics(&run), epochs(&run)), "it was changed");
}

/// A rate of 0 cannot lower the free energy: patience runs out at the third validation.
#[test]
fn a_run_that_stopped_early_is_complete() {
    let folder = folder();
    let more = ["--set", "train.rate.base=0", "--set", "train.rate.floor=0", "--set", "validation.patience=2"];
    let run = trained(folder.path(), "run", &[&more[..], &["--set", "train.iterations=100"]].concat());
    let iteration = || Checkpoint::read(&last(&run)).unwrap().progress.iteration;
    assert_eq!((iteration(), epochs(&run).len()), (30, 4));
    let error = scotopic(folder.path(), &["train", "--resume", "run", "--device", "flex"]).bad(1);
    assert!(error.contains("already complete"), "{error}");
    assert_eq!((iteration(), epochs(&run).len()), (30, 4), "it went on");
}

#[test]
fn other_data_are_noticed() {
    let folder = folder();
    let write = |offset: usize| {
        let pixels: Vec<f32> = (0..200 * 64).map(|k| ((k * 37 + offset) % 101) as f32).collect();
        npy::write(&folder.path().join("images.npy"), &[200, 8, 8], &pixels).unwrap();
    };
    write(0);
    let sets = ["data.source=npy", "data.train=images.npy", "data.validation_count=40", "model.latents=12"];
    let mut args: Vec<&str> = vec!["train", "--preset", "smoke", "--device", "flex", "--data", ".", "--out", "stopped"];
    for set in sets.iter().chain(&["train.iterations=3000", "train.log_every=1"]) {
        args.extend(["--set", set]);
    }
    let run = folder.path().join("stopped");
    let mut child = start(folder.path(), &args);
    wait_until(&mut child, || logged(&run) > 0);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resume = ["train", "--resume", "stopped", "--device", "flex", "--data", "."];
    write(1);
    let rows = metrics(&run);
    let error = scotopic(folder.path(), &resume).bad(1);
    assert!(error.contains("the data are not those") && error.contains("--data"), "{error}");
    assert_eq!(metrics(&run), rows, "a refused run must stay as it is");
    write(0);
    let mut child = start(folder.path(), &resume);
    let rows = rows.len();
    wait_until(&mut child, || logged(&run) > rows);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "the same data again");
}

/// What a resumed run is told stands in its checkpoint; other options would be silently ignored.
#[test]
fn resume_takes_no_other_configuration() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    for option in ["--preset=mnist", "--config=x.toml", "--set=seed=1", "--seed=1", "--out=elsewhere"] {
        let error = scotopic(folder.path(), &["train", "--resume", "run", option]).bad(2);
        assert!(error.contains("--resume"), "{option}: {error}");
    }
}

/// The folder of a run can be moved.
#[test]
fn a_moved_run_goes_on() {
    let folder = folder();
    let run = interrupted(folder.path(), &["--set", "train.iterations=300"], 4);
    let moved = folder.path().join("moved");
    fs::rename(run, &moved).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let done = command(&elsewhere, &["train", "--resume", "../moved", "--device", "flex"]).output().unwrap();
    assert!(done.status.success());
    assert_eq!(RunDir::open(&moved).unwrap().read_metrics().unwrap().len(), 300);
}
