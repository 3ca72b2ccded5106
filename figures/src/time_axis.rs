//! An axis of bins that shows their times.

use crate::axis::{Axis, Tick};
use crate::calendar;

/// The most bins of which the time is kept; of more, every second, every fourth and so on.
const KEPT: usize = 4096;

/// The least distance of two times on an axis, in pixels.
const APART: f32 = 95.0;

/// What the number of a time means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeUnit {
    /// Itself: a year, seconds.
    #[default]
    Number,
    /// Months, counted from January of year 0.
    Month,
    /// Seconds since 1970-01-01T00:00Z.
    Instant,
}

/// The times of bins, in rising order.
///
/// ```
/// use scotopic_figures::axis::Axis;
/// use scotopic_figures::time_axis::{TimeAxis, TimeUnit};
///
/// let mut times = TimeAxis::new("year", TimeUnit::Number);
/// (0..100).for_each(|t| times.push(t + 1, 1871.0 + t as f64));
/// let ticks = times.ticks(&Axis::linear(0.5, 100.5), 600.0);
/// assert_eq!((ticks[0].value, ticks[0].label.as_str()), (10.0, "1880"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TimeAxis {
    /// The name of the column of times.
    pub label: String,
    unit: TimeUnit,
    /// Bin and time.
    kept: Vec<(f64, f64)>,
    newest: Option<(f64, f64)>,
    every: u64,
    seen: u64,
}

impl TimeAxis {
    /// No bin yet.
    pub fn new(label: impl Into<String>, unit: TimeUnit) -> Self {
        Self {
            label: label.into(),
            unit,
            kept: Vec::new(),
            newest: None,
            every: 1,
            seen: 0,
        }
    }

    /// The time of the next bin.
    pub fn push(&mut self, bin: u64, time: f64) {
        let mark = (bin as f64, time);
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == KEPT {
                let mut index = 0;
                self.kept.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.kept.push(mark);
            }
        }
        self.seen += 1;
        self.newest = Some(mark);
    }

    /// The marks of an axis of bins, so many pixels wide. Between known times, and a little beyond them, they are
    /// interpolated; empty where fewer than two times are known.
    pub fn ticks(&self, axis: &Axis, width: f32) -> Vec<Tick> {
        let mut marks = self.kept.clone();
        marks.extend(self.newest.filter(|newest| marks.last() != Some(newest)));
        if marks.len() < 2 {
            return Vec::new();
        }
        let (low, high) = (
            interpolated(&marks, axis.value(0.0)),
            interpolated(&marks, axis.value(1.0)),
        );
        let most = ((width / APART) as usize).clamp(2, 10);
        let times = match self.unit {
            TimeUnit::Month => calendar::months(low, high, most),
            TimeUnit::Instant => calendar::instants(low, high, most),
            TimeUnit::Number => {
                let ticks = Axis::linear(low, high).ticks(most);
                ticks.into_iter().map(|t| (t.value, t.label)).collect()
            }
        };
        let back: Vec<(f64, f64)> = marks.iter().map(|(bin, time)| (*time, *bin)).collect();
        times
            .into_iter()
            .map(|(time, label)| Tick {
                value: interpolated(&back, time),
                label,
            })
            .filter(|tick| (0.0..=1.0).contains(&axis.place(tick.value)))
            .collect()
    }
}

/// The piecewise linear function through `marks`, at least two with rising x; beyond them it goes on as it ends.
fn interpolated(marks: &[(f64, f64)], x: f64) -> f64 {
    let at = marks.partition_point(|mark| mark.0 <= x);
    let from = at.saturating_sub(1).min(marks.len() - 2);
    let ((x0, y0), (x1, y1)) = (marks[from], marks[from + 1]);
    y0 + (x - x0) * (y1 - y0) / (x1 - x0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_narrow_on_an_axis_of_bins() {
        let mut times = TimeAxis::new("t", TimeUnit::Number);
        let known = [0.0, 1.0, 2.0, 3.0, 103.0, 104.0];
        known
            .iter()
            .zip(1..)
            .for_each(|(time, bin)| times.push(bin, *time));
        let ticks = times.ticks(&Axis::linear(1.0, 6.0), 500.0);
        // Times 20, 40, … lie between bins 4 and 5.
        let inside = ticks
            .iter()
            .filter(|t| t.label != "0")
            .map(|t| (t.value - 4.0) * 100.0 + 3.0);
        for (tick, time) in inside.zip([50.0, 100.0]) {
            assert!((tick - time).abs() < 1e-9, "{tick}, {time}: {ticks:?}");
        }
    }

    #[test]
    fn a_forecast_goes_on_in_the_last_step() {
        let mut times = TimeAxis::new("month", TimeUnit::Month);
        (0..24).for_each(|t| times.push(t + 1, (12 * 2000 + t) as f64));
        let ticks = times.ticks(&Axis::linear(1.0, 49.0), 600.0);
        let labels: Vec<&str> = ticks.iter().map(|t| t.label.as_str()).collect();
        assert_eq!(labels, ["2000", "2001", "2002", "2003", "2004"]);
        assert_eq!(ticks[4].value, 49.0);
    }

    #[test]
    fn a_long_stream_keeps_few_times() {
        let mut times = TimeAxis::new("s", TimeUnit::Instant);
        let bins = 100_000u64;
        (0..bins).for_each(|t| times.push(t + 1, 3600.0 * t as f64));
        assert!(times.kept.len() <= KEPT);
        let ticks = times.ticks(&Axis::linear(1.0, bins as f64), 600.0);
        assert!((2..=6).contains(&ticks.len()), "{ticks:?}");
        // 1972-01-01 is day 730.
        let second = ticks.iter().find(|t| t.label == "1972").unwrap();
        assert_eq!(second.value, 730.0 * 24.0 + 1.0);
    }
}
