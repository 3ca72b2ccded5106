//! `scotopic show` and `scotopic export`

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::sync::LazyLock;

use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use scotopic_datasets::npy;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};
use tempfile::TempDir;

use super::support::{folder, listing, scotopic, trained};

static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = folder();
    trained(folder.path(), "run", &["--set", "train.ema=0.5"]);
    folder
});

fn run() -> String {
    RUN.path().join("run").to_str().unwrap().to_string()
}

/// A picture that can be read, is not one colour, and is of a sensible size.
#[track_caller]
fn assert_picture(path: &Path) {
    let picture = image::open(path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .to_rgb8();
    let (width, height) = picture.dimensions();
    assert!(
        (40..5000).contains(&width) && (40..5000).contains(&height),
        "{}: {width}×{height}",
        path.display()
    );
    let first = picture.get_pixel(0, 0);
    assert!(
        picture.pixels().any(|p| p != first),
        "{} is of one colour",
        path.display()
    );
}

#[test]
fn training_draws_its_figures() {
    for name in ["dictionary.png", "reconstructions.png", "training.png"] {
        assert_picture(&RUN.path().join("run/figures").join(name));
    }
}

#[test]
fn show_draws_everything_or_what_was_asked_for() {
    let folder = folder();
    let all = [
        "dictionary.png",
        "reconstructions.png",
        "convergence.png",
        "raster.png",
        "unroll.gif",
    ];
    let told = scotopic(
        folder.path(),
        &[
            "show",
            &run(),
            "--out",
            "all",
            "--steps",
            "5",
            "--device",
            "flex",
        ],
    )
    .good();
    let expected: Vec<String> = all.iter().map(|name| format!("all/{name}")).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
    for name in &all[..4] {
        assert_picture(&folder.path().join("all").join(name));
    }
    let gif = GifDecoder::new(BufReader::new(
        File::open(folder.path().join("all/unroll.gif")).unwrap(),
    ))
    .unwrap();
    let frames = gif.into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 5, "one frame for each step");
    let some = [
        "show",
        &run(),
        "--figure",
        "raster",
        "--figure",
        "dictionary",
        "--out",
        "some",
        "--device",
        "flex",
    ];
    scotopic(folder.path(), &some).good();
    let names: Vec<_> = listing(&folder.path().join("some"));
    assert_eq!(
        names,
        [Path::new("dictionary.png"), Path::new("raster.png")]
    );
    // The same command draws the same bytes.
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("all/dictionary.png") == bytes("some/dictionary.png"));
}

/// Pictures of a run go to the run; those of a lone file to a folder of its name where one is.
#[test]
fn pictures_go_to_the_run_or_beside_the_person() {
    let folder = folder();
    let file = RUN.path().join("run/best/model.safetensors");
    let args = [
        "show",
        file.to_str().unwrap(),
        "--figure",
        "dictionary",
        "--device",
        "flex",
    ];
    assert_eq!(
        scotopic(folder.path(), &args).good().trim(),
        "model-figures/dictionary.png"
    );
    assert_picture(&folder.path().join("model-figures/dictionary.png"));
    trained(folder.path(), "mine", &[]);
    let told = scotopic(
        folder.path(),
        &["show", "mine", "--figure", "raster", "--device", "flex"],
    )
    .good();
    assert_eq!(told.trim(), "mine/figures/raster.png");
}

#[test]
fn one_step_is_enough_to_draw() {
    let folder = folder();
    scotopic(
        folder.path(),
        &[
            "show",
            &run(),
            "--out",
            "one",
            "--steps",
            "1",
            "--device",
            "flex",
        ],
    )
    .good();
    for name in [
        "dictionary.png",
        "reconstructions.png",
        "convergence.png",
        "raster.png",
    ] {
        assert_picture(&folder.path().join("one").join(name));
    }
}

