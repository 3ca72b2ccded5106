use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{DataConfig, Error, Result};

mod archives;

fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn dict(descr: &str, fortran: bool, shape: &str) -> String {
    let fortran = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn put(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn read(&self, bytes: &[u8]) -> Result<Array> {
        read(&self.put(bytes))
    }
}

fn format_error(folder: &Folder, bytes: &[u8]) -> String {
    match folder.read(bytes) {
        Err(error @ Error::Format { .. }) => error.to_string(),
        other => panic!("expected a format error, got {other:?}"),
    }
}

#[test]
fn types_byte_orders_and_ranks() {
    let folder = Folder::new();
    let f8: Vec<u8> = [1.5f64, -2.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    assert_eq!(
        folder
            .read(&npy(&dict("<f8", false, "(2,)"), &f8))
            .unwrap()
            .data,
        [1.5, -2.0]
    );
    let big: Vec<u8> = [1.5f32, -2.0]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    assert_eq!(
        folder
            .read(&npy(&dict(">f4", false, "(2L,)"), &big))
            .unwrap()
            .data,
        [1.5, -2.0]
    );
    assert_eq!(
        folder
            .read(&npy(&dict("|u1", false, "(1, 2)"), &[3, 255]))
            .unwrap()
            .data,
        [3.0, 255.0]
    );
    let scalar = folder
        .read(&npy(&dict("<f4", false, "()"), &floats(&[7.0])))
        .unwrap();
    assert_eq!((scalar.shape.len(), scalar.data), (0, vec![7.0]));
    for fortran in [false, true] {
        let header = dict("<f4", fortran, "(0, 9999999999999, 9999999999999)");
        let empty = folder.read(&npy(&header, &[])).unwrap();
        assert!(empty.data.is_empty());
        empty.require_finite("empty").unwrap();
    }
    assert!(
        folder
            .read(&npy(&dict("<f4", false, "(0, 5)"), &[]))
            .unwrap()
            .data
            .is_empty()
    );
}

#[test]
fn fortran_order_is_turned_round() {
    let folder = Folder::new();
    // numpy: np.asfortranarray(np.arange(24).reshape(2, 3, 4)) stores index (i, j, k) at i + 2j + 6k.
    let mut stored = vec![0.0; 24];
    for i in 0..2 {
        for j in 0..3 {
            for k in 0..4 {
                stored[i + 2 * j + 6 * k] = (12 * i + 4 * j + k) as f32;
            }
        }
    }
    let array = folder
        .read(&npy(&dict("<f4", true, "(2, 3, 4)"), &floats(&stored)))
        .unwrap();
    assert!(array.data.iter().enumerate().all(|(i, &v)| v == i as f32));
}

#[test]
fn truncated_anywhere_and_trailing_bytes() {
    let folder = Folder::new();
    let whole = npy(&dict("<f4", false, "(2, 3)"), &floats(&[1.0; 6]));
    for length in 0..whole.len() {
        format_error(&folder, &whole[..length]);
    }
    let long = [&whole[..], &[0]].concat();
    let text = format_error(&folder, &long);
    assert!(
        text.contains("found 25 bytes of values, expected 24"),
        "{text}"
    );
    assert!(matches!(
        read(folder.0.path()),
        Err(Error::WrongKind { .. })
    ));
}

#[test]
fn damaged_headers() {
    let folder = Folder::new();
    let values = floats(&[0.0; 4]);
    let long_shape = format!("({})", "1, ".repeat(33));
    for (header, expected) in [
        (dict("<i8", false, "(4,)"), "plain array"),
        (dict("|O", false, "(4,)"), "plain array"),
        (dict("<f4", false, "(-4,)"), "a size"),
        (dict("<f4", false, "(2.0, 2)"), "`)`"),
        (dict("<f4", false, &long_shape), "product"),
        (dict("<f4", false, "(4"), "a size"),
        (
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}".into(),
            "plain array",
        ),
        ("{'descr': '<f4', 'shape': (4,)}".into(), "all of"),
        (
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}".into(),
            "once",
        ),
        (
            "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (4,)}".into(),
            "True",
        ),
        (dict("<f4", false, "(4,)") + "x", "end of the header"),
        ("(".repeat(5000), "`{`"),
        (String::new(), "`{`"),
    ] {
        let text = format_error(&folder, &npy(&header, &values));
        assert!(text.contains(expected), "{header}: {text}");
    }
    let mut wrong = npy(&dict("<f4", false, "(4,)"), &values);
    wrong[0] = b'P';
    assert!(format_error(&folder, &wrong).contains("NUMPY"));
    wrong[0] = 0x93;
    wrong[6] = 9;
    assert!(format_error(&folder, &wrong).contains("version 9"));
    let mut vast = b"\x93NUMPY\x02\x00".to_vec();
    vast.extend(u32::MAX.to_le_bytes());
    assert!(format_error(&folder, &vast).contains("4294967295"));
}

