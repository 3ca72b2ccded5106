//! One JSON value a line.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{BufRead, BufReader, Read};

use super::column_selection::ColumnSelection;
use super::json_row::{Reading, Row, Value};
use super::options::Cell;
use super::records::{LONGEST, shown};
use super::writing::Writing;
use super::{Rows, SeriesOptions};
use crate::{Error, Result};

pub(super) struct Lines<R> {
    name: String,
    reader: BufReader<R>,
    /// The line being read, and how far.
    text: String,
    reading: Option<Reading>,
    /// Lines read so far.
    read: u64,
    /// Those with nothing on them between others; none before the first that has something.
    blank: Option<u64>,
    /// Lines of the nulls before the first row that tells the columns, yet to be given out, and that row.
    nulls: VecDeque<u64>,
    first: Option<(u64, Row)>,
    line: u64,
    time: Option<String>,
    width: usize,
    /// The names of an object's fields in the order of the first; none for lists.
    keyed: bool,
    names: Vec<String>,
    columns: ColumnSelection,
    writing: Writing,
    options: SeriesOptions,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(name: &str, reader: R, options: &SeriesOptions) -> Result<Self> {
        let mut lines = Self {
            name: name.to_owned(),
            reader: BufReader::new(reader),
            text: String::new(),
            reading: None,
            read: 0,
            blank: None,
            nulls: VecDeque::new(),
            first: None,
            line: 1,
            time: None,
            width: 0,
            keyed: false,
            names: Vec::new(),
            columns: ColumnSelection::default(),
            writing: Writing::default(),
            // JSON has decimal points.
            options: SeriesOptions {
                decimal_comma: false,
                ..options.clone()
            },
        };
        // Leading nulls say nothing of the columns: they are held until a row does.
        let (line, row) = loop {
            match lines.advance()? {
                Some((line, Row::Single(Value::Missing))) => lines.nulls.push_back(line),
                Some(told) => break told,
                None => {
                    return Err(match lines.nulls.is_empty() {
                        true => lines.wrong("1", "no line", "at least one observation"),
                        false => {
                            lines.wrong("1", "null in every line", "a row that tells the columns")
                        }
                    });
                }
            }
        };
        lines.names = match &row {
            Row::Object(fields) => fields.iter().map(|(key, _)| key.clone()).collect(),
            Row::List(values) => ColumnSelection::numbers(values.len()),
            Row::Single(_) => ColumnSelection::numbers(1),
        };
        lines.keyed = matches!(row, Row::Object(_));
        let mut known = HashSet::new();
        if let Some(twice) = lines.names.iter().find(|name| !known.insert(*name)) {
            return Err(lines.twice(twice));
        }
        lines.first = Some((line, row));
        if lines.names.is_empty() {
            return Err(lines.wrong("1", "an empty row", "at least one number"));
        }
        lines.width = lines.names.len();
        lines.columns = ColumnSelection::of(name, &lines.names, options)?;
        Ok(lines)
    }

