//! `scotopic import`: checkpoints of PyTorch, whole, wrong and hostile.

use std::fs;
use std::path::{Path, PathBuf};

use scotopic_datasets::npy;
use scotopic_train::checkpoint::{Checkpoint, CheckpointKind};

use super::pt::{Tensor, Value, archive, write};
use super::support::{Golden, alone, folder, listing, scotopic};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pytorch");
    path.join(name).to_str().unwrap().to_string()
}

fn model(folder: &Path) -> Checkpoint {
    Checkpoint::read(&folder.join("out/model.safetensors")).unwrap()
}

/// The keys of the layout, in the order of the fixtures, with our names.
const KEYS: [(&str, &str); 8] = [
    ("phi.weight", "model.decoder.atoms"),
    ("dec_log_sigma", "model.decoder.log_sigma"),
    ("log_bias", "model.log_homeostasis"),
    ("log_lr.0", "model.log_step.0"),
    ("u_init.0", "model.prior.rest.0"),
    ("log_lr.1", "model.log_step.1"),
    ("u_init.1", "model.prior.rest.1"),
    ("activation.log_gain", "model.prior.log_gain"),
];

/// Every number is where it belongs; the file is not one of Rust.
#[test]
fn fixtures_are_read_to_the_last_bit() {
    for (name, keys, ignored, preset) in [
        ("poisson.pt", 5, &[][..], "published/natural-patches"),
        (
            "gaussian.pt",
            7,
            &["config", "epoch", "optim"],
            "published/natural-patches-gaussian",
        ),
        (
            "gaussian_relu.pt",
            8,
            &["state_dict.model_ema.activation.log_gain"],
            "published/natural-patches-gaussian-relu",
        ),
    ] {
        let folder = folder();
        let file = fixture(name);
        let args = ["import", &file, "--out", "out", "--height", "3", "--json"];
        let told = scotopic(folder.path(), &args).json();
        assert_eq!(
            (told["height"].as_u64(), told["width"].as_u64()),
            (Some(3), Some(4)),
            "{told}"
        );
        assert_eq!(told["preset"], preset, "{told}");
        let named: Vec<&str> = told["ignored"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|v| v.as_str())
            .collect();
        assert_eq!(&named[..ignored.len()], ignored, "{told}");
        let checkpoint = model(folder.path());
        assert_eq!(checkpoint.kind, CheckpointKind::Model);
        assert_eq!(checkpoint.arrays.len(), keys, "{name}");
        for (n, (_, ours)) in KEYS.iter().take(keys).enumerate() {
            let value = |i: usize| ((37 * i + 11 * n) % 101) as f32 / 64.0 - 50.0 / 64.0;
            let array = &checkpoint.arrays[*ours];
            let expected: Vec<f32> = match n {
                0 => (0..60).map(|at| value(at % 12 * 5 + at / 12)).collect(),
                _ => (0..array.values.len()).map(value).collect(),
            };
            assert_eq!(array.values, expected, "{name}: {ours}");
        }
        // What was imported can be used, and does not claim to have been trained here.
        scotopic(folder.path(), &["export", "out", "--out", "card"]).good();
        let card = fs::read_to_string(folder.path().join("card/README.md")).unwrap();
        assert!(card.contains("imported from another program"), "{card}");
        npy::write(&folder.path().join("x.npy"), &[2, 12], &[0.25; 24]).unwrap();
        let args = [
            "infer", "out", "--input", "x.npy", "--out", "seen", "--device", "flex",
        ];
        scotopic(folder.path(), &args).good();
    }
}

