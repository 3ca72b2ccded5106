//! Rows of NumPy's arrays.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::SeriesOptions;
use super::column_selection::ColumnSelection;
use super::options::Cell;
use crate::npy::Part;
use crate::npy::header::Header;
use crate::{Error, Result};

/// More columns than any recording has: a header that declares more is refused. (At 8 bytes a number, 8 MiB a row.)
const WIDEST: usize = 1 << 20;

pub(super) struct Rows<R: Read> {
    name: String,
    reader: R,
    header: Header,
    length: usize,
    given: usize,
    bytes: Vec<u8>,
    columns: ColumnSelection,
    /// All bytes of an array in Fortran order.
    whole: Option<Vec<u8>>,
    time: Option<String>,
    options: SeriesOptions,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(name: &str, mut reader: R, options: &SeriesOptions) -> Result<Self> {
        let wrong = |found: String, expected: &str| Error::row(name, 1, "1", found, expected);
        // A stream: how long it is shows when it ends.
        let part = Part {
            path: Path::new(name),
            part: String::new(),
            length: u64::MAX,
        };
        let header = Header::read(&part, &mut reader).map_err(|e| match e {
            Error::Format {
                found, expected, ..
            } => wrong(found, &expected),
            other => other,
        })?;
        let (length, width) = match header.shape[..] {
            [length] => (length, 1),
            [length, width] => (length, width),
            ref other => {
                return Err(wrong(
                    format!("an array of shape {other:?}"),
                    "one dimension (time) or two (time, entry)",
                ));
            }
        };
        if width > WIDEST {
            let found = format!("rows of {width} numbers");
            return Err(wrong(found, "at most 1048576 numbers a row"));
        }
        if length == 0 || width == 0 {
            return Err(wrong("no row".into(), "at least one observation"));
        }
        // Columns one after the other: the last row is complete when all has been read.
        let whole = match header.fortran && width > 1 {
            true => Some(
                read_whole(&mut reader, header.count, header.element.bytes())
                    .map_err(|found| wrong(found, "as many values as its header says"))?,
            ),
            false => None,
        };
        let mut rows = Self {
            name: name.to_owned(),
            reader,
            bytes: vec![0; width * header.element.bytes()],
            header,
            length,
            given: 0,
            columns: ColumnSelection::default(),
            whole,
            time: None,
            options: SeriesOptions {
                decimal_comma: false,
                ..options.clone()
            },
        };
        // Columns are named only once a row is known to have as many: a name is longer than a number.
        rows.advance()?;
        rows.columns = ColumnSelection::of(name, &ColumnSelection::numbers(width), options)?;
        Ok(rows)
    }

    fn at(&self, column: usize, found: impl ToString, expected: impl ToString) -> Error {
        let column = (column + 1).to_string();
        Error::row(&self.name, self.given as u64 + 1, &column, found, expected)
    }

    /// Reads the next row into `bytes`.
    fn advance(&mut self) -> Result<()> {
        let size = self.header.element.bytes();
        if let Some(whole) = &self.whole {
            for (column, to) in self.bytes.chunks_exact_mut(size).enumerate() {
                to.copy_from_slice(&whole[(column * self.length + self.given) * size..][..size]);
            }
            return Ok(());
        }
        let mut got = 0;
        while got < self.bytes.len() {
            let found = match self.reader.read(&mut self.bytes[got..]) {
                Ok(0) => "the end of the file".into(),
                Ok(n) => {
                    got += n;
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => e.to_string(),
            };
            let expected = format!("{} rows, as its header says", self.length);
            return Err(self.at(got / size, found, expected));
        }
        Ok(())
    }
}

/// Reads as many values as a header declares, without trust in that number.
fn read_whole(
    reader: &mut impl Read,
    count: usize,
    size: usize,
) -> std::result::Result<Vec<u8>, String> {
    let declared = count
        .checked_mul(size)
        .ok_or("more values than can be counted")?;
    let mut bytes = Vec::new();
    reader
        .take(declared as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    match bytes.len() == declared {
        true => Ok(bytes),
        false => Err(format!("{} bytes of values", bytes.len())),
    }
}

impl<R: Read> super::Rows for Rows<R> {
    fn columns(&self) -> &ColumnSelection {
        &self.columns
    }

    fn line(&self) -> u64 {
        self.given as u64
    }

    fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    fn total(&self) -> Option<u64> {
        Some(self.length as u64)
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if self.given == self.length {
            return match self.reader.read(&mut [0]) {
                Ok(1) => {
                    let expected = "one array in a file: np.savez keeps several, by name";
                    Err(self.at(0, "more bytes than the header says", expected))
                }
                _ => Ok(None),
            };
        }
        // The first was read to begin with.
        if self.given > 0 {
            self.advance()?;
        }
        let size = self.header.element.bytes();
        let number = |place: usize| {
            let bytes = &self.bytes[place * size..][..size];
            self.header.element.number(bytes, self.header.order)
        };
        let mut complete = true;
        for (n, &place) in self.columns.places.iter().enumerate() {
            let value = number(place);
            let plain = !self.options.has_symbols(n) && self.options.missing.is_empty();
            let cell = match plain {
                _ if value.is_nan() => Cell::Missing,
                true if value.is_finite() => Cell::Value(value),
                true => Cell::Other,
                false => self.options.read(n, &value.to_string()),
            };
            match cell {
                Cell::Value(value) => row.push(value),
                Cell::Date(date) => row.push(date.days()),
                Cell::Missing => {
                    row.push(f64::NAN);
                    complete = false;
                }
                Cell::Other => {
                    let expected = self.options.expected(n, &value.to_string());
                    return Err(self.at(place, value, expected));
                }
            }
        }
        self.time = self.columns.time.map(|place| number(place).to_string());
        self.given += 1;
        Ok(Some(complete))
    }
}
