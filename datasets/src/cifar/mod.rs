//! CIFAR-10 in its binary layout, gzip or plain: one record after the other,
//!
//! ```text
//! byte 0          class, 0 to 9
//! byte 1 …        1024 bytes of red, 1024 of green, 1024 of blue: 32 rows of 32 values each
//! ```
//!
//! Source: Krizhevsky (2009), *Learning multiple layers of features from tiny images*.

mod config;

pub use config::CifarConfig;

use std::path::Path;

use crate::images::MAX_PATCH_PIXELS;
use crate::source::Stream;
use crate::{ImageSet, ImageShape, Result};

/// Rows and columns of an image.
pub const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const RECORD: usize = 1 + 3 * PLANE;
const CLASSES: u8 = 10;
const MAX_RECORDS: usize = MAX_PATCH_PIXELS / (3 * PLANE);

/// Reads all records of a file as colour images `[3, 32, 32]` with pixels x/255 in \[0, 1\]; the labels
/// are the classes.
///
/// # Errors
/// [`Error::Format`](crate::Error::Format) with the offset (in the uncompressed stream) of whatever
/// is wrong: a class above 9, a last record that is cut, a damaged gzip stream, no record or too many.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("one.bin");
/// let mut record = vec![255; 3073];
/// record[0] = 7;
/// std::fs::write(&path, record)?;
/// let set = scotopic_datasets::cifar::read("one", &path)?;
/// assert_eq!((set.len(), set.labels()), (1, Some(&[7][..])));
/// assert_eq!(set.image(0), [1.0; 3 * 32 * 32]);
/// # Ok(()) }
/// ```
pub fn read(name: &str, path: &Path) -> Result<ImageSet> {
    let mut stream = Stream::open(path)?;
    let mut record = [0; RECORD];
    // Both grow with the records that really arrive.
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    loop {
        let offset = stream.offset();
        if !stream.record(&mut record, "a record (class and 3072 pixels)")? {
            break;
        }
        if labels.len() == MAX_RECORDS {
            let expected = format!("at most {MAX_RECORDS} records");
            return Err(stream.format(offset, "another record".into(), expected));
        }
        let [class, values @ ..] = &record;
        if *class >= CLASSES {
            let found = format!("class {class}");
            return Err(stream.format(offset, found, "a class from 0 to 9".into()));
        }
        labels.push(*class);
        pixels.extend(values.iter().map(|&v| f32::from(v) / 255.0));
    }
    if labels.is_empty() {
        return Err(stream.format(0, "no data".into(), "at least one record".into()));
    }
    let shape = ImageShape {
        channels: 3,
        height: SIDE,
        width: SIDE,
    };
    ImageSet::new(name, shape, pixels, Some(labels))
}

#[cfg(test)]
mod tests;
