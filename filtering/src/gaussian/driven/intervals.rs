//! Time in mean intervals between rows, for fits of models of continuous time.

use super::model::DrivenGaussian;
use crate::{Error, Result, Sequence};

impl DrivenGaussian {
    /// The mean interval between rows of a model of continuous time; 1 of others, or where there is none.
    pub(super) fn interval(&self, sequences: &[Sequence]) -> f64 {
        if !self.timed {
            return 1.0;
        }
        let span = |s: &Sequence| {
            let at = |row: Option<&[f64]>| row.and_then(|row| row.last()).copied();
            let last = s.len().checked_sub(1).and_then(|last| s.get(last));
            at(last).zip(at(s.get(0))).map_or(0.0, |(b, a)| b - a)
        };
        let spans: f64 = sequences.iter().map(span).sum();
        let steps: usize = sequences.iter().map(|s| s.len().saturating_sub(1)).sum();
        let mean = spans / steps as f64;
        match mean > 0.0 && mean.is_finite() {
            true => mean,
            false => 1.0,
        }
    }

    /// The rows with times in another unit, from that of the first row on.
    pub(super) fn in_intervals(&self, sequence: &Sequence, unit: f64) -> Result<Sequence> {
        let time = self.width() - 1;
        if sequence.width() != self.width() {
            let expected = format!("rows of {}, the time last", self.width());
            let found = format!("rows of {}", sequence.width());
            return Err(Error::size("observations", found, expected));
        }
        let first = sequence.get(0).map_or(0.0, |row| row[time]);
        sequence.mapped(|row| row[time] = (row[time] - first) / unit)
    }

    /// The same model of continuous time with rates in another unit of time.
    pub(super) fn with_time_unit(&self, unit: f64) -> Self {
        let base = self.base.with_dynamics(
            self.base.transition() * unit,
            self.base.bias() * unit,
            self.base.process_noise() * unit,
        );
        self.with_numbers(base, &self.control * unit, self.direct.clone())
    }
}
