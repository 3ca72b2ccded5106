//! Every family of latents with every way of inference: trained, stopped and continued, measured, drawn, exported, used.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use scotopic_datasets::npy;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::RunConfig;
use scotopic_train::device;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::run_dir::{RunDir, RunInfo};
use scotopic_train::state::TrainState;
use scotopic_train::trainer::{Callback, Outcome, Trainer};

use super::run_files::{assert_same_run, last};
use super::support::{folder, listing, scotopic, trained};

/// 48 dead leaves of 8×8 pixels, 10 latents, 4 iterations: as small as a run can be and still have two halves.
const SMALL: [&str; 10] = [
    "data.train=48",
    "data.validation=16",
    "model.latents=10",
    "model.encoder.hidden=[9]",
    "model.decoder.hidden=[9]",
    "inference.steps=3",
    "train.iterations=4",
    "train.batch_size=12",
    "validation.every=2",
    "validation.count=16",
];

/// What is set on top, and what the model is called.
fn combinations() -> Vec<(Vec<&'static str>, &'static str)> {
    let ways: [(&[&str], &str); 4] = [
        (&["inference.method=natural-gradient"], "Iterative"),
        (&["inference.method=amortized"], "Amortized"),
        (
            &["inference.method=iterative-amortized", "inference.leak=1.0"],
            "Iterative amortized",
        ),
        (
            &[
                "inference.method=semi-amortized",
                "inference.leak=1.0",
                "model.log_step=-4.0",
            ],
            "Semi-amortized",
        ),
    ];
    let families: [&[&str]; 5] = [
        &["model.family=poisson"],
        &["model.family=gaussian", "objective.kl=exact"],
        &[
            "model.family=gaussian",
            "model.activation=relu",
            "objective.kl=exact",
        ],
        &["model.family=laplace", "objective.kl=exact"],
        &["model.family=categorical", "objective.kl=exact"],
    ];
    let mut all = Vec::new();
    for family in families {
        for (way, title) in ways {
            all.push(([family, way].concat(), title));
        }
    }
    let descending = [
        "inference.method=descent",
        "model.log_step=-2.5",
        "model.threshold=0.2",
        "model.decoder.noise=1.0",
        "model.decoder.init_std=0.05",
        "objective.kl=exact",
    ];
    let points: [(&[&str], &str); 4] = [
        (&["model.family=point"], "Predictive coding"),
        (
            &["model.family=point", "model.activation=tanh"],
            "Predictive coding",
        ),
        (
            &[
                "model.family=soft-threshold",
                "model.decoder.unit_norm=true",
            ],
            "Sparse coding (LCA, soft threshold)",
        ),
        (&["model.family=hard-threshold"], "Sparse coding"),
    ];
    for (point, title) in points {
        all.push(([point, &descending].concat(), title));
    }
    // Other networks: once each is enough.
    let conv = [
        "model.decoder.kind=conv",
        "model.decoder.channels=[3, 2]",
        "inference.step=explicit",
    ];
    all.push((
        [&conv[..], &["model.family=poisson", "train.ema=0.5"]].concat(),
        "Iterative Poisson VAE",
    ));
    all.push((
        vec![
            "model.decoder.kind=mlp",
            "model.encoder.kind=mlp",
            "model.family=gaussian",
            "objective.kl=exact",
            "inference.method=amortized",
        ],
        "Amortized Gaussian VAE",
    ));
    all.push((
        [
            &conv[..],
            &[
                "model.encoder.kind=conv",
                "model.encoder.channels=[2, 3]",
                "inference.method=semi-amortized",
                "model.log_step=-4.0",
            ],
        ]
        .concat(),
        "Semi-amortized Poisson VAE",
    ));
    all
}

/// Stops a run after so many iterations.
struct StopAfter<'a>(usize, &'a AtomicBool);

impl Callback for StopAfter<'_> {
    fn iteration(&mut self, done: usize, _: usize) {
        if done == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
    }
    fn logged(&mut self, _: &LogRow) {}
    fn validated(&mut self, _: &ValidationRow) {}
}

/// The first two iterations of a run, in `root`.
fn first_half(root: &Path, config: &RunConfig) {
    let opened = device::open("flex".parse().unwrap()).unwrap();
    let autodiff = opened.device.clone().autodiff();
    let splits = config.data.load(root, &mut |_| {}).unwrap();
    let mut state = TrainState::new(config, &splits, &autodiff).unwrap();
    let info = RunInfo {
        scotopic: String::new(),
        burn: String::new(),
        device: opened.name,
        data: splits.digest(),
        seed: config.seed,
        command: Vec::new(),
        started: 0,
    };
    let stop = AtomicBool::new(false);
    let fit = Trainer {
        config,
        splits: &splits,
        device: &autodiff,
        others: &[],
        dir: &RunDir::create(root, config, &info).unwrap(),
        stop: &stop,
    };
    let outcome = fit.run(&mut state, &mut StopAfter(2, &stop)).unwrap();
    assert_eq!(outcome, Outcome::Interrupted);
}

