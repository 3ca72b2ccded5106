use super::*;

fn put(root: &Path, name: &str, shape: &[u32], data: Vec<u8>) {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    shape
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(data);
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Two digits, two letters and one photograph, of 28 and 32 pixels.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let images = |salt: usize| (0..2 * 784).map(|i| (i * i + salt) as u8).collect();
    for (start, salt) in [("mnist/t10k", 0), ("emnist/emnist-letters-test", 7)] {
        let file = |rest: &str| format!("{start}-{rest}-ubyte.gz");
        put(
            folder.path(),
            &file("images-idx3"),
            &[2, 28, 28],
            images(salt),
        );
        put(folder.path(), &file("labels-idx1"), &[2], vec![3, 4]);
    }
    std::fs::create_dir(folder.path().join("cifar10")).unwrap();
    let record: Vec<u8> = (0..3073).map(|i| (i % 7) as u8).collect();
    std::fs::write(folder.path().join("cifar10/test_subset.bin.gz"), record).unwrap();
    folder
}

#[test]
fn views_are_turned_scaled_and_named_and_the_missing_are_listed() {
    let folder = folder();
    let scale = Standardisation {
        mean: 0.25,
        std: 0.5,
    };
    let config = OodConfig {
        angles: vec![0.0, 90.0, -22.5],
        ..Default::default()
    };
    let suite = config.load(folder.path(), scale).unwrap();
    let names: Vec<&str> = suite.views.iter().map(ImageSet::name).collect();
    assert_eq!(
        names,
        [
            "rotated-0",
            "rotated-90",
            "rotated--22.5",
            "cifar",
            "emnist-letters"
        ]
    );
    let skipped: Vec<&str> = suite.skipped.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(skipped, ["omniglot", "fashion-mnist", "kmnist"]);
    assert_eq!(
        suite.skipped[1].missing,
        Path::new("fashion-mnist/t10k-images-idx3-ubyte.gz")
    );
    assert!(
        suite
            .views
            .iter()
            .all(|view| view.shape().pixels() == 784 && view.shape().channels == 1)
    );
    let digits = suite.view("rotated-0").unwrap();
    assert_eq!(digits.labels().unwrap(), [3, 4]);
    assert_eq!(digits.image(0)[2], (4.0 / 255.0 - 0.25) / 0.5);
    // What was on the right is on top.
    let turned = suite.view("rotated-90").unwrap();
    assert_eq!(turned.image(1)[0], digits.image(1)[27]);
    // Paper that came in from outside is as dark as paper: (0 − 0.25)/0.5.
    assert_eq!(suite.view("rotated--22.5").unwrap().image(0)[0], -0.5);
    // Letters are stored on their side.
    let letters = suite.view("emnist-letters").unwrap();
    let stored = |i: usize| (((i * i + 7) % 256) as f32 / 255.0 - 0.25) / 0.5;
    assert_eq!(letters.image(0)[1], stored(28));
    assert_eq!(suite.view("cifar").unwrap().len(), 1);
}

#[test]
fn a_damaged_file_is_not_a_missing_one() {
    let folder = folder();
    std::fs::write(folder.path().join("cifar10/test_subset.bin.gz"), [3, 4, 5]).unwrap();
    let error = OodConfig::default().load(folder.path(), Standardisation::NONE);
    assert!(matches!(error, Err(Error::Format { .. })));
}

#[test]
fn sizes_and_limits() {
    let folder = folder();
    let config = OodConfig {
        angles: vec![10.0],
        size: 14,
        limit: Some(1),
        ..Default::default()
    };
    let suite = config.load(folder.path(), Standardisation::NONE).unwrap();
    assert!(
        suite
            .views
            .iter()
            .all(|view| view.len() == 1 && view.shape().pixels() == 196)
    );
    for wrong in [
        r#"{"size":0}"#,
        r#"{"size":33}"#,
        r#"{"limit":0}"#,
        r#"{"digits":""}"#,
    ] {
        let config: OodConfig = serde_json::from_str(wrong).unwrap();
        let text = config.validate().unwrap_err().to_string();
        assert!(
            text.starts_with("out-of-distribution views, field"),
            "{text}"
        );
    }
    assert!(serde_json::from_str::<OodConfig>(r#"{"angels":[]}"#).is_err());
    assert_eq!(
        serde_json::from_str::<OodConfig>("{}").unwrap(),
        OodConfig::default()
    );
    for source in OodSource::ALL {
        let text = serde_json::to_string(&source).unwrap();
        assert_eq!(text, format!("{:?}", source.name()));
    }
    let never = Standardisation {
        mean: 0.0,
        std: 0.0,
    };
    assert!(config.load(folder.path(), never).is_err());
}
