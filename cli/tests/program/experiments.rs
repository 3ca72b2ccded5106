//! Experiments: the list, wrong names, and networks that are trained once, continued, and not mixed up.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use scotopic_cli::experiments::all;
use scotopic_cli::experiments::networks::training::{Recipe, trained};
use scotopic_cli::experiments::protocol::{Size, Task};
use scotopic_cli::progress::Reporter;
use scotopic_train::device::DeviceChoice;
use scotopic_train::parameters::arrays_of;

use super::support::{alone, folder, scotopic};

/// A dead-leaves network that trains in a second.
fn small() -> Recipe {
    made_small(Recipe::new("small", "smoke", "smoke", [6, 600]))
}

fn made_small(recipe: Recipe) -> Recipe {
    [
        "train.save_every=2",
        "train.batch_size=20",
        "validation.every=3",
        "validation.count=20",
        "data.train=80",
        "data.validation=20",
        "data.size=8",
        "model.latents=12",
        "inference.steps=4",
    ]
    .into_iter()
    .fold(recipe, Recipe::set)
}

/// What `ask` finds for a task whose results are in `out`/experiment.
fn with<T>(out: &Path, stop: bool, ask: impl FnOnce(&Task) -> T) -> T {
    let stop = AtomicBool::new(stop);
    ask(&Task {
        arm: "any",
        seed: 3,
        size: Size::Quick,
        data: out,
        folder: &out.join("experiment"),
        stop: &stop,
        reporter: Reporter::Quiet,
        device: DeviceChoice::Flex,
    })
}

#[test]
fn every_experiment_is_listed() {
    let text = alone(&["experiment"]).good();
    assert_eq!(text.lines().count(), all().len());
    for experiment in all() {
        assert!(text.contains(experiment.name), "{text}");
    }
}

#[test]
fn an_unknown_one_is_answered_with_the_nearest() {
    let error = alone(&["experiment", "table-mnist"]).bad(2);
    assert!(error.contains("did you mean `table2-mnist`"), "{error}");
}

#[test]
fn missing_data_are_named() {
    let error = alone(&["experiment", "table2-mnist", "--quick", "--device", "flex"]).bad(1);
    assert!(error.contains("mnist"), "{error}");
}

/// Every experiment that needs no other data than the recorded run runs through.
#[test]
fn experiments_of_series_become_pages() {
    let folder = folder();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
    for name in ["bounds", "orders", "first-experiments", "odem", "campbell"] {
        let args = [
            &["experiment", name, "--quick", "--seeds", "2", "--quiet"][..],
            &["--data", fixtures, "--out", "o"],
        ];
        scotopic(folder.path(), &args.concat()).good();
        let page = folder.path().join("o/quick").join(name).join("README.md");
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("A smoke test"), "{page}");
        let answers = page
            .lines()
            .skip_while(|line| !line.starts_with("| claimed"));
        let mut answers = answers
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .peekable();
        assert!(answers.peek().is_some(), "{page}");
        // A smoke test decides nothing.
        assert!(answers.all(|answer| answer.ends_with("| – |")), "{page}");
    }
}

#[test]
fn a_network_is_trained_once_and_then_loaded() {
    let folder = folder();
    let first = with(folder.path(), false, |task| trained(task, &small())).unwrap();
    assert_eq!(first.config.seed, 3);
    let again = with(folder.path(), false, |task| trained(task, &small())).unwrap();
    // Seconds count training alone: a second training would have added to them.
    assert_eq!(first.seconds, again.seconds);
    assert_eq!(first.checkpoint, again.checkpoint);
}

#[test]
fn an_interrupted_network_is_continued_to_the_same_weights() {
    let folder = folder();
    let whole = with(&folder.path().join("a"), false, |task| {
        trained(task, &small())
    })
    .unwrap();
    let cut = folder.path().join("b");
    // The flag is up from the start: one iteration, then a checkpoint and an error.
    let error = with(&cut, true, |task| trained(task, &small()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("interrupted"), "{error:#}");
    let continued = with(&cut, false, |task| trained(task, &small())).unwrap();
    assert_eq!(
        arrays_of(&whole.network).unwrap(),
        arrays_of(&continued.network).unwrap()
    );
}

/// With a learning rate of zero the second stage ends with the weights that it began with: those of the first.
#[test]
fn a_second_stage_begins_with_the_weights_of_the_first() {
    let folder = folder();
    let second = made_small(Recipe::new("second", "smoke", "smoke", [3, 300]))
        .set("train.learning_rate.peak=0.0")
        .set("train.learning_rate.floor=0.0")
        .set_short("train.bptt_windows=2")
        .after(small());
    let both = with(folder.path(), false, |task| trained(task, &second)).unwrap();
    let first = with(folder.path(), false, |task| trained(task, &small())).unwrap();
    assert_eq!(
        arrays_of(&both.network).unwrap(),
        arrays_of(&first.network).unwrap()
    );
    assert!(both.seconds > first.seconds);
    // An image is shown for the steps of all windows.
    assert_eq!(both.config.steps_per_image(), 8);
    // The published settings are trained in one stage.
    let full = second.config(Size::Full, 0).unwrap();
    assert_eq!(full.steps_per_image(), 4);
}

#[test]
fn another_setting_under_the_same_name_is_refused() {
    let folder = folder();
    with(folder.path(), false, |task| trained(task, &small())).unwrap();
    let other = small().set("objective.beta=3.0");
    let error = with(folder.path(), false, |task| trained(task, &other))
        .err()
        .unwrap();
    assert!(error.to_string().contains("other settings"), "{error:#}");
}

#[test]
fn every_size_of_every_preset_is_a_valid_configuration() {
    for (name, full) in [
        ("mnist", "published/mnist-poisson"),
        ("mnist/gaussian-relu", "published/mnist-gaussian-relu"),
        ("natural-patches", "published/natural-patches-gaussian"),
    ] {
        let recipe = Recipe::new("x", name, full, [7, 70]);
        let iterations = |size| recipe.config(size, 0).unwrap().train.iterations;
        assert_eq!(iterations(Size::Quick), 7);
        assert_eq!(iterations(Size::Standard), 70);
        assert!(iterations(Size::Full) > 10_000);
    }
}

/// From tasks of single arms to a page that names it a smoke test; the same command again runs nothing.
#[test]
fn tasks_of_networks_become_a_page() {
    let folder = folder();
    let run = |more: &[&str]| {
        let all = [
            &["experiment", "indicators", "--quick", "--seeds", "1"][..],
            &["--device", "flex", "--out", "o", "--quiet"],
            more,
        ];
        scotopic(folder.path(), &all.concat())
    };
    for part in ["1/2", "2/2"] {
        run(&["--task", part]).good();
    }
    let page = run(&["--collect"]).good();
    assert!(page.contains("A smoke test"), "{page}");
    for arm in ["sigmoid", "linear", "cubic", "quintic", "cosine"] {
        assert!(page.contains(&format!("| dead-leaves | {arm} |")), "{page}");
    }
    let again = run(&[]).good();
    assert_eq!(page, again);
    let error = scotopic(
        folder.path(),
        &[
            "experiment",
            "page",
            "indicators",
            "--results",
            "o/quick/indicators",
        ],
    )
    .bad(1);
    assert!(error.contains("smoke test"), "{error}");
}
