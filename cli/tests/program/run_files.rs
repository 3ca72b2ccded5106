//! What a run leaves behind, read for comparison; and stopping one on its way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use scotopic_train::checkpoint::Checkpoint;
use serde_json::Value;

use super::support::{start, strings, tiny};

/// The checkpoint to continue from.
pub fn last(run: &Path) -> PathBuf {
    run.join("last/checkpoint.safetensors")
}

/// Names, shapes and bits of all tensors.
pub fn bits(path: &Path) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let checkpoint = Checkpoint::read(path).unwrap();
    let of = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect();
    checkpoint
        .arrays
        .iter()
        .map(|(name, a)| (name.clone(), a.shape.clone(), of(&a.values)))
        .collect()
}

/// The rows of metrics.jsonl without their seconds.
pub fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        assert!(row.as_object_mut().unwrap().remove("seconds").is_some());
        row
    };
    text.lines().map(row).collect()
}

/// The rows of epochs.csv without their seconds.
pub fn epochs(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("epochs.csv")).unwrap();
    let row = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(2);
        cells.join(",")
    };
    text.lines().map(row).collect()
}

/// Everything that two runs leave behind is the same, seconds apart.
#[track_caller]
pub fn assert_same_run(a: &Path, b: &Path) {
    assert!(
        bits(&last(a)) == bits(&last(b)),
        "the tensors of last/ differ"
    );
    assert!(
        bits(&a.join("best/model.safetensors")) == bits(&b.join("best/model.safetensors")),
        "best/ differs"
    );
    let progress = |run: &Path| {
        let mut progress = Checkpoint::read(&last(run)).unwrap().progress;
        progress.seconds = 0.0;
        progress
    };
    assert_eq!(progress(a), progress(b));
    assert_eq!(metrics(a), metrics(b));
    assert_eq!(epochs(a), epochs(b));
}

/// How many rows metrics.jsonl has by now.
pub fn logged(run: &Path) -> usize {
    fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

/// Waits until `done` says so, or the child has ended.
pub fn wait_until(child: &mut Child, done: impl Fn() -> bool) {
    while !done() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
}

/// What Ctrl-C does.
pub fn interrupt(child: &Child) {
    let killed = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// Begins a run, interrupts it once it has logged `rows` rows, and returns its folder.
#[track_caller]
pub fn interrupted(folder: &Path, more: &[&str], rows: usize) -> PathBuf {
    let run = folder.join("stopped");
    let args = tiny(&[more, &["--out", "stopped"]].concat());
    let mut child = start(folder, &strings(&args));
    wait_until(&mut child, || logged(&run) >= rows);
    interrupt(&child);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(130),
        "the run ended before it was interrupted"
    );
    run
}
