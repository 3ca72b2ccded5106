//! The source of observations: a file or standard input.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use scotopic_datasets::series::{Header, Series, SeriesFormat, SeriesOptions};
use scotopic_filtering::Sequence;

use super::columns::{entries, followed_by};
use super::data_format::DataFormat;
use super::left_out::tell_left_out;
use super::places::{Lines, column, from_one};
use super::spikes::{self, SpikeArgs};
use super::streams::is_read_once;
use super::time_names::is_like_a_time;
use crate::signals::{Interruptible, Stop};
use crate::usage::UsageError;

/// Format and columns of the data; shared by all commands that read series.
#[derive(Debug, Clone, Default, Args)]
pub struct Source {
    /// Format of the data [default: by the file extension; csv on standard input]
    #[arg(
        long,
        help_heading = "Reading the data",
        value_enum,
        value_name = "FORMAT"
    )]
    pub format: Option<DataFormat>,
    /// Columns to read, by name or by number from 1; a name with a comma in quotes [default: all but the time]
    #[arg(long, help_heading = "Reading the data", value_name = "LIST")]
    pub columns: Option<String>,
    /// Column of times (numbers or ISO dates): never predicted, checked for its order, written beside the beliefs [default: the
    /// times that a model of continuous time is given]
    #[arg(long, help_heading = "Reading the data", value_name = "NAME")]
    pub time: Option<String>,
    /// Whether the first row of a table names the columns [default: by the columns read and the row under it]
    #[arg(
        long,
        help_heading = "Reading the data",
        value_enum,
        value_name = "HEADER",
        default_value = "auto",
        hide_default_value = true
    )]
    pub header: HeaderArg,
    /// Delimiter of the cells of a table: one character, or tab [default: by the format]
    #[arg(long, help_heading = "Reading the data", value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// Numbers have a decimal comma; cells are then separated by semicolons
    #[arg(long, help_heading = "Reading the data")]
    pub decimal_comma: bool,
    /// Cells that mean missing, beside empty ones, NA, N/A, NaN, null and ?: for example .,-999; a blank line is no row
    #[arg(
        long,
        help_heading = "Reading the data",
        value_name = "LIST",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub missing: Vec<String>,
    /// Symbols that the cells of observations stand for, in the order 0, 1, …: for example left,right. It does not apply to inputs
    #[arg(
        long,
        help_heading = "Reading the data",
        value_name = "LIST",
        value_delimiter = ','
    )]
    pub alphabet: Vec<String>,
    /// Spike times.
    #[command(flatten)]
    pub spikes: SpikeArgs,
    /// Columns that a model is given: they follow the others in a row. Of the model, not of the command line.
    #[arg(skip)]
    pub given: Vec<String>,
    /// The symbols that the file of a model names. Of the model, not of the command line.
    #[arg(skip)]
    pub symbols: Vec<String>,
    /// Whether dates are numbers of days, where a model may be given times.
    #[arg(skip)]
    pub dates: bool,
}

/// Whether the first row of a table names the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum HeaderArg {
    /// By the columns read and the row under it
    #[default]
    Auto,
    /// The first row has names
    Yes,
    /// The first row is data
    No,
}

fn delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        [byte]
            if byte.is_ascii()
                && !byte.is_ascii_alphanumeric()
                && !matches!(byte, b'"' | b'#' | b'-' | b'.') =>
        {
            Ok(*byte)
        }
        _ => anyhow::bail!("expected one character such as ; or the word tab"),
    }
}

impl Source {
    /// What to call the times: the name of their column, or "time" where it was given by its number.
    pub fn time_name(&self) -> &str {
        let name = self.time.as_deref().unwrap_or_default();
        match name.is_empty() || name.bytes().all(|b| b.is_ascii_digit()) {
            true => "time",
            false => name,
        }
    }

    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// If there is nothing to read, or no such column.
    pub fn open(&self, path: &Path) -> Result<Series> {
        self.open_with(path, None, false)
    }

