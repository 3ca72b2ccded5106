//! How the cells of a column are written: numbers or dates, never both, and dates with a zone or without.

use super::time::Time;

/// How the cells of each column were written first, and in which line.
#[derive(Debug, Default)]
pub(super) struct Writing(Vec<Option<Column>>);

/// The first cell of a column that is not missing: its line, and whether it is a date; and the newest date, also in days.
#[derive(Debug, Clone, Copy)]
struct Column {
    line: u64,
    is_date: bool,
    newest: f64,
    written: Option<Time>,
}

/// Numbers of days keep a time to a part of themselves; the step between two of them has to keep six digits.
const DIGITS: f64 = 1e6;

impl Writing {
    /// Whether a column has dates.
    pub(super) fn has_dates(&self) -> bool {
        self.0.iter().flatten().any(|column| column.is_date)
    }

    /// Takes a cell of column `n` in, as a date where it is one; a missing cell is neither.
    ///
    /// # Errors
    /// What it should have been.
    pub(super) fn next(&mut self, n: usize, date: Option<Time>, line: u64) -> Result<(), String> {
        if self.0.len() <= n {
            self.0.resize(n + 1, None);
        }
        let column = self.0[n].get_or_insert(Column {
            line,
            is_date: date.is_some(),
            newest: f64::NEG_INFINITY,
            written: None,
        });
        let at = column.line;
        match (column.is_date, date) {
            (true, Some(date)) => {
                if column
                    .written
                    .is_some_and(|before| differ_in_zone(date, before))
                {
                    return Err(
                        "a date written like the one before, with a zone if that has one"
                            .to_owned(),
                    );
                }
                let days = date.days();
                let step = (days - column.newest).abs();
                if step > 0.0 && step < DIGITS * f64::EPSILON * days.abs() {
                    return Err(
                        "dates that are further apart: as a number of days this keeps no six digits of the time since the date \
                         before; write numbers, such as the seconds since the first row"
                            .to_owned(),
                    );
                }
                (column.newest, column.written) = (days, Some(date));
                Ok(())
            }
            (true, None) => Err(format!("a date, as in line {at}, such as 2024-03-01")),
            (false, Some(_)) => Err(format!("a number, as in line {at}, and no date")),
            (false, None) => Ok(()),
        }
    }
}

/// Whether one has a zone and the other a time of day without.
fn differ_in_zone(one: Time, other: Time) -> bool {
    matches!((one, other), (Time::Instant { .. }, Time::Instant { .. })) && !one.is_like(other)
}