/// The parameters of the recorded trajectories, written as PyTorch writes them, come back as they are.
#[test]
fn golden_parameters_come_back_as_they_are() {
    let mut found = 0;
    for (name, keys) in [
        ("poisson_hard_inner2", 5),
        ("poisson_hard", 5),
        ("gaussian", 7),
        ("gaussian_relu", 8),
    ] {
        let Some(golden) = Golden::find(&format!("{name}.f32.safetensors")) else {
            continue; // the workspace holds only some of them
        };
        found += 1;
        let folder = folder();
        let tensor = |key: &str| {
            let (shape, values) = golden.get(&format!("param.{key}"));
            let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            (shape, values)
        };
        let pairs = KEYS[..keys].iter().map(|(key, _)| {
            let (shape, values) = tensor(key);
            (key.to_string(), Value::Tensor(Tensor::new(&shape, &values)))
        });
        write(
            &folder.path().join("m.pt"),
            &Value::Dict(pairs.collect()),
            false,
        );
        let args = [
            "import", "m.pt", "--out", "out", "--height", "4", "--width", "5",
        ];
        scotopic(folder.path(), &args).good();
        let arrays = model(folder.path()).arrays;
        assert_eq!(arrays.len(), keys);
        for (key, ours) in &KEYS[..keys] {
            let (shape, values) = tensor(key);
            let expected: Vec<f32> = match *key {
                "phi.weight" => {
                    let (rows, columns) = (shape[0], shape[1]);
                    let at = |k: usize| values[k % rows * columns + k / rows];
                    (0..rows * columns).map(at).collect()
                }
                _ => values,
            };
            assert_eq!(arrays[*ours].values, expected, "{name}: {key}");
        }
    }
    assert!(found > 0, "no golden file was found");
}

/// A Poisson model of 4 pixels and 3 latents.
fn whole() -> Vec<(String, Value)> {
    let tensor = |shape: &[usize]| {
        let n = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..n).map(|i| i as f32 / 8.0).collect();
        Value::Tensor(Tensor::new(shape, &values))
    };
    [
        ("phi.weight", &[4, 3][..]),
        ("dec_log_sigma", &[1, 4]),
        ("log_bias", &[1, 3]),
        ("log_lr.0", &[1]),
        ("u_init.0", &[1, 3]),
    ]
    .map(|(key, shape)| (key.to_string(), tensor(shape)))
    .to_vec()
}

/// The message of an import that must fail, and leave nothing behind.
#[track_caller]
fn refused(folder: &Path, more: &[&str], code: i32) -> String {
    let args = [&["import", "m.pt", "--out", "out"], more].concat();
    let error = scotopic(folder, &args).bad(code);
    assert!(error.contains("m.pt"), "{error}");
    assert_eq!(listing(folder), [PathBuf::from("m.pt")], "{error}");
    error
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let folder = folder();
    let path = folder.path().join("m.pt");
    type Edit = fn(&mut Vec<(String, Value)>);
    fn tensor(pairs: &mut [(String, Value)], at: usize) -> &mut Tensor {
        match &mut pairs[at].1 {
            Value::Tensor(tensor) => tensor,
            other => panic!("{other:?}"),
        }
    }
    let cases: [(Edit, &[&str]); 12] = [
        (
            |p| drop(p.remove(1)),
            &["`dec_log_sigma` is missing", "Poisson", "[1, 4]"],
        ),
        (
            |p| drop(p.remove(0)),
            &["no dictionary in it has a tensor `phi.weight`", "log_bias"],
        ),
        (
            |p| p.push(("u_init.1".into(), p[4].1.clone())),
            &["`log_lr.1` is missing", "Gaussian", "it has `u_init.1`"],
        ),
        (
            |p| p.push(("encoder.weight".into(), p[4].1.clone())),
            &["`encoder.weight` is not one of a Poisson model"],
        ),
        (
            |p| p[2].1 = Value::Tensor(Tensor::new(&[1, 4], &[0.0; 4])),
            &["`log_bias` has shape [1, 4], expected [1, 3]"],
        ),
        (
            |p| p[2].1 = Value::Tensor(Tensor::new(&[3], &[0.0; 3])),
            &["`log_bias` has shape [3], expected [1, 3]"],
        ),
        (
            |p| p[0].1 = Value::Tensor(Tensor::new(&[12], &[0.0; 12])),
            &["`phi.weight` has shape [12], expected [pixels, latents]"],
        ),
        (
            |p| tensor(p, 4).element = "Long",
            &["`u_init.0` cannot be used", "holds Long numbers", "Float"],
        ),
        (
            |p| tensor(p, 4).values[1] = f32::NAN,
            &["`u_init.0` cannot be used", "value 1 is NaN"],
        ),
        (
            |p| tensor(p, 4).values.truncate(2),
            &["`u_init.0` cannot be used", "8 bytes, expected 12"],
        ),
        (
            |p| tensor(p, 0).stride = vec![1000, 1],
            &["`phi.weight` cannot be used", "does not lie within the 12"],
        ),
        (|p| p[3].1 = Value::Int(1), &["`log_lr.0` is missing"]),
    ];
    for (edit, expected) in cases {
        let mut pairs = whole();
        edit(&mut pairs);
        write(&path, &Value::Dict(pairs.clone()), false);
        let error = refused(folder.path(), &[], 1);
        for part in expected {
            assert!(error.contains(part), "expected `{part}`: {error}");
        }
        // Where it lies in a dictionary, the message says so.
        let inside = Value::Dict(vec![("state_dict".into(), Value::Dict(pairs))]);
        write(&path, &inside, true);
        let error = refused(folder.path(), &[], 1);
        let named = expected[0]
            .strip_prefix('`')
            .and_then(|e| e.split('`').next());
        if let Some(key) = named {
            assert!(error.contains(&format!("`state_dict.{key}`")), "{error}");
        }
    }
}

