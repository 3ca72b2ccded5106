use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{DataConfig, Error, Splits};

/// Record `i` has class i mod 10 and the value (i + 10·channel + position) mod 256.
fn records(count: usize) -> Vec<u8> {
    let record = |i: usize| {
        let class = std::iter::once((i % 10) as u8);
        class.chain((0..3 * PLANE).map(move |p| (i + 10 * (p / PLANE) + p % PLANE) as u8))
    };
    (0..count).flat_map(record).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn load(&self, config: CifarConfig) -> Result<Splits> {
        DataConfig::Cifar(config).load(self.0.path(), &mut |_| ())
    }
}

fn format_error(path: &Path) -> (u64, String) {
    match read("x", path) {
        Err(error @ Error::Format { offset, .. }) => (offset, error.to_string()),
        other => panic!("expected a format error, got {other:?}"),
    }
}

#[test]
fn planes_and_classes_are_where_they_should_be() {
    let folder = Folder::new();
    let plain = folder.put("plain", &records(12));
    let packed = folder.put("packed", &gzip(&records(12)));
    let set = read("x", &plain).unwrap();
    assert_eq!(set, read("x", &packed).unwrap());
    assert_eq!(set.labels().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    // Image 3, green, row 1, column 5.
    let value = (3 + 10 + 37) as f32 / 255.0;
    assert_eq!(set.image(3)[PLANE + 37], value);
}

#[test]
fn a_cut_file_says_where() {
    let folder = Folder::new();
    let whole = records(3);
    for length in [1, 3072, 3074, 2 * RECORD - 1, 3 * RECORD - 1] {
        let (offset, text) = format_error(&folder.put("cut", &whole[..length]));
        assert_eq!(offset, length as u64, "{text}");
        assert!(text.contains("more bytes of a record"), "{text}");
    }
    format_error(&folder.put("empty", &[]));
    let packed = gzip(&whole);
    for length in (2..packed.len()).step_by(7) {
        format_error(&folder.put("cut.gz", &packed[..length]));
    }
}

#[test]
fn a_file_of_another_kind_is_noticed_at_its_classes() {
    let folder = Folder::new();
    let mut bytes = records(4);
    bytes[2 * RECORD] = 10;
    let (offset, text) = format_error(&folder.put("wrong", &bytes));
    assert_eq!(offset, 2 * RECORD as u64);
    assert!(text.contains("class 10"), "{text}");
}

#[test]
fn colour_grey_and_the_middle() {
    let folder = Folder::new();
    folder.put("train", &records(20));
    folder.put("more", &records(10));
    folder.put("test", &gzip(&records(5)));
    let config = CifarConfig {
        train: vec!["train".into(), "more".into()],
        test: "test".into(),
        colour: true,
        validation: 4,
        ..Default::default()
    };
    let colour = folder.load(config.clone()).unwrap();
    assert_eq!((colour.train.len(), colour.validation.len()), (26, 4));
    assert_eq!(colour.validation.labels().unwrap(), [6, 7, 8, 9]);
    assert_eq!(colour.train.shape(), config.shape());
    let grey = CifarConfig {
        colour: false,
        size: 28,
        limit: Some(3),
        ..config.clone()
    };
    let small = folder.load(grey.clone()).unwrap();
    assert_eq!((small.train.len(), small.train.shape()), (3, grey.shape()));
    // Row 2, column 2 of the whole is the first of the middle.
    let [r, g, b] = [0, 1, 2].map(|c| colour.train.image(0)[c * PLANE + 2 * SIDE + 2]);
    let mixed = 0.299 * r + 0.587 * g + 0.114 * b;
    assert!((small.train.image(0)[0] - mixed).abs() < 1e-6);
    let standardised = folder
        .load(CifarConfig {
            standardise: true,
            test: "".into(),
            ..config
        })
        .unwrap();
    assert!(standardised.test.is_none());
    assert!(standardised.standardisation.std < 1.0);
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for wrong in [
        r#""train":[]"#,
        r#""train":[""]"#,
        r#""size":0"#,
        r#""size":33"#,
        r#""limit":0"#,
    ] {
        let text = format!(r#"{{"source":"cifar",{wrong}}}"#);
        let config: DataConfig = serde_json::from_str(&text).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains("`cifar`"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..7000)) {
        let folder = Folder::new();
        if let Ok(set) = read("x", &folder.put("any", &bytes)) {
            prop_assert_eq!(set.len() * RECORD, bytes.len());
        }
    }
}
