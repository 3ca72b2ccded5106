//! Files that were truncated, altered, exchanged or foreign: refused with a reason.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::Device;
use safetensors::{Dtype, tensor::TensorView};
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};
use scotopic_train::config::LearningGradient;
use scotopic_train::run_dir::RunDir;
use scotopic_train::state::{TrainState, load_model};
use tempfile::TempDir;

use super::support::{folder, scotopic, trained};

/// One run for all tests here, which none of them modifies.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = folder();
    trained(folder.path(), "run", &["--set", "train.ema=0.5"]);
    folder
});

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(RUN.path().join("run").join(name)).unwrap()
}

fn whole() -> Vec<u8> {
    bytes_of("last/checkpoint.safetensors")
}

/// What reading these bytes as a checkpoint gives.
fn read(bytes: &[u8]) -> Result<Checkpoint, String> {
    let folder = folder();
    let path = folder.path().join("damaged.safetensors");
    fs::write(&path, bytes).unwrap();
    Checkpoint::read(&path).map_err(|error| {
        let text = format!("{error:#}");
        assert!(
            text.contains("damaged.safetensors"),
            "the file is not named: {text}"
        );
        text
    })
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    let error = read(bytes).expect_err("it was believed");
    assert!(error.contains(why), "expected `{why}`: {error}");
}

#[test]
fn the_whole_file_is_read() {
    let checkpoint = read(&whole()).unwrap();
    assert_eq!(checkpoint.kind, CheckpointKind::Training);
    let device = Device::flex();
    TrainState::from_checkpoint(&checkpoint, &device.clone().autodiff()).unwrap();
    load_model(&checkpoint, &device).unwrap();
}

#[test]
fn every_truncation_is_refused() {
    let file = whole();
    let cuts = (0..64)
        .chain((64..file.len()).step_by(53))
        .chain(file.len() - 64..file.len());
    for length in cuts {
        let error = read(&file[..length]).expect_err("a truncated file was believed");
        assert!(
            error.contains("not a whole safetensors file"),
            "cut at {length}: {error}"
        );
    }
}

#[test]
fn a_longer_file_is_refused() {
    let mut file = whole();
    file.extend([0; 4]);
    refused(&file, "not a whole safetensors file");
}

/// A flipped bit is refused, or it lies where it means nothing (then what is read is exactly the same).
#[test]
fn a_flipped_byte_is_refused_or_means_nothing() {
    let file = whole();
    let expected = read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let mut believed = 0;
    for at in (0..file.len()).step_by(97) {
        for mask in [0xff, 0x01, 0x20] {
            let mut flipped = file.clone();
            flipped[at] ^= mask;
            match read(&flipped) {
                Err(_) => {}
                Ok(found) => {
                    assert!(found == expected, "byte {at} ^ {mask:#x} was believed");
                    assert!(
                        at < header,
                        "a value was changed at byte {at}, and nobody noticed"
                    );
                    believed += 1;
                }
            }
        }
    }
    // Nearly all of the header means something.
    assert!(believed <= 3, "{believed} flipped bytes made no difference");
}

#[test]
fn a_header_length_beyond_the_file_is_refused() {
    for length in [u64::MAX, 1 << 63, 1 << 40, 100_000_001, 1 << 24, 0, 1, 7] {
        let mut file = whole();
        file[..8].copy_from_slice(&length.to_le_bytes());
        refused(&file, "not a whole safetensors file");
    }
}

#[test]
fn files_of_another_kind_are_refused() {
    let png = fs::read(RUN.path().join("run/figures/dictionary.png")).unwrap();
    let zeros = vec![0; 4096];
    for file in [
        &png[..],
        &zeros,
        b"",
        b"PK\x03\x04",
        bytes_of("config.toml").as_slice(),
    ] {
        refused(file, "not a whole safetensors file");
    }
}

/// A safetensors file with these metadata and one tensor.
fn foreign(dtype: Dtype, data: &[u8], metadata: &[(&str, &str)]) -> Vec<u8> {
    let view = TensorView::new(dtype, vec![2], data).unwrap();
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    safetensors::serialize([("model.prior.rest.0", view)], Some(metadata)).unwrap()
}