#[test]
fn presets_and_sizes_that_do_not_fit_make_no_sense() {
    let folder = folder();
    let path = folder.path().join("m.pt");
    write(&path, &Value::Dict(whole()), false);
    let wrong = |more: &[&str]| refused(folder.path(), more, 2);
    let error = wrong(&["--preset", "mnist/gaussian"]);
    assert!(
        error.contains("model.family = \"gaussian\"") && error.contains("Poisson"),
        "{error}"
    );
    let error = wrong(&["--preset", "mnist/amortized-poisson"]);
    assert!(error.contains("inference.method"), "{error}");
    let error = wrong(&["--set", "model.decoder.kind=mlp"]);
    assert!(error.contains("model.decoder.kind"), "{error}");
    let error = wrong(&["--height", "3"]);
    assert!(error.contains("do not make 4"), "{error}");
    let mut pairs = whole();
    pairs[0].1 = Value::Tensor(Tensor::new(&[6, 3], &[0.0; 18]));
    pairs[1].1 = Value::Tensor(Tensor::new(&[1, 6], &[0.0; 6]));
    write(&path, &Value::Dict(pairs), false);
    let error = wrong(&[]);
    assert!(
        error.contains("6 is not a square number") && error.contains("--height H"),
        "{error}"
    );
    let unknown = alone(&["import", "m.pt", "--out", "out"]).bad(1);
    assert!(unknown.contains("m.pt"), "{unknown}");
}

/// Settings are those of the preset, sizes those of the file; the scale is that of the data where they are given.
#[test]
fn settings_and_scale_can_be_given() {
    let folder = folder();
    let mut pairs = whole();
    pairs[0].1 = Value::Tensor(Tensor::new(&[64, 3], &[0.5; 192]));
    pairs[1].1 = Value::Tensor(Tensor::new(&[1, 64], &[0.0; 64]));
    write(&folder.path().join("m.pt"), &Value::Dict(pairs), true);
    let args = [
        "import",
        "m.pt",
        "--out",
        "out",
        "--preset",
        "smoke",
        "--set",
        "data.size=8",
        "--set",
        "data.train=96",
        "--set",
        "data.validation=32",
        "--set",
        "inference.steps=5",
        "--data",
        ".",
    ];
    let told = scotopic(folder.path(), &args).good();
    assert!(told.contains("as the preset's data are"), "{told}");
    let read = model(folder.path());
    assert_eq!(
        (read.config.inference.steps, read.config.model.latents),
        (5, 3)
    );
    assert_ne!(read.image.standardisation.std, 1.0);
    // The preset's data can be loaded: it is measured like a model that was trained here.
    let args = ["evaluate", "out", "--json", "--device", "flex"];
    assert_eq!(scotopic(folder.path(), &args).json()["images"], 32);
}

