//! A run that is stopped anywhere and continued is the run that was never stopped.

use std::fs;

use scotopic_datasets::npy;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};
use scotopic_train::run_dir::RunDir;

use super::run_files::{
    assert_same_run, bits, epochs, interrupt, interrupted, last, logged, metrics, wait_until,
};
use super::support::{command, folder, scotopic, start, trained};

/// Interrupted, continued, and compared with the run that went through.
#[track_caller]
fn stop_and_go(more: &[&str], rows: usize) {
    let folder = folder();
    let more = [
        more,
        &[
            "--set",
            "train.iterations=400",
            "--set",
            "train.save_every=70",
        ],
    ]
    .concat();
    let whole = trained(folder.path(), "whole", &more);
    let stopped = interrupted(folder.path(), &more, rows);
    let at = Checkpoint::read(&last(&stopped)).unwrap();
    assert_eq!(at.kind, CheckpointKind::Training);
    assert!(
        (rows..400).contains(&at.progress.iteration),
        "{}",
        at.progress.iteration
    );
    assert_eq!(
        logged(&stopped),
        at.progress.iteration,
        "a row of metrics for every iteration"
    );
    scotopic(
        folder.path(),
        &["train", "--resume", "stopped", "--device", "flex"],
    )
    .good();
    assert_same_run(&whole, &stopped);
}

/// 5 batches are an epoch: row 7 is in the middle of the second.
#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    stop_and_go(&[], 7);
}

/// Films, and a prior in time that is learned.
const FILMS: [&str; 8] = [
    "data.source=moving-dead-leaves",
    "data.size=8",
    "data.train=160",
    "data.validation=20",
    "data.canvas=48",
    "model.transition=learned",
    "inference.inner_steps=2",
    "inference.leak=1.0",
];

#[track_caller]
fn stop_and_go_on_films(sets: &[&str]) {
    let sets = FILMS.iter().chain(sets);
    let more: Vec<&str> = sets.flat_map(|set| ["--set", set]).collect();
    stop_and_go(&more, 7);
}

#[test]
fn with_films() {
    stop_and_go_on_films(&[]);
}

/// What only inference uses has no gradient, and its optimiser no moments to save.
#[test]
fn with_beliefs_held_fixed() {
    stop_and_go_on_films(&["train.gradient=fixed-beliefs"]);
}

#[test]
fn with_steps_that_backtrack() {
    stop_and_go_on_films(&["inference.step=backtracking"]);
}

/// 150 images are 4 batches of 32 and a rest that is left out; 12 rows are 3 epochs.
#[test]
fn with_a_running_average() {
    stop_and_go(&["--set", "train.ema=0.9", "--set", "data.train=150"], 12);
}

#[test]
fn with_two_windows() {
    stop_and_go(&["--set", "train.bptt_windows=2"], 3);
}

#[test]
fn with_windows_in_which_beliefs_settle() {
    stop_and_go(
        &[
            "--set",
            "train.bptt_windows=3",
            "--set",
            "train.settling_windows=2",
        ],
        3,
    );
}

/// With a validation at every iteration, an interruption always falls on one.
#[test]
fn a_validation_that_is_due_is_made_before_stopping() {
    stop_and_go(&["--set", "validation.every=1"], 3);
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

/// A torn last line, as a kill leaves it, and rows after the checkpoint are written again.
#[test]
fn rows_beyond_the_checkpoint_are_written_again() {
    let folder = folder();
    let more = ["--set", "train.iterations=300"];
    let whole = trained(folder.path(), "whole", &more);
    let run = interrupted(folder.path(), &more, 4);
    let row = fs::read_to_string(whole.join("metrics.jsonl"))
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_string();
    let append = |name: &str, text: &str| {
        let path = run.join(name);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old + text).unwrap();
    };
    append(
        "metrics.jsonl",
        &format!("{row}\n{}", &row[..row.len() / 2]),
    );
    append("epochs.csv", "300,60.0,1.0,1,1,1,1,1,1,1,1,1,40,4,0\n310,6");
    scotopic(
        folder.path(),
        &["train", "--resume", "stopped", "--device", "flex"],
    )
    .good();
    assert_same_run(&whole, &run);
}

#[test]
fn a_complete_run_says_so() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    let before = (fs::read(last(&run)).unwrap(), metrics(&run), epochs(&run));
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(1);
    assert!(
        error.contains("already complete") && error.contains("scotopic show run"),
        "{error}"
    );
    assert!(
        before == (fs::read(last(&run)).unwrap(), metrics(&run), epochs(&run)),
        "it was changed"
    );
}

