//! A batch in parts, and over several devices: the run is that of the whole batch on one device, up to rounding.

use std::path::Path;

use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::RunConfig;
use serde_json::Value;

use super::run_files::{assert_same_run, bits, epochs, interrupted, last, metrics};
use super::support::{Done, alone, available, command, folder, scotopic, strings, tiny, trained};

/// Sums over rows in another order are off by some 10⁻⁷ of themselves; thirty steps, each of which divides by the
/// size of every gradient, make that grow. Ten times what is seen.
const CURVE: f64 = 1e-5;

/// A weight whose gradient is near 0 moves by the sign of a rounding; relative to the largest of its array. Ten
/// times what is seen with a GPU.
const WEIGHTS: f64 = 1e-4;

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key}: {row}"))
}

/// Same settings in the checkpoints, same loss curve, same weights, up to roundings.
#[track_caller]
fn assert_same_but_for_rounding(whole: &Path, shared: &Path) {
    let (a, b) = (metrics(whole), metrics(shared));
    assert_eq!(a.len(), b.len());
    let mut worst = 0.0f64;
    for (a, b) in a.iter().zip(&b) {
        for key in ["iteration", "epoch", "rate", "beta", "temperature"] {
            assert_eq!(a[key], b[key], "{key}");
        }
        for key in ["reconstruction", "kl", "objective", "gradient_norm"] {
            let (a, b) = (number(a, key), number(b, key));
            worst = worst.max((a - b).abs() / a.abs().max(1e-2));
        }
    }
    assert!(worst < CURVE, "loss curves: {worst:e}");
    let curve = worst;
    let [a, b] = [whole, shared].map(|run| Checkpoint::read(&last(run)).unwrap());
    assert_eq!(a.progress.iteration, b.progress.iteration);
    assert_eq!(a.progress.optimizer_steps, b.progress.optimizer_steps);
    let mut same = b.config.clone();
    same.train.micro_batches = a.config.train.micro_batches;
    assert_eq!(a.config, same);
    assert_eq!(
        a.arrays.keys().collect::<Vec<_>>(),
        b.arrays.keys().collect::<Vec<_>>()
    );
    for (name, a) in a
        .arrays
        .iter()
        .filter(|(name, _)| name.starts_with("model"))
    {
        let b = &b.arrays[name];
        assert_eq!(a.shape, b.shape, "{name}");
        let size = a.values.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
        let off = a.values.iter().zip(&b.values);
        let off = off.fold(0f32, |m, (a, b)| m.max((a - b).abs())) / size;
        assert!(f64::from(off) < WEIGHTS, "{name}: {off:e}");
        worst = worst.max(f64::from(off));
    }
    println!("curves differ by {curve:.1e} of themselves, weights by {worst:.1e}");
}

/// A run of the whole batch on flex, and one with `shares` on top.
#[track_caller]
fn compare(common: &[&str], shares: &[&str]) {
    let folder = folder();
    let whole = trained(folder.path(), "whole", common);
    let shared = trained(folder.path(), "shared", &[common, shares].concat());
    assert!(
        bits(&last(&whole)) != bits(&last(&shared)),
        "the batch was not divided"
    );
    assert_same_but_for_rounding(&whole, &shared);
    assert_eq!(epochs(&whole).len(), epochs(&shared).len());
}

#[test]
fn a_batch_in_parts() {
    for parts in [
        "train.micro_batches=2",
        "train.micro_batches=5",
        "train.micro_batches=32",
    ] {
        compare(&[], &["--set", parts]);
    }
}

/// A clip that cuts every step: it is the norm of the sum that counts, not those of the parts.
#[test]
fn parts_with_windows_a_running_average_and_a_clip_that_cuts() {
    let common = [
        "--set",
        "train.bptt_windows=2",
        "--set",
        "train.ema=0.9",
        "--set",
        "train.max_grad_norm=0.5",
        "--set",
        "train.warmup_max_grad_norm=0.5",
    ];
    compare(&common, &["--set", "train.micro_batches=3"]);
    compare(&common, &["--device", "flex,flex"]);
}

#[test]
fn parts_of_sparse_coding_with_atoms_of_length_one() {
    let common = [
        "--set",
        "model.family=soft-threshold",
        "--set",
        "inference.method=descent",
        "--set",
        "model.decoder.unit_norm=true",
        "--set",
        "model.log_step=-2.5",
        "--set",
        "model.threshold=0.2",
        "--set",
        "model.decoder.noise=1.0",
        "--set",
        "model.decoder.init_std=0.05",
        "--set",
        "objective.kl=exact",
    ];
    compare(&common, &["--set", "train.micro_batches=3"]);
}

