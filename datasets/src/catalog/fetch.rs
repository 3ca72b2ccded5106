//! Downloading one file: streamed to a temporary name beside the target, hashed on the way, compared,
//! synced and renamed. A download that fails in any way leaves nothing behind.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sha2::{Digest, Sha256};

use super::download::{Download, News};
use super::verify::content;
use super::{Entry, Item};
use crate::replace::Replacement;
use crate::{Error, Result, sha};

/// 4 GiB: larger than any known data set.
const MAX_BYTES: u64 = 1 << 32;
/// What is known of a file before it is fetched. Everything that is given is checked.
///
/// ```
/// use scotopic_datasets::catalog::Expected;
/// let nothing_known = Expected::default();
/// assert!(nothing_known.sha256.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected<'a> {
    /// SHA-256 of the file as it is downloaded.
    pub sha256: Option<&'a str>,
    /// SHA-256 of its content, uncompressed if it is gzip.
    pub content_sha256: Option<&'a str>,
    /// Length of that content.
    pub content_bytes: Option<u64>,
}

/// What was fetched: record it, if nothing was known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file as it was downloaded.
    pub sha256: String,
    /// Whether a known checksum was compared.
    pub pinned: bool,
}

/// Downloads `url` (http or https) to `target`, whose folder must exist. `progress` is called with
/// the bytes so far and, if the server says so, the bytes in all.
///
/// A proxy from the environment is used, except for addresses of this machine. An https address is
/// never followed to an http one.
///
/// # Errors
/// [`Error::Fetch`] for whatever the network or the server does; [`Error::Checksum`] if it is
/// another file; [`Error::Io`] if it cannot be written. Nothing is left behind then, and a file that
/// was there before is untouched.
///
/// ```no_run
/// use scotopic_datasets::catalog::{Expected, fetch};
/// # fn main() -> scotopic_datasets::Result<()> {
/// let url = "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz";
/// let target = std::path::Path::new("data/mnist/t10k-labels-idx1-ubyte.gz");
/// fetch(url, target, Expected::default(), &mut |done, _| eprintln!("{done} bytes"))?;
/// # Ok(()) }
/// ```
pub fn fetch(
    url: &str,
    target: &Path,
    expected: Expected<'_>,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Fetched> {
    fetch_until(&NEVER, url, target, expected, progress)
}

static NEVER: AtomicBool = AtomicBool::new(false);

/// As [`fetch()`], until `stop` is set: by a signal, say. It ends within a tenth of a second then, also while the server is
/// silent, and leaves nothing behind.
///
/// # Errors
/// As [`fetch()`]; [`Error::Fetch`] if it was stopped.
pub fn fetch_until(
    stop: &AtomicBool,
    url: &str,
    target: &Path,
    expected: Expected<'_>,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Fetched> {
    let failed = |found: String, expected: &str, advice| Error::Fetch {
        url: url.to_owned(),
        found,
        expected: expected.to_owned(),
        advice,
    };
    let too_long = |found: String| {
        failed(
            found,
            "at most 4 GiB",
            "this is not the file: check the address",
        )
    };
    let download = Download::begin(url, stop)?;
    let mut hash = Sha256::new();
    let (mut bytes, mut total) = (0, None);
    let mut replacement = None;
    loop {
        let chunk = match download.next()? {
            News::Answer(length) => {
                total = length;
                if let Some(total) = total.filter(|&total| total > MAX_BYTES) {
                    return Err(too_long(format!("{total} bytes")));
                }
                replacement = Some(Replacement::begin(target)?);
                progress(0, total);
                continue;
            }
            News::Bytes(chunk) => chunk,
            News::End => break,
        };
        bytes += chunk.len() as u64;
        if bytes > MAX_BYTES {
            return Err(too_long(format!("over {MAX_BYTES} bytes")));
        }
        hash.update(&chunk);
        if let Some(replacement) = &mut replacement {
            let written = replacement.file().and_then(|file| file.write_all(&chunk));
            written.map_err(Error::io(target, "write"))?;
        }
        progress(bytes, total);
    }
    let Some(replacement) = replacement else {
        return Err(failed("no answer".into(), "the file", "try again"));
    };
    if let Some(total) = total.filter(|&total| total != bytes) {
        return Err(failed(
            format!("{bytes} bytes"),
            &format!("{total} as announced"),
            "try again",
        ));
    }
    let sha256 = sha::hex(hash);
    compare(target, "the file", &sha256, expected.sha256)?;
    if expected.content_sha256.is_some() || expected.content_bytes.is_some() {
        let (found, _) = content(replacement.temporary(), target, expected.content_bytes)?;
        compare(
            target,
            "the uncompressed content",
            &found,
            expected.content_sha256,
        )?;
    }
    replacement.commit()?;
    let pinned = expected.sha256.is_some() || expected.content_sha256.is_some();
    Ok(Fetched {
        bytes,
        sha256,
        pinned,
    })
}