#[test]
fn huge_declared_sizes_reserve_nothing() {
    let folder = Folder::new();
    let max = u64::MAX;
    for shape in [
        format!("({max},)"),
        format!("({max}, {max})"),
        "(99999999999999999999999999,)".into(),
        "(1000000000000, 4)".into(),
        "(4611686018427387904,)".into(),
    ] {
        format_error(
            &folder,
            &npy(&dict("<f4", false, &shape), &floats(&[0.0; 4])),
        );
    }
}

#[test]
fn not_finite_is_kept_by_read_and_refused_for_images() {
    let folder = Folder::new();
    let bytes = npy(
        &dict("<f4", false, "(2, 4)"),
        &floats(&[0., 0., 0., 0., 0., f32::NAN, 0., 0.]),
    );
    let array = folder.read(&bytes).unwrap();
    assert!(array.data[5].is_nan());
    let error = array.require_finite("a").unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotFinite {
                image: 1,
                pixel: 1,
                ..
            }
        ),
        "{error}"
    );
    let config = NpyConfig {
        train: "a.npy".into(),
        validation_count: 1,
        ..Default::default()
    };
    let error = DataConfig::Npy(config)
        .load(folder.0.path(), &mut |_| ())
        .unwrap_err();
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
}

#[test]
fn image_shapes_are_inferred_or_checked() {
    let folder = Folder::new();
    let shape = |file: &[usize], channels, height, width| -> Result<ImageShapeTuple> {
        write(
            &folder.0.path().join("a.npy"),
            file,
            &vec![0.5; file.iter().product()],
        )?;
        let base = NpyConfig {
            train: "a.npy".into(),
            validation_count: 1,
            ..Default::default()
        };
        let config = NpyConfig {
            channels,
            height,
            width,
            standardise: false,
            ..base
        };
        let shape = DataConfig::Npy(config)
            .load(folder.0.path(), &mut |_| ())?
            .train
            .shape();
        Ok((shape.channels, shape.height, shape.width))
    };
    assert_eq!(shape(&[3, 16], 0, 0, 0).unwrap(), (1, 4, 4));
    assert_eq!(shape(&[3, 6], 0, 2, 0).unwrap(), (1, 2, 3));
    assert_eq!(shape(&[3, 6], 0, 0, 2).unwrap(), (1, 3, 2));
    assert_eq!(shape(&[3, 12], 3, 0, 0).unwrap(), (3, 2, 2));
    assert_eq!(shape(&[3, 2, 5], 0, 0, 0).unwrap(), (1, 2, 5));
    assert_eq!(shape(&[3, 2, 5, 4], 2, 5, 4).unwrap(), (2, 5, 4));
    for (file, c, h, w) in [
        (&[3, 6][..], 0, 0, 0),
        (&[3, 2, 5], 3, 0, 0),
        (&[9], 0, 0, 0),
        (&[3, 6], 4, 0, 0),
    ] {
        assert!(shape(file, c, h, w).is_err(), "{file:?}");
    }
}
type ImageShapeTuple = (usize, usize, usize);

#[test]
fn bytes_are_scaled_when_they_are_images() {
    let folder = Folder::new();
    folder.put(&npy(&dict("|u1", false, "(3, 1)"), &[0, 51, 255]));
    let config = NpyConfig {
        train: "a.npy".into(),
        validation_count: 1,
        standardise: false,
        ..Default::default()
    };
    let splits = DataConfig::Npy(config)
        .load(folder.0.path(), &mut |_| ())
        .unwrap();
    assert_eq!(splits.train.pixels(), [0.0, 0.2]);
    assert_eq!(splits.validation.pixels(), [1.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn round_trip_keeps_every_bit(a in 0usize..4, b in 1usize..5, bits in prop::collection::vec(any::<u32>(), 20)) {
        let data: Vec<f32> = bits[..a * b].iter().map(|&v| f32::from_bits(v)).collect();
        let folder = Folder::new();
        let path = folder.0.path().join("a.npy");
        write(&path, &[a, b], &data).unwrap();
        let same = |array: &Array| {
            array.shape == [a, b] && array.data.iter().zip(&data).all(|(x, y)| x.to_bits() == y.to_bits())
        };
        prop_assert!(same(&read(&path).unwrap()));
        // And the header is what the format asks for, to the byte.
        let bytes = std::fs::read(&path).unwrap();
        let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({a}, {b}, ), }}").into_bytes();
        header.resize(117, b' ');
        prop_assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        prop_assert_eq!(&bytes[10..127], &header[..]);
        prop_assert_eq!((bytes[127], bytes.len()), (b'\n', 128 + 4 * a * b));
        write_npz(&path, &[("x", &[a, b], &data)]).unwrap();
        prop_assert!(same(&read_npz(&path).unwrap()[0].1));
    }

    #[test]
    fn flipped_bytes_never_panic(at in 0usize..200, flip in 1u8.., more in 0usize..200) {
        let mut bytes = npy(&dict("<f4", true, "(2, 3)"), &floats(&[1.0; 6]));
        let n = bytes.len();
        bytes[at % n] ^= flip;
        bytes[more % n] ^= flip.rotate_left(3);
        let _ = Folder::new().read(&bytes);
    }
}
