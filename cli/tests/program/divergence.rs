//! What happens when numbers stop being finite.

use std::thread::sleep;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::run_dir::RunDir;
use scotopic_train::state::TrainState;

use super::support::{folder, scotopic, start, strings, tiny};

const WILD: [&str; 6] = [
    "--set",
    "train.learning_rate.peak=100",
    "--set",
    "train.max_grad_norm=1e30",
    "--set",
    "train.warmup_max_grad_norm=1e30",
];

/// The message names the iteration, the term, and what could be done.
#[track_caller]
fn assert_told(error: &str) {
    assert!(error.contains("training diverged"), "{error}");
    let iteration = error
        .split("iteration ")
        .nth(1)
        .and_then(|rest| rest.split(':').next());
    assert!(
        iteration.is_some_and(|i| i.parse::<usize>().is_ok()),
        "no iteration: {error}"
    );
    let terms = [
        "the reconstruction term is",
        "the KL term is",
        "the gradient is",
        "the validation free energy is",
    ];
    assert!(
        terms.iter().any(|term| error.contains(term)),
        "no term: {error}"
    );
    assert!(
        error.contains("train.learning_rate.peak"),
        "no advice: {error}"
    );
}

#[test]
fn an_absurd_rate_stops_with_a_message_and_leaves_a_checkpoint_that_loads() {
    let folder = folder();
    let args = tiny(&[&WILD[..], &["--set", "train.save_every=1", "--out", "run"]].concat());
    let error = scotopic(folder.path(), &strings(&args)).bad(1);
    assert_told(&error);
    assert!(
        error.contains("the last good checkpoint is run/last/checkpoint.safetensors"),
        "{error}"
    );
    let checkpoint =
        Checkpoint::read(&folder.path().join("run/last/checkpoint.safetensors")).unwrap();
    assert!((1..30).contains(&checkpoint.progress.iteration));
    TrainState::from_checkpoint(&checkpoint, &Device::flex().autodiff()).unwrap();
    // It is a checkpoint like any other: continued, the same thing happens at the same place.
    let again = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(1);
    assert_eq!(again, error);
}

#[test]
fn without_a_checkpoint_it_says_that_there_is_none() {
    let folder = folder();
    let never = [
        "--set",
        "train.save_every=1000",
        "--set",
        "validation.every=1000",
        "--out",
        "run",
    ];
    let args = tiny(&[&WILD[..], &never].concat());
    let error = scotopic(folder.path(), &strings(&args)).bad(1);
    assert_told(&error);
    assert!(
        error.contains("no checkpoint was written before"),
        "{error}"
    );
    assert!(
        !folder
            .path()
            .join("run/last/checkpoint.safetensors")
            .exists()
    );
}

/// With metrics that are read back only now and then, the iteration at fault is named all the same.
#[test]
fn the_iteration_does_not_depend_on_how_often_metrics_are_read() {
    let folder = folder();
    let iteration = |every: &str, name: &str| {
        let rest = [
            "--set",
            every,
            "--set",
            "train.save_every=1000",
            "--set",
            "validation.every=1000",
            "--out",
            name,
        ];
        let args = tiny(&[&WILD[..], &rest].concat());
        let error = scotopic(folder.path(), &strings(&args)).bad(1);
        error.split("iteration ").nth(1).unwrap().to_string()
    };
    assert_eq!(
        iteration("train.log_every=1", "a"),
        iteration("train.log_every=25", "b")
    );
}

/// Potentials far beyond any ceiling must end in a message, not in a sampler that waits for ever. (A minute
/// is a thousand times what this run takes.)
#[test]
fn a_rate_beyond_all_bounds_does_not_hang() {
    let folder = folder();
    for base in [
        "train.learning_rate.peak=1e6",
        "train.learning_rate.peak=1e30",
    ] {
        let clip = [
            "--set",
            "train.max_grad_norm=1e30",
            "--set",
            "train.warmup_max_grad_norm=1e30",
            "--set",
            base,
            "--out",
            base,
        ];
        let mut child = start(folder.path(), &strings(&tiny(&clip)));
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{base}: hangs");
            }
            sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(1), "{base}");
    }
}

/// The mean of the images alone has a curvature of some 160 nats per unit², and atoms that may grow have more: steps of e^−2.5 diverged (R² 0.41
/// after 40 iterations, and falling).
#[test]
fn predictive_coding_of_digits_has_a_step_that_converges() {
    let Some(data) = super::support::mnist() else {
        eprintln!("skipped: no MNIST in $SCOTOPIC_DATA or beside the workspace");
        return;
    };
    let folder = folder();
    let data = data.to_string_lossy();
    let base = [
        "train",
        "--preset",
        "mnist/predictive-coding",
        "--data",
        &data,
    ];
    let how = ["--out", "run", "--device", "flex", "--quiet"];
    let sets = [
        "train.iterations=40",
        "train.batch_size=50",
        "validation.every=40",
        "validation.count=100",
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let args: Vec<&str> = base.into_iter().chain(how).chain(sets).collect();
    scotopic(folder.path(), &args).good();
    let rows = RunDir::open(&folder.path().join("run"))
        .unwrap()
        .validations();
    let r2 = rows.last().unwrap().measures.r2;
    assert!(r2 > 0.85, "R² {r2}");
}
