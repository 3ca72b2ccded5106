//! Archives: reproducible, and damaged in every way.

use super::*;

fn npz(folder: &Folder) -> PathBuf {
    let path = folder.0.path().join("a.npz");
    let values: Vec<f32> = (0..300).map(|v| v as f32).collect();
    write_npz(
        &path,
        &[("a", &[3, 100], &values), ("b", &[2], &[f32::NAN, 1.0])],
    )
    .unwrap();
    path
}

#[test]
fn archives_are_reproducible_and_survive_any_damage() {
    let folder = Folder::new();
    let path = npz(&folder);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(std::fs::read(npz(&folder)).unwrap(), bytes);
    let arrays = read_npz(&path).unwrap();
    assert_eq!(arrays[0].1.shape, [3, 100]);
    assert!(arrays[1].1.data[0].is_nan());
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(read_npz(&path).is_err(), "{length}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        std::fs::write(&path, &flipped).unwrap();
        // Every value is covered by the checksum: a change is an error or is not in the arrays.
        if let Ok(read) = read_npz(&path) {
            assert_eq!(read[0].1.data, arrays[0].1.data, "byte {at}");
        }
    }
    assert!(matches!(
        read_npz(folder.0.path()),
        Err(Error::WrongKind { .. })
    ));
}

#[test]
fn deflated_archives_are_read_and_bombs_are_not() {
    use std::io::Write;
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};
    let folder = Folder::new();
    let path = folder.0.path().join("d.npz");
    let archive = |name: &str, bytes: &[u8]| {
        let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap();
        read_npz(&path)
    };
    let whole = npy(&dict("<f4", false, "(1000,)"), &floats(&[2.5; 1000]));
    assert_eq!(archive("a.npy", &whole).unwrap()[0].1.data, [2.5; 1000]);
    assert!(
        archive("a.txt", &whole)
            .unwrap_err()
            .to_string()
            .contains("ends in .npy")
    );
    // Thirty million zeros after a header that declares a thousand values.
    let bomb = npy(&dict("<f4", false, "(1000,)"), &vec![0; 30_000_000]);
    let text = archive("a.npy", &bomb).unwrap_err().to_string();
    assert!(
        text.contains("entry `a.npy`: found 30000000 bytes"),
        "{text}"
    );
}

#[test]
fn an_entry_of_another_compression_is_refused_and_others_beside_it_are_read() {
    /// bzip2 in the format's list of methods.
    const BZIP2: u8 = 12;
    let folder = Folder::new();
    let path = npz(&folder);
    let mut bytes = std::fs::read(&path).unwrap();
    // The method stands at byte 8 of an entry's own header, and at byte 10 of that in the directory.
    for (magic, method) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let at = bytes.windows(4).position(|four| four == magic).unwrap();
        bytes[at + method] = BZIP2;
    }
    std::fs::write(&path, bytes).unwrap();
    let text = read_npz_array(&path, "a").unwrap_err().to_string();
    assert!(
        text.contains("entry `a.npy`") && text.contains("deflate"),
        "{text}"
    );
    assert_eq!(read_npz_array(&path, "b").unwrap().shape, [2]);
    let three = |shape: &[usize]| shape.len() == 3;
    let text = read_npz_pixels(&path, None, &three)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("a (compressed by a method that is not deflate), b [2]"),
        "{text}"
    );
}

#[test]
fn names_and_sizes_are_checked_before_writing() {
    let folder = Folder::new();
    let path = folder.0.path().join("b.npz");
    for arrays in [
        &[("", &[1usize][..], &[0.0f32][..])][..],
        &[("a/b", &[1], &[0.0])],
        &[("a", &[1], &[0.0]), ("a", &[1], &[0.0])],
        &[("a", &[2], &[0.0])],
        &[("a", &[usize::MAX, 2], &[0.0])],
    ] {
        assert!(write_npz(&path, arrays).is_err());
        assert!(!path.exists());
    }
    assert!(write(&folder.0.path().join("none/b.npy"), &[1], &[0.0]).is_err());
}

#[test]
fn a_stored_entry_cannot_declare_more_than_it_holds() {
    let folder = Folder::new();
    let path = npz(&folder);
    let mut bytes = std::fs::read(&path).unwrap();
    // The uncompressed size in the central directory record of the first entry, at offset 24.
    let record = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[record + 24..record + 28].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let text = read_npz(&path).unwrap_err().to_string();
    assert!(text.contains("2147483647 bytes declared"), "{text}");
}
