//! Reading `.npz`: a zip file with one `.npy` stream for each array.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::header::{Element, Header};
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
    let all = entries(path, None)?;
    Ok(all
        .into_iter()
        .map(|(name, array, _)| (name, array))
        .collect())
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
        Some((_, array, _)) => Ok(array),
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

/// Reads the pixels of a `.npz` file as [`read_pixels`](super::read_pixels) does: the array called `wanted`, or the only one whose
/// shape `fits`. The others are not unpacked and may be of any type.
///
/// # Errors
/// As [`read_npz_array`]; [`Error::Size`] naming the arrays that fit where they are several, and those that are there where
/// none does.
pub fn read_npz_pixels(
    path: &Path,
    wanted: Option<&str>,
    fits: &dyn Fn(&[usize]) -> bool,
) -> Result<(String, Array)> {
    let name = match wanted {
        Some(name) => name.to_owned(),
        None => {
            let shapes = shapes(path)?;
            let described = |(name, shape): &(String, Shape)| match shape {
                Ok(shape) => format!("{name} {shape:?}"),
                Err(why) => format!("{name} ({why})"),
            };
            let fitting: Vec<_> = shapes
                .iter()
                .filter(|(_, shape)| shape.as_deref().is_ok_and(fits))
                .collect();
            match fitting[..] {
                [(name, _)] => name.clone(),
                [] => {
                    let found: Vec<String> =
                        shapes.iter().take(MOST_NAMES).map(described).collect();
                    let found = match found.is_empty() {
                        true => "none".to_owned(),
                        false => found.join(", "),
                    };
                    let expected = "an array of images of the size asked for";
                    return Err(Error::size(path.display(), "arrays", found, expected));
                }
                _ => {
                    let found: Vec<String> = fitting
                        .iter()
                        .take(MOST_NAMES)
                        .map(|entry| described(entry))
                        .collect();
                    let expected = "one array that fits; say which by its name";
                    return Err(Error::size(
                        path.display(),
                        "arrays",
                        found.join(", "),
                        expected,
                    ));
                }
            }
        }
    };
    let Some((name, array, element)) = entries(path, Some(&name))?.pop() else {
        let expected = format!("one of {}", names(path)?.join(", "));
        return Err(Error::size(
            path.display(),
            "name of an array",
            name,
            expected,
        ));
    };
    let array = array.into_pixels(&format!("{}, array `{name}`", path.display()), element)?;
    Ok((name, array))
}

/// Names of arrays in a message.
const MOST_NAMES: usize = 20;

/// The shape of an array, or why it has none.
type Shape = std::result::Result<Vec<usize>, &'static str>;

/// The arrays by name with their shapes.
fn shapes(path: &Path) -> Result<Vec<(String, Shape)>> {
    let (mut archive, _) = open(path)?;
    let mut shapes = Vec::new();
    for index in 0..archive.len() {
        let broken = |e| damaged(path, format!("a damaged entry {index} ({e})"));
        let mut entry = archive.by_index(index).map_err(broken)?;
        let full = entry.name().map_err(broken)?.into_owned();
        let part = Part {
            path,
            part: format!("entry `{full}`"),
            length: entry.size(),
        };
        let name = full.strip_suffix(".npy").unwrap_or(&full).to_owned();
        let shape = match entry.compression() {
            CompressionMethod::Stored | CompressionMethod::Deflated => {
                let header = Header::read(&part, &mut entry);
                header
                    .map(|header| header.shape)
                    .map_err(|_| "no plain numbers")
            }
            _ => Err("compressed by a method that is not deflate"),
        };
        shapes.push((name, shape));
    }
    Ok(shapes)
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
    names.truncate(MOST_NAMES);
    Ok(names)
}

/// All arrays, or only the one that is wanted.
fn entries(path: &Path, wanted: Option<&str>) -> Result<Vec<(String, Array, Element)>> {
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
        let name = full.strip_suffix(".npy");
        if wanted.is_some() && wanted != name {
            continue;
        }
        let Some(name) = name else {
            return Err(part.format(0, "another kind of entry", "a name that ends in .npy"));
        };
        source::check_declared(&entry, file_length, u64::MAX)
            .map_err(|(found, expected)| part.format(0, found, expected))?;
        let (array, element) = part.read(&mut entry)?;
        // Reading on to the end is what makes the zip reader compare the checksum.
        let rest = entry.read(&mut [0; 1]);
        match rest {
            Ok(0) => {}
            Ok(_) => return Err(part.format(part.length, "more bytes", "the end of the entry")),
            Err(e) => {
                return Err(part.format(part.length, format!("damaged data ({e})"), "whole data"));
            }
        }
        arrays.push((name.to_owned(), array, element));
    }
    Ok(arrays)
}
