//! Rows of NumPy's arrays.

use std::io::Read;

use npyz::{NpyFile, NpyReader, Order};

use super::SeriesOptions;
use super::column_selection::ColumnSelection;
use crate::{Error, Result};

/// The numbers of an array as `f64`, whatever they are in the file.
enum Numbers<R: Read> {
    F64(NpyReader<f64, R>),
    F32(NpyReader<f32, R>),
    I64(NpyReader<i64, R>),
    I32(NpyReader<i32, R>),
    U8(NpyReader<u8, R>),
}

impl<R: Read> Iterator for Numbers<R> {
    type Item = std::io::Result<f64>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::F64(r) => r.next(),
            Self::F32(r) => r.next().map(|v| v.map(f64::from)),
            Self::I64(r) => r.next().map(|v| v.map(|v| v as f64)),
            Self::I32(r) => r.next().map(|v| v.map(f64::from)),
            Self::U8(r) => r.next().map(|v| v.map(f64::from)),
        }
    }
}

pub(super) struct Rows<R: Read> {
    name: String,
    numbers: Numbers<R>,
    length: u64,
    given: u64,
    width: usize,
    record: Vec<f64>,
    choice: ColumnSelection,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(name: &str, reader: R, options: &SeriesOptions) -> Result<Self> {
        let wrong = |found: String, expected: &str| Error::Row {
            name: name.to_owned(),
            line: 1,
            column: "1".into(),
            found,
            expected: expected.to_owned(),
        };
        let file = NpyFile::new(reader)
            .map_err(|e| wrong(e.to_string(), "an array as numpy.save writes it"))?;
        let (length, width) = match file.shape() {
            &[length] => (length, 1),
            &[length, width] => (length, width as usize),
            other => {
                return Err(wrong(
                    format!("an array of shape {other:?}"),
                    "one dimension (time) or two (time, entry)",
                ));
            }
        };
        if file.order() == Order::Fortran && width > 1 {
            return Err(wrong(
                "columns one after the other".into(),
                "rows: save numpy.ascontiguousarray(x)",
            ));
        }
        /// More columns than any recording has: a header that asks for more is not believed.
        const WIDEST: usize = 1 << 20;
        if width > WIDEST {
            let found = format!("rows of {width} numbers");
            return Err(wrong(found, "at most 1048576 numbers a row"));
        }
        if length == 0 || width == 0 {
            return Err(wrong("no row".into(), "at least one observation"));
        }
        let kind = file.dtype().descr();
        let file = match file.try_data::<f64>() {
            Ok(r) => Ok(Numbers::F64(r)),
            Err(file) => Err(file),
        };
        let file = file.or_else(|f| f.try_data::<f32>().map(Numbers::F32));
        let file = file.or_else(|f| f.try_data::<i64>().map(Numbers::I64));
        let file = file.or_else(|f| f.try_data::<i32>().map(Numbers::I32));
        let numbers = file
            .or_else(|f| f.try_data::<u8>().map(Numbers::U8))
            .map_err(|_| {
                wrong(
                    format!("numbers of type {kind}"),
                    "float64, float32, int64, int32 or uint8",
                )
            })?;
        let choice = ColumnSelection::of(name, &ColumnSelection::numbers(width), options)?;
        Ok(Self {
            name: name.to_owned(),
            numbers,
            length,
            given: 0,
            width,
            record: Vec::new(),
            choice,
        })
    }

    fn at(&self, column: usize, found: impl ToString, expected: impl ToString) -> Error {
        Error::Row {
            name: self.name.clone(),
            line: self.given + 1,
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
        Some(self.length)
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if self.given == self.length {
            return Ok(None);
        }
        self.record.clear();
        for column in 0..self.width {
            match self.numbers.next() {
                Some(Ok(value)) => self.record.push(value),
                other => {
                    let found = match other {
                        Some(Err(e)) => e.to_string(),
                        _ => "the end of the file".into(),
                    };
                    return Err(self.at(
                        column,
                        found,
                        format!("{} rows, as its header says", self.length),
                    ));
                }
            }
        }
        let mut complete = true;
        for &place in &self.choice.places {
            match self.record[place] {
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
