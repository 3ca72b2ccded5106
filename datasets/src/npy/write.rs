//! Writing `.npy` and `.npz`: to a temporary name, synced, then renamed.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::header::MAGIC;
use super::latched::Latched;
use crate::replace::replace_file;
use crate::{Error, Result};

fn check(name: &str, shape: &[usize], data: &[f32]) -> Result<()> {
    let count = shape
        .iter()
        .try_fold(1usize, |count, &size| count.checked_mul(size));
    if count != Some(data.len()) {
        let expected = format!("the product of the shape {shape:?}");
        return Err(Error::size(name, "number of values", data.len(), expected));
    }
    Ok(())
}

fn array(writer: &mut dyn Write, shape: &[usize], data: &[f32]) -> io::Result<()> {
    header(writer, "<f4", shape)?;
    let mut bytes = Vec::with_capacity(1 << 15);
    for part in data.chunks(1 << 13) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|value| value.to_le_bytes()));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

/// Writes one array as `.npy`, type `<f4`, C order.
///
/// # Errors
/// [`Error::Size`] if `data` is not as long as `shape` says; [`Error::Io`]. A file that was there
/// before is untouched then.
pub fn write(path: &Path, shape: &[usize], data: &[f32]) -> Result<()> {
    check(&path.display().to_string(), shape, data)?;
    replace_file(path, |writer| array(writer, shape, data))
}

/// Writes arrays as `.npz`, uncompressed as by `numpy.savez`; the same arrays give the same bytes.
///
/// # Errors
/// As [`write()`]; [`Error::Size`] also for a name that is empty, occurs twice or cannot be the name
/// of a file in an archive.
pub fn write_npz(path: &Path, arrays: &[(&str, &[usize], &[f32])]) -> Result<()> {
    write_npz_with_texts(path, arrays, &[])
}

/// As [`write_npz`], with arrays of texts (numpy's `<U`) behind those of numbers.
///
/// # Errors
/// As [`write_npz`].
pub fn write_npz_with_texts(
    path: &Path,
    arrays: &[(&str, &[usize], &[f32])],
    texts: &[(&str, &[&str])],
) -> Result<()> {
    let mut names = BTreeSet::new();
    let all = arrays.iter().map(|(name, ..)| name);
    for name in all.chain(texts.iter().map(|(name, _)| name)) {
        let plain = !name.is_empty() && name.len() < 1000 && !name.contains(['/', '\\', '\0']);
        if !plain || !names.insert(name) {
            let expected = "distinct names without slashes, not empty";
            return Err(Error::size(
                path.display(),
                "array name",
                format!("{name:?}"),
                expected,
            ));
        }
    }
    for (name, shape, data) in arrays {
        check(name, shape, data)?;
    }
    replace_file(path, |writer| {
        let mut latched = Latched::new(writer);
        let mut archive = ZipWriter::new(&mut latched);
        for (name, shape, data) in arrays {
            // A fixed date keeps the bytes a function of the arrays.
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::default())
                .large_file(data.len() >= 1 << 29);
            archive.start_file(format!("{name}.npy"), options)?;
            array(&mut archive, shape, data)?;
        }
        for (name, values) in texts {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::default());
            archive.start_file(format!("{name}.npy"), options)?;
            text_array(&mut archive, values)?;
        }
        archive.finish()?;
        latched.result()
    })
}

/// Texts of one length, in UCS-4, the shorter ones filled with zeros.
fn text_array(writer: &mut dyn Write, values: &[&str]) -> io::Result<()> {
    let length = values.iter().map(|text| text.chars().count()).max();
    let length = length.unwrap_or(0).max(1);
    header(writer, &format!("<U{length}"), &[values.len()])?;
    for text in values {
        let points = text.chars().map(u32::from).chain(std::iter::repeat(0));
        for point in points.take(length) {
            writer.write_all(&point.to_le_bytes())?;
        }
    }
    Ok(())
}

/// Writes the header of an array of this element in C order, as long as numpy makes it: with what comes before the
/// dictionary a multiple of 64 bytes.
pub(crate) fn header(writer: &mut dyn Write, element: &str, shape: &[usize]) -> io::Result<()> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let dictionary =
        format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    let short = u16::try_from(length).map_err(|_| io::Error::other("a shape of too many sizes"))?;
    writer.write_all(MAGIC)?;
    writer.write_all(&[1, 0])?;
    writer.write_all(&short.to_le_bytes())?;
    let width = length - 1;
    writeln!(writer, "{dictionary:<width$}")
}
