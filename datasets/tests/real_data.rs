//! The readers against the real files, where there are any: in `$SCOTOPIC_DATA`, or in
//! `../shared/datasets` beside the workspace.

use std::path::{Path, PathBuf};

use scotopic_datasets::{
    CifarConfig, DataConfig, IdxConfig, ImagesConfig, OmniglotConfig, OodConfig, Splits,
    Standardisation, WhiteningConfig, catalog,
};

/// The data folder, if it holds this.
fn data(needed: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("SCOTOPIC_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    };
    let found = root.join(needed).exists();
    if !found {
        println!("skipped: no {needed} in the data folder (set SCOTOPIC_DATA)");
    }
    found.then_some(root)
}

fn load(config: DataConfig, root: &Path) -> Splits {
    config.load(root, &mut |line| println!("{line}")).unwrap()
}

#[test]
fn mnist_is_the_canonical_one() {
    let Some(root) = data("mnist/train-images-idx3-ubyte.gz") else {
        return;
    };
    let splits = load(DataConfig::Idx(IdxConfig::default()), &root);
    assert_eq!(
        (splits.train.len(), splits.validation.len()),
        (55_000, 5000)
    );
    let test = splits.test.unwrap();
    let mut histogram = [0; 10];
    test.labels()
        .unwrap()
        .iter()
        .for_each(|&l| histogram[usize::from(l)] += 1);
    assert_eq!(
        histogram,
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    );
    assert_eq!(splits.train.labels().unwrap()[..5], [5, 0, 4, 1, 9]);
    assert!(test.pixels().iter().all(|v| (0.0..=1.0).contains(v)));
    // The mean that everyone subtracts from MNIST, 0.1307, is of all 60,000 training images.
    let sum =
        |set: &scotopic_datasets::ImageSet| set.pixels().iter().map(|&v| f64::from(v)).sum::<f64>();
    let mean = (sum(&splits.train) + sum(&splits.validation)) / (60_000.0 * 784.0);
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
}

#[test]
fn known_data_sets_verify() {
    for (name, needed) in [
        ("mnist", "mnist/t10k-labels-idx1-ubyte.gz"),
        ("bsds500", "bsds500/images/test"),
        ("omniglot", "omniglot/images_background_small2.zip"),
    ] {
        let Some(root) = data(needed) else { continue };
        let entry = catalog::find(name).unwrap();
        assert!(
            catalog::status(entry, &root)
                .unwrap()
                .iter()
                .all(|item| item.bytes.is_some())
        );
        assert!(
            catalog::verify(entry, &root)
                .unwrap()
                .iter()
                .all(|report| report.pinned)
        );
    }
}

#[test]
fn photographs_become_patches() {
    let Some(root) = data("bsds500/images/test") else {
        return;
    };
    // Fewer patches than by default, so that fewer pictures have to be decoded.
    let few = ImagesConfig {
        train_patches: 60,
        validation_patches: 20,
        ..Default::default()
    };
    let splits = load(DataConfig::Images(few.clone()), &root);
    assert_eq!(
        (splits.train.len(), splits.train.shape().pixels()),
        (60, 256)
    );
    let mean_square = splits
        .train
        .pixels()
        .iter()
        .map(|&v| f64::from(v * v))
        .sum::<f64>()
        / (60.0 * 256.0);
    assert!((mean_square - 1.0).abs() < 1e-3);
    // With local contrast normalisation the variances of the patches are much more even.
    let spread = |splits: &Splits| {
        let train = &splits.train;
        let mut variances: Vec<f64> = (0..train.len())
            .map(|i| {
                train
                    .image(i)
                    .iter()
                    .map(|&v| f64::from(v * v))
                    .sum::<f64>()
            })
            .collect();
        variances.sort_by(f64::total_cmp);
        variances[54] / variances[6]
    };
    let whitening = WhiteningConfig {
        f0: 0.5,
        local_contrast: true,
        ..Default::default()
    };
    let even = load(DataConfig::Images(ImagesConfig { whitening, ..few }), &root);
    let (plain, even) = (spread(&splits), spread(&even));
    assert!(
        even < plain / 2.0,
        "ratio of the 90 % to the 10 % quantile: {plain} plain, {even} even"
    );
}

#[test]
fn cifar_subset_is_balanced() {
    let Some(root) = data("cifar10/train_subset.bin.gz") else {
        return;
    };
    let config = CifarConfig {
        colour: true,
        ..Default::default()
    };
    let splits = load(DataConfig::Cifar(config), &root);
    let test = splits.test.unwrap();
    assert_eq!(
        [splits.train.len(), splits.validation.len(), test.len()],
        [9000, 1000, 2000]
    );
    for set in [&splits.train, &splits.validation, &test] {
        let mut labels = set.labels().unwrap().iter().enumerate();
        assert!(labels.all(|(i, &label)| usize::from(label) == i % 10));
    }
    // The channel means that everyone uses are 0.491, 0.482, 0.447.
    for (channel, known) in [0.4914, 0.4822, 0.4465].into_iter().enumerate() {
        let plane = |i| splits.train.image(i)[channel * 1024..(channel + 1) * 1024].iter();
        let sum: f64 = (0..9000).flat_map(plane).map(|&v| f64::from(v)).sum();
        let mean = sum / (9000.0 * 1024.0);
        assert!((mean - known).abs() < 0.01, "{channel}: {mean}");
    }
}

#[test]
fn omniglot_has_242_characters_in_its_two_small_archives() {
    let Some(root) = data("omniglot/images_background_small2.zip") else {
        return;
    };
    let splits = load(DataConfig::Omniglot(OmniglotConfig::default()), &root);
    let test = splits.test.unwrap();
    // 136 + 156 characters, of which 24 Greek and 26 Latin ones are in both archives.
    assert_eq!(
        [splits.train.len(), splits.validation.len(), test.len()],
        [16 * 242, 2 * 242, 2 * 242]
    );
    let labels = splits.validation.labels().unwrap();
    assert!((0..242).all(|class| labels.iter().filter(|&&l| l == class).count() == 2));
    let ink = test.pixels().iter().map(|&v| f64::from(v)).sum::<f64>();
    let share = ink / test.pixels().len() as f64;
    assert!((0.02..0.12).contains(&share), "{share}");
}

#[test]
fn views_for_a_model_of_digits() {
    let Some(root) = data("mnist/t10k-images-idx3-ubyte.gz") else {
        return;
    };
    let config = OodConfig {
        limit: Some(100),
        ..Default::default()
    };
    let suite = config.load(&root, Standardisation::NONE).unwrap();
    for skipped in &suite.skipped {
        println!(
            "skipped: {} for want of {}",
            skipped.name,
            skipped.missing.display()
        );
    }
    assert_eq!(suite.views.len() + suite.skipped.len(), 12);
    let ink = |name: &str| suite.view(name).unwrap().pixels().iter().sum::<f32>();
    // Digits keep off the edge, so that turning them loses no ink.
    for angle in [15, 30, 45, 60, 75, 90] {
        let share = ink(&format!("rotated-{angle}")) / ink("rotated-0");
        assert!((share - 1.0).abs() < 0.01, "{angle}: {share}");
    }
}