/// A rate of 0 cannot lower the free energy: patience runs out at the third validation.
#[test]
fn a_run_that_stopped_early_is_complete() {
    let folder = folder();
    let more = [
        "--set",
        "train.learning_rate.peak=0",
        "--set",
        "train.learning_rate.floor=0",
        "--set",
        "validation.patience=2",
    ];
    let run = trained(
        folder.path(),
        "run",
        &[&more[..], &["--set", "train.iterations=100"]].concat(),
    );
    let iteration = || Checkpoint::read(&last(&run)).unwrap().progress.iteration;
    assert_eq!((iteration(), epochs(&run).len()), (30, 4));
    let error = scotopic(
        folder.path(),
        &["train", "--resume", "run", "--device", "flex"],
    )
    .bad(1);
    assert!(error.contains("already complete"), "{error}");
    assert_eq!((iteration(), epochs(&run).len()), (30, 4), "it went on");
}

#[test]
fn other_data_are_noticed() {
    let folder = folder();
    let write = |offset: usize| {
        let pixels: Vec<f32> = (0..200 * 64)
            .map(|k| ((k * 37 + offset) % 101) as f32)
            .collect();
        npy::write(&folder.path().join("images.npy"), &[200, 8, 8], &pixels).unwrap();
    };
    write(0);
    let sets = [
        "data.source=npy",
        "data.train=images.npy",
        "data.validation_count=40",
        "model.latents=12",
    ];
    let mut args: Vec<&str> = vec![
        "train", "--preset", "smoke", "--device", "flex", "--data", ".", "--out", "stopped",
    ];
    for set in sets
        .iter()
        .chain(&["train.iterations=3000", "train.log_every=1"])
    {
        args.extend(["--set", set]);
    }
    let run = folder.path().join("stopped");
    let mut child = start(folder.path(), &args);
    wait_until(&mut child, || logged(&run) > 0);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resume = [
        "train", "--resume", "stopped", "--device", "flex", "--data", ".",
    ];
    write(1);
    let rows = metrics(&run);
    let error = scotopic(folder.path(), &resume).bad(1);
    assert!(
        error.contains("the data are not those") && error.contains("--data"),
        "{error}"
    );
    assert_eq!(metrics(&run), rows, "a refused run must stay as it is");
    write(0);
    let mut child = start(folder.path(), &resume);
    let rows = rows.len();
    wait_until(&mut child, || logged(&run) > rows);
    interrupt(&child);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(130),
        "the same data again"
    );
}

/// The settings of a resumed run are in its checkpoint; other options would be silently ignored.
#[test]
fn resume_takes_no_other_configuration() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    for option in [
        "--preset=mnist",
        "--config=x.toml",
        "--set=seed=1",
        "--seed=1",
        "--out=elsewhere",
    ] {
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
    let done = command(
        &elsewhere,
        &["train", "--resume", "../moved", "--device", "flex"],
    )
    .output()
    .unwrap();
    assert!(done.status.success());
    assert_eq!(
        RunDir::open(&moved).unwrap().read_metrics().unwrap().len(),
        300
    );
}

/// A run that begins with the weights of another has them before its first step, and goes on without the other.
#[test]
fn a_run_begins_with_the_weights_of_another() {
    let folder = folder();
    let first = trained(folder.path(), "first", &[]);
    let still = [
        "--init",
        "first",
        "--set",
        "train.iterations=1",
        // A step that moves no weight.
        "--set",
        "train.learning_rate.peak=1e-30",
        "--set",
        "train.learning_rate.floor=0",
        "--set",
        "inference.steps=7",
    ];
    let second = trained(folder.path(), "second", &still);
    let weights = |path: &std::path::Path| -> Vec<_> {
        let arrays = Checkpoint::read(path).unwrap().part("model");
        assert!(!arrays.is_empty());
        arrays.into_iter().collect()
    };
    let best = |run: &std::path::Path| weights(&RunDir::open(run).unwrap().best());
    assert_eq!(best(&first), weights(&last(&second)));

    let other_size = ["--init", "first", "--set", "model.latents=9"];
    let args = super::support::tiny(&[&["--out", "third"][..], &other_size].concat());
    let error = scotopic(folder.path(), &super::support::strings(&args)).bad(1);
    assert!(error.contains("--init first does not fit"), "{error}");
    assert!(error.contains("[12"), "names the shape: {error}");
    assert!(!folder.path().join("third").exists());
    let dry = super::support::tiny(&[&["--dry-run"][..], &other_size].concat());
    let error = scotopic(folder.path(), &super::support::strings(&dry)).bad(1);
    assert!(error.contains("--init first does not fit"), "{error}");
}

