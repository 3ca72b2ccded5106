//! Rows of NumPy's arrays.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::SeriesOptions;
use super::column_selection::ColumnSelection;
use crate::npy::Part;
use crate::npy::header::{Accepted, Element, Header};
use crate::{Error, Result};

const NUMBERS: Accepted = Accepted {
    elements: &[
        Element::F8,
        Element::F4,
        Element::I8,
        Element::I4,
        Element::U1,
    ],
    expected: "float64, float32, int64, int32 or uint8",
};
/// More columns than any recording has: a header that declares more is refused.
const WIDEST: usize = 1 << 20;

pub(super) struct Rows<R: Read> {
    name: String,
    reader: R,
    header: Header,
    length: usize,
    given: usize,
    bytes: Vec<u8>,
    choice: ColumnSelection,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(name: &str, mut reader: R, options: &SeriesOptions) -> Result<Self> {
        let wrong = |found: String, expected: &str| Error::Row {
            name: name.to_owned(),
            line: 1,
            column: "1".into(),
            found,
            expected: expected.to_owned(),
        };
        // A stream: how long it is shows when it ends.
        let part = Part {
            path: Path::new(name),
            part: String::new(),
            length: u64::MAX,
        };
        let header = Header::read(&part, &mut reader, &NUMBERS).map_err(|e| match e {
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
        if header.fortran && width > 1 {
            return Err(wrong(
                "columns one after the other".into(),
                "rows: save numpy.ascontiguousarray(x)",
            ));
        }
        if width > WIDEST {
            let found = format!("rows of {width} numbers");
            return Err(wrong(found, "at most 1048576 numbers a row"));
        }
        if length == 0 || width == 0 {
            return Err(wrong("no row".into(), "at least one observation"));
        }
        let choice = ColumnSelection::of(name, &ColumnSelection::numbers(width), options)?;
        Ok(Self {
            name: name.to_owned(),
            reader,
            bytes: vec![0; width * header.element.bytes()],
            header,
            length,
            given: 0,
            choice,
        })
    }

    fn at(&self, column: usize, found: impl ToString, expected: impl ToString) -> Error {
        Error::Row {
            name: self.name.clone(),
            line: self.given as u64 + 1,
            column: (column + 1).to_string(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }
}

impl<R: Read> super::Rows for Rows<R> {
    fn names(&self) -> &[String] {
        &self.choice.names
    }

    fn total(&self) -> Option<u64> {
        Some(self.length as u64)
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if self.given == self.length {
            return Ok(None);
        }
        let size = self.header.element.bytes();
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
        let mut complete = true;
        for &place in &self.choice.places {
            let bytes = &self.bytes[place * size..][..size];
            match self.header.element.number(bytes, self.header.order) {
                value if value.is_finite() => row.push(value),
                value if value.is_nan() => complete = false,
                value => {
                    return Err(self.at(
                        place,
                        value,
                        "a finite number, or NaN where it is missing",
                    ));
                }
            }
        }
        self.given += 1;
        Ok(Some(complete))
    }
}