/// Still figures in the format that was asked for, under the same names; what moves stays a GIF.
#[test]
fn figures_are_svg_where_asked_for() {
    let folder = folder();
    let format = ["--figure-format", "svg", "--device", "flex"];
    let args = ["show", &run(), "--out", "drawn", "--steps", "3"];
    scotopic(folder.path(), &[&args[..], &format].concat()).good();
    let names: Vec<String> = listing(&folder.path().join("drawn"))
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let expected = [
        "convergence.svg",
        "dictionary.svg",
        "raster.svg",
        "reconstructions.svg",
        "unroll.gif",
    ];
    assert_eq!(names, expected);
    for name in names.iter().filter(|name| name.ends_with(".svg")) {
        let text = fs::read_to_string(folder.path().join("drawn").join(name)).unwrap();
        assert!(
            text.starts_with("<svg") && text.trim_end().ends_with("</svg>"),
            "{name}"
        );
    }
    trained(folder.path(), "run", &["--figure-format", "svg"]);
    assert!(folder.path().join("run/figures/training.svg").is_file());
    let error = scotopic(folder.path(), &["show", &run(), "--figure-format", "jpg"]).bad(2);
    assert!(error.contains("[possible values: png, svg]"), "{error}");
}

#[test]
fn an_exported_model_is_the_best_model() {
    let folder = folder();
    let told = scotopic(folder.path(), &["export", &run(), "--out", "out"]).good();
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        ["out/README.md", "out/model.safetensors"]
    );
    let best = Checkpoint::read(&RUN.path().join("run/best/model.safetensors")).unwrap();
    let exported = Checkpoint::read(&folder.path().join("out/model.safetensors")).unwrap();
    assert_eq!(exported, best);
    let card = fs::read_to_string(folder.path().join("out/README.md")).unwrap();
    for expected in [
        "12 neurons, images 1×8×8",
        "scotopic evaluate model.safetensors",
        "`model.decoder.atoms`",
    ] {
        assert!(card.contains(expected), "no `{expected}`: {card}");
    }
    let toml = card
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    assert_eq!(
        toml::from_str::<scotopic_train::config::RunConfig>(toml).unwrap(),
        best.config
    );
    // The folder, the file and the run are the same model.
    let evaluate = |model: &str| {
        scotopic(
            folder.path(),
            &["evaluate", model, "--json", "--device", "flex"],
        )
        .json()
    };
    let expected = evaluate(&run());
    assert_eq!(evaluate("out"), expected);
    assert_eq!(evaluate("out/model.safetensors"), expected);
}

/// A training checkpoint with a running average is exported as that average, which is what was validated.
#[test]
fn the_average_is_what_is_exported() {
    let folder = folder();
    let last = RUN.path().join("run/last/checkpoint.safetensors");
    scotopic(
        folder.path(),
        &["export", last.to_str().unwrap(), "--out", "out"],
    )
    .good();
    let training = Checkpoint::read(&last).unwrap();
    let exported = Checkpoint::read(&folder.path().join("out/model.safetensors")).unwrap();
    assert_eq!(exported.kind, CheckpointKind::Model);
    assert_eq!(exported.part("model"), training.part("average"));
    assert_ne!(
        exported.part("model"),
        training.part("model"),
        "an average that is the model tests nothing"
    );
    assert!(exported.part("optimizer").is_empty());
}

#[test]
fn npz_holds_the_same_numbers() {
    let folder = folder();
    let told = scotopic(
        folder.path(),
        &["export", &run(), "--out", "out", "--format", "npz"],
    )
    .good();
    assert_eq!(told.trim(), "out/model.npz");
    let best = Checkpoint::read(&RUN.path().join("run/best/model.safetensors"))
        .unwrap()
        .part("model");
    let arrays = npy::read_npz(&folder.path().join("out/model.npz")).unwrap();
    assert_eq!(arrays.len(), best.len());
    for (name, array) in arrays {
        assert_eq!(
            (&array.shape, &array.data),
            (&best[&name].shape, &best[&name].values),
            "{name}"
        );
    }
}
