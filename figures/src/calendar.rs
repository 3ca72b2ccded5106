//! Round times between two instants, as dates are written (ISO 8601).

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Steps within days, in seconds.
const SECONDS: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    10_800.0, 21_600.0, 43_200.0,
];

/// Steps of whole days.
const DAYS: [f64; 4] = [DAY, 2.0 * DAY, 7.0 * DAY, 14.0 * DAY];

/// Steps of months; longer ones are round numbers of years.
const MONTHS: [i64; 4] = [1, 2, 3, 6];

/// At most `most` round months from `low` to `high`, counted from January of year 0, with their labels.
pub fn months(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    let years = (0..5).flat_map(|power| [1, 2, 5].map(|digit| 12 * digit * 10i64.pow(power)));
    let mut steps = MONTHS.into_iter().chain(years);
    let step = steps.find(|step| (high - low) / *step as f64 <= most as f64);
    let Some(step) = step else {
        return Vec::new();
    };
    let first = (low / step as f64).ceil() as i64;
    let last = (high / step as f64).floor() as i64;
    let label = |month: i64| match step % 12 {
        0 => format!("{:04}", month.div_euclid(12)),
        _ => format!(
            "{:04}-{:02}",
            month.div_euclid(12),
            month.rem_euclid(12) + 1
        ),
    };
    (first..=last)
        .map(|n| ((n * step) as f64, label(n * step)))
        .collect()
}

/// At most `most` round instants from `low` to `high`, in seconds since 1970-01-01T00:00Z, with their labels.
pub fn instants(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    let fits = |step: &f64| (high - low) / step <= most as f64;
    if (high - low) / most as f64 <= 0.5 {
        return Vec::new();
    }
    if let Some(step) = SECONDS.into_iter().chain(DAYS).find(fits) {
        let ticks = (low / step).ceil() as i64..=(high / step).floor() as i64;
        let days = (low / DAY).floor() != (high / DAY).floor();
        return ticks
            .map(|n| n as f64 * step)
            .map(|at| (at, label(at, step, days)))
            .collect();
    }
    let month = |seconds: f64| {
        let (year, month, day) = civil((seconds / DAY).floor() as i64);
        (12 * year + month - 1) as f64 + (day - 1) as f64 / 31.0
    };
    months(month(low), month(high), most)
        .into_iter()
        .map(|(at, label)| (DAY * first_day(at as i64) as f64, label))
        .collect()
}

/// A date for steps of days; for shorter ones the time of day, with its date where there are several days.
fn label(at: f64, step: f64, several_days: bool) -> String {
    let (year, month, day) = civil((at / DAY).floor() as i64);
    if step >= DAY {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    let second = at.rem_euclid(DAY).round() as i64;
    let clock = match step < 60.0 {
        true => format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        ),
        false => format!("{:02}:{:02}", second / 3600, second / 60 % 60),
    };
    match several_days {
        true => format!("{month:02}-{day:02} {clock}"),
        false => clock,
    }
}

/// Days since 1970-01-01 of the first of a month, counted from January of year 0.
fn first_day(month: i64) -> i64 {
    // The year begins in March, so that a leap day is its last.
    let (year, month) = ((month - 2).div_euclid(12), (month - 2).rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 - 719_468
}

/// Year, month and day of a day since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    // No month is longer than 31 days nor the mean month shorter than 30.4: the month is the estimate or one beside it.
    let mut month = 12 * 1970 + (days as f64 / 30.436_875).floor() as i64;
    while first_day(month) > days {
        month -= 1;
    }
    while first_day(month + 1) <= days {
        month += 1;
    }
    let day = days - first_day(month) + 1;
    (month.div_euclid(12), month.rem_euclid(12) + 1, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn days_have_the_dates_of_the_calendar() {
        // 2000-02-29, 2000-03-01, 1969-12-31, 1900-03-01 (1900 was no leap year), 2100-02-28.
        for (days, date) in [
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (-1, (1969, 12, 31)),
            (-25_508, (1900, 3, 1)),
            (-25_509, (1900, 2, 28)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date);
        }
        for days in -800_000..800_000 {
            let (year, month, day) = civil(days);
            assert_eq!(first_day(12 * year + month - 1) + day - 1, days);
        }
    }

    #[test]
    fn round_times_are_multiples_of_their_step() {
        // 1958-03 to 2001-12.
        let ticks = months((12 * 1958 + 2) as f64, (12 * 2001 + 11) as f64, 6);
        assert_eq!(texts(ticks), ["1960", "1970", "1980", "1990", "2000"]);
        let ticks = months((12 * 1958 + 2) as f64, (12 * 1958 + 11) as f64, 4);
        assert_eq!(texts(ticks), ["1958-04", "1958-07", "1958-10"]);
    }

    #[test]
    fn instants_are_days_then_months() {
        let day = |n: f64| n * DAY;
        // 2024-01-01 is day 19 723: even days from 2024-02-29 on.
        let leap = instants(day(19_782.0), day(19_788.0), 4);
        assert_eq!(
            texts(leap),
            ["2024-02-29", "2024-03-02", "2024-03-04", "2024-03-06"]
        );
        let half = instants(day(0.0), day(0.5), 4);
        assert_eq!(texts(half), ["00:00", "03:00", "06:00", "09:00", "12:00"]);
        let seconds = instants(10.0, 50.0, 5);
        assert_eq!(
            texts(seconds),
            ["00:00:10", "00:00:20", "00:00:30", "00:00:40", "00:00:50"]
        );
        let over_midnight = instants(day(0.5), day(1.5), 3);
        assert_eq!(
            texts(over_midnight),
            ["01-01 12:00", "01-02 00:00", "01-02 12:00"]
        );
        let years = instants(day(0.0), day(3650.0), 6);
        assert_eq!(texts(years), ["1970", "1972", "1974", "1976", "1978"]);
        assert!(years_are_first_of_january(0.0, 3650.0));
    }

    fn years_are_first_of_january(low: f64, high: f64) -> bool {
        let ticks = instants(low * DAY, high * DAY, 6);
        ticks.iter().all(|(at, _)| {
            let (_, month, day) = civil((at / DAY) as i64);
            (month, day) == (1, 1)
        })
    }
}
