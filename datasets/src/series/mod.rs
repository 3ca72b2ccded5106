//! Series, one row at a time: CSV, JSON lines and npy, from a file or a stream that never ends.
//!
//! | format | a row is | missing |
//! |---|---|---|
//! | CSV, TSV | a record; a first record that is not numbers is the header | an empty cell, `NA`, `N/A`, `NaN`, `null`, `?` |
//! | JSON lines | a number, a list of numbers, or an object of numbers by name | `null` or `NaN`, alone or in the row |
//! | npy | an entry of a one-dimensional array, a row of a two-dimensional one | NaN |
//!
//! Lines with nothing on them, and those that begin with # in CSV, are no rows. A row with any entry missing is
//! missing as a whole, unless [`Series::keep_partly_missing`] says that what is seen of it is wanted: a filter that
//! cannot use half an observation must not be handed one by accident. Nothing is read ahead, so a reader at the end of a
//! pipe delivers rows line by line.
//!
//! ```
//! use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
//! # fn main() -> scotopic_datasets::Result<()> {
//! let text = "time,temperature,pressure\n0,21.5,1013\n1,NA,1012\n";
//! let options = SeriesOptions { columns: vec!["temperature".into(), "3".into()], ..Default::default() };
//! let mut series = Series::from_reader("weather.csv", text.as_bytes(), SeriesFormat::Csv, &options)?;
//! assert_eq!(series.names(), ["temperature", "pressure"]);
//! assert_eq!(series.next_row()?, Some(Some(&[21.5, 1013.0][..])));
//! assert_eq!(series.next_row()?, Some(None)); // missing
//! assert_eq!(series.next_row()?, None); // the end
//! # Ok(()) }
//! ```

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::{Error, Result};

mod array;
mod column_selection;
mod delimited;
mod header;
mod json_row;
mod lines;
mod options;
mod records;
mod samples;
mod time;
mod writing;

pub use options::{Header, SeriesOptions};
pub use samples::SampleSeries;
pub use time::Time;

use column_selection::ColumnSelection;

#[cfg(test)]
mod tests;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesFormat {
    /// Cells between commas.
    Csv,
    /// Cells between tabulators.
    Tsv,
    /// One JSON value a line.
    JsonLines,
    /// NumPy's array format.
    Npy,
}

impl SeriesFormat {
    /// What the ending of a file's name says.
    ///
    /// ```
    /// use scotopic_datasets::series::SeriesFormat;
    /// assert_eq!(SeriesFormat::of("a/quakes.jsonl".as_ref()), Some(SeriesFormat::JsonLines));
    /// assert_eq!(SeriesFormat::of("one-number-a-line.txt".as_ref()), Some(SeriesFormat::Csv));
    /// assert_eq!(SeriesFormat::of("notes.md".as_ref()), None);
    /// ```
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" | "txt" | "dat" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "npy" => Some(Self::Npy),
            _ => None,
        }
    }
}

/// A source of rows.
trait Rows {
    /// The columns that are taken.
    fn columns(&self) -> &ColumnSelection;
    /// The line of the row given out last, from 1; of an array, the row.
    fn line(&self) -> u64;
    /// The time of the row given out last, as it is written.
    fn time(&self) -> Option<&str>;
    /// Whether a cell that was a date has been given out.
    fn has_dates(&self) -> bool {
        false
    }
    /// Lines with nothing on them between rows so far, of text.
    fn blank_lines(&self) -> u64 {
        0
    }
    /// Replaces `row` by the next one. `None` at the end, else whether the row is complete.
    fn next_into(&mut self, row: &mut Vec<f64>) -> Result<Option<bool>>;
    /// The number of rows, where the format says it beforehand.
    fn total(&self) -> Option<u64> {
        None
    }
}

/// Observations being read.
pub struct Series {
    name: String,
    rows: Box<dyn Rows>,
    row: Vec<f64>,
    order: time::Order,
    time: Option<Time>,
    /// The time of the newest row where it is also among the data: with a decimal point, whatever the table has.
    taken: Option<String>,
    partly: bool,
    decimal_comma: bool,
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series")
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

impl Series {
    /// The rows of a file whose name gives the format.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Setting`] for a name without a known format, [`Error::Row`] for
    /// a file without rows or a column that it has not.
    pub fn open(path: &Path, options: &SeriesOptions) -> Result<Self> {
        let format = SeriesFormat::of(path).ok_or_else(|| {
            let expected = "a name ending in .csv, .tsv, .jsonl or .npy, or a format that is named";
            Error::setting("series", "path", path.display(), expected)
        })?;
        Self::open_as(path, format, options)
    }

    /// The rows of a file in a given format.
    ///
    /// # Errors
    /// As [`Series::open`].
    pub fn open_as(path: &Path, format: SeriesFormat, options: &SeriesOptions) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        Self::from_reader(
            &path.display().to_string(),
            BufReader::new(file),
            format,
            options,
        )
    }

