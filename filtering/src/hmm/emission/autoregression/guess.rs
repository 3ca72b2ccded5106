//! Autoregressions that a fit starts from.

use rand::{Rng, RngExt};

use super::{Autoregression, LagMoments, Noise, check_order};
use crate::data_spread::unit_variance;
use crate::hmm::emission::covariates::Covariates;
use crate::hmm::emission::statistics_of_states::{FEW, learned};
use crate::hmm::emission::{Emission, Guess, Learnable};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Error, Result};

/// Steps of k-means among regressions: the guess only has to tell the states apart.
const SWEEPS: usize = 5;
/// A stretch has so many observations for each weight of an entry of x.
const STRETCH: std::ops::RangeInclusive<usize> = 2..=6;

impl Autoregression {
    /// One state for all rows, from which a step leads to the regression of some.
    fn of_all(rows: &[&[f64]], covariates: &Covariates) -> Result<Self> {
        check_order(covariates.lags)?;
        let width = rows.first().map_or(0, |row| row.len());
        let d = width / (1 + covariates.lags);
        if d == 0 || d * (1 + covariates.lags) != width {
            let expected = format!("x and its {} lags (Sequence::with_lags)", covariates.lags);
            return Err(Error::size(
                "sequences",
                format!("{width} columns"),
                expected,
            ));
        }
        let n = rows.len() as f64;
        let column = |i: usize| rows.iter().map(move |row| row[i]);
        let mean: Vec<f64> = (0..d).map(|i| column(i).map(|x| x / n).sum()).collect();
        let variance = |i: usize| {
            let square: f64 = column(i).map(|x| (x - mean[i]).powi(2) / n).sum();
            unit_variance(mean[i], square)
        };
        let variances = (0..d).map(variance).collect::<Vec<f64>>();
        let mut weights = vec![0.0; d * (1 + covariates.lags * d)];
        for (row, mean) in weights.chunks_mut(1 + covariates.lags * d).zip(&mean) {
            row[0] = *mean;
        }
        let mut covariances = vec![0.0; d * d];
        for (i, v) in variances.iter().enumerate() {
            covariances[i * (d + 1)] = *v;
        }
        let mut all = Self::from_flat(d, covariates.lags, weights, Noise::Full(covariances))?;
        all.origin = mean;
        all.start = rows
            .last()
            .map_or(Vec::new(), |row| row[..width - d].to_vec());
        let none = vec![0.0; all.statistic_len()];
        Ok(learned(&all, none, rows.iter().copied(), FEW)?.recentred())
    }

    fn joined(states: &[Self]) -> Result<Self> {
        let Some(first) = states.first() else {
            return Err(Error::size("states", "none", "at least one"));
        };
        let all = |of: fn(&Self) -> &[f64]| -> Vec<f64> {
            states.iter().flat_map(|s| of(s).to_vec()).collect()
        };
        let new = first.with_values(all(|s| &s.weights), all(|s| &s.covariances))?;
        Ok(Self {
            moments: LagMoments(all(|s| &s.moments.0)),
            ..new
        })
    }

    /// Regressions of stretches of rows that follow one another.
    fn of_stretches<R: Rng + ?Sized>(
        &self,
        states: usize,
        rows: &[&[f64]],
        rng: &mut R,
    ) -> Result<Self> {
        let m = self.weights_len();
        let mut each = Vec::with_capacity(states);
        for _ in 0..states {
            let length = (rng.random_range(STRETCH) * m).clamp(1, rows.len());
            let from = rng.random_range(0..=rows.len() - length);
            let stretch = rows[from..from + length].iter().copied();
            each.push(self.drawn(stretch)?);
        }
        Self::joined(&each)
    }

    /// The regression of a few rows, drawn to that of all by an observation of it for each weight.
    fn drawn<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Result<Self> {
        let mut statistics = vec![0.0; self.statistic_len()];
        self.expected_statistic(&mut statistics);
        statistics.iter_mut().for_each(|s| *s *= 0.5);
        learned(self, statistics, rows, PseudoObservations::NONE)
    }
}

impl Guess for Autoregression {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        Self::guess_given(states, rows, &Covariates::default(), rng)
    }

    /// k-means among regressions: each row to the state that predicts it best, each state the regression of its rows; from stretches
    /// of the series.
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
        let mut now = all.of_stretches(states, rows, rng)?;
        let mut likelihood = vec![0.0; states];
        for _ in 0..SWEEPS {
            let mut statistics = vec![0.0; states * now.statistic_len()];
            for row in rows {
                now.log_likelihood(row, &mut likelihood)?;
                let better = |a: usize, b: usize| if likelihood[b] > likelihood[a] { b } else { a };
                let best = (1..states).fold(0, better);
                let mut weights = vec![0.0; states];
                weights[best] = 1.0;
                now.accumulate(row, &weights, &mut [], &mut statistics);
            }
            now = now.maximise(&statistics, PseudoObservations::of_data(1.0))?;
        }
        Ok(now)
    }

    /// Regressions of stretches of the series.
    fn scattered_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        Self::of_all(rows, covariates)?.of_stretches(states, rows, rng)
    }
}
