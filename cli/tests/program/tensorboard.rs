//! `scotopic train --tensorboard`

use std::fs;
use std::path::Path;

use super::support::{folder, scotopic, trained};

/// The data of every record of an event file, which must be whole: length (8 bytes), checksum, data, checksum.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        found.push(bytes[at + 12..at + 12 + length].to_vec());
        at += 12 + length + 4;
    }
    assert_eq!(at, bytes.len());
    found
}

/// The event files of a run in the order of their names.
fn files(run: &Path) -> Vec<Vec<Vec<u8>>> {
    let mut paths: Vec<_> = fs::read_dir(run.join("tensorboard"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let name = paths[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("events.out.tfevents."), "{name}");
    paths.iter().map(|path| records(path)).collect()
}

fn count(events: &[Vec<u8>], text: &[u8]) -> usize {
    let has = |event: &&Vec<u8>| event.windows(text.len()).any(|part| part == text);
    events.iter().filter(has).count()
}

/// 30 iterations, each logged, with 3 validations; then 10 more in a second file, without asking again.
#[test]
fn metrics_and_figures_of_every_session_are_events() {
    let folder = folder();
    let run = trained(folder.path(), "run", &["--tensorboard"]);
    let first = &files(&run)[0];
    assert_eq!(count(&first[..1], b"brain.Event:2"), 1);
    assert_eq!(count(first, b"train/objective"), 30);
    assert_eq!(count(first, b"train/rate"), 30);
    for name in ["validation/objective", "validation/r2", "validation/zeros"] {
        assert_eq!(count(first, name.as_bytes()), 3, "{name}");
    }
    for name in ["dictionary", "reconstructions"] {
        assert_eq!(count(first, name.as_bytes()), 3, "{name}");
    }
    assert_eq!(count(first, b"\x89PNG\r\n\x1a\n"), 6);

    let args = [
        "train", "--resume", "run", "--extend", "10", "--device", "flex",
    ];
    scotopic(folder.path(), &args).good();
    let sessions = files(&run);
    assert_eq!(sessions.len(), 2);
    assert_eq!(&sessions[0], first);
    assert_eq!(count(&sessions[1], b"train/objective"), 10);
}

#[test]
fn nothing_is_written_unless_asked_for() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    assert!(!run.join("tensorboard").exists());
}