    /// The rows of a stream; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Series::open`].
    pub fn from_reader(
        name: &str,
        reader: impl Read + 'static,
        format: SeriesFormat,
        options: &SeriesOptions,
    ) -> Result<Self> {
        options.check()?;
        let table = |reader, delimiter| delimited::Delimited::new(name, reader, delimiter, options);
        let between_cells = options
            .delimiter
            .unwrap_or(match (format, options.decimal_comma) {
                (SeriesFormat::Tsv, _) => b'\t',
                (_, true) => b';',
                (_, false) => b',',
            });
        let rows: Box<dyn Rows> = match format {
            SeriesFormat::Csv | SeriesFormat::Tsv => Box::new(table(reader, between_cells)?),
            SeriesFormat::JsonLines => Box::new(lines::Lines::new(name, reader, options)?),
            SeriesFormat::Npy => Box::new(array::Rows::new(name, reader, options)?),
        };
        Ok(Self {
            name: name.to_owned(),
            row: Vec::with_capacity(rows.columns().names.len()),
            rows,
            order: time::Order::default(),
            time: None,
            taken: None,
            partly: false,
            decimal_comma: options.decimal_comma
                && matches!(format, SeriesFormat::Csv | SeriesFormat::Tsv),
        })
    }

    /// The names of the columns that are taken, in order; numbers from 1 where the file names none.
    pub fn names(&self) -> &[String] {
        &self.rows.columns().names
    }

    /// The entries of a row.
    pub fn width(&self) -> usize {
        self.names().len()
    }

    /// The number of rows, where the format says it beforehand (npy).
    pub fn total(&self) -> Option<u64> {
        self.rows.total()
    }

    /// Rows of which some entries are missing come as they are, with NaN for those, if `keep`; a row of nothing but
    /// missing entries is missing in any case.
    ///
    /// ```
    /// use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let text = "1,NA\n,\n";
    /// let mut series = Series::from_reader("two.csv", text.as_bytes(), SeriesFormat::Csv, &SeriesOptions::default())?;
    /// series.keep_partly_missing(true);
    /// let row = series.next_row()?.flatten().unwrap();
    /// assert!(row[0] == 1.0 && row[1].is_nan());
    /// assert_eq!(series.next_row()?, Some(None));
    /// # Ok(()) }
    /// ```
    pub fn keep_partly_missing(&mut self, keep: bool) {
        self.partly = keep;
    }

    /// The next row: `None` at the end, `Some(None)` if it is missing.
    ///
    /// # Errors
    /// [`Error::Row`] with the line and column of what is no number or has not the width of the first row.
    pub fn next_row(&mut self) -> Result<Option<Option<&[f64]>>> {
        self.row.clear();
        let Some(complete) = self.rows.next_into(&mut self.row)? else {
            return Ok(None);
        };
        if self.time_is_taken() {
            let text = self.rows.time().map(str::trim);
            let text = text.map(|text| match self.decimal_comma {
                true => text.replace(',', "."),
                false => text.to_owned(),
            });
            self.time = text.as_deref().and_then(Time::parse);
            self.taken = text.filter(|_| self.time.is_some());
        } else if let Some(text) = self.rows.time() {
            let time = match self.decimal_comma && options::is_pointed(text) {
                true => Err("a time with a decimal comma, if any: a point separates thousands"),
                false => self.order.next(text),
            };
            let wrong = |expected| {
                Error::row(
                    &self.name,
                    self.rows.line(),
                    self.rows.columns().time_name(),
                    format!("`{}`", records::shown(text)),
                    expected,
                )
            };
            self.time = Some(time.map_err(wrong)?);
        }
        let seen = complete || self.partly && self.row.iter().any(|v| !v.is_nan());
        Ok(Some(seen.then_some(&self.row[..])))
    }

    /// Whether the column of times is among those of the data, for a model that is given it: its order is then not checked here, and a
    /// time may be missing.
    pub fn time_is_taken(&self) -> bool {
        self.rows.columns().time_is_taken()
    }

    /// The line of the newest row, from 1; of an array, the row.
    pub fn line(&self) -> u64 {
        self.rows.line()
    }

    /// The time of the newest row as it is written, where a column of times is named.
    pub fn time_text(&self) -> Option<&str> {
        match self.time_is_taken() {
            true => self.taken.as_deref(),
            false => self.rows.time(),
        }
    }

    /// The time of the newest row.
    pub fn time(&self) -> Option<Time> {
        self.time
    }

    /// Whether a column of the rows so far has dates, in days ([`SeriesOptions::dates`]).
    pub fn has_dates(&self) -> bool {
        self.rows.has_dates()
    }

    /// Lines with nothing on them between the first row of a table, or of JSON lines, and the newest: they are no rows, and may have been meant as missing
    /// ones. A missing row of one column is written `NA` or `""`.
    ///
    /// ```
    /// use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let text = "y\n1\n\nNA\n\"\"\n2\n\n";
    /// let mut series = Series::from_reader("y.csv", text.as_bytes(), SeriesFormat::Csv, &SeriesOptions::default())?;
    /// let mut rows = 0;
    /// while series.next_row()?.is_some() {
    ///     rows += 1;
    /// }
    /// assert_eq!((rows, series.blank_lines()), (4, 1));
    /// # Ok(()) }
    /// ```
    pub fn blank_lines(&self) -> u64 {
        self.rows.blank_lines()
    }

    /// How many steps of the time so far were longer than one and a half of the usual one, the shortest: rows that are not there.
    pub fn gaps(&self) -> u64 {
        self.order.gaps
    }

    /// How many steps of the time there were so far.
    pub fn steps(&self) -> u64 {
        self.order.steps
    }
}
