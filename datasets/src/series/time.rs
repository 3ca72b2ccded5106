//! Times of rows: numbers, or dates of ISO 8601; checked for their order.

use std::fmt;

/// One time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Time {
    /// A number: a year, seconds, whatever the series counts.
    Number(f64),
    /// A month, counted from January of year 0.
    Month(i64),
    /// Seconds since 1970-01-01T00:00:00Z, and what of the time of day was written.
    Instant {
        /// Seconds.
        seconds: f64,
        /// Whether the time of day was given, and its zone.
        clock: Clock,
    },
}

/// What of the time of day a date has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Nothing: the beginning of the day.
    None,
    /// Hours and minutes of no zone.
    Local,
    /// Hours and minutes, and how far they are from UTC.
    Zoned,
}

impl Time {
    /// `2024`, `12.5`, `2024-03`, `2024-03-01`, `2024-03-01T12:30:05.5+02:00` (also with a space for the T).
    ///
    /// ```
    /// use scotopic_datasets::series::Time;
    /// let days = |text| Time::parse(text).map(|t| t.axis());
    /// assert_eq!(days("2000-03-01").unwrap() - days("2000-02-28").unwrap(), 2.0 * 86_400.0); // a leap year
    /// assert_eq!(Time::parse("2000-13-01"), None);
    /// assert_eq!(Time::parse("1871"), Some(Time::Number(1871.0)));
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>() {
            return number.is_finite().then_some(Self::Number(number));
        }
        let (date, clock) = match text.find(['T', 't', ' ']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let fields: Vec<&str> = date.split('-').collect();
        let digits = |text: &str, width: usize| -> Option<i64> {
            (text.len() == width && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse().ok())?
        };
        let year = digits(fields.first()?, 4)?;
        let month = digits(fields.get(1)?, 2).filter(|m| (1..=12).contains(m))?;
        match (fields.get(2), clock) {
            (None, None) => Some(Self::Month(12 * year + month - 1)),
            (Some(day), _) if fields.len() == 3 => {
                let day = digits(day, 2).filter(|d| (1..=days_of(year, month)).contains(d))?;
                let midnight = 86_400.0 * days_since_1970(year, month, day) as f64;
                let (seconds, clock) = match clock.map(of_day) {
                    Some(read) => read?,
                    None => (0.0, Clock::None),
                };
                Some(Self::Instant {
                    seconds: midnight + seconds,
                    clock,
                })
            }
            _ => None,
        }
    }

    /// The place on an axis of times: the number itself, months, or seconds since 1970.
    pub fn axis(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Month(months) => months as f64,
            Self::Instant { seconds, .. } => seconds,
        }
    }

    /// The number itself, or the days since 1970 with their fraction; those of its first day of a month.
    pub fn days(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Month(months) => {
                days_since_1970(months.div_euclid(12), months.rem_euclid(12) + 1, 1) as f64
            }
            Self::Instant { seconds, .. } => seconds / 86_400.0,
        }
    }

    /// The date of so many days since 1970, with the time of day where they have a fraction.
    ///
    /// ```
    /// use scotopic_datasets::series::Time;
    /// assert_eq!(Time::written(19_723.0), "2024-01-01");
    /// assert_eq!(Time::written(-0.5), "1969-12-31T12:00:00");
    /// ```
    pub fn written(days: f64) -> String {
        const DAY: i64 = 86_400;
        let seconds = (days * DAY as f64).round() as i64;
        let (day, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // The year begins in March; 400 years are 146097 days.
        let day = day + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (later, month) = match month < 10 {
            true => (0, month + 3),
            false => (1, month - 9),
        };
        let year = 400 * era + year + later;
        let clock = match of_day {
            0 => String::new(),
            s => format!("T{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
        };
        format!("{year:04}-{month:02}-{day:02}{clock}")
    }

    /// How far the time that is written `next` is after the one that is written `last`, on the axis; none if one is no time. Whole
    /// numbers are subtracted with all their digits, nanoseconds since 1970 for example.
    ///
    /// ```
    /// use scotopic_datasets::series::Time;
    /// assert_eq!(Time::step("1700000000000000000", "1700000000000000001"), Some(1.0));
    /// assert_eq!(Time::step("2024-02", "2023-12"), Some(-2.0));
    /// ```
    pub fn step(last: &str, next: &str) -> Option<f64> {
        let read = |text| Some((Self::parse(text)?, whole(text)));
        Some(step(read(last)?, read(next)?))
    }

    /// Whether it was written as a date.
    pub fn is_date(self) -> bool {
        !matches!(self, Self::Number(_))
    }

    /// Whether two times were written alike, so that they can be compared: not one with a zone and one without.
    pub fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Instant { clock: a, .. }, Self::Instant { clock: b, .. }) => {
                a == b || a == Clock::None || b == Clock::None
            }
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }
}

/// A whole number with all its digits: a double holds those up to 2⁵³.
fn whole(text: &str) -> Option<i128> {
    text.trim().parse().ok()
}

