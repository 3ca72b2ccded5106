//! Times of forecasts.

use super::dates::Dates;
use crate::commands::smooth::time;
use crate::filtering::recording::Recording;
use crate::filtering::records::{Entry, Record, field};

/// What the entry of a line is called.
const TIME: &str = "time";

/// Leaves the times out where none is known: all lines have the same entries.
pub(super) fn only_known(records: &mut [Record]) {
    let known = |(name, _, entry): &(String, String, Entry)| {
        name == TIME && matches!(entry, Entry::Text(_))
    };
    if !records.iter().flatten().any(known) {
        for record in records {
            record.retain(|(name, _, _)| name != TIME);
        }
    }
}

/// The times of a series, and those beyond its end.
pub(super) struct Times<'a> {
    pub(super) recording: &'a Recording,
    /// The rows to come, whose times a model of continuous time is given.
    given: Option<&'a Recording>,
    steps: Option<Steps>,
}

/// The last time and the step between times, where these are an equal step apart: they go on beyond the data.
enum Steps {
    /// In units of the last digit that is written behind the point of any, of so many digits: exact, as the texts are, where doubles
    /// round.
    Decimal(i128, i128, usize),
    /// Of powers of ten.
    Number(f64, f64),
    Dates(Dates),
}

impl Steps {
    /// The time so many steps after the last.
    fn after(&self, ahead: usize) -> Option<String> {
        match self {
            Self::Decimal(last, step, digits) => {
                let way = step.checked_mul(ahead as i128)?;
                Some(with_point(last.checked_add(way)?, *digits))
            }
            Self::Number(last, step) => Some((last + step * ahead as f64).to_string()),
            Self::Dates(dates) => dates.after(ahead),
        }
    }
}

impl<'a> Times<'a> {
    /// Reads every time of the series; `given` are the rows to come, where they are given.
    pub(super) fn of_series(recording: &'a Recording, given: Option<&'a Recording>) -> Self {
        let given = given.filter(|given| !given.times.is_empty());
        Self {
            recording,
            given,
            // A model of continuous time is told its times.
            steps: given.map_or_else(|| steps(recording), |_| None),
        }
    }

    /// The entry for row `t`, from 0, empty where its time is not known.
    pub(super) fn of(&self, t: usize) -> (String, String, Entry) {
        let beyond = || Some(field(TIME, Entry::Text(self.beyond(t)?)));
        let known = time(self.recording, t).or_else(beyond);
        known.unwrap_or_else(|| field(TIME, Entry::Number(f64::NAN)))
    }

    /// The time of row `t` beyond the end.
    fn beyond(&self, t: usize) -> Option<String> {
        let ahead = (t + 1).checked_sub(self.recording.sequence.len())?;
        match (self.given, &self.steps) {
            (Some(given), _) => given.time(ahead.checked_sub(1)?).map(str::to_owned),
            (None, steps) => steps.as_ref()?.after(ahead),
        }
    }
}

fn steps(recording: &Recording) -> Option<Steps> {
    let texts: Option<Vec<&str>> = (0..recording.sequence.len())
        .map(|t| Some(recording.time(t)?.trim()))
        .collect();
    let texts = texts?;
    let behind = |text: &&str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let digits = texts.iter().map(behind).max()?;
    let decimal: Option<Vec<i128>> = texts.iter().map(|text| scaled(text, digits)).collect();
    if let Some(times) = decimal {
        let way = |pair: &[i128]| pair[1].checked_sub(pair[0]);
        let ways: Vec<i128> = times.windows(2).map(way).collect::<Option<_>>()?;
        let as_numbers: Vec<f64> = ways.iter().map(|way| *way as f64).collect();
        return match are_equal(&as_numbers) {
            true => Some(Steps::Decimal(*times.last()?, *ways.last()?, digits)),
            false => None,
        };
    }
    let times: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
    let Some(times) = times else {
        return Dates::of(&texts).map(Steps::Dates);
    };
    let ways: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    are_equal(&ways).then_some(Steps::Number(*times.last()?, *ways.last()?))
}

/// Whether there are steps, all of one length.
fn are_equal(steps: &[f64]) -> bool {
    /// Rounding of times in decimal notation, as a part of a step.
    const ROUNDED: f64 = 1e-6;
    let Some(last) = steps.last().filter(|last| **last != 0.0) else {
        return false;
    };
    let equal = |step: &f64| (step - last).abs() <= ROUNDED * last.abs();
    steps.iter().all(equal)
}

/// A number in decimal notation in units of its `digits`-th digit behind the point; none for another notation, or beyond 38 digits.
fn scaled(text: &str, digits: usize) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_part = part.bytes().all(|b| b.is_ascii_digit());
    let any = whole
        .bytes()
        .chain(part.bytes())
        .any(|b| b.is_ascii_digit());
    if !(is_part && any) {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

/// The number of so many units of its `digits`-th digit behind the point.
fn with_point(units: i128, digits: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", units.unsigned_abs(), width = digits + 1);
    let (whole, part) = all.split_at(all.len() - digits);
    match digits {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, digits, units, written) in [
            ("0.3", 1, 3, "0.3"),
            ("-0.05", 3, -50, "-0.050"),
            ("1700.0", 1, 17_000, "1700.0"),
            (".5", 2, 50, "0.50"),
            ("7", 0, 7, "7"),
            ("+7.", 0, 7, "7"),
        ] {
            assert_eq!(scaled(text, digits), Some(units), "{text}");
            assert_eq!(with_point(units, digits), written);
        }
        for text in ["1e-3", "", ".", "-", "1.-5", "0,1", "nan"] {
            assert_eq!(scaled(text, 3), None, "{text}");
        }
        let steps = Steps::Decimal(3, 1, 1);
        let next = [1, 2, 8].map(|ahead| steps.after(ahead).unwrap());
        assert_eq!(next, ["0.4", "0.5", "1.1"]);
    }
}
