//! Experiments: the list, wrong names, and models that are trained once, continued, and not mixed up.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use scotopic_cli::experiments::{
    Context, EXPERIMENTS, ModelSpec, PROTOCOLS, Report, Size, load_or_train,
};
use scotopic_cli::figure_format::{FigureFormat, StillFormat};
use scotopic_cli::progress::Reporter;
use scotopic_cli::table::{Cell, Table};
use scotopic_train::device::{self, DeviceChoice};
use scotopic_train::parameters::arrays_of;

use super::support::alone;

/// A dead-leaves model that trains in a second.
fn small() -> ModelSpec {
    [
        "train.iterations=6",
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
    .fold(ModelSpec::new("small", "smoke", "smoke"), ModelSpec::set)
}

fn with<T>(out: &Path, stop: bool, ask: impl FnOnce(&Context) -> T) -> T {
    let opened = device::open(DeviceChoice::Flex).unwrap();
    let stop = AtomicBool::new(stop);
    ask(&Context {
        size: Size::Quick,
        out: out.to_path_buf(),
        data: out.to_path_buf(),
        device: &opened,
        stop: &stop,
        reporter: Reporter::Quiet,
    })
}

#[test]
fn every_experiment_is_listed() {
    let text = alone(&["experiment"]).good();
    let names = EXPERIMENTS.iter().map(|e| e.name);
    let names: Vec<&str> = names.chain(PROTOCOLS.iter().map(|p| p.name)).collect();
    assert_eq!(text.lines().count(), names.len());
    for name in names {
        assert!(text.contains(name), "{text}");
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

#[test]
fn a_model_is_trained_once_and_then_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let first = with(folder.path(), false, |c| load_or_train(c, &small())).unwrap();
    let again = with(folder.path(), false, |c| load_or_train(c, &small())).unwrap();
    // Seconds count training alone: a second training would have added to them.
    assert_eq!(first.seconds, again.seconds);
    assert_eq!(first.checkpoint, again.checkpoint);
}

#[test]
fn an_interrupted_model_is_continued_to_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let whole = with(&folder.path().join("a"), false, |c| {
        load_or_train(c, &small())
    })
    .unwrap();
    let cut = folder.path().join("b");
    // The flag is up from the start: one iteration, then a checkpoint and an error.
    let error = with(&cut, true, |c| load_or_train(c, &small()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("interrupted"), "{error:#}");
    let continued = with(&cut, false, |c| load_or_train(c, &small())).unwrap();
    assert_eq!(
        arrays_of(&whole.network).unwrap(),
        arrays_of(&continued.network).unwrap()
    );
}

#[test]
fn another_setting_under_the_same_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    with(folder.path(), false, |c| load_or_train(c, &small())).unwrap();
    let other = small().set("objective.beta=3.0");
    let error = with(folder.path(), false, |c| load_or_train(c, &other))
        .err()
        .unwrap();
    assert!(error.to_string().contains("other settings"), "{error:#}");
}

#[test]
fn a_page_is_written_with_all_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = Table::new(&["what", "value"]);
    table.push(vec!["zeros".into(), Cell::Percent(0.25)]);
    let mut page = Report::new("A page");
    page.text("A paragraph.");
    page.table("table", table);
    page.picture("figure", "a figure", scotopic_figures::Figure::default());
    let format = FigureFormat {
        still: StillFormat::Png,
    };
    page.write(folder.path(), format).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        read("README.md"),
        "# A page\n\nA paragraph.\n\n| what | value |\n| --- | --- |\n| zeros | 25.0 % |\n\n![a figure](figure.png)\n"
    );
    assert_eq!(read("table.csv"), "what,value\nzeros,0.250000\n");
    assert!(folder.path().join("figure.png").is_file());
}

#[test]
fn every_order_of_every_size_is_a_valid_configuration() {
    for size in [Size::Quick, Size::Standard, Size::Full] {
        for (name, full) in [
            ("mnist", "published/mnist-poisson"),
            ("mnist/gaussian-relu", "published/mnist-gaussian-relu"),
            ("natural-patches", "published/natural-patches-gaussian"),
        ] {
            let config = ModelSpec::new("x", name, full).config(size).unwrap();
            match size.iterations() {
                Some(n) => assert_eq!(config.train.iterations, n),
                None => assert!(config.train.iterations > 10_000),
            }
        }
    }
}