/// The way from one time to the next, each with the whole number that it may be.
fn step(last: (Time, Option<i128>), next: (Time, Option<i128>)) -> f64 {
    let digits = next.1.zip(last.1);
    match digits.and_then(|(next, last)| next.checked_sub(last)) {
        Some(step) => step as f64,
        None => next.0.axis() - last.0.axis(),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar; the year begins in March, so that a leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Seconds of `12:30`, `12:30:05.25`, `12:30Z`, `12:30+02:00`, and whether there is a zone.
fn of_day(text: &str) -> Option<(f64, Clock)> {
    let zone = text.find(['Z', 'z', '+', '-']);
    let (clock, ahead) = match zone {
        None => (text, 0.0),
        Some(at) if at + 1 == text.len() && text.as_bytes()[at].eq_ignore_ascii_case(&b'z') => {
            (&text[..at], 0.0)
        }
        Some(at) => {
            let (hours, minutes) = text[at + 1..]
                .split_once(':')
                .unwrap_or((&text[at + 1..], "0"));
            let zone = 3600.0 * hours.parse::<u8>().ok().filter(|h| *h < 24)? as f64
                + 60.0 * minutes.parse::<u8>().ok().filter(|m| *m < 60)? as f64;
            (
                &text[..at],
                if text.as_bytes()[at] == b'-' {
                    -zone
                } else {
                    zone
                },
            )
        }
    };
    let fields: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&fields.len()) {
        return None;
    }
    let hours = fields[0].parse::<u8>().ok().filter(|h| *h < 24)?;
    let minutes = fields[1].parse::<u8>().ok().filter(|m| *m < 60)?;
    let seconds = match fields.get(2) {
        Some(text) => text
            .parse::<f64>()
            .ok()
            .filter(|s| (0.0..61.0).contains(s))?,
        None => 0.0,
    };
    let known = zone.map_or(Clock::Local, |_| Clock::Zoned);
    let local = 3600.0 * f64::from(hours) + 60.0 * f64::from(minutes) + seconds;
    Some((local - ahead, known))
}

/// Times must rise; where a step is longer than another by more than half of it, there is a gap.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// With the whole number that it may be.
    last: Option<(Time, Option<i128>)>,
    /// The usual step: none was shorter by more than a third.
    step: Option<f64>,
    pub(super) steps: u64,
    /// How many steps were longer than one and a half of the usual one.
    pub(super) gaps: u64,
}

impl Order {
    /// The next time.
    ///
    /// # Errors
    /// What it should have been.
    pub(super) fn next(&mut self, text: &str) -> std::result::Result<Time, &'static str> {
        let time = Time::parse(text)
            .ok_or("a time: a number, or an ISO date, year first, such as 2024-03, 2024-03-01 or 2024-03-01T12:30:00")?;
        let now = (time, whole(text));
        if let Some(last) = self.last {
            if !time.is_like(last.0) {
                return Err("a time written like the one before, with a zone if that has one");
            }
            let step = step(last, now);
            if step <= 0.0 || step.is_nan() {
                return Err(
                    "a time after the one before: sort the rows, or leave the repeated ones out",
                );
            }
            let usual = *self.step.get_or_insert(step);
            if usual > 1.5 * step {
                // All steps before were longer than this one.
                (self.step, self.gaps) = (Some(step), self.steps);
            }
            self.gaps += u64::from(step > 1.5 * usual);
            self.steps += 1;
        }
        self.last = Some(now);
        Ok(time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Month(months) => write!(
                f,
                "{:04}-{:02}",
                months.div_euclid(12),
                months.rem_euclid(12) + 1
            ),
            Self::Instant { seconds, .. } => write!(f, "{seconds}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_the_calendar() {
        let at = |text| Time::parse(text).unwrap().axis();
        assert_eq!(at("1970-01-01"), 0.0);
        assert_eq!(at("2024-01-01T00:00:00Z"), 1_704_067_200.0);
        assert_eq!(at("2024-01-01 01:30+01:30"), 1_704_067_200.0);
        assert_eq!(at("1900-03-01") - at("1900-02-28"), 86_400.0); // no leap year
        assert_eq!(at("2024-02") - at("2023-12"), 2.0);
        let days = |text| Time::parse(text).unwrap().days();
        assert_eq!(days("2024-02-01") - days("2023-12"), 62.0);
        assert_eq!((days("1970-01-02T12:00:00"), days("7.5")), (1.5, 7.5));
        for date in [
            "1600-02-29",
            "1899-12-31",
            "1970-01-01",
            "2000-02-29",
            "2024-12-31T23:59:58",
        ] {
            assert_eq!(Time::written(days(date)), date);
        }
        for bad in [
            "2023-02-29",
            "2024-1-1",
            "24-01-01",
            "2024-01-01T25:00",
            "pier",
            "1/2/2024",
            "2024-01-01T",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_rise_and_gaps_are_counted() {
        let mut order = Order::default();
        for time in ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"] {
            order.next(time).unwrap();
        }
        assert_eq!(order.gaps, 1);
        assert!(order.next("2024-01-06").is_err());
        assert!(order.next("7").is_err());
        let mut order = Order::default();
        order.next("2024-01-01T12:00Z").unwrap();
        assert!(order.next("2024-01-01T12:30").is_err());
        order.next("2024-01-01T14:30+02:00").unwrap();
        // The first step is the longest, then even the second.
        for (times, gaps) in [
            (&["0", "3", "4", "5"][..], 1),
            (&["0", "9", "12", "13", "14", "16"], 3),
            (&["0", "1", "1.9", "3"], 0),
            (
                &[
                    "1700000000000000000",
                    "1700000000000000001",
                    "1700000000000000003",
                ],
                1,
            ),
        ] {
            let mut order = Order::default();
            for time in times {
                order.next(time).unwrap();
            }
            assert_eq!(order.gaps, gaps, "{times:?}");
        }
    }
}