/// The rates of a network that is taken over are raised, its atoms and costs divided, and all else stays.
#[test]
fn a_second_stage_begins_with_more_spikes() {
    let folder = folder();
    let first = trained(folder.path(), "first", &[]);
    let raised = [
        "--set",
        "train.rate_gain=4",
        "--set",
        "train.iterations=1",
        "--set",
        "train.learning_rate.peak=1e-30",
        "--set",
        "train.learning_rate.floor=0",
    ];
    let second = trained(
        folder.path(),
        "second",
        &[&["--init", "first"][..], &raised].concat(),
    );
    let weights = |path: &std::path::Path| Checkpoint::read(path).unwrap().part("model");
    let before = weights(&RunDir::open(&first).unwrap().best());
    let after = weights(&last(&second));
    for (name, array) in &before {
        for (old, new) in array.values.iter().zip(&after[name].values) {
            let expected = match name.as_str() {
                "decoder.atoms" => old / 4.0,
                "prior.rest.0" => old + 4f32.ln(),
                "log_homeostasis" => old - 4f32.ln(),
                _ => *old,
            };
            // Rounding of one sum.
            assert!(
                (new - expected).abs() <= 1e-6 * expected.abs(),
                "{name}: {old} became {new}"
            );
        }
    }
    let refused = |more: &[&str]| {
        let args = super::support::tiny(&[&["--out", "third"][..], more].concat());
        scotopic(folder.path(), &super::support::strings(&args)).bad(2)
    };
    let error = refused(&raised);
    assert!(
        error.contains("train.rate_gain = 4") && error.contains("--init"),
        "{error}"
    );
    let gaussian = ["--set", "model.family=gaussian", "--init", "first"];
    let error = refused(&[&raised[..], &gaussian].concat());
    assert!(
        error.contains("train.rate_gain = 4: only model.family"),
        "{error}"
    );
    assert!(!folder.path().join("third").exists());
}

/// An optimiser step for each window that is learned from, and a validation of no other steps; `evaluate` has them all.
#[test]
fn nothing_is_learned_while_beliefs_settle() {
    let folder = folder();
    let of = |name: &str, settling: &str| {
        let windows = ["--set", "train.bptt_windows=3", "--set", settling];
        let run = trained(folder.path(), name, &windows);
        let steps = Checkpoint::read(&last(&run))
            .unwrap()
            .progress
            .optimizer_steps;
        let best = Checkpoint::read(&RunDir::open(&run).unwrap().best()).unwrap();
        let all = scotopic(
            folder.path(),
            &["evaluate", name, "--device", "flex", "--json"],
        )
        .json();
        let all = all["objective"].as_f64().unwrap();
        (steps, best.progress.best.unwrap() - all)
    };
    let (steps, difference) = of("all", "train.settling_windows=0");
    assert_eq!((steps, difference), (90, 0.0));
    let (steps, difference) = of("late", "train.settling_windows=2");
    assert_eq!(steps, 30);
    // Small, for so small a network hardly infers; with all steps it is nothing to the last bit.
    assert_ne!(difference, 0.0);
}

/// The decoder is the other network's, with the gain; resting potentials, homeostasis and step size are as a new network has them.
#[test]
fn a_decoder_alone_is_taken_over() {
    let folder = folder();
    let first = trained(folder.path(), "first", &[]);
    let still = |more: &[&'static str]| -> Vec<&'static str> {
        let sets = [
            "train.iterations=1",
            "train.learning_rate.peak=1e-30",
            "train.learning_rate.floor=0",
        ];
        let own = ["model.log_step=-1.5", "model.log_homeostasis=-0.5"];
        let all = sets.iter().chain(&own).chain(more);
        all.flat_map(|set| ["--set", set]).collect()
    };
    let taken = still(&["train.warm_start=decoder", "train.rate_gain=2"]);
    let second = trained(
        folder.path(),
        "second",
        &[&["--init", "first"][..], &taken].concat(),
    );
    let new = trained(folder.path(), "new", &still(&[]));
    let weights = |path: &std::path::Path| Checkpoint::read(path).unwrap().part("model");
    let theirs = weights(&RunDir::open(&first).unwrap().best());
    let (mixed, new) = (weights(&last(&second)), weights(&last(&new)));
    assert!(mixed.keys().any(|name| name == "decoder.log_sigma"));
    assert_ne!(
        theirs["log_step.0"], new["log_step.0"],
        "the test would see no difference"
    );
    for (name, array) in &mixed {
        match name.as_str() {
            "decoder.atoms" => {
                let halves: Vec<f32> = theirs[name].values.iter().map(|v| v / 2.0).collect();
                assert_eq!(array.values, halves, "{name}");
            }
            of if of.starts_with("decoder.") => assert_eq!(array, &theirs[name], "{name}"),
            _ => assert_eq!(array, &new[name], "{name}"),
        }
    }
    let args = super::support::tiny(&["--out", "third", "--set", "train.warm_start=decoder"]);
    let error = scotopic(folder.path(), &super::support::strings(&args)).bad(2);
    assert!(
        error.contains("train.warm_start") && error.contains("--init"),
        "{error}"
    );
    let args = super::support::tiny(&["--out", "third", "--set", "train.settling_windows=1"]);
    let error = scotopic(folder.path(), &super::support::strings(&args)).bad(2);
    assert!(
        error.contains("train.settling_windows = 1: must be below train.bptt_windows = 1"),
        "{error}"
    );
    assert!(!folder.path().join("third").exists());
}
