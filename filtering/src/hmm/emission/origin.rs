//! The origin of the statistics of normal emissions, and the mean that all states share.

use crate::data_spread::unit_variance;
use crate::error::check_finite;
use crate::hmm::pseudo_observations::PseudoVariance;
use crate::{Error, Result};

/// Statistics are about zero where the means are within so many standard deviations of it. A variance is the
/// difference E[y²] − E[y]², which loses (mean/deviation)² units of rounding: 10⁴ of them, 10⁻¹² of the variance,
/// are less than any data determine, and no origin is needed then.
const FAR: f64 = 100.0;
/// A variance below this part of E[y²], of which it is the difference to E[y]², is rounding.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// c `[D]`: of each entry the average of the means `[K·D]` where it is [`FAR`] from 0, and 0 where not.
pub(super) fn origin(means: &[f64], width: usize, variance: impl Fn(usize) -> f64) -> Vec<f64> {
    let states = means.len() / width;
    let of = |d: usize| {
        let entries = || (0..states).map(move |s| s * width + d);
        // Divided first: a sum of large means can leave the range of numbers.
        let average: f64 = entries().map(|at| means[at] / states as f64).sum();
        let largest = entries().map(&variance).fold(0.0, f64::max).sqrt();
        if average.abs() > FAR * largest {
            average
        } else {
            0.0
        }
    };
    (0..width).map(of).collect()
}

/// The origin of a file: none, or a finite number an entry.
pub(super) fn checked_origin(origin: Vec<f64>, width: usize) -> Result<Vec<f64>> {
    if origin.is_empty() {
        return Ok(vec![0.0; width]);
    }
    if origin.len() != width {
        let found = format!("{} entries", origin.len());
        return Err(Error::size("origin", found, width));
    }
    check_finite("origin", width, &origin)?;
    Ok(origin)
}

/// What is written of an origin: nothing where it is zero.
pub(super) fn written(origin: Vec<f64>) -> Vec<f64> {
    match origin.iter().all(|c| *c == 0.0) {
        true => Vec::new(),
        false => origin,
    }
}

/// Σ_k Σy_k / Σ_k n_k `[D]` of statistics whose rows `[P]` begin (n, Σy); zero without any weight.
pub(super) fn pooled_mean(statistics: &[f64], p: usize, d: usize) -> Vec<f64> {
    let weight: f64 = statistics.chunks(p).map(|row| row[0]).sum();
    (1..=d)
        .map(|i| {
            let total: f64 = statistics.chunks(p).map(|row| row[i]).sum();
            if weight > 0.0 { total / weight } else { 0.0 }
        })
        .collect()
}

/// The variance of pseudo-observations `[D]`: Σ_k Σy²_k / Σ_k n_k − m², the spread of all data in each entry, of the same
/// statistics; `square` says where in a row an entry's Σy² is. Where the data do not vary, but for rounding, it is the square of
/// their size: no number has units of its own.
pub(super) fn pooled_variance(
    statistics: &[f64],
    p: usize,
    pooled: &[f64],
    origin: &[f64],
    asked: PseudoVariance,
    square: impl Fn(usize) -> usize,
) -> Vec<f64> {
    if let PseudoVariance::Number(variance) = asked {
        return vec![variance; pooled.len()];
    }
    let weight: f64 = statistics.chunks(p).map(|row| row[0]).sum();
    let spread = |(i, (m, c)): (usize, (&f64, &f64))| {
        let total: f64 = statistics.chunks(p).map(|row| row[square(i)]).sum();
        let spread = total / weight - m * m;
        match spread > ROUNDING * (total / weight) && spread.is_finite() {
            true => spread,
            false => unit_variance(c + m, 0.0),
        }
    };
    let entries = pooled.iter().zip(origin).enumerate();
    entries.map(spread).collect()
}
