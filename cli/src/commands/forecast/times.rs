//! Times of forecasts.

use crate::commands::smooth::time;
use crate::filtering::recording::Recording;
use crate::filtering::records::{Entry, field};

/// The times of a series, and those beyond its end.
pub(super) struct Times<'a> {
    pub(super) recording: &'a Recording,
    /// The last time and the step between times, where these are numbers an equal step apart: they go on beyond the data. Dates do
    /// not, since months and years differ in length.
    steps: Option<(f64, f64)>,
}

impl<'a> Times<'a> {
    /// Reads every time of the series.
    pub(super) fn of_series(recording: &'a Recording) -> Self {
        Self {
            recording,
            steps: steps(recording),
        }
    }

    /// The entry for row `t`, from 0; none where its time is not known.
    pub(super) fn of(&self, t: usize) -> Option<(String, String, Entry)> {
        time(self.recording, t).or_else(|| {
            let (last, step) = self.steps?;
            let ahead = (t + 1 - self.recording.sequence.len()) as f64;
            let time = (last + step * ahead).to_string();
            Some(field("time", Entry::Text(time)))
        })
    }
}

fn steps(recording: &Recording) -> Option<(f64, f64)> {
    /// Rounding of times in decimal notation, as a part of a step.
    const ROUNDED: f64 = 1e-6;
    let times: Option<Vec<f64>> = (0..recording.sequence.len())
        .map(|t| recording.time(t)?.parse().ok())
        .collect();
    let times = times?;
    let [.., before, last] = times[..] else {
        return None;
    };
    let step = last - before;
    let equal = |pair: &[f64]| (pair[1] - pair[0] - step).abs() <= ROUNDED * step.abs();
    (step != 0.0 && times.windows(2).all(equal)).then_some((last, step))
}