/// Cut off anywhere, changed anywhere: a message, never a panic, and nothing is written.
#[test]
fn damaged_files_are_refused() {
    let folder = folder();
    let bytes = fs::read(fixture("poisson.pt")).unwrap();
    let path = folder.path().join("m.pt");
    for part in [0, 3, 40, bytes.len() / 2, bytes.len() - 30, bytes.len() - 1] {
        fs::write(&path, &bytes[..part]).unwrap();
        let error = refused(folder.path(), &["--height", "3"], 1);
        assert!(error.contains("not a whole zip file"), "{error}");
    }
    for at in (0..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x41;
        fs::write(&path, &changed).unwrap();
        let args = ["import", "m.pt", "--out", "out", "--height", "3"];
        let done = scotopic(folder.path(), &args);
        assert!(!done.err.contains("panicked"), "byte {at}: {}", done.err);
        // A byte that no one reads (a date, say) may be anything; values are under a checksum.
        if done.code == Some(0) {
            let fine = model(folder.path());
            fs::remove_dir_all(folder.path().join("out")).unwrap();
            assert_eq!(
                fine.arrays["model.log_homeostasis"].values[0],
                (22 - 50) as f32 / 64.0
            );
        }
    }
    fs::write(&path, "phi.weight").unwrap();
    assert!(refused(folder.path(), &[], 1).contains("not a whole zip file"));
}

#[test]
fn hostile_files_are_refused_at_once() {
    let folder = folder();
    let path = folder.path().join("m.pt");
    let zeros = vec![b'N'; 64 << 20];
    // A pickle of 64 MiB in a few kilobytes.
    archive(&path, &[("data.pkl".into(), zeros.clone())], true);
    assert!(refused(folder.path(), &[], 1).contains("more than the"));
    // A storage that unpacks to more than its tensor has.
    let mut pickle_only = Vec::new();
    let storages = folder.path().join("whole.pt");
    write(&storages, &Value::Dict(whole()), false);
    let mut zip = zip::ZipArchive::new(fs::File::open(&storages).unwrap()).unwrap();
    std::io::copy(&mut zip.by_name("x/data.pkl").unwrap(), &mut pickle_only).unwrap();
    fs::remove_file(&storages).unwrap();
    let entries = [("data.pkl".into(), pickle_only), ("data/0".into(), zeros)];
    archive(&path, &entries, true);
    let error = refused(folder.path(), &[], 1);
    assert!(
        error.contains("`phi.weight` cannot be used") && error.contains("more than the 48 bytes"),
        "{error}"
    );
    // A tensor of a terabyte on one number.
    let mut pairs = whole();
    let mut huge = Tensor::new(&[1], &[1.0]);
    (huge.shape, huge.stride) = (vec![1 << 20, 1 << 20], vec![0, 0]);
    pairs[0].1 = Value::Tensor(huge);
    pairs[1].1 = Value::Tensor(Tensor {
        shape: vec![1, 1 << 20],
        ..Tensor::new(&[1], &[1.0])
    });
    for at in [2, 4] {
        pairs[at].1 = pairs[1].1.clone();
    }
    write(&path, &Value::Dict(pairs), false);
    assert!(
        refused(folder.path(), &["--height", "1024"], 1)
            .contains("does not lie within the 1 elements")
    );
    // What Python would run is not run.
    let call = b"\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch wasrun\x85R.".to_vec();
    archive(&path, &[("data.pkl".into(), call)], false);
    assert!(refused(folder.path(), &[], 1).contains("phi.weight"));
    // Big-endian, and no pickle at all.
    let order = [
        ("data.pkl".into(), b"\x80\x02}.".to_vec()),
        ("byteorder".into(), b"big".to_vec()),
    ];
    archive(&path, &order, false);
    assert!(refused(folder.path(), &[], 1).contains("byte order"));
    archive(&path, &[("readme".into(), b"hello".to_vec())], false);
    assert!(refused(folder.path(), &[], 1).contains("without data.pkl"));
}
