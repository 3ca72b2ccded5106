//! Verification of data sets.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::{Entry, Item};
use crate::{Error, Result, sha, source};

/// What can be said of one item without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The item.
    pub item: Item,
    /// Its bytes on disk (of a folder, those of its files); none if it is not there.
    pub bytes: Option<u64>,
    /// Whether its content can be compared with a checksum known here.
    pub pinned: bool,
}

/// What [`verify`] computed for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Below the data folder.
    pub path: &'static str,
    /// SHA-256 of the uncompressed content, or of the file where that is what is known; of a folder, of the list of sums of
    /// its files.
    pub sha256: String,
    /// How many bytes that digest is of.
    pub bytes: u64,
    /// Whether it was compared with a known one; if not, it is *not pinned*: record it.
    pub pinned: bool,
}

/// The present files of a data set, without reading their content.
///
/// ```
/// use scotopic_datasets::catalog;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let mnist = catalog::find("mnist").ok_or("unknown")?;
/// let status = catalog::status(mnist, folder.path())?;
/// assert!(status.iter().all(|item| item.bytes.is_none() && item.pinned));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Io`] if the operating system refuses for another reason than that nothing is there.
pub fn status(entry: &Entry, root: &Path) -> Result<Vec<Status>> {
    let one = |&item: &Item| {
        let path = root.join(item.path());
        let found = match std::fs::metadata(&path) {
            Ok(found) => Some(found),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io(&path, "open")(e)),
        };
        let bytes = match item {
            Item::File { .. } => found.filter(|f| f.is_file()).map(|f| f.len()),
            Item::Folder { extension, .. } => {
                let files = found
                    .map(|_| listing(&path, extension))
                    .transpose()?
                    .unwrap_or_default();
                let bytes = files
                    .iter()
                    .map(|f| f.metadata().map(|m| m.len()).unwrap_or(0))
                    .sum();
                (!files.is_empty()).then_some(bytes)
            }
        };
        Ok(Status {
            item,
            bytes,
            pinned: item.is_pinned(),
        })
    };
    entry.items.iter().map(one).collect()
}

/// Reads a whole data set and compares it with its known checksums.
///
/// # Errors
/// [`Error::Checksum`] naming the file; [`Error::Size`] if a folder has another number of files, or content another length;
/// [`Error::Io`] if something is missing.
pub fn verify(entry: &Entry, root: &Path) -> Result<Vec<Report>> {
    entry
        .items
        .iter()
        .map(|item| verify_item(item, root))
        .collect()
}

fn verify_item(item: &Item, root: &Path) -> Result<Report> {
    let path = root.join(item.path());
    let (what, sha256, bytes, expected) = match *item {
        Item::File {
            sha256: Some(known),
            ..
        } => {
            let (opened, _) = source::open_file(&path)?;
            let (sha256, bytes) =
                sha::of_reader(opened, u64::MAX).map_err(Error::io(&path, "read"))?;
            ("the file", sha256, bytes, Some(known))
        }
        Item::File {
            content_bytes,
            content_sha256,
            ..
        } => {
            let (sha256, bytes) = content(&path, &path, content_bytes)?;
            ("the uncompressed content", sha256, bytes, content_sha256)
        }
        Item::Folder {
            files,
            extension,
            sums_sha256,
            ..
        } => {
            let found = listing(&path, extension)?;
            if found.len() != files {
                let (name, found) = (path.display(), found.len());
                return Err(Error::size(
                    name,
                    "number of files",
                    found,
                    format!("{files}; get it again"),
                ));
            }
            let (sha256, bytes) = sums(&found)?;
            (
                "the list of checksums of the files",
                sha256,
                bytes,
                sums_sha256,
            )
        }
    };
    if let Some(expected) = expected.filter(|&expected| expected != sha256) {
        return Err(Error::Checksum {
            path,
            what,
            found: sha256,
            expected: expected.to_owned(),
        });
    }
    Ok(Report {
        path: item.path(),
        sha256,
        bytes,
        pinned: expected.is_some(),
    })
}

