//! What an analysis leaves behind: lines to read, a table, the whole value, a picture, arrays.

use std::path::{Path, PathBuf};

use anyhow::Result;
use image::RgbImage;
use scotopic_datasets::npy;
use serde::Serialize;

use scotopic_datasets::replace::replace;
use scotopic_figures::{self as figures, FigureError};

/// The answer to one question.
pub(super) struct AnalysisReport {
    /// The question, which is the name of its files.
    pub name: &'static str,
    /// A few lines to read.
    pub summary: Vec<String>,
    /// The same as numbers.
    pub headline: serde_json::Value,
    /// Everything, for the JSON file.
    pub whole: serde_json::Value,
    /// Rows for the CSV file.
    pub table: Table,
    /// A picture, where one makes sense.
    pub figure: Option<RgbImage>,
    /// Arrays for NumPy: name, shape, values.
    pub arrays: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl AnalysisReport {
    /// An answer without a picture or arrays.
    pub fn new(name: &'static str, whole: &impl Serialize) -> Result<Self> {
        Ok(Self {
            name,
            summary: Vec::new(),
            headline: serde_json::Value::Null,
            whole: serde_json::to_value(whole)?,
            table: Table::default(),
            figure: None,
            arrays: Vec::new(),
        })
    }

    /// Draws, unless there is nothing to show: a model without a single responsive neuron has an answer too.
    pub fn draw(mut self, picture: Result<RgbImage, FigureError>) -> Result<Self> {
        self.figure = match picture {
            Err(FigureError::Empty(_)) => None,
            drawn => Some(drawn?),
        };
        Ok(self)
    }

    /// Writes the files below `folder` and says which.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let path = |extension: &str| folder.join(format!("{}.{extension}", self.name));
        let mut written = vec![path("csv"), path("json")];
        replace(&written[0], self.table.csv().as_bytes())?;
        let mut text = serde_json::to_string_pretty(&self.whole)?;
        text.push('\n');
        replace(&written[1], text.as_bytes())?;
        if let Some(figure) = &self.figure {
            figures::write_png(path("png"), figure)?;
            written.push(path("png"));
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

/// Rows of numbers and words under names.
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
    /// Seven digits, and nothing for what is no number.
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
    /// In quotes where it must be.
    fn from(text: &str) -> Self {
        match text.contains([',', '"', '\n']) {
            true => Self(format!("\"{}\"", text.replace('"', "\"\""))),
            false => Self(text.to_owned()),
        }
    }
}

/// A number to read, or a word where there is none.
pub(super) fn said(value: Option<f64>, digits: usize) -> String {
    value.map_or("undefined".to_owned(), |v| format!("{v:.digits$}"))
}
