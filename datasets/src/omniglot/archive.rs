//! From a zip file of pictures to drawings.
//!
//! Headers are validated before allocation: declared sizes are compared with what deflate and a drawing of
//! 105 × 105 pixels can need before anything is unpacked, and the checksums with what was unpacked.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::images::{Bounds, grey_bytes};
use crate::{Error, Result, source};

/// Rows and columns of a drawing in the archives.
pub const SIDE: usize = 105;
/// All of Omniglot has 32,460 drawings and 2,000 folders.
const MAX_ENTRIES: usize = 100_000;
/// The pictures have 400 bytes or less; one with a byte per pixel that is not packed has 11,025.
const MAX_PICTURE: u64 = 1 << 16;

/// The drawing: alphabet, character, file name. In the order of the bytes of each.
pub(super) type Key = (String, String, String);

/// Ink, 0 for paper and 1 for ink, `[105, 105]`.
pub(super) type Ink = Vec<f32>;

struct Place<'a> {
    path: &'a Path,
    part: String,
}

impl Place<'_> {
    fn format(&self, found: impl ToString, expected: impl ToString) -> Error {
        Error::Format {
            path: self.path.to_path_buf(),
            part: self.part.clone(),
            offset: 0,
            found: found.to_string(),
            expected: expected.to_string(),
            advice: "the file is damaged or of another kind: get it again, or correct the path",
        }
    }

    fn broken(&self, error: ZipError) -> Error {
        match error {
            // The zip reader reports damaged data as errors of input.
            ZipError::Io(error) => self.broken_data(error),
            other => self.format(format!("a damaged archive ({other})"), "a zip file"),
        }
    }

    fn broken_data(&self, error: std::io::Error) -> Error {
        use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | Other | UnexpectedEof => {
                self.format(format!("damaged data ({error})"), "a whole zip file")
            }
            _ => Error::io(self.path, "read")(error),
        }
    }
}

/// Adds the drawings of one archive; one that is there already stays as it is, since the archives of
/// Omniglot share alphabets.
pub(super) fn read(path: &Path, drawings: &mut BTreeMap<Key, Ink>) -> Result<()> {
    let (file, file_length) = source::open_file(path)?;
    let whole = Place {
        path,
        part: String::new(),
    };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| whole.broken(error))?;
    if archive.len() > MAX_ENTRIES {
        let expected = format!("at most {MAX_ENTRIES}");
        return Err(whole.format(format!("{} entries", archive.len()), expected));
    }
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| whole.broken(error))?;
        let name = entry.name().map_err(|error| whole.broken(error))?;
        let name = name.into_owned();
        let place = Place {
            path,
            part: format!("entry `{name}`"),
        };
        let Some(key) = key(&name) else {
            continue;
        };
        source::check_declared(&entry, file_length, MAX_PICTURE)
            .map_err(|(found, expected)| place.format(found, expected))?;
        let mut bytes = Vec::new();
        // To the end, which is where the zip reader compares the checksum.
        let got = (&mut entry).take(MAX_PICTURE + 1).read_to_end(&mut bytes);
        let got = got.map_err(|error| place.broken_data(error))? as u64;
        if got != entry.size() {
            let expected = format!("{} as declared", entry.size());
            return Err(place.format(format!("{got} bytes"), expected));
        }
        let ink = decode(&place, bytes)?;
        drawings.entry(key).or_insert(ink);
    }
    Ok(())
}

/// `…/alphabet/character/name.png`; anything else is no drawing.
fn key(name: &str) -> Option<Key> {
    let mut parts = name.rsplit('/');
    let (file, character, alphabet) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = [file, character, alphabet].iter().all(|p| !p.is_empty());
    // macOS adds `__MACOSX/…/._name.png`, which is no picture.
    (whole && file.ends_with(".png") && !file.starts_with('.')).then(|| {
        let [alphabet, character, file] = [alphabet, character, file].map(str::to_owned);
        (alphabet, character, file)
    })
}

fn decode(place: &Place<'_>, bytes: Vec<u8>) -> Result<Ink> {
    let bounds = Bounds {
        side: SIDE as u32,
        pixels: (SIDE * SIDE) as u64,
    };
    let picture = grey_bytes(place.path, &place.part, bytes, bounds)?;
    if (picture.height, picture.width) != (SIDE, SIDE) {
        let found = format!("{} x {} pixels", picture.height, picture.width);
        return Err(place.format(found, format!("{SIDE} x {SIDE}")));
    }
    Ok(picture.values.iter().map(|&v| (1.0 - v) as f32).collect())
}