#[test]
fn a_safetensors_file_of_another_program_is_refused() {
    let data = [0; 8];
    let ours = [("format", "scotopic"), ("version", "1")];
    refused(
        &foreign(Dtype::F32, &data, &[]),
        "it was not written by this program",
    );
    refused(
        &foreign(Dtype::F32, &data, &[("format", "pt")]),
        "its format is `pt`",
    );
    refused(&foreign(Dtype::F32, &data, &ours[..1]), "no `version`");
    refused(
        &foreign(Dtype::F32, &data, &[ours[0], ("version", "2")]),
        "this program reads version 1",
    );
    refused(&foreign(Dtype::F32, &data, &ours), "no `sha256`");
    let claimed = [ours[0], ours[1], ("sha256", "0000")];
    refused(
        &foreign(Dtype::F32, &data, &claimed),
        "checksum does not fit",
    );
    refused(&foreign(Dtype::F64, &[0; 16], &claimed), "holds F64");
}

/// The file is patched, not written: what is not finite is never written.
#[test]
fn numbers_that_are_not_finite_are_refused() {
    let file = whole();
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut patched = file.clone();
        patched[header + 40..header + 44].copy_from_slice(&bad.to_le_bytes());
        refused(&patched, "expected a finite number");
        let mut checkpoint = read(&file).unwrap();
        checkpoint
            .arrays
            .get_mut("model.decoder.atoms")
            .unwrap()
            .values[5] = bad;
        let folder = folder();
        let path = folder.path().join("x.safetensors");
        let error = checkpoint.write(&path).unwrap_err().to_string();
        assert!(error.contains("model.decoder.atoms[5]"), "{error}");
        assert!(!path.exists(), "it was written all the same");
    }
}

/// Files that are sound, but whose parts do not fit one another.
#[test]
fn parts_that_do_not_fit_are_refused() {
    type Change = fn(&mut Checkpoint);
    let cases: [(&str, Change); 8] = [
        ("decoder.atoms is missing", |c| {
            drop(c.arrays.remove("model.decoder.atoms"))
        }),
        ("prior.rest.0 has shape", |c| {
            c.arrays.get_mut("model.prior.rest.0").unwrap().shape = vec![1, 12];
        }),
        ("does not have: extra", |c| {
            let array = c.arrays["model.prior.rest.0"].clone();
            c.arrays.insert("model.extra".into(), array);
        }),
        ("log_step.0.mean is missing", |c| {
            drop(c.arrays.remove("optimizer.log_step.0.mean"))
        }),
        // At fixed beliefs only what inference alone uses may have no moments.
        ("decoder.atoms.mean is missing", |c| {
            c.config.train.gradient = LearningGradient::FixedBeliefs;
            c.arrays.remove("optimizer.decoder.atoms.mean");
            c.arrays.remove("optimizer.decoder.atoms.norm");
        }),
        ("do not fit the configuration", |c| {
            c.arrays.retain(|name, _| !name.starts_with("average."))
        }),
        ("do not fit the configuration", |c| {
            c.config.model.latents = 13
        }),
        ("a model to use, not a run to continue", |c| {
            c.kind = CheckpointKind::Model
        }),
    ];
    for (why, change) in cases {
        let mut checkpoint = read(&whole()).unwrap();
        change(&mut checkpoint);
        let device = Device::flex().autodiff();
        let error = format!(
            "{:#}",
            TrainState::from_checkpoint(&checkpoint, &device).expect_err(why)
        );
        assert!(error.contains(why), "expected `{why}`: {error}");
    }
}

/// Sizes are compared with the arrays before anything of that size is made: this one would need 64 TiB.
#[test]
fn sizes_beyond_all_memory_are_refused_before_they_are_made() {
    let mut checkpoint = read(&whole()).unwrap();
    checkpoint.config.model.latents = 1 << 20;
    checkpoint.image.shape.height = 1 << 12;
    checkpoint.image.shape.width = 1 << 12;
    let folder = folder();
    let path = folder.path().join("vast.safetensors");
    checkpoint.write(&path).unwrap();
    let done = scotopic(
        folder.path(),
        &[
            "show",
            "vast.safetensors",
            "--figure",
            "dictionary",
            "--device",
            "flex",
        ],
    );
    let error = done.bad(1);
    assert!(error.contains("do not fit the configuration"), "{error}");
}

