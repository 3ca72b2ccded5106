//! Writing `.npy` and `.npz`: to a temporary name, synced, then renamed.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::NpzWriter;
use npyz::zip::write::FileOptions;
use npyz::zip::{CompressionMethod, DateTime};

use crate::replace::replace_file;
use crate::{Error, Result};

fn check(name: &str, shape: &[usize], data: &[f32]) -> Result<Vec<u64>> {
    let count = shape
        .iter()
        .try_fold(1usize, |count, &size| count.checked_mul(size));
    if count != Some(data.len()) {
        let expected = format!("the product of the shape {shape:?}");
        return Err(Error::size(name, "number of values", data.len(), expected));
    }
    Ok(shape.iter().map(|&size| size as u64).collect())
}

fn array(writer: impl Write, shape: &[u64], data: &[f32]) -> io::Result<()> {
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut values = options.writer(writer).begin_nd()?;
    values.extend(data)?;
    values.finish()
}

/// Writes one array as `.npy`, type `<f4`, C order.
///
/// # Errors
/// [`Error::Size`] if `data` is not as long as `shape` says; [`Error::Io`]. A file that was there
/// before is untouched then.
pub fn write(path: &Path, shape: &[usize], data: &[f32]) -> Result<()> {
    let shape = check(&path.display().to_string(), shape, data)?;
    replace_file(path, |writer| array(writer, &shape, data))
}

/// Writes arrays as `.npz`, uncompressed as by `numpy.savez`; the same arrays give the same bytes.
///
/// # Errors
/// As [`write()`]; [`Error::Size`] also for a name that is empty, occurs twice or cannot be the name
/// of a file in an archive.
pub fn write_npz(path: &Path, arrays: &[(&str, &[usize], &[f32])]) -> Result<()> {
    let mut names = BTreeSet::new();
    let mut shapes = Vec::with_capacity(arrays.len());
    for (name, shape, data) in arrays {
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
        shapes.push(check(name, shape, data)?);
    }
    replace_file(path, |writer| {
        let mut archive = NpzWriter::new(writer);
        for ((name, _, data), shape) in arrays.iter().zip(&shapes) {
            // A fixed date keeps the bytes a function of the arrays.
            let options = FileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::default())
                .large_file(data.len() >= 1 << 29);
            let zip = archive.zip_writer();
            zip.start_file(npyz::npz::file_name_from_array_name(name), options)?;
            array(zip, shape, data)?;
        }
        archive.zip_writer().finish()?;
        Ok(())
    })
}
