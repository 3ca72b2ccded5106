//! Alarms: observations in the tails of their predictive distribution.

use anyhow::Result;
use scotopic_filtering::{AnyFilter, many};

use super::lines::Mark;
use super::places::from_one;

/// Marks observations whose tail probability is below a quantile, and counts them.
///
/// ```text
/// tail = min(1, m min_i tail_i),   tail_i = 2 min(P(Y_i ≤ y_i), P(Y_i ≥ y_i))
/// ```
///
/// of m columns, given all rows before: below Q in a share of at most Q of the rows where the model is right. For symbols
/// tail is the probability of those that are no more probable than the one that came. Of what is predicted with an infinite
/// variance there is none.
#[derive(Debug, Clone, Copy)]
pub struct Alarm {
    quantile: f64,
    seen: u64,
    marked: u64,
}

impl Alarm {
    /// No observation yet.
    pub fn new(quantile: f64) -> Self {
        Self {
            quantile,
            seen: 0,
            marked: 0,
        }
    }

    /// How surprising `row` is for a filter that has not seen it yet.
    ///
    /// # Errors
    /// If the filter cannot say what observations are like.
    pub fn mark(&mut self, filter: &AnyFilter, row: Option<&[f64]>) -> Result<Mark> {
        let Some(row) = row else {
            let tail = f64::NAN;
            return Ok(Mark { tail, alarm: false });
        };
        let outputs = row.len() - filter.inputs().len();
        let (row, inputs) = row.split_at(outputs);
        if row.iter().all(|y| y.is_nan()) {
            let tail = f64::NAN;
            return Ok(Mark { tail, alarm: false });
        }
        // An observation that this one depends on is missing: nothing was predicted.
        if filter.lacks_lags() {
            let tail = f64::NAN;
            return Ok(Mark { tail, alarm: false });
        }
        let laws = filter.predictive_given(1, inputs).map_err(from_one)?;
        let seen: Vec<f64> = row
            .iter()
            .zip(&laws)
            .filter(|(y, law)| y.is_finite() && law.is_known())
            .map(|(y, law)| law.tail_probability(*y))
            .collect();
        // Of a start without a prior nothing was predicted yet.
        if seen.is_empty() {
            let tail = f64::NAN;
            return Ok(Mark { tail, alarm: false });
        }
        let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
        let tail = (least * seen.len() as f64).min(1.0);
        let alarm = tail < self.quantile;
        self.seen += 1;
        self.marked += u64::from(alarm);
        Ok(Mark { tail, alarm })
    }

    /// How many, in one line.
    pub fn said(&self) -> String {
        format!(
            "{} of {} with a tail probability below {} under their prediction",
            self.marked,
            many(self.seen as usize, "observation"),
            self.quantile
        )
    }
}

/// A quantile of an alarm.
///
/// # Errors
/// Says what was found where it is no probability.
pub fn quantile(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(q) if q > 0.0 && q < 1.0 => Ok(q),
        _ => Err(format!(
            "`{text}` is no probability above 0 and below 1, such as 0.01"
        )),
    }
}