#[test]
fn every_family_with_every_way_of_inference() {
    let all = combinations();
    assert_eq!(all.len(), 27);
    std::thread::scope(|scope| {
        for half in all.chunks(all.len().div_ceil(2)) {
            scope.spawn(move || half.iter().for_each(|(sets, title)| works(sets, title)));
        }
    });
}

#[track_caller]
fn works(sets: &[&str], title: &str) {
    let folder = folder();
    let at = folder.path();
    // Those of `trained` first, so that the smaller ones hold.
    let args: Vec<&str> = SMALL
        .iter()
        .chain(sets)
        .flat_map(|set| ["--set", set])
        .collect();
    let whole = trained(at, "whole", &args);
    let stopped = at.join("stopped");
    first_half(&stopped, &Checkpoint::read(&last(&whole)).unwrap().config);
    assert_eq!(
        Checkpoint::read(&last(&stopped))
            .unwrap()
            .progress
            .iteration,
        2
    );
    let resume = ["train", "--resume", "stopped", "--device", "flex"];
    scotopic(at, &resume).good();
    assert_same_run(&whole, &stopped);

    let run = |command: &[&str]| scotopic(at, &[command, &["--device", "flex"]].concat()).good();
    let json = run(&["evaluate", "whole", "--json"]);
    let measured: serde_json::Value = serde_json::from_str(&json).unwrap();
    let count = measured.as_object().unwrap().len();
    let numbers = measured.as_object().unwrap().values();
    assert_eq!(
        numbers.filter(|v| v.is_number()).count(),
        count,
        "{sets:?}: {measured}"
    );
    let told = run(&["evaluate", "whole"]);
    let spiking = !sets.iter().any(|set| set.starts_with("model.family="))
        || sets.contains(&"model.family=poisson");
    assert_eq!(told.contains("spike"), spiking, "{sets:?}: {told}");

    run(&["show", "whole", "--out", "drawn", "--steps", "3"]);
    let raster = spiking || sets.contains(&"model.family=categorical");
    assert_eq!(
        listing(&at.join("drawn")).len(),
        4 + usize::from(raster),
        "{sets:?}"
    );

    scotopic(at, &["export", "whole", "--out", "out"]).good();
    let card = fs::read_to_string(at.join("out/README.md")).unwrap();
    assert!(
        card.contains(&format!("\n---\n\n# {title}")),
        "{sets:?}: {card}"
    );
    let model = Checkpoint::read(&at.join("out/model.safetensors")).unwrap();
    let text = card.split("## Configuration").next().unwrap();
    let text = text.rsplit("|\n\n").next().unwrap();
    for name in model.arrays.keys() {
        let listed = card.contains(&format!("| `{name}` |"));
        let name = name.trim_start_matches("model.");
        let explained = text
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|part| name.starts_with(part));
        assert!(listed && explained, "{sets:?}: {name}: {card}");
    }

    run(&["infer", "out", "--out", "seen", "--steps", "3"]);
    let arrays = npy::read_npz(&at.join("seen/inference.npz")).unwrap();
    let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    let point = model.config.model.family.info().is_point;
    let (samples, means) = match (spiking, point) {
        (true, _) => ("spikes", "rates"),
        (_, true) => ("states", "activities"),
        _ => ("samples", "means"),
    };
    assert_eq!(names[1..3], [samples, means], "{sets:?}");
    for (name, array) in &arrays {
        assert!(array.data.iter().all(|v| v.is_finite()), "{sets:?}: {name}");
    }
    assert_eq!(at.join("seen/raster.png").exists(), raster, "{sets:?}");
}

/// The atoms of sparse coding have length 1 after every step of learning, also after those of a continued run.
#[test]
fn normalised_atoms_keep_their_length() {
    let folder = folder();
    let sets = [
        "model.family=soft-threshold",
        "model.threshold=0.2",
        "model.log_step=-2.5",
        "model.decoder.noise=1.0",
        "model.decoder.unit_norm=true",
        "inference.method=descent",
        "objective.kl=exact",
    ];
    let args: Vec<&str> = SMALL
        .iter()
        .chain(&sets)
        .flat_map(|set| ["--set", set])
        .collect();
    let whole = trained(folder.path(), "whole", &args);
    let longest = |run: &Path| {
        let checkpoint = Checkpoint::read(&last(run)).unwrap();
        let atoms = &checkpoint.arrays["model.decoder.atoms"];
        let norms = atoms.values.chunks_exact(atoms.shape[1]);
        norms
            .map(|a| (a.iter().map(|v| v * v).sum::<f32>().sqrt() - 1.0).abs())
            .fold(0.0, f32::max)
    };
    assert!(longest(&whole) < 1e-5, "{}", longest(&whole));
    let stopped = folder.path().join("stopped");
    first_half(&stopped, &Checkpoint::read(&last(&whole)).unwrap().config);
    assert!(longest(&stopped) < 1e-5, "{}", longest(&stopped));
    let resume = ["train", "--resume", "stopped", "--device", "flex"];
    scotopic(folder.path(), &resume).good();
    assert!(longest(&stopped) < 1e-5, "{}", longest(&stopped));
}
