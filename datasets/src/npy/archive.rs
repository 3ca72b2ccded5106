//! Reading `.npz`: a zip file with one `.npy` stream for each array.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::{Array, Part};
use crate::{Error, Result, source};

fn damaged(path: &Path, found: impl ToString) -> Error {
    Part {
        path,
        part: String::new(),
        length: 0,
    }
    .format(0, found, "a zip file of .npy arrays")
}

/// Reads all arrays of a `.npz` file, stored or deflated, in the order of the archive.
///
/// # Errors
/// [`Error::Format`] naming the entry: it is not an array, it declares more than it can hold, its
/// checksum is wrong, or a name occurs twice.
///
/// ```
/// use scotopic_datasets::npy;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("run.npz");
/// npy::write_npz(&path, &[("rates", &[2, 1], &[0.5, 1.5]), ("elbo", &[], &[-3.0])])?;
/// let arrays = npy::read_npz(&path)?;
/// assert_eq!(arrays[0].0, "rates");
/// assert_eq!(arrays[1].1.data, [-3.0]);
/// # Ok(()) }
/// ```
pub fn read_npz(path: &Path) -> Result<Vec<(String, Array)>> {
    entries(path, None)
}

/// Reads one array of a `.npz` file; the others are not unpacked and may be of any type.
///
/// # Errors
/// As [`read_npz`]; [`Error::Size`] listing the names that are there if this one is not.
///
/// ```
/// use scotopic_datasets::npy;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("run.npz");
/// npy::write_npz(&path, &[("rates", &[2], &[0.5, 1.5]), ("elbo", &[], &[-3.0])])?;
/// assert_eq!(npy::read_npz_array(&path, "rates")?.data, [0.5, 1.5]);
/// let text = npy::read_npz_array(&path, "rate").unwrap_err().to_string();
/// assert!(text.contains("elbo, rates"));
/// # Ok(()) }
/// ```
pub fn read_npz_array(path: &Path, name: &str) -> Result<Array> {
    match entries(path, Some(name))?.pop() {
        Some((_, array)) => Ok(array),
        None => {
            let names: Vec<String> = names(path)?;
            let expected = format!("one of {}", names.join(", "));
            Err(Error::size(
                path.display(),
                "name of an array",
                name,
                expected,
            ))
        }
    }
}

/// The archive, and how many bytes its file has.
fn open(path: &Path) -> Result<(ZipArchive<BufReader<File>>, u64)> {
    let (file, length) = source::open_file(path)?;
    let archive = ZipArchive::new(BufReader::new(file))
        .map_err(|e| damaged(path, format!("a damaged archive ({e})")))?;
    // It keeps the last entry of a name.
    if archive.has_duplicate_names() {
        return Err(damaged(path, "a name for the second time"));
    }
    Ok((archive, length))
}

fn names(path: &Path) -> Result<Vec<String>> {
    let (archive, _) = open(path)?;
    let mut names: Vec<String> = archive
        .file_names()
        .filter_map(|name| {
            let name = name.ok()?;
            Some(name.strip_suffix(".npy").unwrap_or(&name).to_owned())
        })
        .collect();
    names.sort();
    // Enough for a message.
    names.truncate(20);
    Ok(names)
}

/// All arrays, or only the one that is wanted.
fn entries(path: &Path, wanted: Option<&str>) -> Result<Vec<(String, Array)>> {
    let (mut archive, file_length) = open(path)?;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let broken = |e| damaged(path, format!("a damaged entry {index} ({e})"));
        let mut entry = archive.by_index(index).map_err(broken)?;
        let full = entry.name().map_err(broken)?.into_owned();
        let part = Part {
            path,
            part: format!("entry `{full}`"),
            length: entry.size(),
        };
        let Some(name) = full.strip_suffix(".npy") else {
            return Err(part.format(0, "another kind of entry", "a name that ends in .npy"));
        };
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        source::check_declared(&entry, file_length, u64::MAX)
            .map_err(|(found, expected)| part.format(0, found, expected))?;
        let (array, _) = part.read(&mut entry)?;
        // Reading on to the end is what makes the zip reader compare the checksum.
        let rest = entry.read(&mut [0; 1]);
        match rest {
            Ok(0) => {}
            Ok(_) => return Err(part.format(part.length, "more bytes", "the end of the entry")),
            Err(e) => {
                return Err(part.format(part.length, format!("damaged data ({e})"), "whole data"));
            }
        }
        arrays.push((name.to_owned(), array));
    }
    Ok(arrays)
}
