//! Whole arrays, read into memory.

use std::io::{BufReader, Read};
use std::path::Path;

use super::Part;
use super::header::{ByteOrder, Element, Header};
use super::levels::to_unit;
use crate::{Error, Result, source};

/// An array of any rank, the last index the fastest. Values may be NaN or infinite.
///
/// ```
/// use scotopic_datasets::npy;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.npy");
/// npy::write(&path, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let array = npy::read(&path)?;
/// assert_eq!(array.shape, [2, 3]);
/// array.require_finite("a")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The sizes, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, `shape.iter().product()` of them.
    pub data: Vec<f32>,
}

impl Array {
    /// Levels of whole numbers on the scale from 0 to 1; floats as they are.
    pub(super) fn into_pixels(mut self, name: &str, element: Element) -> Result<Self> {
        to_unit(name, &mut self.data, element.brightest())?;
        Ok(self)
    }

    /// Refuses NaN and infinities, naming the first by its index on the first axis and its position
    /// within that slice.
    ///
    /// # Errors
    /// [`Error::NotFinite`]
    pub fn require_finite(&self, name: &str) -> Result<()> {
        // Beside a size of 0 the others may be anything, and their product need not exist.
        let each = self
            .shape
            .iter()
            .skip(1)
            .fold(1usize, |n, &size| n.saturating_mul(size))
            .max(1);
        match self.data.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (image, pixel, found) = (at / each, at % each, self.data[at]);
                Err(Error::NotFinite {
                    name: name.to_owned(),
                    image,
                    pixel,
                    found,
                })
            }
        }
    }
}

/// Reads a `.npy` file. Bytes (`u1`) keep their values 0 to 255.
///
/// # Errors
/// [`Error::Format`] with the offset of whatever is wrong; [`Error::Io`].
pub fn read(path: &Path) -> Result<Array> {
    read_with_element(path).map(|(array, _)| array)
}

/// Reads a `.npy` file of pixels, as every reader of images does: floats as they are, and whole numbers as
/// [levels](super::from_levels).
///
/// # Errors
/// As [`read`] and [`from_levels`](super::from_levels).
///
/// ```
/// use scotopic_datasets::npy;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.npy");
/// # let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
/// # let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
/// # bytes.extend((header.len() as u16).to_le_bytes());
/// # bytes.extend(header.as_bytes());
/// # bytes.extend([0, 255]);
/// # std::fs::write(&path, bytes)?;
/// assert_eq!(npy::read(&path)?.data, [0.0, 255.0]); // two bytes
/// assert_eq!(npy::read_pixels(&path)?.data, [0.0, 1.0]);
/// # Ok(()) }
/// ```
pub fn read_pixels(path: &Path) -> Result<Array> {
    let (array, element) = read_with_element(path)?;
    array.into_pixels(&path.display().to_string(), element)
}

fn read_with_element(path: &Path) -> Result<(Array, Element)> {
    let (file, length) = source::open_file(path)?;
    Part {
        path,
        part: String::new(),
        length,
    }
    .read(&mut BufReader::new(file))
}

impl Part<'_> {
    pub fn read(&self, reader: &mut dyn Read) -> Result<(Array, Element)> {
        let header = Header::read(self, reader)?;
        let bytes = header.count.checked_mul(header.element.bytes());
        let room = self.length - header.offset;
        if bytes.map(|b| b as u64) != Some(room) {
            let found = format!("{room} bytes of values");
            let expected = match bytes {
                Some(bytes) => format!("{bytes} bytes for shape {:?}", header.shape),
                None => format!("as many as shape {:?} asks for", header.shape),
            };
            return Err(self.format(header.offset, found, expected));
        }
        let values = self.read_values(&header, reader)?;
        let data = if header.fortran {
            // The first index is the fastest.
            let strides = header
                .shape
                .iter()
                .scan(1, |next, &size| Some(std::mem::replace(next, *next * size)));
            let strides: Vec<usize> = strides.collect();
            gather(&values, 0, &header.shape, &strides)
        } else {
            values
        };
        Ok((
            Array {
                shape: header.shape,
                data,
            },
            header.element,
        ))
    }

    fn read_values(&self, header: &Header, reader: &mut dyn Read) -> Result<Vec<f32>> {
        const AT_ONCE: usize = 1 << 13;
        let mut values = Vec::new();
        if values.try_reserve_exact(header.count).is_err() {
            let found = format!("{} values", header.count);
            return Err(self.format(header.offset, found, "an array that fits into memory"));
        }
        let size = header.element.bytes();
        let mut buffer = vec![0; AT_ONCE * size];
        while values.len() < header.count {
            let n = AT_ONCE.min(header.count - values.len());
            let offset = header.offset + (values.len() * size) as u64;
            let bytes = &mut buffer[..n * size];
            self.fill(reader, bytes, offset)?;
            decode(bytes, header.element, header.order, &mut values);
        }
        Ok(values)
    }
}

fn decode(bytes: &[u8], element: Element, order: ByteOrder, values: &mut Vec<f32>) {
    let each = bytes.chunks_exact(element.bytes());
    match element {
        // Not by way of f64, which would not keep the bits of a signalling NaN.
        Element::F4 => values.extend(each.map(|b| f32::from_le_bytes(order.word(b)))),
        Element::U1 => values.extend(bytes.iter().map(|&b| f32::from(b))),
        other => values.extend(each.map(|b| other.number(b, order) as f32)),
    }
}

/// The values in C order of an array that lies in `values` from `offset` on, neighbours along each axis `strides` apart.
///
/// # Panics
/// If the array reaches beyond `values`, or has not a stride for each size.
///
/// ```
/// // Two rows and three columns, stored a column after the other.
/// let values = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
/// let rows = scotopic_datasets::npy::gather(&values, 0, &[2, 3], &[1, 2]);
/// assert_eq!(rows, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
/// ```
pub fn gather(values: &[f32], offset: usize, shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    let mut from = offset;
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        out.push(values[from]);
        // Count up in C order, carrying from the last axis to the first.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    out
}
