//! The range of an axis and round numbers to mark on it.

/// The largest absolute value that an axis shows; beyond it sums of bounds could overflow.
const LARGEST: f64 = 1e300;

/// The range of an axis, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

/// A place on an axis and the number written beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The value marked.
    pub value: f64,
    /// The number as it is written.
    pub label: String,
}

impl Axis {
    /// Whether an axis can show `value`: finite, and above 0 on a logarithmic one.
    pub fn shows(value: f64, log: bool) -> bool {
        value.is_finite() && value.abs() <= LARGEST && (!log || value >= 1.0 / LARGEST)
    }

    /// The range of the values that can be shown, with `margin` of its extent added at either end.
    ///
    /// `None` if there is no such value. Values that are all (almost) equal get a range around
    /// them.
    pub fn around(values: impl Iterator<Item = f64>, log: bool, margin: f64) -> Option<Self> {
        let shown = values.filter(|value| Self::shows(*value, log));
        let scaled = shown.map(|value| if log { value.log10() } else { value });
        let (low, high) = scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (v.min(l), v.max(h))
        });
        if low > high {
            return None;
        }
        let size = low.abs().max(high.abs());
        let least = if log { 0.02 } else { (size * 1e-6).max(1e-290) };
        let (low, high) = if high - low >= least {
            (low - margin * (high - low), high + margin * (high - low))
        } else {
            let around = match (log, size == 0.0) {
                (true, _) => 0.5,
                (false, true) => 1.0,
                (false, false) => (size * 0.1).max(1e-290),
            };
            (low - around, high + around)
        };
        Some(Self { low, high, log })
    }

    /// A linear axis from `low` to `high`.
    pub fn linear(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            log: false,
        }
    }

    /// Where `value` lies: 0 at the lower end of the axis, 1 at the upper.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// The value at a place on the axis: the other way round.
    pub fn value(&self, place: f64) -> f64 {
        let value = self.low + place * (self.high - self.low);
        if self.log { 10f64.powf(value) } else { value }
    }

    /// At most about `most` round numbers on the axis, from the lowest.
    ///
    /// On a linear axis they are multiples of 1, 2 or 5 times a power of ten; on a logarithmic one
    /// powers of ten, or 1, 2 and 5 times those where the axis is short.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        let most = most.max(2);
        if !self.log {
            // An axis may run downwards.
            let (low, high) = (self.low.min(self.high), self.low.max(self.high));
            return linear_ticks(low, high, most);
        }
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let decades = (last - first + 1).max(0) as usize;
        if decades >= 3 || decades == most {
            let every = decades.div_ceil(most).max(1);
            let powers = (first..=last).filter(|power| power.rem_euclid(every as i32) == 0);
            return powers.map(|power| log_tick(1.0, power)).collect();
        }
        let digits = [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]];
        let ticks = |digits: &[f64]| -> Vec<Tick> {
            (first - 1..=last)
                .flat_map(|power| digits.iter().map(move |digit| log_tick(*digit, power)))
                .filter(|tick| (-1e-9..=1.0 + 1e-9).contains(&self.place(tick.value)))
                .collect()
        };
        let mut choices = digits.iter().map(|digits| ticks(digits));
        if ticks(digits[0]).len() >= 3
            && let Some(few) = choices.find(|ticks| ticks.len() <= most)
        {
            return few;
        }
        linear_ticks(10f64.powf(self.low), 10f64.powf(self.high), most)
    }
}

/// Only the ticks at whole numbers, written as such: there is no step 2.5.
pub fn whole(ticks: Vec<Tick>) -> Vec<Tick> {
    let kept = ticks.into_iter().filter(|tick| tick.value.fract() == 0.0);
    kept.map(|tick| Tick {
        label: typeset(&format!("{:.0}", tick.value)),
        ..tick
    })
    .collect()
}

/// A number as it stands in text, such as 3e-5, with the minus sign and as a power of ten.
fn typeset(text: &str) -> String {
    let (number, power) = text.split_once('e').unwrap_or((text, ""));
    let raised = |c: char| match c {
        '-' => '⁻',
        digit => c.to_digit(10).map_or(digit, |d| {
            ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][d as usize]
        }),
    };
    let number = number.replace('-', "−");
    let ten: String = "10".chars().chain(power.chars().map(raised)).collect();
    match (power, number.as_str()) {
        ("", _) => number,
        (_, "1") => ten,
        (_, "−1") => format!("−{ten}"),
        _ => format!("{number}×{ten}"),
    }
}

/// `value` to three digits.
pub fn compact(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return typeset(&value.to_string());
    }
    let step = 10f64.powf((value.abs().log10() + 1e-9).floor() - 2.0);
    let text = number((value / step).round() * step, step, value.abs());
    match text.contains('.') && !text.contains('×') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn linear_ticks(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let step = round_step((high - low) / most as f64);
    let first = (low / step - 1e-9).ceil();
    let values = (0..=most).map(|index| (first + index as f64) * step);
    let inside = values.take_while(|value| *value <= high + 1e-9 * step);
    let size = low.abs().max(high.abs());
    let label = |value: f64| number(value, step, size);
    inside
        .map(|value| Tick {
            value,
            label: label(value),
        })
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let enough = factors
        .into_iter()
        .find(|factor| factor * power >= least * (1.0 - 1e-9));
    enough.unwrap_or(10.0) * power
}

