//! What can be typed, what comes back, and with which exit code.

use std::fs;

use super::support::{Done, alone, command, folder, listing, scotopic, strings, tiny, trained};

#[test]
fn requests_that_make_no_sense_are_2_and_name_what_was_meant() {
    let cases: [(&[&str], &str); 22] = [
        (&["trian"], "train"),
        (&["train", "--sed", "1"], "--se"),
        (&["train", "--seed", "-1"], "-1"),
        (&["train", "--preset", "smok"], "did you mean `smoke`?"),
        (
            &["train", "--preset", "publishedmnist"],
            "did you mean `published/mnist`?",
        ),
        (
            &["train", "--set", "train.iteration=5"],
            "did you mean `train.iterations`?",
        ),
        (
            &["train", "--set", "data.trian=5"],
            "did you mean `data.train`?",
        ),
        (&["train", "--set", "beta=5"], "unknown key `beta`"),
        (
            &["train", "--set", "train.iterations"],
            "expected KEY=VALUE",
        ),
        (
            &["train", "--set", "train.iterations=0"],
            "train.iterations = 0",
        ),
        (&["train", "--set", "train.iterations=many"], "train"),
        (&["train", "--set", "data.source=idxx"], "dead-leaves"),
        (&["train", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["train", "--device", "gpu"], "expected auto, flex"),
        (
            &["train", "--device", "wgpu:x"],
            "not the number of a device",
        ),
        (
            &["train", "--resume", "nowhere"],
            "nowhere is not the folder of a run",
        ),
        (&["evaluate", "run", "--steps", "0"], "--steps"),
        (
            &["evaluate", "run", "--split", "all"],
            "train, validation, test",
        ),
        (&["show", "run", "--figure", "everything"], "dictionary"),
        (
            &["export", "run", "--out", "x", "--format", "onnx"],
            "safetensors, npz",
        ),
        (&["config", "show", "mnsit"], "did you mean `mnist`?"),
        (&["data", "info", "minst"], "mnist"),
    ];
    for (args, expected) in cases {
        let error = alone(args).bad(2);
        assert!(
            error.contains(expected),
            "{args:?}: expected `{expected}`: {error}"
        );
    }
}

/// A device that is not there, or not compiled in, is named with the reason; nothing else is taken instead.
#[test]
fn a_device_that_is_not_there_is_2() {
    for device in ["wgpu:99", "cuda:99"] {
        let folder = folder();
        let error = scotopic(
            folder.path(),
            &["train", "--preset", "smoke", "--device", device],
        )
        .bad(2);
        let reasons = [
            "not compiled in",
            "99",
            "no graphics adapter",
            "libcuda",
            "no GPU",
        ];
        assert!(
            reasons.iter().any(|r| error.contains(r)),
            "{device}: {error}"
        );
        assert!(listing(folder.path()).is_empty(), "{device}");
    }
}

#[test]
fn what_is_not_there_is_1_and_named() {
    let cases: [&[&str]; 4] = [
        &["evaluate", "nowhere", "--device", "flex"],
        &[
            "infer", "nowhere", "--input", "x.npy", "--out", "o", "--device", "flex",
        ],
        &["show", "nowhere", "--device", "flex"],
        &["export", "nowhere", "--out", "o"],
    ];
    for args in cases {
        let folder = folder();
        let error = scotopic(folder.path(), args).bad(1);
        assert!(
            error.contains("nowhere") && error.contains("No such file"),
            "{args:?}: {error}"
        );
        assert!(
            listing(folder.path()).is_empty(),
            "{args:?} left something behind"
        );
    }
}

/// A cause is printed once, not once for every layer that passed it on.
#[test]
fn no_message_says_the_same_twice() {
    let cases: [&[&str]; 4] = [
        &["evaluate", "nowhere", "--device", "flex"],
        &["data", "verify", "mnist"],
        &["train", "--preset", "mnist", "--device", "flex"],
        &["train", "--config", "nowhere.toml"],
    ];
    for args in cases {
        let done = alone(args);
        assert_eq!(
            done.err.matches("os error").count(),
            1,
            "{args:?}: {}",
            done.err
        );
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = folder();
    let temporary = folder.path().join("tmp");
    let work = folder.path().join("work");
    fs::create_dir(&temporary).unwrap();
    fs::create_dir(&work).unwrap();
    for json in [false, true] {
        let args = tiny(if json {
            &["--dry-run", "--json", "--quiet"]
        } else {
            &["--dry-run", "--quiet"]
        });
        let output = command(&work, &strings(&args))
            .env("TMPDIR", &temporary)
            .output()
            .expect("it starts");
        let done = Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(done.err, "");
        if json {
            let value = done.json();
            assert_eq!(
                (value["train_images"].as_u64(), value["latents"].as_u64()),
                (Some(160), Some(12))
            );
            // 12 atoms of 64 pixels, 64 σ, 12 resting potentials, 12 costs, 1 step size.
            assert_eq!(
                value["parameters"].as_u64(),
                Some(12 * 64 + 64 + 12 + 12 + 1)
            );
            assert!(value["estimated_seconds"].as_f64().unwrap() > 0.0);
        } else {
            let text = done.good();
            assert!(
                text.contains("160 images of 8×8") && text.contains("nothing was written"),
                "{text}"
            );
        }
        assert_eq!(listing(&work), Vec::<std::path::PathBuf>::new());
        assert_eq!(listing(&temporary), Vec::<std::path::PathBuf>::new());
    }
}

/// Off a terminal stderr stays empty: progress would only fill log files.
#[test]
fn quiet_it_says_nothing_but_the_result() {
    let folder = folder();
    let done = scotopic(
        folder.path(),
        &strings(&tiny(&["--out", "run", "--json", "--quiet"])),
    );
    assert_eq!(done.err, "");
    let value = done.json();
    assert_eq!(value["iterations"].as_u64(), Some(30));
    assert_eq!(value["stopped_early"].as_bool(), Some(false));
    assert!(value["validation"]["r2"].is_f64());
    assert!(
        folder
            .path()
            .join(value["best_model"].as_str().unwrap())
            .is_file()
    );
    for args in [
        &["evaluate", "run", "--device", "flex"][..],
        &["evaluate", "run", "--device", "flex", "--json"],
    ] {
        let done = scotopic(folder.path(), args);
        assert_eq!(done.err, "");
        assert!(!done.good().is_empty());
    }
}

#[test]
fn evaluate_gives_the_same_numbers_every_time() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    let evaluate = |more: &[&str]| {
        scotopic(
            folder.path(),
            &[&["evaluate", "run", "--device", "flex", "--json"], more].concat(),
        )
        .json()
    };
    let first = evaluate(&[]);
    assert_eq!(first, evaluate(&[]));
    assert_eq!(
        (first["images"].as_u64(), first["steps"].as_u64()),
        (Some(40), Some(4))
    );
    assert_eq!(
        evaluate(&["--steps", "7", "--max-images", "9"])["steps"].as_u64(),
        Some(7)
    );
    assert_eq!(evaluate(&["--max-images", "9"])["images"].as_u64(), Some(9));
    assert_eq!(
        evaluate(&["--split", "train"])["images"].as_u64(),
        Some(160)
    );
    assert_ne!(
        first,
        evaluate(&["--seed", "9"]),
        "another seed, other spikes"
    );
    // The file and the folder are the same model.
    assert_eq!(
        first["objective"],
        evaluate(&["--batch", "100"])["objective"]
    );
    let file = run.join("best/model.safetensors");
    let by_file = scotopic(
        folder.path(),
        &[
            "evaluate",
            file.to_str().unwrap(),
            "--device",
            "flex",
            "--json",
        ],
    )
    .json();
    assert_eq!(first, by_file);
    let error = scotopic(
        folder.path(),
        &["evaluate", "run", "--device", "flex", "--split", "test"],
    )
    .bad(1);
    assert!(error.contains("no test set"), "{error}");
}

#[test]
fn devices_are_listed_with_reasons() {
    let text = alone(&["devices"]).good();
    let value = alone(&["devices", "--json"]).json();
    let found = value.as_array().unwrap();
    let names: Vec<&str> = found.iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["flex", "ndarray", "wgpu", "cuda"]);
    for device in found {
        let (name, detail) = (
            device["name"].as_str().unwrap(),
            device["detail"].as_str().unwrap(),
        );
        assert!(
            !detail.is_empty() && text.contains(name) && text.contains(detail),
            "{device}"
        );
    }
    assert_eq!(
        found[0]["available"].as_bool(),
        Some(cfg!(feature = "flex"))
    );
    assert_eq!(
        found[1]["available"].as_bool(),
        Some(cfg!(feature = "ndarray"))
    );
    assert!(text.contains("--device auto takes"), "{text}");
}

#[test]
fn every_processor_backend_trains() {
    let folder = folder();
    let args = tiny(&["--out", "run"]);
    let args: Vec<&str> = args
        .iter()
        .map(|a| if a == "flex" { "ndarray" } else { a })
        .collect();
    let done = scotopic(folder.path(), &args);
    if cfg!(feature = "ndarray") {
        assert!(done.good().contains("trained 30 iterations"));
    } else {
        assert!(done.bad(2).contains("not compiled in"));
    }
}