fn compare(path: &Path, what: &'static str, found: &str, expected: Option<&str>) -> Result<()> {
    match expected {
        Some(expected) if !expected.eq_ignore_ascii_case(found) => Err(Error::Checksum {
            path: path.into(),
            what,
            found: found.to_owned(),
            expected: expected.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Fetches what is missing of a data set into the data folder, creating its folders, and returns
/// (path below the data folder, what was fetched). Files that are there are left alone: `verify`
/// reports whether they are complete.
///
/// # Errors
/// As [`fetch()`]; also if the data set has to be got by hand.
pub fn fetch_entry(
    entry: &Entry,
    root: &Path,
    progress: &mut dyn FnMut(&str, u64, Option<u64>),
) -> Result<Vec<(&'static str, Fetched)>> {
    fetch_entry_until(&NEVER, entry, root, progress)
}

/// As [`fetch_entry`], until `stop` is set. Of the file that was being fetched then nothing is left behind, and no folder
/// that was made for it alone; those that are complete stay.
///
/// # Errors
/// As [`fetch_entry`]; [`Error::Fetch`] if it was stopped.
pub fn fetch_entry_until(
    stop: &AtomicBool,
    entry: &Entry,
    root: &Path,
    progress: &mut dyn FnMut(&str, u64, Option<u64>),
) -> Result<Vec<(&'static str, Fetched)>> {
    let mut fetched = Vec::new();
    for item in entry.items {
        let target = root.join(item.path());
        if target.exists() {
            continue;
        }
        let by_hand = |found: &str| Error::Fetch {
            url: item.path().to_owned(),
            found: found.to_owned(),
            expected: format!("it in {}", root.display()),
            advice: entry.by_hand,
        };
        let Item::File {
            path,
            url: Some(url),
            sha256,
            content_bytes,
            content_sha256,
        } = *item
        else {
            return Err(by_hand("no address to download it from"));
        };
        // What comes from the network is kept only if it is known to be the file that was meant.
        if !item.is_pinned() {
            return Err(by_hand("no checksum to compare a download with"));
        }
        let expected = Expected {
            sha256,
            content_sha256,
            content_bytes,
        };
        let made = make_folders(&target)?;
        let one = fetch_until(stop, url, &target, expected, &mut |done, total| {
            progress(path, done, total);
        });
        if one.is_err() {
            // Only those that are empty go.
            made.iter().for_each(|folder| {
                let _ = std::fs::remove_dir(folder);
            });
        }
        fetched.push((path, one?));
    }
    Ok(fetched)
}

/// Makes the folders that a file stands in; those that were not there, the innermost first.
fn make_folders(target: &Path) -> Result<Vec<PathBuf>> {
    let Some(folder) = target.parent() else {
        return Ok(Vec::new());
    };
    let missing = folder.ancestors().take_while(|path| {
        let here = path.as_os_str().is_empty() || path.exists();
        !here
    });
    let missing = missing.map(Path::to_path_buf).collect();
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
    Ok(missing)
}
