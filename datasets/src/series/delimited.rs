//! Cells between delimiters.

use std::collections::VecDeque;
use std::io::Read;

use super::column_selection::ColumnSelection;
use super::header::{Verdict, decide, place_taken};
use super::options::{Cell, OTHER_DELIMITER, looks_separated};
use super::records::{Broken, Records, shown};
use super::writing::Writing;
use super::{Rows, SeriesOptions};
use crate::{Error, Result};

pub(super) struct Delimited<R> {
    name: String,
    records: Records<R>,
    /// Rows that were read to decide on the header and are yet to be given out, with their lines.
    held: VecDeque<(u64, Vec<String>)>,
    /// The row given out last, where it was a held one.
    current: Option<(u64, Vec<String>)>,
    width: usize,
    columns: ColumnSelection,
    writing: Writing,
    options: SeriesOptions,
}

impl<R: Read> Delimited<R> {
    pub(super) fn new(
        name: &str,
        reader: R,
        delimiter: u8,
        options: &SeriesOptions,
    ) -> Result<Self> {
        let mut records = Records::new(reader, delimiter);
        let broken =
            |(line, found): Broken| Error::row(name, line, "1", found, "rows of text in UTF-8");
        if !records.advance().map_err(broken)? {
            return Err(Error::row(
                name,
                1,
                "1",
                "no row",
                "at least one observation",
            ));
        }
        let (line, first) = (records.line(), records.all());
        let cells: Vec<&str> = first.iter().map(String::as_str).collect();
        let mut held = VecDeque::new();
        let mut verdict = decide(&cells, None, options);
        if matches!(verdict, Verdict::Undecided) || verdict == Verdict::Names {
            // A table of names only has nothing to tell, and a header is judged by what is under it.
            if !records.advance().map_err(broken)? {
                return Err(Error::row(
                    name,
                    line,
                    "1",
                    "a header and no row under it",
                    "at least one observation",
                ));
            }
            let second = records.all();
            let under: Vec<&str> = second.iter().map(String::as_str).collect();
            verdict = decide(&cells, Some(&under), options);
            held.push_back((records.line(), second));
        }
        let width = first.len();
        let names = match verdict {
            Verdict::Names => first.clone(),
            Verdict::Neither(odd) => {
                let expected = format!(
                    "{}, or a header of names over numbers; --header says what the first row is, --alphabet what words stand for",
                    options.expected(place_taken(options, odd), &first[odd])
                );
                return Err(Error::row(
                    name,
                    line,
                    &(odd + 1).to_string(),
                    format!("`{}`", shown(&first[odd])),
                    expected,
                ));
            }
            Verdict::Observation | Verdict::Undecided => ColumnSelection::numbers(width),
        };
        let columns = ColumnSelection::of(name, &names, options)?;
        if verdict != Verdict::Names {
            held.push_front((line, first));
        }
        Ok(Self {
            name: name.to_owned(),
            records,
            held,
            current: None,
            width,
            columns,
            writing: Writing::default(),
            options: options.clone(),
        })
    }

    fn cell(&self, n: usize) -> &str {
        match &self.current {
            Some((_, cells)) => &cells[n],
            None => self.records.cell(n),
        }
    }
}

impl<R: Read> Rows for Delimited<R> {
    fn columns(&self) -> &ColumnSelection {
        &self.columns
    }

    fn line(&self) -> u64 {
        self.current
            .as_ref()
            .map_or(self.records.line(), |(line, _)| *line)
    }

    fn time(&self) -> Option<&str> {
        self.columns.time.map(|place| self.cell(place))
    }

    fn blank_lines(&self) -> u64 {
        self.records.blank_lines()
    }

    fn has_dates(&self) -> bool {
        self.writing.has_dates()
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        self.current = self.held.pop_front();
        let cells = match &self.current {
            Some((_, cells)) => cells.len(),
            None => {
                let more = self.records.advance();
                let broken = |(line, found): Broken| {
                    Error::row(&self.name, line, "1", found, "rows of text in UTF-8")
                };
                if !more.map_err(broken)? {
                    return Ok(None);
                }
                self.records.len()
            }
        };
        if cells != self.width {
            let column = (cells.min(self.width) + 1).to_string();
            let advice = match self.columns.names.iter().any(|name| looks_separated(name)) {
                true => OTHER_DELIMITER,
                false => "",
            };
            let cells_of = match self.width {
                1 => "1 cell".to_owned(),
                width => format!("{width} cells"),
            };
            let expected = format!("{cells_of}, as in the first row{advice}");
            return Err(Error::row(
                &self.name,
                self.line(),
                &column,
                format!("a row of {cells}"),
                expected,
            ));
        }
        let (mut complete, line) = (true, self.line());
        for n in 0..self.columns.places.len() {
            let cell = self.cell(self.columns.places[n]);
            let wrong = match self.options.read(n, cell) {
                Cell::Value(value) => {
                    row.push(value);
                    self.writing.next(n, None, line).err()
                }
                Cell::Date(date) => {
                    row.push(date.days());
                    self.writing.next(n, Some(date), line).err()
                }
                Cell::Missing => {
                    row.push(f64::NAN);
                    complete = false;
                    None
                }
                Cell::Other => Some(self.options.expected(n, cell)),
            };
            if let Some(expected) = wrong {
                let column = &self.columns.names[n];
                let found = format!("`{}`", shown(self.cell(self.columns.places[n])));
                return Err(Error::row(&self.name, line, column, found, expected));
            }
        }
        Ok(Some(complete))
    }
}
