//! What the experiments share: random numbers, tables' cells, curves.

use scotopic_figures::Series;
use scotopic_filtering::rand::SeedableRng as _;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;

use crate::experiments::protocol::{Estimate, Interval, Results};

/// Multiplier of SplitMix64: neighbouring numbers become unlike.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The random numbers of unit `unit` of a case under a seed: the same for every arm.
pub fn rng(seed: u64, case: &str, unit: usize) -> Xoshiro256PlusPlus {
    // FNV-1a, which is the same on every machine and in every version.
    let hash = case.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let mixed =
        hash ^ seed.wrapping_mul(SPREAD) ^ (unit as u64).wrapping_mul(SPREAD.rotate_left(31));
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// A curve of means with a band of one standard error, through these points.
pub fn curve(label: &str, points: impl Iterator<Item = (f64, Estimate)>) -> Series {
    let (x, e): (Vec<f64>, Vec<Estimate>) = points.unzip();
    let edge = |sign: f64| e.iter().map(|e| e.mean + sign * e.error).collect();
    Series::line(label, x, edge(0.0)).spread(edge(-1.0), edge(1.0))
}

/// The cases of a result that are numbers, rising: steps, observations.
pub fn numbers(results: &Results) -> Vec<usize> {
    let cases = results.records[0].values.cases();
    let mut numbers: Vec<usize> = cases.filter_map(|case| case.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// `mean ± standard error` with so many decimals, and the number of failed units; a dash for none.
pub fn with_error(estimate: Option<Estimate>, decimals: usize) -> String {
    let Some(e) = estimate else {
        return "–".to_owned();
    };
    let value = crate::table::number(e.mean, decimals);
    let error = match e.error.is_finite() {
        true => format!(" ± {}", crate::table::number(e.error, decimals)),
        false => String::new(),
    };
    let failed = match e.failed {
        0 => String::new(),
        n => format!(" ({n} of {} failed)", n + e.units),
    };
    format!("{value}{error}{failed}")
}

/// `mean [low, high]` with so many decimals; a dash for none.
pub fn with_interval(interval: Option<Interval>, decimals: usize) -> String {
    let number = |x| crate::table::number(x, decimals);
    interval.map_or_else(
        || "–".to_owned(),
        |i| format!("{} [{}, {}]", number(i.mean), number(i.low), number(i.high)),
    )
}

/// Whether a difference is above 0 (what is claimed), below 0 (the contrary), or neither.
#[cfg(feature = "vision")]
pub fn above(interval: Option<Interval>) -> Option<bool> {
    below(interval).map(|below| !below)
}

/// Whether a difference is below 0 (what is claimed), above 0 (the contrary), or neither.
pub fn below(interval: Option<Interval>) -> Option<bool> {
    match interval {
        Some(i) if i.is_negative() => Some(true),
        Some(i) if i.is_positive() => Some(false),
        _ => None,
    }
}

/// The ratio a/b of geometric means over units of both, with its interval; `None` for fewer than two units.
pub fn ratio(a: &[Option<f64>], b: &[Option<f64>]) -> Option<Interval> {
    let ln = |values: &[Option<f64>]| -> Vec<Option<f64>> {
        values
            .iter()
            .map(|v| v.filter(|v| *v > 0.0).map(f64::ln))
            .collect()
    };
    let i = Interval::of_difference(&ln(a), &ln(b))?;
    Some(Interval {
        mean: i.mean.exp(),
        low: i.low.exp(),
        high: i.high.exp(),
        units: i.units,
    })
}

/// Whether a ratio is below 1 (what is claimed), above 1 (the contrary), or neither.
pub fn below_one(ratio: Option<Interval>) -> Option<bool> {
    match ratio {
        Some(i) if i.high < 1.0 => Some(true),
        Some(i) if i.low > 1.0 => Some(false),
        _ => None,
    }
}

/// How many cases hold, are to the contrary, and are neither, in words.
pub fn counted(cases: &[Option<bool>]) -> String {
    let count = |what| cases.iter().filter(|case| **case == what).count();
    format!(
        "of {} cases the interval says so in {}, the contrary in {}, neither in {}",
        cases.len(),
        count(Some(true)),
        count(Some(false)),
        count(None)
    )
}