/// Copies the run, so that it can be damaged.
fn copy_of_the_run(to: &Path) {
    for part in [
        "last/checkpoint.safetensors",
        "best/model.safetensors",
        "config.toml",
        "metrics.jsonl",
        "epochs.csv",
    ] {
        let path = to.join(part);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes_of(part)).unwrap();
    }
}

#[test]
fn a_model_is_not_a_run() {
    let folder = folder();
    copy_of_the_run(&folder.path().join("run"));
    let resume = |path: &str| {
        scotopic(
            folder.path(),
            &["train", "--resume", path, "--device", "flex"],
        )
    };
    let error = resume("run/best/model.safetensors").bad(2);
    assert!(error.contains("not the folder of a run"), "{error}");
    fs::write(
        folder.path().join("run/last/checkpoint.safetensors"),
        bytes_of("best/model.safetensors"),
    )
    .unwrap();
    let error = resume("run").bad(1);
    assert!(
        error.contains("a model to use, not a run to continue"),
        "{error}"
    );
}

/// Every command that reads a model refuses a damaged one, says which file, and writes nothing.
#[test]
fn every_command_refuses_a_damaged_model() {
    let folder = folder();
    let mut file = bytes_of("best/model.safetensors");
    let last = file.len() - 3;
    file[last] ^= 0x10;
    fs::write(folder.path().join("m.safetensors"), file).unwrap();
    for args in [
        &["evaluate", "m.safetensors", "--device", "flex"][..],
        &[
            "infer",
            "m.safetensors",
            "--input",
            "x.npy",
            "--out",
            "o",
            "--device",
            "flex",
        ],
        &["show", "m.safetensors", "--out", "o", "--device", "flex"],
        &["export", "m.safetensors", "--out", "o"],
    ] {
        let error = scotopic(folder.path(), args).bad(1);
        assert!(
            error.contains("m.safetensors") && error.contains("checksum does not fit"),
            "{args:?}: {error}"
        );
        assert!(!folder.path().join("o").exists(), "{args:?}");
    }
}

/// What counts for a model is the copy of the configuration in the checkpoint; a run that goes on must agree with both.
#[test]
fn a_corrupt_configuration_beside_a_checkpoint_does_the_model_no_harm() {
    let folder = folder();
    let run = folder.path().join("run");
    copy_of_the_run(&run);
    let before = scotopic(
        folder.path(),
        &["evaluate", "run", "--json", "--device", "flex"],
    )
    .json();
    fs::write(run.join("config.toml"), "[train\nbatch = ").unwrap();
    let after = scotopic(
        folder.path(),
        &["evaluate", "run", "--json", "--device", "flex"],
    )
    .json();
    assert_eq!(before, after);
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(1);
    assert!(error.contains("config.toml"), "{error}");
}

#[test]
fn a_torn_last_line_of_the_metrics_is_dropped() {
    let folder = folder();
    let run = folder.path().join("run");
    copy_of_the_run(&run);
    let dir = RunDir::open(&run).unwrap();
    let text = String::from_utf8(bytes_of("metrics.jsonl")).unwrap();
    let torn = &text[..text.len() - 20];
    fs::write(dir.metrics(), torn).unwrap();
    assert_eq!(dir.read_metrics().unwrap().len(), 29);
    dir.rewind(20).unwrap();
    let expected: String = text.split_inclusive('\n').take(20).collect();
    assert_eq!(fs::read_to_string(dir.metrics()).unwrap(), expected);
    let rows = fs::read_to_string(dir.epochs()).unwrap();
    let first: Vec<&str> = rows
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(first, ["iteration", "10", "20"]);
    // A line that is whole but not a row, and a row without its line feed, are torn too.
    fs::write(
        dir.metrics(),
        format!("{expected}nonsense\n{}", text.lines().next().unwrap()),
    )
    .unwrap();
    dir.rewind(20).unwrap();
    assert_eq!(fs::read_to_string(dir.metrics()).unwrap(), expected);
}
