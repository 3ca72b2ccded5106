//! The known data sets: sources, presence and completeness of their files.
//!
//! Nothing is downloaded unless `fetch` is called. A checksum stands here only where it is known
//! for certain, and every file that can be downloaded has one: over plain http anybody on the way can answer with another
//! file. Sets that are unpacked by hand may have a length only.
//!
//! The four MNIST files exist in several compressions, whose `.gz` bytes differ while their content
//! does not. What is pinned is therefore the uncompressed content; of Fashion-MNIST and KMNIST, whose compression is known
//! but whose content is not, the file as it is sent.

use std::path::Path;

#[cfg(feature = "fetch")]
mod download;
mod entries;
#[cfg(feature = "fetch")]
mod fetch;
mod verify;

pub use entries::ENTRIES;
#[cfg(feature = "fetch")]
pub use fetch::{Expected, Fetched, fetch, fetch_entry, fetch_entry_until, fetch_until};
pub use verify::{Report, Status, status, verify};

use crate::shell_word;

/// A known data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub what: &'static str,
    /// What is known of its licence; read it before you publish anything made from the data.
    pub licence: &'static str,
    /// How to get it where `fetch` cannot; empty where it can.
    pub by_hand: &'static str,
    /// Its files and folders.
    pub items: &'static [Item],
}

/// One file, or one folder of pictures, of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A file.
    File {
        /// Below the data folder.
        path: &'static str,
        /// Where it can be downloaded as it is.
        url: Option<&'static str>,
        /// SHA-256 of the file as it is sent.
        sha256: Option<&'static str>,
        /// Length of the uncompressed content.
        content_bytes: Option<u64>,
        /// SHA-256 of the uncompressed content.
        content_sha256: Option<&'static str>,
    },
    /// A folder.
    Folder {
        /// Below the data folder.
        path: &'static str,
        /// How many files with this extension are in it.
        files: usize,
        /// Their extension.
        extension: &'static str,
        /// SHA-256 of what `sha256sum *.jpg` prints in that folder (names in byte order).
        sums_sha256: Option<&'static str>,
    },
}

impl Item {
    /// Whether its bytes, or those of its content, can be compared with a checksum.
    pub fn is_pinned(&self) -> bool {
        match self {
            Item::File {
                sha256,
                content_sha256,
                ..
            } => sha256.or(*content_sha256).is_some(),
            Item::Folder { sums_sha256, .. } => sums_sha256.is_some(),
        }
    }

    /// Its path below the data folder.
    pub fn path(&self) -> &'static str {
        match self {
            Item::File { path, .. } | Item::Folder { path, .. } => path,
        }
    }
}

/// The data set of this name.
///
/// ```
/// use scotopic_datasets::catalog;
/// let mnist = catalog::find("mnist").unwrap();
/// assert_eq!(mnist.items.len(), 4);
/// assert!(catalog::find("no-such-set").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// How to get the file or folder `missing` below the data folder `root`, if a known data set has it.
pub fn remedy(root: &Path, missing: &Path) -> Option<String> {
    let entry = ENTRIES.iter().find(|entry| {
        let mut items = entry.items.iter();
        items.any(|item| root.join(item.path()).starts_with(missing) && missing != root)
    })?;
    Some(match entry.by_hand {
        "" => format!(
            "get it with: scotopic data fetch {} --data {}",
            entry.name,
            shell_word(root)
        ),
        by_hand => format!("{}: {by_hand}", entry.name),
    })
}