#[test]
fn parts_of_gaussian_latents() {
    let common = [
        "--set",
        "model.family=gaussian",
        "--set",
        "objective.kl=exact",
    ];
    compare(
        &common,
        &["--set", "train.micro_batches=3", "--device", "flex,flex"],
    );
}

#[test]
fn several_devices_on_the_processor() {
    for devices in ["flex,flex", "flex,flex,flex,flex,flex"] {
        compare(&[], &["--device", devices]);
    }
    if available("ndarray") {
        for devices in ["flex,ndarray", "ndarray,flex"] {
            compare(&[], &["--device", devices]);
        }
    }
}

#[test]
fn a_graphics_card_takes_a_share() {
    if !available("wgpu") {
        return;
    }
    // A card of software needs a second for a step.
    let few = ["--set", "train.iterations=4", "--set", "validation.every=4"];
    compare(&few, &["--device", "flex,wgpu"]);
    compare(&few, &["--device", "wgpu,wgpu"]);
}

#[test]
fn a_shared_run_is_continued_bit_for_bit() {
    let folder = folder();
    let more = [
        "--set",
        "train.iterations=200",
        "--set",
        "train.micro_batches=3",
        "--set",
        "train.ema=0.9",
        "--set",
        "train.save_every=70",
        "--device",
        "flex,flex",
    ];
    let whole = trained(folder.path(), "whole", &more);
    let stopped = interrupted(folder.path(), &more, 7);
    let resume = ["train", "--resume", "stopped", "--device", "flex,flex"];
    scotopic(folder.path(), &resume).good();
    assert_same_run(&whole, &stopped);
}

/// Devices are no part of a configuration: a run can be continued on more or fewer.
#[test]
fn a_run_is_continued_on_other_devices() {
    let folder = folder();
    let more = ["--set", "train.iterations=200"];
    let stopped = interrupted(folder.path(), &more, 7);
    let resume = ["train", "--resume", "stopped", "--device", "flex,flex"];
    scotopic(folder.path(), &resume).good();
    let at = Checkpoint::read(&last(&stopped))
        .unwrap()
        .progress
        .iteration;
    assert_eq!(at, 200);
}

/// A configuration that was written before there were parts holds no such key.
#[test]
fn one_part_is_the_default() {
    let text = alone(&["config", "show", "smoke"]).good();
    let without = text.replace("micro_batches = 1\n", "");
    assert_ne!(text, without);
    let config: RunConfig = toml::from_str(&without).unwrap();
    assert_eq!(config.train.micro_batches, 1);
    assert_eq!(config, toml::from_str(&text).unwrap());
}

#[test]
fn the_run_and_its_files_name_all_devices() {
    let folder = folder();
    let args = tiny(&["--device", "flex,flex", "--out", "run"]);
    let output = command(folder.path(), &strings(&args)).output().unwrap();
    assert!(output.status.success());
    let info = std::fs::read_to_string(folder.path().join("run/run.json")).unwrap();
    assert_eq!(info.matches("flex (CPU)").count(), 2, "{info}");
    let dry = tiny(&[
        "--device",
        "flex,flex",
        "--set",
        "train.micro_batches=2",
        "--dry-run",
    ]);
    let told = scotopic(folder.path(), &strings(&dry)).good();
    assert!(told.contains("flex (CPU) and flex (CPU)"), "{told}");
    assert!(told.contains("in 2 parts"), "{told}");
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["--device", "flex,gpu"],
            "`gpu` in the list: expected auto, flex",
        ),
        (&["--device", "flex,"], "`` in the list"),
        (&["--device", "flex,auto"], "name every device"),
        (&["--device", "flex,wgpu:x"], "not the number of a device"),
        (&["--device", "flex,cuda:99"], "cuda"),
        (
            &["--device", "flex,flex,flex", "--set", "train.batch_size=2"],
            "--device names 3 devices; train.batch_size = 2 has fewer rows than devices",
        ),
        (
            &["--set", "train.micro_batches=0"],
            "train.micro_batches = 0: must be between 1 and",
        ),
        (
            &[
                "--set",
                "train.batch_size=8",
                "--set",
                "train.micro_batches=9",
            ],
            "train.micro_batches = 9",
        ),
        (
            &["--set", "train.micro_batch=2"],
            "did you mean `train.micro_batches`?",
        ),
    ];
    for (more, expected) in cases {
        let args = [&["train", "--preset", "smoke"], more].concat();
        let folder = folder();
        let error = scotopic(folder.path(), &args).bad(2);
        assert!(
            error.to_lowercase().contains(&expected.to_lowercase()),
            "{more:?}: {error}"
        );
    }
    let one: Done = alone(&["evaluate", "run", "--device", "flex,flex"]);
    let error = one.bad(2);
    assert!(error.contains("one device only"), "{error}");
}