    /// The next row and its line.
    fn advance(&mut self) -> Result<Option<(u64, Row)>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let row = reading.next(&self.text);
                let wrong = |(column, found, expected): (usize, String, &'static str)| {
                    self.wrong(&column.to_string(), found, expected)
                };
                match row.map_err(wrong)? {
                    Some(row) => return Ok(Some((self.read, row))),
                    None => self.reading = None,
                }
            }
            if !self.advance_line()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next line that is not blank; false at the end.
    fn advance_line(&mut self) -> Result<bool> {
        for passed in 0.. {
            let mut bytes = std::mem::take(&mut self.text).into_bytes();
            bytes.clear();
            self.read += 1;
            self.line = self.read;
            let read = (&mut self.reader)
                .take(LONGEST as u64)
                .read_until(b'\n', &mut bytes);
            let read = read.map_err(|e| self.wrong("1", e, "a line of text"))?;
            if read == 0 {
                return Ok(false);
            }
            if read >= LONGEST {
                return Err(self.wrong(
                    "1",
                    format!("a line of more than {LONGEST} bytes"),
                    "one JSON value a line",
                ));
            }
            self.text = String::from_utf8(bytes)
                .map_err(|_| self.wrong("1", "bytes that are no text", "lines of text in UTF-8"))?;
            if self.read == 1 && self.text.starts_with('\u{feff}') {
                self.text.drain(..'\u{feff}'.len_utf8());
            }
            self.text.truncate(self.text.trim_end().len());
            if !self.text.is_empty() {
                self.reading = Some(Reading::of(&self.text));
                self.blank = Some(self.blank.map_or(0, |before| before + passed));
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wrong(&self, column: &str, found: impl ToString, expected: impl ToString) -> Error {
        Error::row(&self.name, self.line, column, found, expected)
    }

    /// What is wrong with a row that has two entries of one name.
    fn twice(&self, name: &str) -> Error {
        let found = format!("the name {:?} for the second time", shown(name));
        self.wrong("1", found, "a name of its own for every entry")
    }

    /// Adds the entry of a column to the row, and says what it is.
    fn take(&self, n: usize, value: Option<&Value>, row: &mut Vec<f64>) -> Result<Cell> {
        let (column, symbols) = (&self.columns.names[n], self.options.has_symbols(n));
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
            Some(Value::Beyond(text)) => {
                let found = format!("`{}`", shown(text));
                let expected = "a finite number, or null where it is missing";
                return Err(self.wrong(column, found, expected));
            }
            // Without an alphabet a number is what it is; with one, or for --missing, it is compared as text.
            Some(Value::Number(number) | Value::Long(number, _))
                if !symbols && self.options.missing.is_empty() =>
            {
                Cell::Value(*number)
            }
            Some(Value::Number(number)) => self.options.read(n, &number.to_string()),
            Some(Value::Long(_, text)) => self.options.read(n, text),
            Some(Value::Text(text)) => {
                match !symbols && !self.options.is_missing(text) {
                    // A number in quotes is a text.
                    true => self.options.date(text).map_or(Cell::Other, Cell::Date),
                    false => self.options.read(n, text),
                }
            }
            Some(Value::Truth(truth)) => match symbols {
                false => Cell::Value(f64::from(u8::from(*truth))),
                true => self.options.read(n, &truth.to_string()),
            },
        };
        match cell {
            Cell::Value(number) => row.push(number),
            Cell::Date(date) => row.push(date.days()),
            Cell::Missing => row.push(f64::NAN),
            Cell::Other => {
                let expected = match value {
                    Some(Value::Text(text)) => self.options.expected(n, text),
                    other => self.options.expected(n, &written(other)),
                };
                return Err(self.wrong(column, written(value), expected));
            }
        }
        Ok(cell)
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

    fn has_dates(&self) -> bool {
        self.writing.has_dates()
    }

    fn blank_lines(&self) -> u64 {
        self.blank.unwrap_or(0)
    }

    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>> {
        let next = match self.nulls.pop_front() {
            Some(line) => Some((line, Row::Single(Value::Missing))),
            None => match self.first.take() {
                Some(first) => Some(first),
                None => self.advance()?,
            },
        };
        let Some((line, next)) = next else {
            return Ok(None);
        };
        self.line = line;
        self.time = None;
        let by_name = ByName::of(&next, &self.names).map_err(|twice| self.twice(twice))?;
        let entry = |place: usize| match &next {
            Row::List(values) => values.get(place),
            Row::Object(fields) => by_name.find(fields, place, &self.names[place]),
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
        for (n, (column, &place)) in self
            .columns
            .names
            .iter()
            .zip(&self.columns.places)
            .enumerate()
        {
            let value = entry(place);
            let cell = self.take(n, value, row)?;
            complete &= cell != Cell::Missing;
            let mixed = match cell {
                Cell::Missing => None,
                Cell::Date(date) => self.writing.next(n, Some(date), line).err(),
                _ => self.writing.next(n, None, line).err(),
            };
            if let Some(expected) = mixed {
                return Err(self.wrong(column, written(value), expected));
            }
        }
        let time = self.columns.time.map(|place| match entry(place) {
            Some(Value::Text(text)) => text.clone(),
            other => written(other),
        });
        self.time = time;
        Ok(Some(complete))
    }
}

/// An entry as it is written, for a message.
fn written(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => format!("{:?}", shown(text)),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Beyond(text) | Value::Long(_, text)) => text.clone(),
        Some(Value::Truth(truth)) => truth.to_string(),
        Some(Value::Missing) => "null".to_owned(),
        None => "nothing".to_owned(),
    }
}

/// Where the fields of a row are that has them in another order than the first. Looking for each name among all of them
/// would take for ever in wide rows.
struct ByName<'a>(Option<HashMap<&'a str, &'a Value>>);

impl<'a> ByName<'a> {
    /// # Errors
    /// A name that is there twice.
    fn of(row: &'a Row, names: &[String]) -> std::result::Result<Self, &'a str> {
        let Row::Object(fields) = row else {
            return Ok(Self(None));
        };
        // Those of the first row are all different.
        if fields.iter().map(|(key, _)| key).eq(names) {
            return Ok(Self(None));
        }
        let mut known = HashMap::with_capacity(fields.len());
        for (key, value) in fields {
            if known.insert(&key[..], value).is_some() {
                return Err(key);
            }
        }
        Ok(Self(Some(known)))
    }

    fn find(&self, fields: &'a [(String, Value)], place: usize, name: &str) -> Option<&'a Value> {
        match &self.0 {
            Some(known) => known.get(name).copied(),
            None => fields.get(place).map(|(_, value)| value),
        }
    }
}
