//! What is asked for is done or refused in the user's words; numbers that are told come back.

use super::support::{alone, folder, listing, scotopic, strings, tiny, trained};

/// The figures of the last validation of a training are those of `evaluate`, which draws the same spikes.
#[test]
fn evaluate_finds_what_training_told() {
    let folder = folder();
    // More than one batch.
    let more = [
        &["--out", "run", "--json", "--set", "data.validation=250"][..],
        &["--set", "validation.count=250"],
    ]
    .concat();
    let told = scotopic(folder.path(), &strings(&tiny(&more))).json();
    let found = scotopic(
        folder.path(),
        &["evaluate", "run/last/checkpoint.safetensors", "--json"],
    );
    let found = found.json();
    for key in ["r2", "r2_rates", "zeros", "objective", "images", "steps"] {
        assert!(found[key].is_number(), "{key}: {found}");
        assert_eq!(found[key], told["validation"][key], "{key}");
    }
}

/// With windows of truncated backpropagation an image is shown for the steps of all of them.
#[test]
fn evaluate_shows_an_image_as_long_as_training_did() {
    let folder = folder();
    trained(folder.path(), "run", &["--set", "train.bptt_windows=3"]);
    let steps = |more: &[&str]| {
        let all = [&["evaluate", "run", "--json"][..], more].concat();
        scotopic(folder.path(), &all).json()["steps"].clone()
    };
    assert_eq!(
        (steps(&[]), steps(&["--steps", "5"])),
        (12.into(), 5.into())
    );
}

#[test]
fn a_configuration_with_changes_is_shown_without_a_name() {
    let text = alone(&["config", "show", "--set", "train.iterations=3"]).good();
    assert!(text.contains("iterations = 3\n"), "{text}");
}

#[test]
fn configurations_are_refused_in_words() {
    for (set, said) in [
        (
            "inference.potential_ceiling=0",
            "inference.potential_ceiling",
        ),
        ("train.iterations=x", "a whole number"),
        ("objective.beta=x", "a number"),
        ("model.family=x", "unknown value"),
    ] {
        let error = alone(&["train", "--preset", "smoke", "--set", set]).bad(2);
        assert!(error.contains(said), "{error}");
        for rust in ["usize", "f64", "variant", "inference.clamp"] {
            assert!(!error.contains(rust), "{error}");
        }
    }
}

#[test]
fn a_training_that_cannot_be_leaves_nothing() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = |more: &[&str], code: i32, said: &str| {
        let error = scotopic(folder.path(), &strings(&tiny(more))).bad(code);
        assert!(error.contains(said), "{error}");
        error
    };
    let error = refused(&["--out", "file"], 1, "file is a file");
    assert_eq!(
        error.lines().count(),
        1,
        "before the data are read: {error}"
    );
    refused(&["--out", "a", "--init", "nosuch"], 2, "nosuch");
    refused(
        &["--out", "a", "--set", "data.validation=0"],
        1,
        "data.validation",
    );
    assert_eq!(
        listing(folder.path()),
        ["file"].map(std::path::PathBuf::from)
    );
}

/// Other images have another mean and deviation; both models see them standardised.
#[test]
fn weights_go_on_with_other_images() {
    let folder = folder();
    trained(folder.path(), "first", &[]);
    trained(
        folder.path(),
        "second",
        &["--init", "first", "--set", "data.seed=7"],
    );
    let other = tiny(&["--out", "third", "--init", "first", "--set", "data.size=9"]);
    let error = scotopic(folder.path(), &strings(&other)).bad(1);
    assert!(
        error.contains("1×8×8") && error.contains("1×9×9"),
        "{error}"
    );
    assert!(!error.contains("ImageShape"), "{error}");
}

#[test]
fn options_without_effect_are_refused() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    trained(folder.path(), "other", &["--seed", "1"]);
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/images/leaves.png");
    for (args, code, said) in [
        (
            &[
                "infer", "run", "--out", "o", "--input", picture, "--array", "x",
            ][..],
            1,
            "--array",
        ),
        (
            &[
                "infer",
                "run",
                "--out",
                "o",
                "--input",
                picture,
                "--patch-step",
                "9",
            ],
            1,
            "8 rows",
        ),
        (
            &["compare", "run", "other", "--ood", "--split", "validation"],
            2,
            "digits",
        ),
    ] {
        let error = scotopic(folder.path(), args).bad(code);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn prepared_data_are_replaced_with_leave_alone() {
    let folder = folder();
    let args = [
        "data",
        "prepare",
        "--preset",
        "smoke",
        "--out",
        "d",
        "--set",
        "data.train=50",
    ];
    scotopic(folder.path(), &args).good();
    let error = scotopic(folder.path(), &args).bad(2);
    assert!(
        error.contains("train.npy") && error.contains("--force"),
        "{error}"
    );
    scotopic(folder.path(), &[&args[..], &["--force"]].concat()).good();
}

/// A picture of exactly the model's size is filtered as the training images were: grey is no contrast at any level.
#[test]
fn a_picture_of_the_models_size_is_whitened() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    let infer = |level: u8| {
        let name = format!("{level}.png");
        let picture = image::GrayImage::from_pixel(8, 8, image::Luma([level]));
        picture.save(folder.path().join(&name)).unwrap();
        let out = format!("o{level}");
        let args = ["infer", "run", "--input", &name, "--out", &out, "--json"];
        scotopic(folder.path(), &args).json()["free_energy_last"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(infer(40), infer(200));
}