    /// As [`Source::open`], with NaN for the missing entries of a row that has others; standard input ends with an error as
    /// soon as a signal comes.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open_until(&self, path: &Path, stop: Option<&Stop>) -> Result<Series> {
        self.open_with(path, stop, true)
    }

    /// The same source for a model whose inputs are the columns `names`: they are read after the outputs, which are the columns
    /// of `--columns` that are none of them, or all other columns.
    pub fn given(&self, names: &[String]) -> Self {
        Self {
            given: names.to_vec(),
            dates: !names.is_empty(),
            ..self.clone()
        }
    }

    /// The same source for a model that was fitted to these symbols.
    pub fn with_symbols(&self, symbols: Vec<String>) -> Self {
        Self {
            symbols,
            ..self.clone()
        }
    }

    /// The symbols that 0, 1, … stand for: those of --alphabet, or of the model; none for numbers.
    pub fn symbols(&self) -> &[String] {
        match self.alphabet.is_empty() || self.spikes.bin.is_some() {
            true => &self.symbols,
            false => &self.alphabet,
        }
    }

    /// What `--columns` says.
    fn columns(&self) -> Result<Option<Vec<String>>> {
        let columns = self.columns.as_deref();
        columns.map(|list| entries("--columns", list)).transpose()
    }

    /// The columns to read of a file, in their order; none for all.
    fn selected(&self, path: &Path) -> Result<Vec<String>> {
        let outputs = match self.columns()? {
            columns if self.given.is_empty() => return Ok(columns.unwrap_or_default()),
            Some(columns) => columns,
            None if path == Path::new("-") => {
                anyhow::bail!(
                    "of standard input, name the columns that are predicted with --columns: the model is given others"
                )
            }
            None if is_read_once(path) => {
                anyhow::bail!(
                    "{} is a pipe or a device, which is read once: name the columns that are predicted with --columns: the model is \
                     given others",
                    path.display()
                )
            }
            // Without a word about what is like a time: the model may be given it.
            None => {
                let mut own = self.clone();
                own.spikes.told = true;
                let options = SeriesOptions {
                    numbers: 0,
                    ..own.options(Vec::new())
                };
                own.series(path, &options, None)?.names().to_vec()
            }
        };
        followed_by(outputs, &self.given).with_context(|| path.display().to_string())
    }

    /// As [`Source::open_until`], of the contents of a file that is called `name`, whose extension says its format.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open_bytes(&self, name: &str, bytes: Arc<[u8]>) -> Result<Series> {
        let format = (self.format.map(DataFormat::series)).or(SeriesFormat::of(Path::new(name)));
        let format = format.unwrap_or(SeriesFormat::Csv);
        let columns = self.columns()?;
        let columns = match (columns, self.given.is_empty()) {
            (Some(outputs), false) => followed_by(outputs, &self.given)?,
            (None, false) => {
                let all = self.given(&[]).open_bytes(name, Arc::clone(&bytes))?;
                followed_by(all.names().to_vec(), &self.given)?
            }
            (columns, true) => columns.unwrap_or_default(),
        };
        let options = self.options(columns);
        let mut series = Series::from_reader(name, Cursor::new(bytes), format, &options)?;
        self.check_outputs(series.names())?;
        series.keep_partly_missing(true);
        Ok(series)
    }

    fn open_with(&self, path: &Path, stop: Option<&Stop>, partial: bool) -> Result<Series> {
        let options = self.options(self.selected(path)?);
        let mut series = self.series(path, &options, stop)?;
        self.check_outputs(series.names())
            .with_context(|| path.display().to_string())?;
        if let (None, None, [first, _, ..]) = (&self.time, &self.columns, series.names())
            && is_like_a_time(first)
        {
            tell!(
                "scotopic: {}: the column {first} is read as data; if it is the time, say --time {first}",
                path.display()
            );
        }
        series.keep_partly_missing(partial);
        Ok(series)
    }

    /// Refuses a column that is an input and, by its number, an output as well; and an input that is a number, the place of its column
    /// in tables without names, where columns have names.
    fn check_outputs(&self, names: &[String]) -> Result<()> {
        let (outputs, inputs) = names.split_at(names.len().saturating_sub(self.given.len()));
        if let Some((wanted, found)) = self.given.iter().zip(inputs).find(|(a, b)| a != b) {
            return Err(anyhow!(
                "the model is given column {wanted} of tables without names, and here that column is called {found}: name it so in the \
                 model file"
            ));
        }
        match outputs.iter().find(|name| self.given.contains(name)) {
            Some(name) => Err(anyhow!(
                "the model is given the column {name}, and does not predict it: leave it out of --columns"
            )),
            None => Ok(()),
        }
    }

    pub(super) fn options(&self, columns: Vec<String>) -> SeriesOptions {
        SeriesOptions {
            columns,
            time: self.time.clone(),
            header: match self.header {
                HeaderArg::Auto => Header::Auto,
                HeaderArg::Yes => Header::Yes,
                HeaderArg::No => Header::No,
            },
            delimiter: self.delimiter,
            decimal_comma: self.decimal_comma,
            missing: self.missing.clone(),
            dates: self.dates,
            alphabet: self.symbols().to_vec(),
            numbers: self.given.len(),
        }
    }

    pub(super) fn series(
        &self,
        path: &Path,
        options: &SeriesOptions,
        stop: Option<&Stop>,
    ) -> Result<Series> {
        if let Some(bin) = self.spikes.bin {
            self.check_spikes()?;
            return spikes::series(&self.spikes, bin, path, options);
        }
        spikes::check_bins(path)?;
        let stdin = path == Path::new("-");
        anyhow::ensure!(
            stdin || !path.is_dir(),
            "{} is a folder: name the files in it",
            path.display()
        );
        self.check_form(path).map_err(UsageError)?;
        Ok(match (stdin, self.format) {
            (true, format) => {
                let format = format.unwrap_or(DataFormat::Csv).series();
                let name = "standard input";
                match stop {
                    Some(stop) => {
                        let input = Interruptible::new(std::io::stdin(), stop.clone());
                        Series::from_reader(name, input, format, options)?
                    }
                    None => Series::from_reader(name, std::io::stdin(), format, options)?,
                }
            }
            (false, Some(format)) => Series::open_as(path, format.series(), options)?,
            (false, None) if !path.exists() && SeriesFormat::of(path).is_none() => {
                anyhow::bail!("there is no file {}", path.display())
            }
            (false, None) => Series::open(path, options).map_err(|e| match e {
                scotopic_datasets::Error::Setting { field: "path", .. } => anyhow!(
                    "{}: its name does not tell the format of its data: give it with --format, such as --format csv",
                    path.display()
                ),
                e => e.into(),
            })?,
        })
    }

    /// Reads one whole file.
    ///
    /// # Errors
    /// As [`Source::open`], and for an invalid row.
    pub fn read(&self, path: &Path) -> Result<Sequence> {
        Ok(self.read_checked(path, &|_| Ok(()))?.0)
    }

    /// Reads one whole file, with NaN for the missing entries of a row that has others, whose rows `check` has to accept; the names of
    /// its columns, and where its rows were read. What `check` says of a row comes with file, line and row.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_checked(
        &self,
        path: &Path,
        check: &dyn Fn(&[f64]) -> scotopic_filtering::Result<()>,
    ) -> Result<(Sequence, Vec<String>, Lines)> {
        let mut series = self.open_with(path, None, true)?;
        let mut sequence = Sequence::new(series.width())?;
        let mut lines = Vec::new();
        while let Some(row) = series.next_row()? {
            let checked = row.map_or(Ok(()), check).and_then(|()| sequence.push(row));
            let number = sequence.len() as u64;
            lines.push(series.line());
            checked.map_err(|e| {
                let error = e.at_observation(number);
                let place = format!(
                    "{}, line {} (row {}){}",
                    path.display(),
                    series.line(),
                    number + 1,
                    column(&error, series.names())
                );
                anyhow::Error::new(from_one(error)).context(place)
            })?;
        }
        tell_left_out(path, &series);
        let lines = Lines {
            path: path.to_owned(),
            lines,
            dated: series.has_dates(),
        };
        Ok((sequence, series.names().to_vec(), lines))
    }
}
