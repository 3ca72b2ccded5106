//! Runs of an earlier version go on: fixtures/earlier has what the program wrote before modules, names and keys changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use scotopic_train::checkpoint::Checkpoint;

use super::run_files::{bits, interrupt, last, logged, metrics, wait_until};
use super::support::{folder, scotopic, start};

/// How far a continuation may lie from the recorded one, relative to the largest entry of its tensor: training is bit-equal on
/// one kind of CPU only (kernels differ in the order of their sums), and 100 iterations carry rounding of 1e-7 on.
const ACROSS_CPUS: f32 = 2e-2;

fn earlier() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/earlier/training")
}

/// The killed run, copied to `name` in `to`.
fn killed(to: &Path, name: &str) -> PathBuf {
    let run = to.join(name);
    for part in ["", "last", "best"] {
        let from = earlier().join("killed").join(part);
        fs::create_dir_all(run.join(part)).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), run.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    run
}

/// Every tensor of a safetensors file as it stands there, without our reader.
fn raw(path: &Path) -> BTreeMap<String, Vec<u32>> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    file.iter()
        .map(|(name, view)| (name.to_owned(), view.data().chunks(4).map(word).collect()))
        .collect()
}

#[test]
fn tensors_of_an_earlier_checkpoint_are_read_bit_for_bit() {
    let path = last(&earlier().join("killed"));
    let checkpoint = Checkpoint::read(&path).unwrap();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let read: BTreeMap<_, _> = checkpoint
        .arrays
        .iter()
        .map(|(name, array)| (name.clone(), bits(&array.values)))
        .collect();
    assert_eq!(read, raw(&path));
    assert_eq!(checkpoint.progress.iteration, 100);
    assert_eq!(checkpoint.config.train.iterations, 200);
}

#[test]
fn an_earlier_run_goes_on_as_it_did_then() {
    let folder = folder();
    let run = killed(folder.path(), "run");
    scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .good();
    let (now, then) = (
        Checkpoint::read(&last(&run)).unwrap(),
        Checkpoint::read(&earlier().join("continued/checkpoint.safetensors")).unwrap(),
    );
    assert_eq!(now.progress.iteration, 200);
    assert_eq!(
        now.arrays.keys().collect::<Vec<_>>(),
        then.arrays.keys().collect::<Vec<_>>()
    );
    for (name, array) in &then.arrays {
        let largest = array.values.iter().fold(0f32, |m, v| m.max(v.abs()));
        for (a, b) in now.arrays[name].values.iter().zip(&array.values) {
            assert!(
                (a - b).abs() <= ACROSS_CPUS * largest,
                "{name}: {a} and {b}"
            );
        }
    }
    let objective = |run: &Path| metrics(run).last().unwrap()["objective"].as_f64().unwrap();
    let (now, then) = (objective(&run), objective(&earlier().join("continued")));
    assert!((now - then).abs() < 1e-2 * then, "{now} and {then}");
}

#[test]
fn an_earlier_run_that_is_stopped_again_goes_on_bit_for_bit() {
    let folder = folder();
    let whole = killed(folder.path(), "whole");
    scotopic(
        folder.path(),
        &["train", "--resume", "whole", "--device", "flex"],
    )
    .good();
    let stopped = killed(folder.path(), "stopped");
    let again = ["train", "--resume", "stopped", "--device", "flex"];
    let rows = logged(&stopped);
    let mut child = start(folder.path(), &again);
    wait_until(&mut child, || logged(&stopped) > rows);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "it ended before");
    scotopic(folder.path(), &again).good();
    // Not the rows of metrics.jsonl: an interruption closes a row early.
    assert!(bits(&last(&whole)) == bits(&last(&stopped)));
}
