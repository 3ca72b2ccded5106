//! Counts that a fit starts from.

use rand::{Rng, RngExt};

use super::Poisson;
use crate::hmm::clusters::{Clusters, LEAST_SPREAD};
use crate::hmm::emission::covariates::{Covariates, check_exposure};
use crate::hmm::emission::{Emission, Guess};
use crate::hmm::emission_rows::normal;
use crate::{Error, Result};

impl Guess for Poisson {
    fn check(row: &[f64]) -> Result<()> {
        match row
            .iter()
            .position(|&y| y < 0.0 || (!y.is_nan() && y.fract() != 0.0))
        {
            Some(entry) => Err(Error::observation(entry, row[entry], "a count: 0, 1, 2, …")),
            None => Ok(()),
        }
    }

    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let means = Clusters::new(states, rows, rng).means;
        let overall: f64 = means.iter().sum::<f64>() / means.len() as f64;
        let least = (LEAST_SPREAD * overall).max(LEAST_SPREAD);
        Self::from_flat(states, means.iter().map(|m| m.max(least)).collect())
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        /// A state of zeros keeps a chance of other counts, and can be left while it is learned.
        const LEAST: f64 = 1e-2;
        let rates = scattered_rates(states, rows, rng);
        let overall: f64 = rates.iter().sum::<f64>() / rates.len() as f64;
        let least = (LEAST * overall).max(LEAST_SPREAD);
        Self::from_flat(states, rates.iter().map(|m| m.max(least)).collect())
    }

    fn guess_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        given(rows, covariates, |rows| Self::guess(states, rows, rng))
    }

    fn scattered_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        given(rows, covariates, |rows| Self::scattered(states, rows, rng))
    }
}

/// A guess from counts of the mean exposure, with rates for each unit of it.
fn given(
    rows: &[&[f64]],
    covariates: &Covariates,
    guess: impl FnOnce(&[&[f64]]) -> Result<Poisson>,
) -> Result<Poisson> {
    let Some(name) = &covariates.exposure else {
        covariates.refuse()?;
        return guess(rows);
    };
    Covariates {
        inputs: covariates.inputs.clone(),
        exposure: None,
        lags: covariates.lags,
    }
    .refuse()?;
    let last = rows.first().map_or(0, |row| row.len()).saturating_sub(1);
    if last == 0 {
        return Err(Error::size(
            "sequences",
            "1 column",
            "counts and their exposure",
        ));
    }
    for row in rows {
        check_exposure(last, row[last])?;
    }
    let mean = rows
        .iter()
        .map(|row| row[last] / rows.len() as f64)
        .sum::<f64>();
    let scaled: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| row[..last].iter().map(|y| y * mean / row[last]).collect())
        .collect();
    let scaled: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
    let counts = guess(&scaled)?;
    let rates = counts.rates().iter().map(|r| r / mean).collect();
    Poisson::from_flat(counts.states(), rates)?.with_exposure(name)
}

/// Means of groups by the roots of the counts, whose variance does not grow with the mean, or rows of the data, or
/// the overall rates times log-normal factors.
fn scattered_rates<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Vec<f64> {
    let width = rows[0].len();
    let n = rows.len() as f64;
    let overall = |d: usize| rows.iter().map(|row| row[d]).sum::<f64>() / n;
    match rng.random_range(0..3) {
        0 => {
            let roots: Vec<Vec<f64>> = rows
                .iter()
                .map(|row| row.iter().map(|y| y.max(0.0).sqrt()).collect())
                .collect();
            let roots: Vec<&[f64]> = roots.iter().map(Vec::as_slice).collect();
            let means = Clusters::new(states, &roots, rng).means;
            means.iter().map(|m| m * m).collect()
        }
        1 => (0..states)
            .flat_map(|_| rows[rng.random_range(0..rows.len())].to_vec())
            .collect(),
        _ => (0..states * width)
            .map(|at| overall(at % width) * normal(rng).exp())
            .collect(),
    }
}
