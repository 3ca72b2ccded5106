//! Poisson emissions: counts.

use rand::{Rng, RngExt};
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::{Emission, Guess, Learnable, Sample};
use crate::hmm::clusters::{Clusters, LEAST_SPREAD};
use crate::hmm::emission_rows::{mixtures, nested, normal, reordered, row_length, width_of};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Error, Law, Moments, PredictedObservation, Predictive, Result};

/// y ∈ ℕᴰ with p(y|s) = ∏_d Poisson(y_d; λ_sd). An observation is a row of D whole numbers.
///
/// ```text
/// ln p(y|s) = Σ_d y_d ln λ_sd − λ_sd − ln Γ(y_d + 1)
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{Emission, Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let quakes = Poisson::new(vec![vec![15.0], vec![26.0]])?;
/// let mut l = [0.0; 2];
/// quakes.log_likelihood(&[20.0], &mut l)?;
/// assert!((l[0] - l[1] - (20.0 * (15.0f64 / 26.0).ln() + 11.0)).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Poisson {
    width: usize,
    /// λ `[K·D]`.
    rates: Vec<f64>,
    /// ln λ `[K·D]`.
    log_rates: Vec<f64>,
    /// Σ_d λ `[K]`.
    totals: Vec<f64>,
}

/// The least rate that [`Learnable::maximise`] finds, in counts per observation. The best rate of a channel that
/// never fired is 0, which would rule out that it ever does; this one costs 10⁻¹⁰ nats per observation.
const LEAST_RATE: f64 = 1e-10;

impl Poisson {
    /// From λ, a row of D rates (expected counts per observation) per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged or empty rows, [`Error::Entry`] for a rate that is not positive and finite.
    pub fn new(rates: Vec<Vec<f64>>) -> Result<Self> {
        let width = rates.first().map_or(0, Vec::len);
        width_of("rates", &rates, width, "row 0")?;
        Self::from_flat(rates.len(), rates.concat())
    }

    /// From λ `[K·D]`, row after row.
    ///
    /// # Errors
    /// As [`Poisson::new`].
    pub fn from_flat(states: usize, rates: Vec<f64>) -> Result<Self> {
        let width = row_length("rates", states, &rates)?;
        if let Some(at) = rates.iter().position(|&r| !(r.is_finite() && r > 0.0)) {
            let expected = "a positive rate (a state that never fires: a tiny one)";
            return Err(Error::entry(
                "rates",
                &[at / width, at % width],
                rates[at],
                expected,
            ));
        }
        Ok(Self {
            width,
            log_rates: rates.iter().map(|r| r.ln()).collect(),
            totals: rates.chunks(width).map(|row| row.iter().sum()).collect(),
            rates,
        })
    }

    /// ln p of the entries that are there.
    #[cold]
    fn marginal(&self, observation: &[f64], into: &mut [f64]) {
        for (l, rates) in into.iter_mut().zip(self.rates.chunks(self.width)) {
            let seen = observation.iter().zip(rates).filter(|(y, _)| !y.is_nan());
            *l = seen
                .map(|(y, r)| y * r.ln() - r - libm::lgamma(y + 1.0))
                .sum();
        }
    }

    /// λ `[K·D]`, row after row.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }
}

