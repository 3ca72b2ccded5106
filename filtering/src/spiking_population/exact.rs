//! The exact filter, by enumeration of the counts.

use super::states::poisson_table;
use super::{CountGrid, SpikingPopulation};
use crate::{Error, Result};

/// What enumeration gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Enumerated {
    /// ln p(x_1 … x_T), without the counts above the largest: at most that of the model.
    pub log_evidence: f64,
    /// ln p(x_t | x_1 … x_{t−1}), `[T]`.
    pub increments: Vec<f64>,
    /// p(z_T | x_1 … x_T), one for each state of the grid.
    pub belief: Vec<f64>,
    /// At most what was left out, relative to p(x_1 … x_T) (eq. T19).
    pub truncation: f64,
    /// The states.
    pub grid: CountGrid,
}

/// States of a smaller probability are left out of the next prediction, and counted as left out.
const NEGLIGIBLE: f64 = 1e-26;

/// The exact filter of a film `[T][M]`, with counts from 0 to `top`.
///
/// # Errors
/// If there are more than three neurons, the film does not fit the model, or its probability underflows.
pub fn filter(model: &SpikingPopulation, film: &[Vec<f64>], top: u32) -> Result<Enumerated> {
    model.check_film(film)?;
    let grid = CountGrid::new(model.neurons(), top)?;
    let states: Vec<Vec<u32>> = (0..grid.len()).map(|i| grid.counts(i)).collect();
    let means: Vec<Vec<f64>> = states
        .iter()
        .map(|z| model.decoded(&z.iter().map(|&n| f64::from(n)).collect::<Vec<_>>()))
        .collect();
    // The law of the next counts given each state: tables of its neurons, and what they leave out.
    let laws: Vec<Law> = states
        .iter()
        .map(|z| Law::new(&model.log_rates(z), top))
        .collect();
    let ceiling: f64 = model
        .sigma
        .iter()
        .map(|s| -s.ln() - 0.5 * std::f64::consts::TAU.ln())
        .sum();
    let mut belief = Vec::new();
    let mut increments = Vec::new();
    // ln of each term of eq. T19, without the likelihoods from its frame on.
    let mut left_out: Vec<f64> = Vec::new();
    for (t, frame) in film.iter().enumerate() {
        let mut tail = 0.0;
        let mut predicted = vec![0.0; grid.len()];
        let first = [Law::new(&model.first, top)];
        let (weights, laws) = match t {
            0 => (&[1.0][..], &first[..]),
            _ => (&belief[..], &laws[..]),
        };
        for (weight, law) in weights.iter().zip(laws) {
            if *weight < NEGLIGIBLE {
                tail += weight;
                continue;
            }
            tail += weight * law.tail;
            for (p, q) in predicted.iter_mut().zip(grid.product(&law.tables)) {
                *p += weight * q;
            }
        }
        let likelihoods: Vec<f64> = means
            .iter()
            .map(|m| model.log_likelihood(frame, m))
            .collect();
        let most = likelihoods
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        for (p, l) in predicted.iter_mut().zip(&likelihoods) {
            *p *= (l - most).exp();
        }
        let total: f64 = predicted.iter().sum();
        if total <= 0.0 {
            return Err(Error::Impossible { index: t as u64 });
        }
        predicted.iter_mut().for_each(|p| *p /= total);
        belief = predicted;
        left_out.push(tail.ln());
        increments.push(total.ln() + most);
    }
    // ∏_{s<t} p cancels against the evidence; the frames from t on remain.
    let mut ahead = 0.0;
    let mut truncation = 0.0;
    for (tail, increment) in left_out.iter().zip(&increments).rev() {
        ahead += ceiling - increment;
        truncation += (tail + ahead).exp();
    }
    Ok(Enumerated {
        log_evidence: increments.iter().sum(),
        increments,
        belief,
        truncation,
        grid,
    })
}

/// The Poisson laws of all neurons, truncated.
struct Law {
    tables: Vec<Vec<f64>>,
    /// At most the probability that any count is above the largest.
    tail: f64,
}

impl Law {
    fn new(log_rates: &[f64], top: u32) -> Self {
        let (tables, tails): (Vec<_>, Vec<f64>) =
            log_rates.iter().map(|&a| poisson_table(a, top)).unzip();
        Self {
            tables,
            tail: tails.iter().sum(),
        }
    }
}
