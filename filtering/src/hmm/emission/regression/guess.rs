//! Regressions that a fit starts from.

use std::iter::once;

use rand::{Rng, RngExt};

use super::centre::Centre;
use super::family::Family;
use super::{Information, Regression};
use crate::data_spread::check_independence;
use crate::hmm::emission::covariates::Covariates;
use crate::hmm::emission::statistics_of_states::{FEW, learned};
use crate::hmm::emission::{Guess, Learnable};
use crate::hmm::emission_rows::normal;
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Error, Result, Sequence};

/// Steps to the regression of all data, and of the rows drawn for a state.
const ALL: usize = 12;
const DRAWN: usize = 4;
/// A state's weights differ from those of all data by η of at most so much, on average.
const APART: f64 = 1.5;

/// Refuses inputs of which one does not vary or is a combination of others: their weights cannot be told apart from the constant, or
/// from each other.
///
/// # Errors
/// [`Error::Dependent`] with the columns.
pub(super) fn check_inputs(sequences: &[Sequence], inputs: usize) -> Result<()> {
    if inputs == 0 {
        return Ok(());
    }
    let mut only = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        let mut part = Sequence::new(inputs)?;
        for row in sequence.iter().flatten().filter(|row| !row[0].is_nan()) {
            part.push(Some(&row[1..=inputs]))?;
        }
        only.push(part);
    }
    check_independence(&only).map_err(|error| match error {
        Error::Dependent { columns } => Error::Dependent {
            columns: columns.iter().map(|c| c + 1).collect(),
        },
        other => other,
    })
}

/// Refuses outputs that do not vary, or are a linear function of the inputs: no variance can be learned of them.
///
/// # Errors
/// [`Error::Dependent`] with the output, which is 0, and the inputs that it is made of.
pub(super) fn check_outputs(sequences: &[Sequence], inputs: usize) -> Result<()> {
    let mut rows = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        let mut part = Sequence::new(1 + inputs)?;
        for row in sequence.iter().flatten().filter(|row| !row[0].is_nan()) {
            // Last, so that it is what is made of the others.
            let turned: Vec<f64> = row[1..=inputs].iter().chain(&row[..1]).copied().collect();
            part.push(Some(&turned))?;
        }
        rows.push(part);
    }
    let in_a_row = |column: &usize| (column + 1) % (1 + inputs);
    check_independence(&rows).map_err(|error| match error {
        Error::Dependent { columns } => {
            let mut columns: Vec<usize> = columns.iter().map(in_a_row).collect();
            columns.sort_unstable();
            Error::Dependent { columns }
        }
        other => other,
    })
}

impl<F: Family> Regression<F> {
    /// No input has an effect.
    fn null(rows: &[&[f64]], covariates: &Covariates) -> Result<Self> {
        let width = rows.first().map_or(0, |row| row.len());
        let names = covariates.names(1, width)?;
        let has_exposure = covariates.exposure.is_some();
        if has_exposure && !F::EXPOSURE {
            return Err(super::unsupported(
                "have an exposure",
                "only counts are of a time or an area",
            ));
        }
        let m = 1 + names.len() - usize::from(has_exposure);
        let total: f64 = rows.iter().map(|row| row[0]).sum();
        let n = rows.len() as f64;
        let exposure = |row: &&[f64]| {
            if has_exposure {
                row[row.len() - 1]
            } else {
                1.0
            }
        };
        let mut weights = vec![0.0; m];
        weights[0] = F::link(total, n, rows.iter().map(exposure).sum());
        let squares: f64 = rows.iter().map(|row| (row[0] - total / n).powi(2)).sum();
        let variance = match F::VARIANCE {
            true => crate::data_spread::unit_variance(total / n, squares / n),
            false => 1.0,
        };
        let mut null = Self::from_flat(names, has_exposure, weights.clone(), vec![variance])?;
        null.origin = match F::VARIANCE {
            true => weights,
            false => null.origin,
        };
        Ok(null.with_centre(Centre::of(rows.iter().copied(), m - 1)))
    }

    /// After `steps` M-steps on these rows, with ε pseudo-observations.
    fn stepped<'a>(
        mut self,
        rows: impl Iterator<Item = &'a [f64]> + Clone,
        steps: usize,
        pseudo: PseudoObservations,
    ) -> Result<Self> {
        for _ in 0..steps {
            let none = vec![0.0; self.statistic_len()];
            self = learned(&self, none, rows.clone(), pseudo)?;
        }
        Ok(self)
    }

    /// One state for all rows.
    fn of_all(rows: &[&[f64]], covariates: &Covariates) -> Result<Self> {
        Self::null(rows, covariates)?.stepped(rows.iter().copied(), ALL, FEW)
    }

    fn joined(states: Vec<Self>) -> Result<Self> {
        let Some(first) = states.first() else {
            return Err(Error::size("states", "none", "at least one"));
        };
        let all = |of: fn(&Self) -> &[f64]| {
            states
                .iter()
                .flat_map(|s| of(s).to_vec())
                .collect::<Vec<f64>>()
        };
        let new = first.with_values(all(|s| &s.weights), all(|s| &s.variances))?;
        Ok(Self {
            information: Information(all(|s| &s.information.0)),
            ..new
        })
    }
}

impl<F: Family> Guess for Regression<F> {
    fn check(row: &[f64]) -> Result<()> {
        let y = row.first().copied().unwrap_or(f64::NAN);
        match y.is_nan() || F::is_possible(y) {
            true => super::seen_with(&[y], row.get(1..).unwrap_or(&[])).map(|_| ()),
            false => Err(Error::observation(0, y, F::EXPECTED)),
        }
    }

    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        Self::guess_given(states, rows, &Covariates::default(), rng)
    }

    /// Each state is the regression of rows that are drawn for it.
    fn guess_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        let all = Self::of_all(rows, covariates)?;
        if states == 1 {
            return Ok(all);
        }
        let m = all.weights_len();
        let mut each = Vec::with_capacity(states);
        for _ in 0..states {
            let drawn: Vec<usize> = (0..rng.random_range(2 * m..=6 * m))
                .map(|_| rng.random_range(0..rows.len()))
                .collect();
            let drawn = drawn.iter().map(|&at| rows[at]);
            each.push(
                all.clone()
                    .stepped(drawn, DRAWN, PseudoObservations::of_data(1.0))?,
            );
        }
        Self::joined(each)
    }

    /// Each state is the regression of all rows, moved at random.
    fn scattered_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        let all = Self::of_all(rows, covariates)?;
        let m = all.weights_len();
        // (Δη)² is on average M/ω for a step of unit variance in each coordinate.
        let omega = all
            .information_of(0)
            .map_or(1.0, |h| h[0] / all.variances[0]);
        let unit = if F::VARIANCE {
            1.0
        } else {
            (APART * (omega / m as f64).sqrt()).min(1.0)
        };
        let each = (0..states).map(|_| {
            let size = unit * rng.random_range(0.3..1.0);
            let z: Vec<f64> = (0..m)
                .map(|_| size * normal(rng))
                .chain(once(0.0))
                .take(all.parameters_len())
                .collect();
            all.displaced(&z)
        });
        let each = each.collect::<Result<Vec<Self>>>()?;
        Self::joined(each)
    }
}
