//! One JSON value per line.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::column_selection::ColumnSelection;
use super::{Rows, SeriesOptions};
use crate::{Error, Result};

pub(super) struct Lines<R> {
    name: String,
    reader: BufReader<R>,
    text: String,
    line: u64,
    /// The first line is read to learn its columns.
    held: bool,
    width: usize,
    choice: ColumnSelection,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(name: &str, reader: R, options: &SeriesOptions) -> Result<Self> {
        let choice = ColumnSelection {
            places: Vec::new(),
            names: Vec::new(),
        };
        let reader = BufReader::new(reader);
        let mut lines = Self {
            name: name.to_owned(),
            reader,
            text: String::new(),
            line: 0,
            held: true,
            width: 0,
            choice,
        };
        if !lines.advance()? {
            return Err(lines.at("1", "no line", "at least one observation"));
        }
        let names = match lines.value()? {
            Value::Object(fields) => fields.keys().cloned().collect(),
            Value::Array(items) => ColumnSelection::numbers(items.len()),
            // A first line that is missing altogether says nothing of the columns: one is assumed.
            _ => ColumnSelection::numbers(1),
        };
        if names.is_empty() {
            return Err(lines.at("1", "an empty row", "at least one number"));
        }
        lines.width = names.len();
        lines.choice = ColumnSelection::of(name, &names, options)?;
        Ok(lines)
    }

    /// Goes to the next line that is not blank; false at the end.
    fn advance(&mut self) -> Result<bool> {
        loop {
            self.text.clear();
            self.line += 1;
            let read = self.reader.read_line(&mut self.text);
            let bytes = read.map_err(|e| self.at("1", e, "a line of text in UTF-8"))?;
            if bytes == 0 {
                return Ok(false);
            }
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    fn value(&self) -> Result<Value> {
        serde_json::from_str(&self.text)
            .map_err(|e| self.at(e.column(), e, "one JSON value a line"))
    }

    fn at(&self, column: impl ToString, found: impl ToString, expected: impl ToString) -> Error {
        Error::Row {
            name: self.name.clone(),
            line: self.line,
            column: column.to_string(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Adds one entry to the row; false if it is missing.
    fn take(&self, name: &str, value: Option<&Value>, row: &mut Vec<f64>) -> Result<bool> {
        match value {
            Some(Value::Null) => Ok(false),
            Some(Value::Number(n)) if n.as_f64().is_some_and(f64::is_finite) => {
                row.extend(n.as_f64());
                Ok(true)
            }
            Some(other) => {
                Err(self.at(name, other, "a finite number, or null where it is missing"))
            }
            None => Err(self.at(
                name,
                "nothing",
                "a number in every row, or null where it is missing",
            )),
        }
    }
}

impl<R: Read> Rows for Lines<R> {
    fn names(&self) -> &[String] {
        &self.choice.names
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if !std::mem::take(&mut self.held) && !self.advance()? {
            return Ok(None);
        }
        let value = self.value()?;
        let mut complete = true;
        match &value {
            Value::Null => complete = false,
            Value::Object(fields) => {
                for name in &self.choice.names {
                    complete &= self.take(name, fields.get(name), row)?;
                }
            }
            Value::Array(items) => {
                if items.len() != self.width {
                    let found = format!("a row of {}", items.len());
                    return Err(self.at(
                        "1",
                        found,
                        format!("{} numbers, as the first line", self.width),
                    ));
                }
                for (name, &place) in self.choice.names.iter().zip(&self.choice.places) {
                    complete &= self.take(name, items.get(place), row)?;
                }
            }
            single if self.width == 1 => complete = self.take("1", Some(single), row)?,
            other => {
                return Err(self.at(
                    "1",
                    other,
                    format!("a row of {}, as the first line", self.width),
                ));
            }
        }
        Ok(Some(complete))
    }
}