/// `value` to the digits that tell multiples of `step` apart; with an exponent where `size`, the
/// largest value on the axis, is very large or very small.
fn number(value: f64, step: f64, size: f64) -> String {
    if value.abs() < step / 2.0 {
        return "0".to_owned();
    }
    let finest = (step.log10() + 1e-9).floor() as i32;
    if (1e-3..1e5).contains(&size) && finest >= -6 {
        return typeset(&format!("{value:.*}", (-finest).max(0) as usize));
    }
    let leading = (value.abs().log10() + 1e-9).floor() as i32;
    let digits = (leading - finest).clamp(0, 15) as usize;
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        // 1.50e5 as 1.5e5.
        Some((number, power)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            typeset(&format!("{number}e{power}"))
        }
        _ => typeset(&text),
    }
}

/// `digit` times ten to `power`, written out where that is short.
fn log_tick(digit: f64, power: i32) -> Tick {
    let value = digit * 10f64.powi(power);
    let label = match power {
        0..=3 => format!("{value:.0}"),
        -3..=-1 => format!("{value:.*}", -power as usize),
        _ => typeset(&format!("{digit}e{power}")),
    };
    Tick { value, label }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis, most: usize) -> Vec<String> {
        axis.ticks(most)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    fn log(low: f64, high: f64) -> Axis {
        Axis::around([low, high].into_iter(), true, 0.0).unwrap()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels(Axis::linear(0.0, 1.0), 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|s| if s == "0.0" { "0" } else { s })
        );
        assert_eq!(labels(Axis::linear(-0.3, 0.31), 4), ["−0.2", "0", "0.2"]);
        assert_eq!(labels(Axis::linear(0.31, -0.3), 4), ["−0.2", "0", "0.2"]);
        assert_eq!(labels(Axis::linear(3.0, 47.0), 5), ["10", "20", "30", "40"]);
        assert_eq!(
            labels(Axis::linear(0.0, 400_000.0), 4),
            ["0", "10⁵", "2×10⁵", "3×10⁵", "4×10⁵"]
        );
        assert_eq!(
            labels(Axis::linear(100_000.0, 200_000.0), 3),
            ["10⁵", "1.5×10⁵", "2×10⁵"]
        );
        assert_eq!(
            labels(Axis::linear(0.0, 2e-5), 4),
            ["0", "5×10⁻⁶", "10⁻⁵", "1.5×10⁻⁵", "2×10⁻⁵"]
        );
    }

    #[test]
    fn there_are_a_few_ticks_on_any_axis_and_all_lie_on_it() {
        for (low, high) in [
            (0.0, 1e300),
            (-1e300, 1e300),
            (1e15, 1e15 + 1e10),
            (-1e-200, 3e-200),
            (99.99, 100.01),
            (0.0, 7.0),
        ] {
            let axis = Axis::around([low, high].into_iter(), false, 0.04).unwrap();
            for most in [0, 2, 4, 7] {
                let ticks = axis.ticks(most);
                assert!(
                    (1..=most.max(2) + 1).contains(&ticks.len()),
                    "{low}, {high}: {ticks:?}"
                );
                assert!(
                    ticks
                        .iter()
                        .all(|tick| (-1e-6..=1.0 + 1e-6).contains(&axis.place(tick.value)))
                );
                assert!(
                    ticks.windows(2).all(|pair| pair[0].label != pair[1].label),
                    "{ticks:?}"
                );
            }
        }
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_finer() {
        assert_eq!(
            labels(log(0.0004, 3000.0), 8),
            ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]
        );
        assert_eq!(labels(log(1.0, 1e9), 5), ["1", "100", "10⁴", "10⁶", "10⁸"]);
        assert_eq!(labels(log(1e-6, 1e-4), 5), ["10⁻⁶", "10⁻⁵", "10⁻⁴"]);
        assert_eq!(labels(log(1.5, 30.0), 6), ["2", "5", "10", "20"]);
        assert_eq!(labels(log(31.0, 38.0), 4), ["32", "34", "36", "38"]);
        assert!(log(1e-290, 1e290).ticks(6).len() <= 7);
        assert!((log(1.0, 100.0).place(10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn single_numbers_are_short() {
        let numbers = [0.0, 1.0, -0.25, 1234.5678, 0.00012345, -3e7].map(compact);
        assert_eq!(numbers, ["0", "1", "−0.25", "1230", "1.23×10⁻⁴", "−3×10⁷"]);
    }

    #[test]
    fn what_cannot_be_shown_does_not_count() {
        let values = [f64::NAN, f64::INFINITY, -1.0, 0.0, 2.0, 8.0];
        assert_eq!(
            Axis::around(values.into_iter(), false, 0.0),
            Some(Axis::linear(-1.0, 8.0))
        );
        assert_eq!(
            Axis::around(values.into_iter(), true, 0.0),
            Some(log(2.0, 8.0))
        );
        assert_eq!(Axis::around([f64::NAN, -3.0].into_iter(), true, 0.0), None);
        assert_eq!(Axis::around(std::iter::empty(), false, 0.0), None);
    }

    #[test]
    fn equal_values_get_room_around_them() {
        for value in [0.0, 5.0, -1e-12, 1e300] {
            for log in [false, true] {
                if Axis::shows(value, log) {
                    let axis = Axis::around([value; 3].into_iter(), log, 0.05).unwrap();
                    assert!((axis.place(value) - 0.5).abs() < 1e-6, "{value}");
                }
            }
        }
    }
}
