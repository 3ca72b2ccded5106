//! Dates that go on beyond a series.

use scotopic_datasets::series::Time;

/// The last date of a series, in its parts, and the step to the next.
pub(super) struct Dates {
    last: Written,
    step: Step,
}

/// Between dates.
enum Step {
    /// So many months, to the same day of the month or to its end.
    Months(i64, Day),
    /// So many seconds.
    Seconds(f64),
}

/// The day of the month that all dates have.
#[derive(Clone, Copy, PartialEq)]
enum Day {
    /// None is written.
    None,
    /// This one; the last of a month that has not so many.
    Same(i64),
    /// The last.
    Last,
}

/// A date of ISO 8601 as it was written.
struct Written {
    /// Counted from January of year 0.
    month: i64,
    day: Option<i64>,
    /// What stands between the date and the time of day.
    between: String,
    /// The time of day, which may be empty, without its zone.
    clock: String,
    zone: String,
    /// The place on the axis of times, and that of the date and the time of day alone.
    seconds: f64,
    local: f64,
}

impl Written {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let time = Time::parse(text).filter(|time| time.is_date())?;
        let (date, rest) = text.split_at(text.find(['T', 't', ' ']).unwrap_or(text.len()));
        let mut rest = rest.chars();
        let between: String = rest.next().into_iter().collect();
        let rest = rest.as_str();
        let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
        let numbers: Option<Vec<i64>> = date.split('-').map(|part| part.parse().ok()).collect();
        let numbers = numbers?;
        let (year, month) = (*numbers.first()?, *numbers.get(1)?);
        Some(Self {
            month: 12 * year + month - 1,
            day: numbers.get(2).copied(),
            local: Time::parse(&format!("{date}{between}{clock}"))?.axis(),
            seconds: time.axis(),
            between,
            clock: clock.to_owned(),
            zone: zone.to_owned(),
        })
    }

    /// The digits behind the point of its seconds, and whether it has seconds.
    fn digits(&self) -> (&str, bool) {
        let seconds = self.clock.split(':').nth(2);
        let digits = seconds.and_then(|s| Some(s.split_once('.')?.1));
        (digits.unwrap_or(""), seconds.is_some())
    }
}

/// The most digits behind the point that count: seconds since 1970 are exact to a quarter of a microsecond. What is written behind
/// them has to be zeros.
const DIGITS: usize = 6;

/// `2024-02` of a month counted from January of year 0; none beyond the years of four digits.
fn month_written(month: i64) -> Option<String> {
    let year = month.div_euclid(12);
    let is_readable = (0..=9999).contains(&year);
    is_readable.then(|| format!("{year:04}-{:02}", month.rem_euclid(12) + 1))
}

/// The last day of a month.
fn last_day(month: i64) -> Option<i64> {
    let month = month_written(month)?;
    let is_there = |day: &i64| Time::parse(&format!("{month}-{day}")).is_some();
    (28..=31).rev().find(is_there)
}

impl Dates {
    /// The dates of a series, if they are an equal step apart: so many months between the same days of months, or between their
    /// ends, or else so much time.
    pub(super) fn of(texts: &[&str]) -> Option<Self> {
        let all: Vec<Written> = texts
            .iter()
            .map(|text| Written::of(text))
            .collect::<Option<_>>()?;
        let step = months(&all).or_else(|| seconds(&all))?;
        let last = all.into_iter().next_back()?;
        Some(Self { last, step })
    }

