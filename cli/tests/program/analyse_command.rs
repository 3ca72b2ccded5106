//! `scotopic analyse`

use std::path::PathBuf;
use std::sync::LazyLock;

use scotopic_datasets::npy;
use tempfile::TempDir;

use super::support::{folder, listing, scotopic, strings, tiny, trained};

static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    folder
});

fn run() -> String {
    RUN.path().join("run").to_str().unwrap().to_string()
}

#[test]
fn everything_that_suits_the_model_is_answered() {
    let folder = folder();
    let args = [
        "analyse",
        &run(),
        "--out",
        "out",
        "--json",
        "--device",
        "flex",
        "--max-images",
        "30",
    ];
    let done = scotopic(folder.path(), &args);
    let notes = done.err.clone();
    let told = done.json();
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    let expected = [
        "representation",
        "convergence",
        "rates",
        "filters",
        "tuning",
        "context",
        "direction",
        "latency",
        "receptive-field",
        "lateral",
        "gradients",
    ];
    assert_eq!(names.len(), expected.len(), "{names:?}");
    for name in expected {
        assert!(
            told[name]["summary"] != serde_json::Value::Null,
            "{name}: {told}"
        );
        for file in told[name]["files"].as_array().unwrap() {
            let path = folder.path().join(file.as_str().unwrap());
            assert!(
                path.metadata().is_ok_and(|m| m.len() > 0),
                "{}",
                path.display()
            );
        }
        let text = std::fs::read_to_string(folder.path().join(format!("out/{name}.csv"))).unwrap();
        let columns = text.lines().next().unwrap().split(',').count();
        assert!(
            text.lines().all(|l| l.split(',').count() == columns),
            "{name}: {text}"
        );
        assert!(text.lines().count() > 1, "{name}");
    }
    assert!(
        notes.contains("left out classify") && notes.contains("left out ood"),
        "{notes}"
    );
    let arrays = npy::read_npz(&folder.path().join("out/lateral.npz")).unwrap();
    let shapes: Vec<_> = arrays
        .iter()
        .map(|(name, a)| (name.as_str(), a.shape.clone()))
        .collect();
    assert_eq!(
        shapes,
        [("lateral", vec![12, 12]), ("feedforward", vec![12, 64])]
    );
}

#[test]
fn convergence_ends_where_evaluate_does() {
    let folder = folder();
    let args =
        |more: &[&'static str]| [more, &["--steps", "9", "--json", "--device", "flex"]].concat();
    let model = run();
    let analysed = args(&["--analysis", "convergence", "--out", "out"]);
    let told = scotopic(
        folder.path(),
        &[&["analyse", model.as_str()], &analysed[..]].concat(),
    )
    .json();
    let measured = scotopic(
        folder.path(),
        &[&["evaluate", model.as_str()], &args(&[])[..]].concat(),
    )
    .json();
    let last = &told["convergence"]["summary"]["last"];
    for key in [
        "r2",
        "r2_rates",
        "squared_error",
        "zeros",
        "change",
        "lifetime_sparsity",
    ] {
        let (a, b) = (last[key].as_f64().unwrap(), measured[key].as_f64().unwrap());
        assert!((a - b).abs() <= 1e-6 * (1.0 + b.abs()), "{key}: {a} {b}");
    }
    assert_eq!(
        listing(&folder.path().join("out")),
        ["convergence.csv", "convergence.json", "convergence.png"].map(PathBuf::from)
    );
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = folder();
    let ask = |model: &str, what: &str| {
        let args = [
            "analyse",
            model,
            "--analysis",
            what,
            "--out",
            "out",
            "--device",
            "flex",
        ];
        scotopic(folder.path(), &args).bad(1)
    };
    let text = ask(&run(), "classify");
    assert!(
        text.contains("--analysis classify") && text.contains("no labels"),
        "{text}"
    );
    let text = ask(&run(), "ood");
    assert!(
        text.contains("not there") || text.contains("is there"),
        "{text}"
    );
    let deep = tiny(&[
        "--out",
        "deep",
        "--set",
        "model.decoder.kind=\"mlp\"",
        "--set",
        "inference.step=explicit",
        "--set",
        "model.decoder.hidden=[6]",
    ]);
    scotopic(folder.path(), &strings(&deep)).good();
    for what in ["filters", "lateral", "receptive-field"] {
        let text = ask("deep", what);
        assert!(text.contains("linear decoder"), "{what}: {text}");
    }
    let args = ["analyse", "deep", "--analysis", "beauty", "--out", "out"];
    assert!(
        scotopic(folder.path(), &args)
            .bad(2)
            .contains("possible values")
    );
}

/// A model of digits: without their files it says which is missing; with them an unturned digit is a digit.
#[test]
fn digits_that_are_not_turned_are_the_test_set() {
    let Some(data) = super::support::mnist() else {
        eprintln!("skipped: no MNIST in $SCOTOPIC_DATA or beside the workspace");
        return;
    };
    let folder = folder();
    let data = data.to_str().unwrap();
    let args = [
        "train",
        "--preset",
        "mnist",
        "--out",
        "digits",
        "--data",
        data,
        "--device",
        "flex",
        "--set",
        "model.latents=16",
        "--set",
        "inference.steps=4",
        "--set",
        "train.iterations=4",
        "--set",
        "train.batch_size=50",
        "--set",
        "validation.count=100",
    ];
    scotopic(folder.path(), &args).good();
    let shared = [
        "--max-images",
        "60",
        "--steps",
        "5",
        "--json",
        "--device",
        "flex",
    ];
    let with = |args: &[&str]| scotopic(folder.path(), &[args, &shared[..]].concat());
    let told = with(&[
        "analyse",
        "digits",
        "--analysis",
        "ood",
        "--analysis",
        "classify",
        "--out",
        "out",
        "--data",
        data,
    ])
    .json();
    let measured = with(&["evaluate", "digits", "--split", "test", "--data", data]).json();
    let view = &told["ood"]["summary"]["views"][0];
    assert_eq!(view["view"], "rotated-0");
    for key in ["r2", "squared_error", "squared_error_rates", "zeros"] {
        let (a, b) = (
            view["at"][0][key].as_f64().unwrap(),
            measured[key].as_f64().unwrap(),
        );
        assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{key}: {a} {b}");
    }
    assert_eq!(told["classify"]["summary"]["test_images"], 60);
    let text = with(&[
        "analyse",
        "digits",
        "--analysis",
        "convergence",
        "--out",
        "out",
    ])
    .bad(1);
    assert!(text.contains("mnist"), "{text}");
}
