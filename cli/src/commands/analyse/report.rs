//! The report of an analysis: a summary, a table, all results as JSON, a figure, arrays.

use std::path::{Path, PathBuf};

use anyhow::Result;
use scotopic_datasets::npy;
use serde::Serialize;

use scotopic_datasets::replace::replace;
use scotopic_figures::{Figure, FigureError};

use crate::figure_format::FigureFormat;

/// The results of one analysis.
pub(super) struct AnalysisReport {
    /// The name of the analysis, and of its files.
    pub name: &'static str,
    /// Lines to print.
    pub summary: Vec<String>,
    /// The numbers of the summary.
    pub headline: serde_json::Value,
    /// All results, for the JSON file.
    pub whole: serde_json::Value,
    /// Rows for the CSV file.
    pub table: Table,
    /// A figure, where there is one.
    pub figure: Option<Figure>,
    /// Arrays for NumPy: name, shape, values.
    pub arrays: Vec<(String, Vec<usize>, Vec<f32>)>,
    /// What it is of, if not of the model.
    pub subject: Option<&'static str>,
}

impl AnalysisReport {
    /// A report without figure and arrays.
    pub fn new(name: &'static str, whole: &impl Serialize) -> Result<Self> {
        Ok(Self {
            name,
            summary: Vec::new(),
            headline: serde_json::Value::Null,
            whole: serde_json::to_value(whole)?,
            table: Table::default(),
            figure: None,
            arrays: Vec::new(),
            subject: None,
        })
    }

    /// Adds the figure, unless there is nothing to draw, as for a model without a single responsive neuron.
    pub fn draw(mut self, picture: Result<Figure, FigureError>) -> Result<Self> {
        self.figure = match picture {
            Err(FigureError::Empty(_)) => None,
            drawn => Some(drawn?),
        };
        Ok(self)
    }

    /// The same of something else than the model that is analysed, which its figure names.
    pub fn about(mut self, subject: &'static str) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The same with a title of the figure that says the analysis, unless it has one, and the model and the data.
    pub fn of(mut self, about: &str, what: &str) -> Self {
        let what = self.subject.unwrap_or(what);
        self.figure = self.figure.map(|figure| match figure.title.is_empty() {
            true => figure.of(&format!("{about}: {what}")),
            false => figure.of(what),
        });
        self
    }

    /// Writes the files into `folder`; returns their paths.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, folder: &Path, format: FigureFormat) -> Result<Vec<PathBuf>> {
        let path = |extension: &str| folder.join(format!("{}.{extension}", self.name));
        let mut written = vec![path("csv"), path("json")];
        replace(&written[0], self.table.csv().as_bytes())?;
        let mut text = serde_json::to_string_pretty(&self.whole)?;
        text.push('\n');
        replace(&written[1], text.as_bytes())?;
        if let Some(figure) = &self.figure {
            let file = format.file(folder, self.name);
            figure.write(&file)?;
            written.push(file);
        }
        if !self.arrays.is_empty() {
            let each = self.arrays.iter();
            let arrays: Vec<(&str, &[usize], &[f32])> = each
                .map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]))
                .collect();
            npy::write_npz(&path("npz"), &arrays)?;
            written.push(path("npz"));
        }
        Ok(written)
    }
}

/// Rows of CSV under a header.
#[derive(Default)]
pub(super) struct Table {
    lines: Vec<String>,
}

impl Table {
    /// A table with these columns.
    pub fn with(columns: &str) -> Self {
        Self {
            lines: vec![columns.to_owned()],
        }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.0).collect();
        self.lines.push(cells.join(","));
    }

    fn csv(&self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// One field of a table.
pub(super) struct Cell(String);

impl From<f64> for Cell {
    /// In single precision; empty if not finite.
    fn from(value: f64) -> Self {
        match value.is_finite() {
            true => Self((value as f32).to_string()),
            false => Self(String::new()),
        }
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.unwrap_or(f64::NAN).into()
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self(value.to_string())
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self(u8::from(value).to_string())
    }
}

impl From<&str> for Cell {
    /// Quoted where CSV requires it.
    fn from(text: &str) -> Self {
        match text.contains([',', '"', '\n']) {
            true => Self(format!("\"{}\"", text.replace('"', "\"\""))),
            false => Self(text.to_owned()),
        }
    }
}

/// The number with so many digits, or "undefined".
pub(super) fn said(value: Option<f64>, digits: usize) -> String {
    value.map_or("undefined".to_owned(), |v| format!("{v:.digits$}"))
}