    /// The date so many steps after the last, written as that; none beyond the year 9999.
    pub(super) fn after(&self, ahead: usize) -> Option<String> {
        let last = &self.last;
        let rest = format!("{}{}{}", last.between, last.clock, last.zone);
        match &self.step {
            Step::Months(step, day) => {
                let month = last.month + step.checked_mul(i64::try_from(ahead).ok()?)?;
                let text = month_written(month)?;
                Some(match day {
                    Day::None => text,
                    Day::Last => format!("{text}-{:02}{rest}", last_day(month)?),
                    Day::Same(day) => format!("{text}-{:02}{rest}", last_day(month)?.min(*day)),
                })
            }
            Step::Seconds(step) => {
                let (written, has_seconds) = last.digits();
                let digits = written.len().min(DIGITS);
                // In units of the last digit, so that rounding is that of the text.
                let unit = 10f64.powi(digits as i32);
                let day = 86_400 * unit as i128;
                let at = ((last.local + step * ahead as f64) * unit).round() as i128;
                let date = Time::written(at.div_euclid(day) as f64);
                // Another year than one of four digits is not read back.
                Time::parse(&date)?;
                if last.clock.is_empty() {
                    return Some(date);
                }
                let of_day = at.rem_euclid(day);
                let whole = of_day / unit as i128;
                let (hour, minute) = (whole / 3600, whole / 60 % 60);
                let mut clock = format!("{hour:02}:{minute:02}");
                if has_seconds {
                    clock += &format!(":{:02}", whole % 60);
                }
                if digits > 0 {
                    clock += &format!(".{:0digits$}", of_day % unit as i128);
                    clock += &"0".repeat(written.len() - digits);
                }
                Some(format!("{date}{}{clock}{}", last.between, last.zone))
            }
        }
    }
}

/// The step of dates that are so many months apart.
fn months(all: &[Written]) -> Option<Step> {
    let alike = |pair: &[Written]| {
        let rest = |w: &Written| (w.between.clone(), w.clock.clone(), w.zone.clone());
        rest(&pair[0]) == rest(&pair[1])
    };
    let steps: Vec<i64> = all
        .windows(2)
        .map(|pair| pair[1].month - pair[0].month)
        .collect();
    let step = *steps.last().filter(|step| **step > 0)?;
    if steps.iter().any(|other| *other != step) || !all.windows(2).all(alike) {
        return None;
    }
    if all.iter().all(|date| date.day.is_none()) {
        return Some(Step::Months(step, Day::None));
    }
    let is_last = |date: &Written| date.day.is_some() && date.day == last_day(date.month);
    if all.iter().all(is_last) {
        return Some(Step::Months(step, Day::Last));
    }
    // A day that some of the months have not is the last of these.
    let same = all.iter().filter_map(|date| date.day).max()?;
    let is_same = |date: &Written| {
        let there = last_day(date.month).map(|last| last.min(same));
        date.day == there
    };
    (all.iter().all(is_same)).then_some(Step::Months(step, Day::Same(same)))
}