/// Digest and length of the uncompressed content of `file`, which is called `path` in errors, and whose content must have so
/// many bytes where they are known. No more is uncompressed than it may hold.
pub(super) fn content(file: &Path, path: &Path, bytes: Option<u64>) -> Result<(String, u64)> {
    let (opened, length) = source::open_file(file)?;
    let mut reader = BufReader::with_capacity(1 << 16, opened);
    let gzip = reader
        .fill_buf()
        .map_err(Error::io(path, "read"))?
        .starts_with(&[0x1F, 0x8B]);
    let limit = bytes.unwrap_or(source::most_inflated(length));
    let reader: Box<dyn Read> = if gzip {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    let wrong = |found, expected| Error::Format {
        path: path.into(),
        part: String::new(),
        offset: 0,
        found,
        expected,
        advice: "it is truncated, damaged or another file: delete it and fetch it again",
    };
    let (sha256, found) = sha::of_reader(reader, limit)
        .map_err(|e| wrong(format!("damaged data ({e})"), "a whole file".into()))?;
    match bytes.filter(|&bytes| bytes != found) {
        Some(bytes) => Err(wrong(
            format!("{found} bytes of content"),
            format!("{bytes} bytes"),
        )),
        None => Ok((sha256, found)),
    }
}

/// The files of a folder with this extension, names in byte order.
fn listing(path: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(Error::io(path, "list"))? {
        let file = entry.map_err(Error::io(path, "list"))?.path();
        if file.extension().is_some_and(|e| e == extension) && file.is_file() {
            files.push(file);
        }
    }
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    Ok(files)
}

fn sums(files: &[PathBuf]) -> Result<(String, u64)> {
    let (mut list, mut total) = (String::new(), 0);
    for file in files {
        let (opened, _) = source::open_file(file)?;
        let (sha256, bytes) = sha::of_reader(opened, u64::MAX).map_err(Error::io(file, "read"))?;
        let name = file
            .file_name()
            .map(|n| n.to_string_lossy())
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(list, "{sha256}  {name}");
        total += bytes;
    }
    let mut hash = Sha256::new();
    hash.update(list);
    Ok((sha::hex(hash), total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ENTRIES;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(items: &'static [Item]) -> Entry {
        Entry {
            name: "x",
            what: "",
            licence: "",
            by_hand: "",
            items,
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_counts_and_compression_does_not() {
        let file = entry(
            const {
                &[Item::File {
                    path: "f",
                    url: None,
                    sha256: None,
                    content_bytes: Some(3),
                    content_sha256: Some(ABC),
                }]
            },
        );
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        assert!(matches!(verify(&file, root.path()), Err(Error::Io { .. })));
        for bytes in [b"abc".to_vec(), gzip(b"abc")] {
            std::fs::write(&path, &bytes).unwrap();
            let report = verify(&file, root.path()).unwrap();
            assert!(report[0].pinned && report[0].bytes == 3);
            assert_eq!(
                status(&file, root.path()).unwrap()[0].bytes,
                Some(bytes.len() as u64)
            );
        }
        std::fs::write(&path, gzip(b"abd")).unwrap();
        assert!(matches!(
            verify(&file, root.path()),
            Err(Error::Checksum { .. })
        ));
        std::fs::write(&path, "ab").unwrap();
        let text = verify(&file, root.path()).unwrap_err().to_string();
        assert!(text.contains("2 bytes of content"), "{text}");
        let whole = gzip(b"abc");
        std::fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        assert!(matches!(
            verify(&file, root.path()),
            Err(Error::Format { .. })
        ));
        // A bomb is given up at the length that is known.
        std::fs::write(&path, gzip(&vec![0; 30_000_000])).unwrap();
        let text = verify(&file, root.path()).unwrap_err().to_string();
        assert!(text.contains("more than 3 bytes"), "{text}");
        let open = entry(
            const {
                &[Item::File {
                    path: "f",
                    url: None,
                    sha256: None,
                    content_bytes: None,
                    content_sha256: None,
                }]
            },
        );
        std::fs::write(&path, "abc").unwrap();
        let report = verify(&open, root.path()).unwrap();
        assert_eq!((report[0].pinned, report[0].sha256.as_str()), (false, ABC));
    }

    #[test]
    fn folders_are_counted_and_summed() {
        let folder = entry(
            const {
                &[Item::Folder {
                    path: "p",
                    files: 2,
                    extension: "jpg",
                    // printf "$(sha256 of abc)  a.jpg\n$(sha256 of abc)  b.jpg\n" | sha256sum
                    sums_sha256: Some(
                        "c4a2aff2c6f65317bb63d7a27603fc61024c56240bf32573de09201644e106de",
                    ),
                }]
            },
        );
        let root = tempfile::tempdir().unwrap();
        assert_eq!(status(&folder, root.path()).unwrap()[0].bytes, None);
        std::fs::create_dir(root.path().join("p")).unwrap();
        for name in ["b.jpg", "a.jpg", "notes.txt"] {
            std::fs::write(root.path().join("p").join(name), "abc").unwrap();
        }
        assert_eq!(status(&folder, root.path()).unwrap()[0].bytes, Some(6));
        assert_eq!(verify(&folder, root.path()).unwrap()[0].bytes, 6);
        std::fs::write(root.path().join("p/b.jpg"), "abd").unwrap();
        assert!(matches!(
            verify(&folder, root.path()),
            Err(Error::Checksum { .. })
        ));
        std::fs::remove_file(root.path().join("p/b.jpg")).unwrap();
        assert!(matches!(
            verify(&folder, root.path()),
            Err(Error::Size { .. })
        ));
    }

    #[test]
    fn a_page_in_the_place_of_a_data_set_is_not_verified() {
        for name in [
            "fashion-mnist",
            "kmnist",
            "mnist",
            "emnist-letters",
            "cifar10",
        ] {
            let entry = crate::catalog::find(name).unwrap();
            let root = tempfile::tempdir().unwrap();
            for item in entry.items {
                let path = root.path().join(item.path());
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "<html>no data</html>\r\n").unwrap();
            }
            assert!(verify(entry, root.path()).is_err(), "{name}");
        }
    }

    #[test]
    fn the_list_is_in_order() {
        for (i, entry) in ENTRIES.iter().enumerate() {
            assert!(
                ENTRIES[i + 1..]
                    .iter()
                    .all(|other| other.name != entry.name)
            );
            assert!(!entry.licence.is_empty() && !entry.items.is_empty());
            for item in entry.items {
                assert!(!item.path().starts_with('/') && !item.path().contains(".."));
                match item {
                    Item::File { url: Some(_), .. } => assert!(item.is_pinned(), "{item:?}"),
                    _ => assert!(!entry.by_hand.is_empty(), "{}", entry.name),
                }
            }
        }
    }
}
