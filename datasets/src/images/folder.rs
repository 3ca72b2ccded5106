//! The picture files of a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// What a folder holds. Sub-folders are not entered.
///
/// ```
/// use scotopic_datasets::images::Folder;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// for name in ["b.png", "a.jpg", "._a.jpg", "Thumbs.db", "notes.txt"] {
///     std::fs::write(folder.path().join(name), "")?;
/// }
/// let found = Folder::read(folder.path())?;
/// assert_eq!(found.pictures, [folder.path().join("a.jpg"), folder.path().join("b.png")]);
/// assert_eq!(found.told(), "2 pictures (passed over: 2 hidden files, 1 file of another kind)");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The PNG and JPEG files, by name in byte order.
    pub pictures: Vec<PathBuf>,
    /// How many entries are hidden: names that begin with a dot (macOS puts `._NAME` beside each file), `Thumbs.db`,
    /// `desktop.ini` and `__MACOSX`. They are passed over whatever their names end in.
    pub hidden: usize,
    /// How many other files there are.
    pub others: usize,
}

impl Folder {
    /// Lists a folder.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if it is not a folder; [`Error::Size`] if no picture is in it.
    pub fn read(path: &Path) -> Result<Self> {
        if !std::fs::metadata(path)
            .map_err(Error::io(path, "open"))?
            .is_dir()
        {
            return Err(Error::WrongKind {
                path: path.into(),
                found: "a file",
                expected: "a folder",
            });
        }
        let (mut pictures, mut hidden, mut others) = (Vec::new(), 0, 0);
        for entry in std::fs::read_dir(path).map_err(Error::io(path, "list"))? {
            let file = entry.map_err(Error::io(path, "list"))?.path();
            if file.file_name().is_some_and(is_hidden) {
                hidden += 1;
            } else if file.is_file() {
                match is_picture(&file) {
                    true => pictures.push(file),
                    false => others += 1,
                }
            }
        }
        // Folders are listed in an order of the file system's own.
        pictures.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        let found = Self {
            pictures,
            hidden,
            others,
        };
        if found.pictures.is_empty() {
            let expected = "at least one .png, .jpg or .jpeg file";
            return Err(Error::size(
                path.display(),
                "pictures",
                found.told(),
                expected,
            ));
        }
        Ok(found)
    }

    /// What was found, and what was passed over, in words.
    pub fn told(&self) -> String {
        let number = |n: usize, what: &str, rest: &str| {
            let plural = if n == 1 { "" } else { "s" };
            format!("{n} {what}{plural}{rest}")
        };
        let passed: Vec<String> = [
            (self.hidden, "hidden file", ""),
            (self.others, "file", " of another kind"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, what, rest)| number(n, what, rest))
        .collect();
        let pictures = number(self.pictures.len(), "picture", "");
        match passed.is_empty() {
            true => pictures,
            false => format!("{pictures} (passed over: {})", passed.join(", ")),
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
        || ["Thumbs.db", "desktop.ini", "__MACOSX"]
            .iter()
            .any(|hidden| name.eq_ignore_ascii_case(hidden))
}

fn is_picture(file: &Path) -> bool {
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
    ["png", "jpg", "jpeg"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// The PNG and JPEG files of a folder, by name in byte order: the [`pictures`](Folder::pictures) of [`Folder::read`].
///
/// # Errors
/// As [`Folder::read`].
pub fn folder(path: &Path) -> Result<Vec<PathBuf>> {
    Ok(Folder::read(path)?.pictures)
}