/// The step of dates that are so much time apart.
fn seconds(all: &[Written]) -> Option<Step> {
    let steps: Vec<f64> = (all.windows(2))
        .map(|pair| pair[1].seconds - pair[0].seconds)
        .collect();
    let form = |date: &Written| {
        let (digits, has_seconds) = date.digits();
        (digits.len(), has_seconds)
    };
    let is_exact = |date: &Written| date.digits().0.bytes().skip(DIGITS).all(|d| d == b'0');
    let clocks = all.windows(2).all(|pair| form(&pair[0]) == form(&pair[1]));
    // Half a day does not go on as a date without a time of day, nor seconds as hours and minutes.
    let last = all.last()?;
    let unit = match (last.clock.is_empty(), form(last)) {
        (true, _) => 86_400.0,
        (false, (_, false)) => 60.0,
        (false, (digits, true)) => 10f64.powi(-(digits.min(DIGITS) as i32)),
    };
    /// What rounding two times in seconds since 1970 to doubles may leave of their difference, as a part of a microsecond.
    const ROUNDED: f64 = 0.3;
    let whole = (steps.last()? / unit).round();
    let is_equal = |step: &f64| (step / unit - whole).abs() <= ROUNDED;
    let fits = clocks && all.iter().all(is_exact) && whole > 0.0 && steps.iter().all(is_equal);
    fits.then_some(Step::Seconds(whole * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next three dates.
    fn next(texts: &[&str]) -> Option<[String; 3]> {
        let dates = Dates::of(texts)?;
        Some([1, 2, 3].map(|ahead| dates.after(ahead).unwrap()))
    }

    #[test]
    fn dates_go_on_by_the_calendar() {
        for (texts, expected) in [
            // A leap year.
            (
                &["2024-02-26", "2024-02-27"][..],
                ["2024-02-28", "2024-02-29", "2024-03-01"],
            ),
            (
                &["2023-12-16", "2023-12-23"],
                ["2023-12-30", "2024-01-06", "2024-01-13"],
            ),
            (
                &["2023-10-01", "2023-11-01"],
                ["2023-12-01", "2024-01-01", "2024-02-01"],
            ),
            (
                &["2023-11-30", "2023-12-31"],
                ["2024-01-31", "2024-02-29", "2024-03-31"],
            ),
            (
                &["2023-11-30", "2023-12-30"],
                ["2024-01-30", "2024-02-29", "2024-03-30"],
            ),
            (
                &["2024-01-30", "2024-02-29", "2024-03-30"],
                ["2024-04-30", "2024-05-30", "2024-06-30"],
            ),
            (
                &["2023-03-31", "2023-06-30"],
                ["2023-09-30", "2023-12-31", "2024-03-31"],
            ),
            (
                &["2020-02-29", "2024-02-29"],
                ["2028-02-29", "2032-02-29", "2036-02-29"],
            ),
            (&["2023-11", "2023-12"], ["2024-01", "2024-02", "2024-03"]),
            (
                &["2023-12-31T22:00", "2023-12-31T23:00"],
                ["2024-01-01T00:00", "2024-01-01T01:00", "2024-01-01T02:00"],
            ),
            (
                &["2023-12-31 23:59:59.0+02:00", "2023-12-31 23:59:59.5+02:00"],
                [
                    "2024-01-01 00:00:00.0+02:00",
                    "2024-01-01 00:00:00.5+02:00",
                    "2024-01-01 00:00:01.0+02:00",
                ],
            ),
            // Microseconds, and nanoseconds as they are written by others.
            (
                &[
                    "2024-01-01T00:00:00.000000",
                    "2024-01-01T00:00:00.000007",
                    "2024-01-01T00:00:00.000014",
                ],
                [
                    "2024-01-01T00:00:00.000021",
                    "2024-01-01T00:00:00.000028",
                    "2024-01-01T00:00:00.000035",
                ],
            ),
            (
                &[
                    "2024-01-01T00:00:58.500000000",
                    "2024-01-01T00:00:59.000000000",
                ],
                [
                    "2024-01-01T00:00:59.500000000",
                    "2024-01-01T00:01:00.000000000",
                    "2024-01-01T00:01:00.500000000",
                ],
            ),
            (
                &["2024-01-31T06:00:00Z", "2024-02-29T06:00:00Z"],
                [
                    "2024-03-31T06:00:00Z",
                    "2024-04-30T06:00:00Z",
                    "2024-05-31T06:00:00Z",
                ],
            ),
        ] {
            assert_eq!(
                next(texts).unwrap(),
                expected.map(str::to_owned),
                "{texts:?}"
            );
        }
    }

    #[test]
    fn dates_without_a_step_do_not_go_on() {
        for texts in [
            &["2024-01-01"][..],
            &["2024-01-01", "2024-01-02", "2024-01-04"],
            &["2024-01-15", "2024-02-16", "2024-03-15"],
            &["1", "2"],
            // Digits that seconds since 1970 have not, and more than can be counted in.
            &[
                "2024-01-01T00:00:00.000000001",
                "2024-01-01T00:00:00.000000002",
            ],
        ] {
            assert_eq!(next(texts), None, "{texts:?}");
        }
        let zeros = "0".repeat(60);
        let many = [0, 1].map(|s| format!("2024-01-01T00:00:0{s}.{zeros}"));
        let many = Dates::of(&[&many[0], &many[1]]).and_then(|dates| dates.after(1));
        assert_eq!(many.unwrap(), format!("2024-01-01T00:00:02.{zeros}"));
        assert_eq!(Dates::of(&["9999-11", "9999-12"]).unwrap().after(1), None);
    }
}
