//! Training and evaluation on films, with every prior in time.

use serde_json::Value;

use super::support::{folder, scotopic, strings};

/// `scotopic train` on 64 films of 6 frames of 6×6 pixels with 10 neurons; validation films are twice as long.
fn tiny(preset: &str, more: &[&str]) -> Vec<String> {
    let sets = [
        "data.size=6",
        "data.train=64",
        "data.validation=16",
        "data.frames=6",
        "data.validation_frames=12",
        "data.canvas=48",
        "model.latents=10",
        "inference.steps=6",
        "inference.inner_steps=2",
        "train.iterations=20",
        "train.batch_size=16",
        "train.log_every=1",
        "train.save_every=5",
        "validation.every=10",
    ];
    let mut args = ["train", "--preset", preset, "--device", "flex"]
        .map(String::from)
        .to_vec();
    for set in sets {
        args.extend(["--set".to_string(), set.to_string()]);
    }
    args.extend(more.iter().map(ToString::to_string));
    args
}

#[test]
fn every_prior_in_time_trains_and_is_evaluated() {
    let folder = folder();
    let mut lengths = Vec::new();
    for prior in ["static", "carried", "learned"] {
        let transition = format!("model.transition={prior}");
        let args = tiny(
            "moving-dead-leaves",
            &["--out", prior, "--set", &transition],
        );
        scotopic(folder.path(), &strings(&args)).good();
        let seen = scotopic(
            folder.path(),
            &["evaluate", prior, "--device", "flex", "--json"],
        )
        .json();
        let number = |key: &str| seen[key].as_f64().unwrap();
        assert_eq!((number("films"), number("frames")), (16.0, 12.0));
        // Rounding of f32 sums of 12 frames.
        let total = number("reconstruction") + number("kl");
        assert!((number("nats_per_frame") - total).abs() < 1e-9);
        let films: Vec<f64> = seen["nats_by_film"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        let mean = films.iter().sum::<f64>() / 16.0;
        assert!((number("nats_per_frame") - mean).abs() < 1e-9);
        assert!(number("kl") >= 0.0 && number("persistence_error") > 0.0);
        lengths.push((number("nats_per_frame"), number("persistence_error")));
        let args = [
            "analyse",
            prior,
            "--analysis",
            "prediction",
            "--analysis",
            "direction",
        ];
        let args = [&args[..], &["--device", "flex", "--json", "--out", prior]].concat();
        let found = scotopic(folder.path(), &args).json();
        let cut = found["prediction"]["summary"]["cut"]["free_energy"].as_f64();
        // A static prior has no memory: what came before a cut does not matter, to the bit.
        assert_eq!(cut == Some(0.0), prior == "static", "{found}");
        assert!(
            found["direction"]["summary"]["responsive"].is_u64(),
            "{found}"
        );
        let shown = scotopic(folder.path(), &["show", prior, "--device", "flex"]).good();
        for figure in [
            "reconstructions.png",
            "convergence.png",
            "raster.png",
            "unroll.gif",
        ] {
            assert!(shown.contains(figure), "{shown}");
        }
        assert_eq!(
            shown.contains("transition.png"),
            prior == "learned",
            "{shown}"
        );
        scotopic(
            folder.path(),
            &[
                "infer", prior, "--device", "flex", "--out", prior, "--force",
            ],
        )
        .good();
        assert!(folder.path().join(prior).join("inference.npz").exists());
        let told = scotopic(folder.path(), &["evaluate", prior, "--device", "flex"]).good();
        assert!(told.contains("16 films of 12 frames"), "{told}");
        let steps = ["evaluate", prior, "--device", "flex", "--steps", "3"];
        let refused = scotopic(folder.path(), &steps).bad(2);
        assert!(refused.contains("--steps 3"), "{refused}");
    }
    // One data set, three models.
    assert!(lengths.iter().all(|l| l.1 == lengths[0].1));
    assert!(lengths[0].0 != lengths[1].0 && lengths[1].0 != lengths[2].0);
}

#[test]
fn a_window_longer_than_a_film_is_an_error() {
    let folder = folder();
    let args = tiny("moving-dead-leaves", &["--set", "inference.steps=7"]);
    let told = scotopic(folder.path(), &strings(&args)).bad(1);
    assert!(told.contains("data.frames"), "{told}");
    // Nothing was begun: the mended command is not told that there is a run.
    let batch = ["--out", "large", "--set", "train.batch_size=65"];
    let told = scotopic(folder.path(), &strings(&tiny("moving-dead-leaves", &batch))).bad(1);
    assert!(told.contains("train.batch_size = 65"), "{told}");
    assert!(!folder.path().join("large").exists());
    let gaussian = ["--set", "model.family=gaussian"];
    let told = scotopic(
        folder.path(),
        &strings(&tiny("moving-dead-leaves", &gaussian)),
    )
    .bad(2);
    assert!(told.contains("model.transition"), "{told}");
}

/// Decoders without a curvature take steps that backtrack; beliefs held fixed need no window.
#[test]
fn every_decoder_and_gradient_goes_with_films() {
    let folder = folder();
    let nonlinear = [
        "model.decoder.hidden=[12]",
        "model.decoder.channels=[4]",
        "objective.expectation=sample",
        "inference.step=backtracking",
    ];
    let fixed = ["train.gradient=fixed-beliefs"];
    let frames = [
        "train.gradient=fixed-beliefs",
        "inference.steps=1",
        "train.bptt_windows=6",
    ];
    let cases: [(&str, &[&str]); 4] = [
        ("conv", &nonlinear),
        ("mlp", &nonlinear),
        ("linear", &fixed),
        ("linear", &frames),
    ];
    for (number, (decoder, sets)) in cases.into_iter().enumerate() {
        let (out, kind) = (
            format!("run-{number}"),
            format!("model.decoder.kind={decoder}"),
        );
        let mut more = vec!["--out", &out, "--set", &kind];
        more.extend([
            "--set",
            "train.iterations=120",
            "--set",
            "train.learning_rate.peak=0.02",
        ]);
        more.extend(sets.iter().flat_map(|set| ["--set", *set]));
        scotopic(folder.path(), &strings(&tiny("moving-dead-leaves", &more))).good();
        let losses: Vec<f64> =
            std::fs::read_to_string(folder.path().join(&out).join("metrics.jsonl"))
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .filter_map(|row| row["reconstruction"].as_f64())
                .collect();
        assert_eq!(losses.len(), 120);
        assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
        // Ten neurons with hidden layers learn too slowly to be told from the noise of batches.
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let fell = mean(&losses[90..]) < mean(&losses[..30]) - 1.0;
        assert!(fell || decoder != "linear", "{losses:?}");
        let args = ["evaluate", &out, "--device", "flex", "--json"];
        let seen = scotopic(folder.path(), &args).json();
        assert!(
            seen["nats_per_frame"].as_f64().unwrap().is_finite(),
            "{seen}"
        );
    }
    let args = tiny(
        "moving-dead-leaves",
        &[
            "--set",
            "model.decoder.kind=conv",
            "--set",
            "objective.expectation=sample",
        ],
    );
    let told = scotopic(folder.path(), &strings(&args)).bad(2);
    assert!(told.contains("backtracking"), "{told}");
    let amortized = [
        "--preset",
        "mnist/amortized-poisson",
        "--set",
        "train.gradient=fixed-beliefs",
    ];
    let args = [&["train", "--dry-run"][..], &amortized].concat();
    let told = scotopic(folder.path(), &args).bad(2);
    assert!(told.contains("train.gradient"), "{told}");
}
