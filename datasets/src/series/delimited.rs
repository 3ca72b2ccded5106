//! Cells between commas or tabulators.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::column_selection::ColumnSelection;
use super::{Rows, SeriesOptions, is_missing};
use crate::{Error, Result};

/// Bytes asked for at a time. A pipe hands over what it has, so rows are still delivered line by line.
const BUFFER: usize = 1 << 16;

/// The most bytes in a row: far above any table, far below what would fill the memory.
const LONGEST: usize = 1 << 26;

pub(super) struct Delimited<R> {
    name: String,
    source: Source<R>,
    /// The first record is read to learn the width; if it holds numbers it is given out as the first row.
    held: bool,
    width: usize,
    choice: ColumnSelection,
}

impl<R: Read> Delimited<R> {
    pub(super) fn new(
        name: &str,
        reader: R,
        delimiter: u8,
        options: &SeriesOptions,
    ) -> Result<Self> {
        let mut source = Source {
            reader,
            parser: ReaderBuilder::new()
                .delimiter(delimiter)
                .comment(Some(b'#'))
                .build(),
            buffer: vec![0; BUFFER],
            filled: 0,
            read: 0,
            text: vec![0; 1 << 10],
            ends: vec![0; 16],
            cells: 0,
            line: 1,
        };
        if !source
            .advance()
            .map_err(|(line, found)| broken(name, line, found))?
        {
            return Err(Error::Row {
                name: name.to_owned(),
                line: 1,
                column: "1".into(),
                found: "no row".into(),
                expected: "at least one observation".into(),
            });
        }
        let cells: Vec<&str> = (0..source.cells).map(|n| source.cell(n)).collect();
        let held = cells
            .iter()
            .all(|cell| is_missing(cell) || cell.parse::<f64>().is_ok());
        let width = cells.len();
        let names = match held {
            true => ColumnSelection::numbers(width),
            false => cells.iter().map(|&cell| cell.to_owned()).collect(),
        };
        let choice = ColumnSelection::of(name, &names, options)?;
        // A header of which most cells are numbers is a row with a slip of the pen.
        let numbers = cells
            .iter()
            .filter(|cell| cell.parse::<f64>().is_ok())
            .count();
        if !held && 2 * numbers >= width {
            let odd = cells
                .iter()
                .position(|cell| !is_missing(cell) && cell.parse::<f64>().is_err());
            let odd = odd.unwrap_or_default();
            return Err(Error::Row {
                name: name.to_owned(),
                line: 1,
                column: (odd + 1).to_string(),
                found: format!("`{}`", cells[odd]),
                expected: "a number as in the rest of the row, or a header of names only".into(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            source,
            held,
            width,
            choice,
        })
    }

    fn at(&self, column: usize, found: impl ToString, expected: impl ToString) -> Error {
        Error::Row {
            name: self.name.clone(),
            line: self.source.line,
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
        if !std::mem::take(&mut self.held) {
            let more = self.source.advance();
            if !more.map_err(|(line, found)| broken(&self.name, line, found))? {
                return Ok(None);
            }
        }
        let cells = self.source.cells;
        if cells != self.width {
            let expected = format!("{} cells, as the first row", self.width);
            return Err(self.at(cells.min(self.width), format!("a row of {cells}"), expected));
        }
        let mut complete = true;
        for &place in &self.choice.places {
            let cell = self.source.cell(place);
            if is_missing(cell) {
                complete = false;
                continue;
            }
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() => row.push(value),
                _ => {
                    let expected = "a finite number, or nothing where it is missing";
                    return Err(self.at(place, format!("`{cell}`"), expected));
                }
            }
        }
        Ok(Some(complete))
    }
}

fn broken(name: &str, line: u64, found: String) -> Error {
    Error::Row {
        name: name.to_owned(),
        line,
        column: "1".into(),
        found,
        expected: "rows of text in UTF-8".into(),
    }
}

/// Records of a byte stream; one is held at a time.
struct Source<R> {
    reader: R,
    parser: Reader,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something, and that were parsed.
    filled: usize,
    read: usize,
    /// The cells of the record one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    /// The line that the record ends in, from 1.
    line: u64,
}

impl<R: Read> Source<R> {
    /// Reads the next record; false at the end. What goes wrong comes with its line.
    fn advance(&mut self) -> std::result::Result<bool, (u64, String)> {
        let (mut written, mut ended) = (0, 0);
        loop {
            if self.read == self.filled {
                self.read = 0;
                self.filled = loop {
                    match self.reader.read(&mut self.buffer) {
                        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                        other => break other.map_err(|e| (self.parser.line(), e.to_string()))?,
                    }
                };
            }
            let input = &self.buffer[self.read..self.filled];
            let (result, taken, more_text, more_ends) =
                self.parser
                    .read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            self.read += taken;
            written += more_text;
            ended += more_ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= LONGEST => {
                    return Err((
                        self.parser.line(),
                        format!("a row of more than {LONGEST} bytes"),
                    ));
                }
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        self.cells = ended;
        // The parser stands behind the end of the line.
        self.line = self.parser.line().saturating_sub(1).max(1);
        if std::str::from_utf8(&self.text[..written]).is_err() {
            return Err((self.line, "bytes that are no text".into()));
        }
        Ok(true)
    }

    /// A cell of the record, without the blanks around it.
    fn cell(&self, n: usize) -> &str {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        // The whole record is text; a cut inside a character cannot be, delimiters being ASCII.
        std::str::from_utf8(&self.text[start..self.ends[n]])
            .unwrap_or_default()
            .trim()
    }
}
