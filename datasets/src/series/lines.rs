//! One JSON value a line.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};

use super::column_selection::ColumnSelection;
use super::json_row::{self, Row, Value};
use super::options::Cell;
use super::records::LONGEST;
use super::{Rows, SeriesOptions};
use crate::{Error, Result};

pub(super) struct Lines<R> {
    name: String,
    reader: BufReader<R>,
    text: Vec<u8>,
    /// Lines read so far.
    read: u64,
    /// Rows that were read and are yet to be given out, with their lines: those before the first that tells the columns, and
    /// all of a line that holds several.
    held: VecDeque<(u64, Row)>,
    line: u64,
    time: Option<String>,
    width: usize,
    /// The names of an object's fields in the order of the first; none for lists.
    keyed: bool,
    names: Vec<String>,
    columns: ColumnSelection,
    options: SeriesOptions,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(name: &str, reader: R, options: &SeriesOptions) -> Result<Self> {
        let mut lines = Self {
            name: name.to_owned(),
            reader: BufReader::new(reader),
            text: Vec::new(),
            read: 0,
            held: VecDeque::new(),
            line: 1,
            time: None,
            width: 0,
            keyed: false,
            names: Vec::new(),
            columns: ColumnSelection::default(),
            options: options.clone(),
        };
        // Leading nulls say nothing of the columns: they are held until a row does.
        loop {
            if !lines.advance()? {
                return Err(match lines.held.is_empty() {
                    true => lines.wrong("1", "no line", "at least one observation"),
                    false => lines.wrong("1", "null in every line", "a row that tells the columns"),
                });
            }
            let told = lines
                .held
                .iter()
                .find(|(_, row)| *row != Row::Single(Value::Missing));
            let Some((_, row)) = told else { continue };
            lines.names = match row {
                Row::Object(fields) => fields.iter().map(|(key, _)| key.clone()).collect(),
                Row::List(values) => ColumnSelection::numbers(values.len()),
                Row::Single(_) => ColumnSelection::numbers(1),
            };
            lines.keyed = matches!(row, Row::Object(_));
            break;
        }
        if lines.names.is_empty() {
            return Err(lines.wrong("1", "an empty row", "at least one number"));
        }
        lines.width = lines.names.len();
        lines.columns = ColumnSelection::of(name, &lines.names, options)?;
        Ok(lines)
    }

    /// Reads the next line that is not blank and holds its rows; false at the end.
    fn advance(&mut self) -> Result<bool> {
        loop {
            self.text.clear();
            self.read += 1;
            self.line = self.read;
            let bytes = (&mut self.reader)
                .take(LONGEST as u64)
                .read_until(b'\n', &mut self.text);
            let bytes = bytes.map_err(|e| self.wrong("1", e, "a line of text"))?;
            if bytes == 0 {
                return Ok(false);
            }
            if bytes >= LONGEST {
                return Err(self.wrong(
                    "1",
                    format!("a line of more than {LONGEST} bytes"),
                    "one JSON value a line",
                ));
            }
            let Ok(text) = std::str::from_utf8(&self.text) else {
                return Err(self.wrong("1", "bytes that are no text", "lines of text in UTF-8"));
            };
            let text = if self.read == 1 {
                text.trim_start_matches('\u{feff}')
            } else {
                text
            };
            let text = text.trim_end();
            if text.is_empty() {
                continue;
            }
            let rows = json_row::parse(text).map_err(|(column, found, expected)| {
                self.wrong(&column.to_string(), found, expected)
            })?;
            if rows.is_empty() {
                continue;
            }
            self.held
                .extend(rows.into_iter().map(|row| (self.read, row)));
            return Ok(true);
        }
    }

    fn wrong(&self, column: &str, found: impl ToString, expected: impl ToString) -> Error {
        Error::row(&self.name, self.line, column, found, expected)
    }

    /// Adds one entry to the row; false if it is missing.
    fn take(&self, column: &str, value: Option<&Value>, row: &mut Vec<f64>) -> Result<bool> {
        let cell = match value {
            None => {
                return Err(self.wrong(
                    column,
                    "nothing",
                    "a number in every row, or null where it is missing",
                ));
            }
            Some(Value::Missing) => Cell::Missing,
            Some(Value::Number(number)) if !number.is_finite() => {
                return Err(self.wrong(
                    column,
                    number,
                    "a finite number, or null where it is missing",
                ));
            }
            // Without an alphabet a number is what it is; with one, or for --missing, it is compared as text.
            Some(Value::Number(number))
                if self.options.alphabet.is_empty() && self.options.missing.is_empty() =>
            {
                Cell::Value(*number)
            }
            Some(Value::Number(number)) => self.options.read(&number.to_string()),
            Some(Value::Text(text)) => {
                match self.options.alphabet.is_empty() && !self.options.is_missing(text) {
                    true => Cell::Other,
                    false => self.options.read(text),
                }
            }
            Some(Value::Truth(truth)) => match self.options.alphabet.is_empty() {
                true => Cell::Value(f64::from(u8::from(*truth))),
                false => self.options.read(&truth.to_string()),
            },
        };
        match cell {
            Cell::Value(value) => row.push(value),
            Cell::Missing => return Ok(false),
            Cell::Other => {
                let text = match value {
                    Some(Value::Text(text)) => format!("{text:?}"),
                    Some(Value::Number(number)) => number.to_string(),
                    other => format!("{other:?}"),
                };
                return Err(self.wrong(column, &text, self.options.expected(&text)));
            }
        }
        Ok(true)
    }
}

impl<R: Read> Rows for Lines<R> {
    fn columns(&self) -> &ColumnSelection {
        &self.columns
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        if self.held.is_empty() && !self.advance()? {
            return Ok(None);
        }
        let Some((line, next)) = self.held.pop_front() else {
            return Ok(None);
        };
        self.line = line;
        self.time = None;
        let entry = |place: usize| match &next {
            Row::List(values) => values.get(place),
            Row::Object(fields) => fields
                .iter()
                .find(|(key, _)| *key == self.names[place])
                .map(|(_, value)| value),
            Row::Single(value) => Some(value),
        };
        match &next {
            Row::Single(Value::Missing) => return Ok(Some(false)),
            Row::Single(_) if self.width == 1 => {}
            Row::List(values) if values.len() == self.width && !self.keyed => {}
            Row::Object(_) if self.keyed => {}
            Row::List(values) if !self.keyed => {
                let expected = format!("{} entries, as in the first row", self.width);
                return Err(self.wrong("1", format!("a row of {}", values.len()), expected));
            }
            _ => {
                let form = if self.keyed { "an object" } else { "a list" };
                return Err(self.wrong(
                    "1",
                    "a row of another form",
                    format!("{form}, as in the first row"),
                ));
            }
        }
        let mut complete = true;
        for (name, &place) in self.columns.names.iter().zip(&self.columns.places) {
            complete &= self.take(name, entry(place), row)?;
        }
        let time = self.columns.time.and_then(entry).map(|value| match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        });
        self.time = time;
        Ok(Some(complete))
    }
}
