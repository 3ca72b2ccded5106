//! IDX, the format of MNIST and its relatives (Fashion-MNIST, KMNIST, EMNIST), gzip or plain.
//!
//! ```text
//! byte 0, 1   0
//! byte 2      type of the values: 0x08 = unsigned byte, the only one these sets use
//! byte 3      rank r: 1 for labels, 3 for images
//! then        r sizes, big-endian u32
//! then        the values, the last index the fastest
//! ```
//!
//! Source: LeCun, Cortes & Burges, *The MNIST database of handwritten digits*, file format section.

mod config;

pub use config::IdxConfig;

use std::path::Path;

use crate::source::Stream;
use crate::{Error, ImageSet, ImageShape, Result};

/// No image of these sets has a side near this; a larger one is a damaged header.
const MAX_SIDE: usize = 4096;
/// 2³¹ pixels are 2 GiB here and 8 GiB as `f32`.
const MAX_BYTES: u64 = 1 << 31;

/// An array of bytes as the file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    /// The sizes, slowest first.
    pub shape: Vec<usize>,
    /// The values, `shape.iter().product()` of them.
    pub data: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes with `rank` sizes.
///
/// # Errors
/// [`Error::Format`] with the offset (in the uncompressed stream) of whatever is wrong: another
/// magic number, a size of zero or beyond reason, a file that is too short or too long.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("labels");
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 2, 7, 9])?;
/// let labels = scotopic_datasets::idx::read(&path, 1)?;
/// assert_eq!(labels.data, [7, 9]);
/// # Ok(()) }
/// ```
pub fn read(path: &Path, rank: u8) -> Result<IdxArray> {
    let mut stream = Stream::open(path)?;
    let magic: [u8; 4] = stream.array("the magic number")?;
    if magic != [0, 0, 8, rank] {
        let kind = if rank == 1 { "labels" } else { "images" };
        let found = format!("magic number {:#010x}", u32::from_be_bytes(magic));
        let expected = format!(
            "{:#010x} (IDX {kind}, unsigned bytes)",
            0x800 + u32::from(rank)
        );
        return Err(stream.format(0, found, expected));
    }
    let mut shape = Vec::with_capacity(usize::from(rank));
    let mut count = 1u64;
    for axis in 0..rank {
        let offset = stream.offset();
        let size = u64::from(u32::from_be_bytes(stream.array("the sizes")?));
        let most = if axis == 0 {
            MAX_BYTES
        } else {
            MAX_SIDE as u64
        };
        // Both factors are below 2³², so the product cannot wrap.
        count *= size;
        if size == 0 || size > most || count > MAX_BYTES {
            let found = format!("size {size} on axis {axis}");
            let expected = format!("1 to {most}, and at most {MAX_BYTES} values in all");
            return Err(stream.format(offset, found, expected));
        }
        shape.push(size as usize);
    }
    let data = stream.body(count, "values")?;
    stream.expect_end()?;
    Ok(IdxArray { shape, data })
}

/// Images `[n, height, width]` as an [`ImageSet`] with pixels x/255 in \[0, 1\].
///
/// `transpose` exchanges rows and columns: EMNIST stores its images that way round.
///
/// # Errors
/// As [`read`], and [`Error::Size`] if there is not one label for each image.
pub fn read_images(
    name: &str,
    images: &Path,
    labels: Option<&Path>,
    transpose: bool,
) -> Result<ImageSet> {
    let array = read(images, 3)?;
    let (n, rows, columns) = match array.shape[..] {
        [n, rows, columns] => (n, rows, columns),
        _ => return Err(Error::size(name, "rank", array.shape.len(), 3)),
    };
    let labels = match labels {
        None => None,
        Some(path) => {
            let labels = read(path, 1)?.data;
            if labels.len() != n {
                let expected = format!("{n}, one for each image of {}", images.display());
                return Err(Error::size(
                    path.display(),
                    "number of labels",
                    labels.len(),
                    expected,
                ));
            }
            Some(labels)
        }
    };
    let (height, width) = if transpose {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let mut pixels = Vec::with_capacity(array.data.len());
    for image in array.data.chunks_exact(rows * columns) {
        if transpose {
            let turned = (0..height).flat_map(|y| (0..width).map(move |x| image[x * columns + y]));
            pixels.extend(turned.map(|v| f32::from(v) / 255.0));
        } else {
            pixels.extend(image.iter().map(|&v| f32::from(v) / 255.0));
        }
    }
    ImageSet::new(
        name,
        ImageShape {
            channels: 1,
            height,
            width,
        },
        pixels,
        labels,
    )
}

#[cfg(test)]
mod tests;
