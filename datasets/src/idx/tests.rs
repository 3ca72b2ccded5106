use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::DataConfig;

fn encode(shape: &[usize], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    shape
        .iter()
        .for_each(|&s| bytes.extend((s as u32).to_be_bytes()));
    bytes.extend(data);
    bytes
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
}

/// The offset of a format error, and its text.
fn format_error(path: &Path, rank: u8) -> (u64, String) {
    match read(path, rank) {
        Err(error @ Error::Format { offset, .. }) => (offset, error.to_string()),
        other => panic!("expected a format error, got {other:?}"),
    }
}

#[test]
fn truncated_anywhere_is_an_error_that_says_where() {
    let folder = Folder::new();
    let whole = encode(&[2, 2, 3], &[1; 12]);
    for length in 0..whole.len() {
        let path = folder.put("cut", &whole[..length]);
        let (offset, text) = format_error(&path, 3);
        assert!(offset <= length as u64, "{length}: {text}");
    }
    let packed = gzip(&whole);
    for length in 2..packed.len() {
        let path = folder.put("cut.gz", &packed[..length]);
        format_error(&path, 3);
    }
    assert_eq!(
        read(&folder.put("ok.gz", &packed), 3).unwrap().shape,
        [2, 2, 3]
    );
}

#[test]
fn wrong_magic_trailing_bytes_empty_file_folder() {
    let folder = Folder::new();
    let labels = encode(&[3], &[1, 2, 3]);
    let (offset, text) = format_error(&folder.put("labels", &labels), 3);
    assert!(
        offset == 0 && text.contains("0x00000801") && text.contains("0x00000803"),
        "{text}"
    );
    let floats = [0, 0, 0x0D, 1, 0, 0, 0, 1, 0, 0, 0, 0];
    assert!(
        format_error(&folder.put("floats", &floats), 1)
            .1
            .contains("0x00000d01")
    );
    let mut long = labels.clone();
    long.push(9);
    let (offset, text) = format_error(&folder.put("long", &long), 1);
    assert!(
        offset == 11 && text.contains("the end of the file"),
        "{text}"
    );
    assert_eq!(format_error(&folder.put("long.gz", &gzip(&long)), 1).0, 11);
    let mut tail = gzip(&labels);
    tail.extend(b"tail");
    format_error(&folder.put("tail.gz", &tail), 1);
    format_error(&folder.put("empty", &[]), 1);
    format_error(&folder.put("empty.gz", &gzip(&[])), 1);
    let error = read(folder.0.path(), 1).unwrap_err();
    assert!(
        matches!(
            error,
            Error::WrongKind {
                found: "a folder",
                ..
            }
        ),
        "{error}"
    );
    let error = read(&folder.0.path().join("absent"), 1).unwrap_err();
    assert!(error.to_string().contains("check the path"), "{error}");
}

#[test]
fn huge_declared_sizes_reserve_nothing() {
    let folder = Folder::new();
    let vast = u32::MAX as usize;
    for shape in [
        [vast, vast, vast],
        [1 << 30, 28, 28],
        [1, vast, 1],
        [0, 28, 28],
        [1, 28, 0],
    ] {
        let (offset, text) = format_error(&folder.put("vast", &encode(&shape, &[])), 3);
        assert!(offset >= 4 && text.contains("axis"), "{text}");
    }
    // Within the limits of the format, but not within the file.
    let text = format_error(
        &folder.put("big", &encode(&[2_000_000, 28, 28], &[0; 9])),
        3,
    )
    .1;
    assert!(text.contains("1568000000 bytes"), "{text}");
    let text = format_error(
        &folder.put("big.gz", &gzip(&encode(&[2_000_000, 28, 28], &[0; 9]))),
        3,
    )
    .1;
    assert!(text.contains("at most"), "{text}");
}

#[test]
fn a_bomb_is_read_no_further_than_its_header_declares() {
    let folder = Folder::new();
    let mut bomb = encode(&[4, 1, 1], &[7; 4]);
    bomb.resize(50_000_000, 0);
    let (offset, _) = format_error(&folder.put("bomb.gz", &gzip(&bomb)), 3);
    assert_eq!(offset, 20);
}

#[test]
fn images_are_scaled_transposed_and_matched_with_labels() {
    let folder = Folder::new();
    let images = folder.put(
        "i.gz",
        &gzip(&encode(
            &[2, 2, 3],
            &[0, 51, 255, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        )),
    );
    let labels = folder.put("l", &encode(&[2], &[26, 1]));
    let set = read_images("x", &images, Some(&labels), false).unwrap();
    assert_eq!(set.image(0)[..3], [0.0, 0.2, 1.0]);
    assert_eq!(set.labels().unwrap(), [26, 1]);
    let turned = read_images("x", &images, None, true).unwrap();
    assert_eq!((turned.shape().height, turned.shape().width), (3, 2));
    let expected: Vec<f32> = [0u8, 3, 51, 4, 255, 5]
        .iter()
        .map(|&v| f32::from(v) / 255.0)
        .collect();
    assert_eq!(turned.image(0), expected);
    let three = folder.put("three", &encode(&[3], &[1, 2, 3]));
    let error = read_images("x", &images, Some(&three), false).unwrap_err();
    assert!(error.to_string().contains("found 3, expected 2"), "{error}");
}

#[test]
fn splits_come_from_the_tail_and_respect_the_limit() {
    let folder = Folder::new();
    let pixels: Vec<u8> = (0..10).flat_map(|i| [i, 2 * i]).collect();
    folder.put("train", &encode(&[10, 1, 2], &pixels));
    folder.put("test", &encode(&[3, 1, 2], &[9; 6]));
    let config = IdxConfig {
        train_images: "train".into(),
        train_labels: "".into(),
        test_images: "test".into(),
        test_labels: "".into(),
        validation: 4,
        limit: Some(2),
        standardise: true,
        ..Default::default()
    };
    let mut lines = Vec::new();
    let splits = DataConfig::Idx(config.clone())
        .load(folder.0.path(), &mut |line| lines.push(line.to_owned()))
        .unwrap();
    assert_eq!((splits.train.len(), splits.validation.len()), (2, 2));
    assert_eq!(splits.test.as_ref().unwrap().len(), 2);
    let mut first = splits.validation.image(0).to_vec();
    splits.standardisation.undo(&mut first);
    assert!((first[1] - 12.0 / 255.0).abs() < 1e-6);
    assert_eq!(lines.len(), 2);
    let greedy = IdxConfig {
        validation: 10,
        ..config
    };
    assert!(
        DataConfig::Idx(greedy)
            .load(folder.0.path(), &mut |_| ())
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn round_trip(n in 1usize..5, h in 1usize..7, w in 1usize..7, seed: u8, packed: bool) {
        let data: Vec<u8> = (0..n * h * w).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect();
        let bytes = encode(&[n, h, w], &data);
        let path = Folder::new();
        let file = path.put("f", &if packed { gzip(&bytes) } else { bytes });
        let array = read(&file, 3).unwrap();
        prop_assert_eq!(array, IdxArray { shape: vec![n, h, w], data });
    }

    #[test]
    fn flipped_bytes_never_panic(at in 0usize..60, flip in 1u8.., packed: bool) {
        let bytes = encode(&[2, 3, 4], &[5; 24]);
        let mut bytes = if packed { gzip(&bytes) } else { bytes };
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let folder = Folder::new();
        let file = folder.put("f", &bytes);
        let _ = read(&file, 3);
        let _ = read(&file, 1);
        let _ = read_images("f", &file, None, true);
    }
}
