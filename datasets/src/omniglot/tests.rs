use std::io::{Cursor, Write};

use image::{GrayImage, ImageFormat, Luma};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{DataConfig, Splits};

/// White paper with a black bar in the given columns.
fn png(side: u32, bar: std::ops::Range<u32>) -> Vec<u8> {
    let ink = |x: u32, _: u32| Luma([if bar.contains(&x) { 0 } else { 255 }]);
    let mut bytes = Cursor::new(Vec::new());
    let picture = GrayImage::from_fn(side, side, ink);
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in entries.iter().enumerate() {
        let method = match i % 2 {
            0 => CompressionMethod::Stored,
            _ => CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Drawing `d` of character `c` has `15·(c + 1)` columns of ink, beginning at column `d`.
fn drawing(alphabet: &str, c: u32, d: u32) -> (String, Vec<u8>) {
    let name = format!("some/{alphabet}/character{c:02}/0{c}_{d:02}.png");
    (name, png(105, d..d + 15 * (c + 1)))
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
    fn load(&self, config: OmniglotConfig) -> Result<Splits> {
        DataConfig::Omniglot(config).load(self.0.path(), &mut |_| ())
    }
}

/// Two archives of two characters each, of which one is in both; five drawings of each.
fn archives(folder: &Folder) -> [PathBuf; 2] {
    let of = |characters: [u32; 2]| -> Vec<(String, Vec<u8>)> {
        let drawings = characters.map(|c| (0..5).rev().map(move |d| drawing("Runes", c, d)));
        drawings.into_iter().flatten().collect()
    };
    let mut first = of([0, 1]);
    first.push(("some/Runes/".into(), Vec::new()));
    first.push(("some/readme.txt".into(), b"no picture".to_vec()));
    first.push(("__MACOSX/Runes/character00/._0.png".into(), vec![0; 9]));
    [
        folder.put("1.zip", &zip(&first)),
        folder.put("2.zip", &zip(&of([1, 2]))),
    ]
}

#[test]
fn ink_is_one_and_drawings_are_in_order() {
    let folder = Folder::new();
    let set = read("runes", &archives(&folder), 35).unwrap();
    assert_eq!(set.len(), 15);
    assert_eq!(set.labels().unwrap()[..6], [0, 1, 2, 0, 1, 2]);
    // Drawing 0 of character 1: 30 columns of 105 are 10 of 35.
    let row: Vec<f32> = (0..35).map(|x| f32::from(x < 10)).collect();
    assert!(set.image(1).chunks_exact(35).all(|r| r == row));
    // Drawing 1 begins a third of a pixel later.
    let first = set.image(3)[0];
    assert!((first - 2.0 / 3.0).abs() < 1e-6, "{first}");
}

#[test]
fn every_character_is_in_every_split() {
    let folder = Folder::new();
    archives(&folder);
    let config = OmniglotConfig {
        archives: vec!["1.zip".into(), "2.zip".into()],
        size: 21,
        validation: 1,
        ..Default::default()
    };
    let splits = folder.load(config.clone()).unwrap();
    let test = splits.test.as_ref().unwrap();
    assert_eq!(
        [splits.train.len(), splits.validation.len(), test.len()],
        [6, 3, 6]
    );
    assert_eq!(splits.validation.labels().unwrap(), [0, 1, 2]);
    // The splits are the drawings 0 and 1, 2, 3 and 4, in that order.
    let all = read("all", &archives(&folder), 21).unwrap();
    let [train, validation] = [&splits.train, &splits.validation].map(ImageSet::pixels);
    assert_eq!([train, validation, test.pixels()].concat(), all.pixels());
    let none = folder.load(OmniglotConfig {
        test: 0,
        limit: Some(2),
        standardise: true,
        ..config.clone()
    });
    let none = none.unwrap();
    assert!(none.test.is_none() && none.train.len() == 2);
    // Nothing would be left to train on.
    let greedy = OmniglotConfig {
        validation: 3,
        ..config
    };
    assert!(folder.load(greedy).is_err());
}

#[test]
fn any_damage_is_an_error_or_changes_nothing() {
    let folder = Folder::new();
    let bytes = zip(&[drawing("A", 0, 1), drawing("A", 1, 1)]);
    let whole = read("x", &[folder.put("whole.zip", &bytes)], 28).unwrap();
    for length in 0..bytes.len() {
        let path = folder.put("cut.zip", &bytes[..length]);
        assert!(read("x", &[path], 28).is_err(), "{length}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        // Names are not under the checksum, so that an entry may be passed over.
        if let Ok(set) = read("x", &[folder.put("flipped.zip", &flipped)], 28) {
            for i in 0..set.len() {
                let known = (0..whole.len()).any(|j| whole.image(j) == set.image(i));
                assert!(known, "byte {at}");
            }
        }
    }
}

#[test]
fn bombs_and_other_pictures_are_refused() {
    let folder = Folder::new();
    let refused = |bytes: Vec<u8>| {
        // The second entry of `zip` is deflated.
        let entries = [drawing("A", 0, 1), ("s/A/b/c.png".into(), bytes)];
        let error = read("x", &[folder.put("x.zip", &zip(&entries))], 28).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("entry `s/A/b/c.png`"), "{text}");
        text
    };
    assert!(refused(vec![0; 30_000_000]).contains("30000000 bytes declared"));
    assert!(refused(png(104, 0..3)).contains("104 x 104"));
    refused(png(4000, 0..3));
    refused(b"GIF89a".to_vec());
    refused(Vec::new());
    assert!(read("x", &[folder.put("none.zip", &zip(&[]))], 28).is_err());
    assert!(read("x", &[folder.put("text.zip", b"no zip file")], 28).is_err());
    assert!(read("x", &[folder.0.path().join("absent.zip")], 28).is_err());
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for wrong in [
        r#""archives":[]"#,
        r#""archives":[""]"#,
        r#""size":0"#,
        r#""size":106"#,
        r#""validation":18446744073709551615"#,
        r#""limit":0"#,
    ] {
        let text = format!(r#"{{"source":"omniglot",{wrong}}}"#);
        let config: DataConfig = serde_json::from_str(&text).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains("`omniglot`"), "{error}");
    }
}
