//! Downloading one file: streamed to a temporary name beside the target, hashed on the way, compared,
//! synced and renamed. A download that fails in any way leaves nothing behind.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::verify::content;
use super::{Entry, Item};
use crate::replace::Replacement;
use crate::{Error, Result, sha};

/// 4 GiB: larger than any known data set.
const MAX_BYTES: u64 = 1 << 32;
const CONNECT: Duration = Duration::from_secs(30);
/// Of silence; a slow but steady download may take as long as it needs, up to [`TOTAL`].
const SILENCE: Duration = Duration::from_secs(60);
const TOTAL: Duration = Duration::from_secs(6 * 3600);

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
    let failed = |found: String, expected: &str, advice| Error::Fetch {
        url: url.to_owned(),
        found,
        expected: expected.to_owned(),
        advice,
    };
    let agent = agent(url)?;
    let mut response = agent.get(url).call().map_err(|e| {
        let advice = "check the network and the address, or get the file by hand";
        failed(e.to_string(), "the file", advice)
    })?;
    let total = response.body().content_length();
    if let Some(total) = total.filter(|&total| total > MAX_BYTES) {
        return Err(failed(
            format!("{total} bytes"),
            "at most 4 GiB",
            "this is not the file: check the address",
        ));
    }
    let mut replacement = Replacement::begin(target)?;
    let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    progress(0, total);
    loop {
        let n = body.read(&mut buffer).map_err(|e| {
            failed(
                format!("{e} after {bytes} bytes"),
                "the whole file",
                "try again",
            )
        })?;
        if n == 0 {
            break;
        }
        bytes += n as u64;
        if bytes > MAX_BYTES {
            return Err(failed(
                format!("over {MAX_BYTES} bytes"),
                "at most 4 GiB",
                "check the address",
            ));
        }
        hash.update(&buffer[..n]);
        let written = replacement
            .file()
            .and_then(|file| file.write_all(&buffer[..n]));
        written.map_err(Error::io(target, "write"))?;
        progress(bytes, total);
    }
    if let Some(total) = total.filter(|&total| total != bytes) {
        return Err(failed(
            format!("{bytes} bytes"),
            &format!("{total} as announced"),
            "try again",
        ));
    }
    let sha256 = sha::hex(hash);
    compare(target, "the file", &sha256, expected.sha256)?;
    if let Some(known) = expected.content_sha256 {
        let (found, _) = content(replacement.temporary(), target, expected.content_bytes)?;
        compare(target, "the uncompressed content", &found, Some(known))?;
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

fn agent(url: &str) -> Result<ureq::Agent> {
    let parsed = url.parse::<ureq::http::Uri>().ok();
    let scheme = parsed
        .as_ref()
        .and_then(|uri| uri.scheme_str())
        .unwrap_or_default();
    let host = parsed
        .as_ref()
        .and_then(|uri| uri.host())
        .unwrap_or_default();
    if !matches!(scheme, "http" | "https") || host.is_empty() {
        return Err(Error::Fetch {
            url: url.to_owned(),
            found: format!("scheme `{scheme}`, host `{host}`"),
            expected: "an address that begins with http:// or https://".to_owned(),
            advice: "correct the address",
        });
    }
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let proxy = if here {
        None
    } else {
        ureq::Proxy::try_from_env()
    };
    let config = ureq::Agent::config_builder()
        .https_only(scheme == "https")
        .proxy(proxy)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .timeout_global(Some(TOTAL))
        .user_agent(concat!("scotopic/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(config.new_agent())
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
    let mut fetched = Vec::new();
    for item in entry.items {
        let target = root.join(item.path());
        if target.exists() {
            continue;
        }
        let Item::File {
            path,
            url: Some(url),
            content_bytes,
            content_sha256,
        } = *item
        else {
            return Err(Error::Fetch {
                url: item.path().to_owned(),
                found: "no address to download it from".to_owned(),
                expected: format!("it in {}", root.display()),
                advice: entry.by_hand,
            });
        };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
        }
        let expected = Expected {
            sha256: None,
            content_sha256,
            content_bytes,
        };
        let one = fetch(url, &target, expected, &mut |done, total| {
            progress(path, done, total)
        })?;
        fetched.push((path, one));
    }
    Ok(fetched)
}
