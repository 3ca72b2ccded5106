//! Cells between commas or tabulators.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord};

use super::choice::Choice;
use super::{Rows, SeriesOptions, is_missing};
use crate::{Error, Result};

pub(super) struct Delimited<R> {
    name: String,
    reader: csv::Reader<R>,
    record: StringRecord,
    /// The first record is read to learn the width; if it holds numbers it is given out as the first row.
    held: bool,
    width: usize,
    choice: Choice,
}

impl<R: Read> Delimited<R> {
    pub(super) fn new(
        name: &str,
        reader: R,
        delimiter: u8,
        options: &SeriesOptions,
    ) -> Result<Self> {
        // Rows of another width are found here, with their line, rather than by the reader; and a small
        // buffer is refilled by what is there, so a pipe is answered line by line.
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(reader);
        let mut record = StringRecord::new();
        let some = reader
            .read_record(&mut record)
            .map_err(|e| broken(name, &e))?;
        if !some {
            return Err(Error::Row {
                name: name.to_owned(),
                line: 1,
                column: "1".into(),
                found: "no row".into(),
                expected: "at least one observation".into(),
            });
        }
        let held = record
            .iter()
            .all(|cell| is_missing(cell) || cell.parse::<f64>().is_ok());
        let width = record.len();
        let names = if held {
            Choice::numbers(width)
        } else {
            record.iter().map(str::to_owned).collect()
        };
        let choice = Choice::of(name, &names, options)?;
        Ok(Self {
            name: name.to_owned(),
            reader,
            record,
            held,
            width,
            choice,
        })
    }

    fn at(&self, column: usize, found: impl ToString, expected: impl ToString) -> Error {
        Error::Row {
            name: self.name.clone(),
            line: self.record.position().map_or(0, csv::Position::line),
            column: (column + 1).to_string(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }
}

impl<R: Read> Rows for Delimited<R> {
    fn names(&self) -> &[String] {
        &self.choice.names
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if !std::mem::take(&mut self.held)
            && !self
                .reader
                .read_record(&mut self.record)
                .map_err(|e| broken(&self.name, &e))?
        {
            return Ok(None);
        }
        if self.record.len() != self.width {
            let found = format!("a row of {}", self.record.len());
            return Err(self.at(
                self.record.len().min(self.width),
                found,
                format!("{} cells, as the first row", self.width),
            ));
        }
        let mut complete = true;
        for &place in &self.choice.places {
            let cell = self.record.get(place).unwrap_or_default();
            if is_missing(cell) {
                complete = false;
                continue;
            }
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() => row.push(value),
                _ => {
                    return Err(self.at(
                        place,
                        format!("`{cell}`"),
                        "a finite number, or nothing where it is missing",
                    ));
                }
            }
        }
        Ok(Some(complete))
    }
}

fn broken(name: &str, error: &csv::Error) -> Error {
    Error::Row {
        name: name.to_owned(),
        line: error.position().map_or(0, csv::Position::line),
        column: "1".into(),
        found: error.to_string(),
        expected: "text in UTF-8".into(),
    }
}
