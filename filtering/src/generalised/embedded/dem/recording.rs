//! Samples as rows: the newest of a live series, or a whole recording to learn from.

use crate::generalised::embedded::layout::Layout;
use crate::{Error, Result, Sequence};

/// A series, or the newest part of it: row t `[width]` lies at t modulo the number of rows kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleRows<'a> {
    pub length: usize,
    pub width: usize,
    pub values: &'a [f64],
    /// Which rows were seen, with as many places as there are rows; none if all were.
    pub seen: &'a [bool],
}

impl<'a> SampleRows<'a> {
    pub fn row(&self, t: usize) -> &'a [f64] {
        let room = (self.values.len() / self.width.max(1)).max(1);
        let from = (t % room) * self.width;
        self.values.get(from..from + self.width).unwrap_or(&[])
    }

    pub fn seen(&self, t: usize) -> bool {
        match self.seen.len() {
            0 => true,
            room => self.seen[t % room],
        }
    }
}

/// A whole series and its known inputs.
pub(crate) struct Recording {
    pub bins: usize,
    outputs: usize,
    inputs: usize,
    data: Vec<f64>,
    seen: Vec<bool>,
    known: Vec<f64>,
}

impl Recording {
    /// `mean` is the input of every bin where no inputs are given.
    ///
    /// # Errors
    /// [`Error::Size`] for observations of another width or another number of inputs; [`Error::Unsupported`] for an input
    /// that is missing.
    pub fn new(
        series: &Sequence,
        inputs: Option<&Sequence>,
        mean: &[f64],
        layout: &Layout,
    ) -> Result<Self> {
        let bins = series.len();
        let (data, seen) = flat(series);
        let known = match inputs {
            None => mean.repeat(bins),
            Some(inputs) if inputs.len() == bins => all_seen(inputs)?,
            Some(inputs) => {
                let expected = format!("{bins}, as the observations");
                return Err(Error::size("inputs", inputs.len(), expected));
            }
        };
        if series.width() != layout.outputs {
            return Err(Error::size("observations", series.width(), layout.outputs));
        }
        Ok(Self {
            bins,
            outputs: layout.outputs,
            inputs: layout.inputs,
            data,
            seen,
            known,
        })
    }

    /// The observations and the inputs.
    pub fn rows(&self) -> [SampleRows<'_>; 2] {
        let rows = |values, width, seen| SampleRows {
            length: self.bins,
            width,
            values,
            seen,
        };
        [
            rows(&self.data, self.outputs, &self.seen),
            rows(&self.known, self.inputs, &[]),
        ]
    }
}

/// All rows one after another, and which of them were seen: in place of a missing one stands the one before.
fn flat(series: &Sequence) -> (Vec<f64>, Vec<bool>) {
    let width = series.width();
    let mut all = Vec::with_capacity(series.len() * width);
    let mut seen = Vec::with_capacity(series.len());
    for row in series.iter() {
        seen.push(row.is_some());
        match row {
            Some(row) => all.extend_from_slice(row),
            None if all.is_empty() => all.resize(width, 0.0),
            None => all.extend_from_within(all.len() - width..),
        }
    }
    (all, seen)
}

/// The rows of known inputs, none of which may be missing.
fn all_seen(inputs: &Sequence) -> Result<Vec<f64>> {
    match flat(inputs) {
        (all, seen) if seen.iter().all(|&s| s) => Ok(all),
        _ => Err(Error::Unsupported {
            what: "a known input".to_owned(),
            asked: "pass over a missing row",
            why: "only observations may be missing; give the prior mean where an input is unknown",
        }),
    }
}