impl Emission for Poisson {
    fn states(&self) -> usize {
        self.totals.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let mut constant = 0.0;
        Self::check(observation)?;
        for &y in observation {
            constant += libm::lgamma(y + 1.0);
        }
        let rows = self.log_rates.chunks(self.width).zip(&self.totals);
        for (l, (log_rates, total)) in into.iter_mut().zip(rows) {
            let fired: f64 = log_rates.iter().zip(observation).map(|(r, y)| r * y).sum();
            *l = fired - total - constant;
        }
        if constant.is_nan() {
            self.marginal(observation, into);
        }
        Ok(())
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let pick = |values: &[f64]| reordered(values, self.width, order);
        Self {
            width: self.width,
            rates: pick(&self.rates),
            log_rates: pick(&self.log_rates),
            totals: order.iter().map(|&s| self.totals[s]).collect(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let moments = Moments::mixture(weights, &self.rates, &self.rates);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        mixtures(weights, self.width, |at| Law::Poisson {
            rate: self.rates[at],
        })
    }
}

impl Learnable for Poisson {
    fn statistic_len(&self) -> usize {
        1 + self.width
    }

    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        into[0] = 1.0;
        into[1..].copy_from_slice(observation);
    }

    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        let rows = into.chunks_exact_mut(1 + self.width);
        for (row, rates) in rows.zip(self.rates.chunks(self.width)) {
            self.statistic(observation, row);
            let counts = row[1..].iter_mut().zip(rates);
            counts
                .filter(|(y, _)| y.is_nan())
                .for_each(|(y, rate)| *y = *rate);
        }
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        for (into, rates) in into
            .chunks_mut(1 + self.width)
            .zip(self.rates.chunks(self.width))
        {
            into[0] = 1.0;
            into[1..].copy_from_slice(rates);
        }
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (p, d) = (self.statistic_len(), self.width);
        let pooled = super::origin::pooled_mean(statistics, p, d);
        let mut rates = self.rates.clone();
        for (rates, row) in rates.chunks_mut(d).zip(statistics.chunks(p)) {
            let n = row[0] + pseudo.count;
            if n > 0.0 {
                for ((rate, y), m) in rates.iter_mut().zip(&row[1..]).zip(&pooled) {
                    *rate = (y + pseudo.count * m) / n;
                    // Not `max`, which would hide what is not a number.
                    if *rate < LEAST_RATE {
                        *rate = LEAST_RATE;
                    }
                }
            }
        }
        Self::from_flat(self.states(), rates)
    }

    fn parameters_len(&self) -> usize {
        self.width
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let rows = statistics
            .chunks(1 + self.width)
            .zip(self.rates.chunks(self.width));
        for (into, (row, rates)) in into.chunks_mut(self.width).zip(rows) {
            for ((g, y), rate) in into.iter_mut().zip(&row[1..]).zip(rates) {
                *g = y - row[0] * rate;
            }
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let rates = self
            .rates
            .iter()
            .zip(step)
            .map(|(r, d)| r * d.exp())
            .collect();
        Self::from_flat(self.states(), rates)
    }

    /// λ = (√λ + z)², at least the least rate.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let moved = self.rates.iter().zip(z);
        let rates = moved.map(|(r, z)| (r.sqrt() + z).powi(2).max(LEAST_RATE));
        Self::from_flat(self.states(), rates.collect())
    }

    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score(statistics, into);
        for ((g, r), z) in into.iter_mut().zip(&base.rates).zip(z) {
            let root = r.sqrt() + z;
            *g = if root * root > LEAST_RATE {
                2.0 * *g / root
            } else {
                0.0
            };
        }
    }

    fn information(&self, into: &mut [f64]) {
        into.fill(4.0);
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let group = |(at, rate): (usize, &f64)| ParameterGroup::Positive {
            name: entry_name("rates", at / d, at % d),
            value: *rate,
        };
        self.rates.iter().enumerate().map(group).collect()
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        Self::from_flat(self.states(), values.to_vec())
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.rates.clone()
    }
}

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

impl Sample for Poisson {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let rates = &self.rates()[state * into.len()..];
        for (y, &rate) in into.iter_mut().zip(rates) {
            *y = match rand_distr::Poisson::new(rate) {
                Ok(counts) if rate <= LARGEST_COUNTED_RATE => counts.sample(rng),
                _ => (rate + rate.sqrt() * normal(rng)).round().max(0.0),
            };
        }
    }
}

/// Above this rate a Poisson count is a normal number to seven digits, and drawing it as one cannot
/// leave the range of the generator of counts.
const LARGEST_COUNTED_RATE: f64 = 1e7;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    rates: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for Poisson {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.rates)
    }
}

impl From<Poisson> for Parts {
    fn from(p: Poisson) -> Self {
        Self {
            rates: nested(&p.rates, p.width),
        }
    }
}
