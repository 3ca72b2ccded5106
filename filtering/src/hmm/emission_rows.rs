//! Parameters of an emission as rows, one a state: checks of their sizes, their order; and numbers drawn from them.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use super::Emission;
use crate::{Error, Law, Predictive, Result};

/// The length of the rows `name`, which have to be equally long; `first` says in an error which row gave the length.
pub(super) fn width_of<T>(name: &str, rows: &[Vec<T>], width: usize, first: &str) -> Result<()> {
    match rows.iter().position(|row| row.len() != width) {
        None => Ok(()),
        Some(s) => Err(Error::size(
            format!("{name}[{s}]"),
            format!("{} entries", rows[s].len()),
            format!("{width}, as {first}"),
        )),
    }
}

/// The entries of a row, of `states` rows that follow one another.
pub(super) fn row_length(name: &str, states: usize, values: &[f64]) -> Result<usize> {
    if states == 0 || values.is_empty() || !values.len().is_multiple_of(states) {
        let found = format!("{} entries", values.len());
        return Err(Error::size(
            name,
            found,
            format!("{states} rows of one length"),
        ));
    }
    Ok(values.len() / states)
}

/// Rows `[K, width]` in another order: new row k is old row `order[k]`.
pub(super) fn reordered(values: &[f64], width: usize, order: &[usize]) -> Vec<f64> {
    let rows = order.iter().map(|&k| &values[k * width..(k + 1) * width]);
    rows.flatten().copied().collect()
}

/// Rows `[K, width]` one by one, as files have them.
pub(super) fn nested(values: &[f64], width: usize) -> Vec<Vec<f64>> {
    values.chunks(width).map(<[f64]>::to_vec).collect()
}

/// Refuses what an emission of `states` states cannot be given: an exposure that is not positive.
///
/// # Errors
/// [`Error::Observation`] with the entry of a row, what is given after its outputs.
pub(super) fn check_inputs(emission: &impl Emission, states: usize, given: &[f64]) -> Result<()> {
    if given.is_empty() || given.len() != emission.inputs().len() {
        return Ok(());
    }
    let outputs = emission.width() - given.len();
    // Of an observation that is missing only what it is given can be wrong.
    let mut row = vec![f64::NAN; outputs];
    row.extend_from_slice(given);
    match emission.log_likelihood(&row, &mut vec![0.0; states]) {
        Err(error @ Error::Observation { entry, .. }) if entry >= outputs => Err(error),
        _ => Ok(()),
    }
}

/// The same error with entries counted from the first input.
pub(super) fn of_input(mut error: Error, outputs: usize) -> Error {
    if let Error::Observation { entry, .. } = &mut error {
        *entry = entry.saturating_sub(outputs);
    }
    error
}

/// One of 0, 1, … with these probabilities.
pub(super) fn draw<R: Rng + ?Sized>(
    probabilities: impl Iterator<Item = f64>,
    rng: &mut R,
) -> usize {
    let mut left: f64 = rng.random();
    let mut last = 0;
    for (k, p) in probabilities.enumerate().filter(|(_, p)| *p > 0.0) {
        // Rounding can leave a little at the end: that is the last one that is possible.
        last = k;
        left -= p;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// For each of `width` entries the mixture with these weights `[K]` of the laws of the states; `law` has the place `k·width + i`.
pub(super) fn mixtures(
    weights: &[f64],
    width: usize,
    law: impl Fn(usize) -> Law,
) -> Option<Vec<Predictive>> {
    let parts = |i: usize| {
        let each = weights.iter().enumerate();
        each.map(|(k, w)| (*w, law(k * width + i))).collect()
    };
    (0..width).map(|i| Predictive::new(parts(i)).ok()).collect()
}

pub(super) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    StandardNormal.sample(rng)
}

/// Above this rate a Poisson count is a normal number to seven digits, and drawing it as one cannot
/// leave the range of the generator of counts.
const LARGEST_COUNTED_RATE: f64 = 1e7;

/// A Poisson count.
pub(super) fn draw_count<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> f64 {
    match Poisson::new(rate) {
        Ok(counts) if rate <= LARGEST_COUNTED_RATE => counts.sample(rng),
        _ => (rate + rate.sqrt() * normal(rng)).round().max(0.0),
    }
}
