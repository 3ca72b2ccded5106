//! `scotopic data`

use scotopic_datasets::npy;

use super::support::{folder, listing, scotopic};

#[test]
fn list_and_info_tell_what_is_not_here() {
    let folder = folder();
    let list = scotopic(folder.path(), &["data", "list"]).good();
    let row = |name: &str| {
        list.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{list}"))
    };
    assert!(row("dead-leaves").contains("built in"));
    assert_eq!(row("mnist").split_whitespace().nth(1), Some("-"));
    assert!(list.contains("looked in data"));
    let info = scotopic(
        folder.path(),
        &["data", "info", "mnist", "--data", "elsewhere"],
    )
    .good();
    assert!(info.contains("licence: "), "{info}");
    assert_eq!(info.matches("not here").count(), 4, "{info}");
    assert!(
        info.contains("elsewhere/mnist/train-images-idx3-ubyte.gz"),
        "{info}"
    );
    assert!(listing(folder.path()).is_empty(), "looking must not write");
}

#[test]
fn a_part_of_a_data_set_is_told_from_the_whole() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("data/mnist")).unwrap();
    std::fs::write(
        folder.path().join("data/mnist/t10k-labels-idx1-ubyte.gz"),
        [0; 8],
    )
    .unwrap();
    let list = scotopic(folder.path(), &["data", "list"]).good();
    let row = list.lines().find(|line| line.starts_with("mnist")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("partly"));
    let info = scotopic(folder.path(), &["data", "info", "mnist"]).good();
    assert!(
        info.contains("8 bytes") && info.matches("not here").count() == 3,
        "{info}"
    );
}

#[test]
fn verify_of_what_is_missing_or_damaged_is_an_error() {
    let folder = folder();
    let error = scotopic(folder.path(), &["data", "verify", "mnist"]).bad(1);
    assert!(
        error.contains("data/mnist/train-images-idx3-ubyte.gz") && error.contains("fetch"),
        "{error}"
    );
    std::fs::create_dir_all(folder.path().join("data/mnist")).unwrap();
    for name in [
        "train-images-idx3",
        "train-labels-idx1",
        "t10k-images-idx3",
        "t10k-labels-idx1",
    ] {
        std::fs::write(
            folder.path().join(format!("data/mnist/{name}-ubyte.gz")),
            b"not what it should be",
        )
        .unwrap();
    }
    let error = scotopic(folder.path(), &["data", "verify", "mnist"]).bad(1);
    assert!(error.contains("train-images-idx3-ubyte.gz"), "{error}");
    let error = scotopic(folder.path(), &["data", "verify", "nothing"]).bad(2);
    assert!(error.contains("known are mnist"), "{error}");
}

#[test]
fn training_without_the_data_says_where_they_should_be() {
    let folder = folder();
    let error = scotopic(
        folder.path(),
        &["train", "--preset", "mnist", "--device", "flex"],
    )
    .bad(1);
    assert!(
        error.contains("data/mnist/train-images-idx3-ubyte") && error.contains("fetch"),
        "{error}"
    );
    assert!(
        listing(folder.path()).is_empty(),
        "a run without data must not begin"
    );
}

#[test]
fn prepare_writes_arrays_that_read_back() {
    let folder = folder();
    let prepare = |out: &str, seed: &str| {
        let args = [
            "data",
            "prepare",
            "--preset",
            "smoke",
            "--set",
            "data.train=96",
            "--set",
            "data.validation=32",
        ];
        scotopic(
            folder.path(),
            &[
                &args[..],
                &["--set", "data.size=10", "--set", seed, "--out", out],
            ]
            .concat(),
        )
        .good()
    };
    let told = prepare("a", "data.seed=3");
    assert!(
        told.contains("a/train.npy  96 images") && told.contains("digest "),
        "{told}"
    );
    let read = |name: &str| npy::read(&folder.path().join(name)).unwrap();
    let train = read("a/train.npy");
    assert_eq!(train.shape, [96, 1, 10, 10]);
    assert_eq!(read("a/validation.npy").shape, [32, 1, 10, 10]);
    assert!(
        !folder.path().join("a/test.npy").exists(),
        "dead leaves have no test set"
    );
    // Standardised by the training set: mean 0 and deviation 1, up to the rounding of 9600 f32 numbers.
    let n = train.data.len() as f64;
    let mean = train.data.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = train
        .data
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        / n
        - mean * mean;
    assert!(
        mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5,
        "mean {mean}, variance {variance}"
    );
    prepare("b", "data.seed=3");
    assert!(
        train == read("b/train.npy"),
        "the same seed, the same pictures"
    );
    prepare("c", "data.seed=4");
    assert!(train != read("c/train.npy"), "another seed, other pictures");
}

/// What was prepared can be trained on: the digest is that of the same pixels.
#[test]
fn what_was_prepared_can_be_trained_on() {
    let folder = folder();
    let args = [
        "data",
        "prepare",
        "--preset",
        "smoke",
        "--set",
        "data.train=96",
        "--set",
        "data.validation=32",
    ];
    scotopic(folder.path(), &[&args[..], &["--out", "data"]].concat()).good();
    let sets = [
        "data.source=npy",
        "data.train=train.npy",
        "data.validation=validation.npy",
        "train.iterations=3",
    ];
    let mut args = vec![
        "train", "--preset", "smoke", "--device", "flex", "--out", "run",
    ];
    sets.iter().for_each(|set| args.extend(["--set", set]));
    assert!(
        scotopic(folder.path(), &args)
            .good()
            .contains("trained 3 iterations")
    );
}
