//! Poisson emissions: counts.

mod file;
mod guess;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::covariates::{Unit, check_exposure, check_names, seen_with};
use super::{Emission, Guess, Learnable, Sample, ScorePart};
use crate::hmm::emission_rows::{draw_count, mixtures, reordered, row_length, width_of};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::math::factorial::ln_factorial;
use crate::{Coordinate, Error, Law, Moments, PredictedObservation, Predictive, Result};

/// y ∈ ℕᴰ with p(y|s) = ∏_d Poisson(y_d; e λ_sd). An observation is a row of D whole numbers, and the exposure e that they are counts
/// of where there is one ([`Poisson::with_exposure`]); e = 1 where not.
///
/// ```text
/// ln p(y|s) = Σ_d y_d ln e λ_sd − e λ_sd − ln Γ(y_d + 1)
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
#[serde(try_from = "file::Parts", into = "file::Parts")]
pub struct Poisson {
    width: usize,
    /// λ `[K·D]`.
    rates: Vec<f64>,
    /// ln λ `[K·D]`.
    log_rates: Vec<f64>,
    /// Σ_d λ `[K]`.
    totals: Vec<f64>,
    /// The name of the exposure, or none.
    exposure: Vec<String>,
    unit: Unit,
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
            exposure: Vec::new(),
            unit: Unit(1.0),
        })
    }

    /// Other rates of the same sizes.
    fn with_rates(&self, rates: Vec<f64>) -> Result<Self> {
        let new = Self::from_flat(self.states(), rates)?;
        Ok(Self {
            exposure: self.exposure.clone(),
            unit: self.unit.clone(),
            ..new
        })
    }

    /// The same for counts of an exposure (a time, an area, a number at risk), the last entry of a row; rates are for each unit of it.
    ///
    /// # Errors
    /// [`Error::Entry`] for a name of nothing.
    pub fn with_exposure(mut self, name: &str) -> Result<Self> {
        self.exposure = check_names(&[], Some(name))?;
        Ok(self)
    }

    /// ln p of the entries that are there, for counts of an exposure e.
    #[cold]
    fn marginal(&self, counts: &[f64], e: f64, into: &mut [f64]) {
        for (l, rates) in into.iter_mut().zip(self.rates.chunks(self.width)) {
            let seen = counts.iter().zip(rates).filter(|(y, _)| !y.is_nan());
            *l = seen
                .map(|(y, r)| y * (r * e).ln() - r * e - ln_factorial(*y))
                .sum();
        }
    }

    /// The counts of a row, and their exposure: 1 where there is none.
    fn parts<'a>(&self, row: &'a [f64]) -> (&'a [f64], f64) {
        let (counts, rest) = row.split_at(self.width);
        (counts, rest.first().copied().unwrap_or(1.0))
    }

    /// The least rate, in counts of the mean exposure.
    fn least(&self) -> f64 {
        LEAST_RATE / self.unit.0
    }

    /// Σe and n of statistics; with no exposure each is the other.
    fn exposures(&self, statistics: &[f64]) -> (f64, f64) {
        let p = self.statistic_len();
        let total = |at: usize| -> f64 { statistics.chunks(p).map(|row| row[at]).sum() };
        let last = if self.exposure.is_empty() { 0 } else { p - 1 };
        (total(0), total(last))
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
        self.width + self.exposure.len()
    }

    fn inputs(&self) -> &[String] {
        &self.exposure
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        if !self.exposure.is_empty() {
            let (counts, e) = self.parts(observation);
            Self::check(counts)?;
            check_exposure(self.width, e)?;
            into.fill(0.0);
            if seen_with(counts, &observation[self.width..])? {
                self.marginal(counts, e, into);
            }
            return Ok(());
        }
        let mut constant = 0.0;
        Self::check(observation)?;
        for &y in observation {
            constant += ln_factorial(y);
        }
        let rows = self.log_rates.chunks(self.width).zip(&self.totals);
        for (l, (log_rates, total)) in into.iter_mut().zip(rows) {
            let fired: f64 = log_rates.iter().zip(observation).map(|(r, y)| r * y).sum();
            *l = fired - total - constant;
        }
        if constant.is_nan() {
            self.marginal(observation, 1.0, into);
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
            exposure: self.exposure.clone(),
            unit: self.unit.clone(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        if !self.exposure.is_empty() {
            return None;
        }
        let moments = Moments::mixture(weights, &self.rates, &self.rates);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        match self.exposure.is_empty() {
            true => self.predictive_given(weights, &[]),
            false => None,
        }
    }

    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        let e = match (given, self.exposure.is_empty()) {
            ([], true) => 1.0,
            ([e], false) => *e,
            _ => return None,
        };
        mixtures(weights, self.width, |at| Law::Poisson {
            rate: e * self.rates[at],
        })
    }
}

impl Learnable for Poisson {
    fn statistic_len(&self) -> usize {
        1 + self.width + self.exposure.len()
    }

    /// (e, y), and a 1 to count by where there is an exposure.
    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        let (counts, e) = self.parts(observation);
        into[1 + self.width..].fill(1.0);
        // Of counts that are all missing the exposure may be too.
        into[0] = if e.is_nan() { self.unit.0 } else { e };
        into[1..=self.width].copy_from_slice(counts);
    }

    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        let rows = into.chunks_exact_mut(self.statistic_len());
        for (row, rates) in rows.zip(self.rates.chunks(self.width)) {
            self.statistic(observation, row);
            let e = row[0];
            let counts = row[1..].iter_mut().zip(rates);
            counts
                .filter(|(y, _)| y.is_nan())
                .for_each(|(y, rate)| *y = e * rate);
        }
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        let e = self.unit.0;
        let rows = into.chunks_mut(self.statistic_len());
        for (into, rates) in rows.zip(self.rates.chunks(self.width)) {
            into[1 + self.width..].fill(1.0);
            into[0] = e;
            into[1..]
                .iter_mut()
                .zip(rates)
                .for_each(|(y, r)| *y = e * r);
        }
    }

    fn measured(self, statistics: &[f64]) -> Self {
        let (e, n) = self.exposures(statistics);
        let unit = if n > 0.0 { e / n } else { self.unit.0 };
        Self {
            unit: Unit(unit),
            ..self
        }
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (p, d) = (self.statistic_len(), self.width);
        let pooled = super::origin::pooled_mean(statistics, p, d);
        let measured = self.clone().measured(statistics);
        let (count, least) = (pseudo.count * measured.unit.0, measured.least());
        let mut rates = self.rates.clone();
        for (rates, row) in rates.chunks_mut(d).zip(statistics.chunks(p)) {
            let n = row[0] + count;
            if n > 0.0 {
                for ((rate, y), m) in rates.iter_mut().zip(&row[1..]).zip(&pooled) {
                    *rate = (y + count * m) / n;
                    // Not `max`, which would hide what is not a number.
                    if *rate < least {
                        *rate = least;
                    }
                }
            }
        }
        measured.with_rates(rates)
    }

    fn parameters_len(&self) -> usize {
        self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![ScorePart::new("rates", Coordinate::Log, &[self.width])]
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let rows = statistics
            .chunks(self.statistic_len())
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
        self.with_rates(rates)
    }

    /// λ = (√λ + z)², at least the least rate.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let moved = self.rates.iter().zip(z);
        let rates = moved.map(|(r, z)| (r.sqrt() + z).powi(2).max(self.least()));
        self.with_rates(rates.collect())
    }

    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score(statistics, into);
        for ((g, r), z) in into.iter_mut().zip(&base.rates).zip(z) {
            let root = r.sqrt() + z;
            *g = if root * root > base.least() {
                2.0 * *g / root
            } else {
                0.0
            };
        }
    }

    fn information(&self, into: &mut [f64]) {
        into.fill(4.0 * self.unit.0);
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
        self.with_rates(values.to_vec())
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.rates.clone()
    }
}

impl Sample for Poisson {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let (_, e) = self.parts(into);
        let rates = &self.rates()[state * self.width..];
        for (y, &rate) in into[..self.width].iter_mut().zip(rates) {
            *y = draw_count(e * rate, rng);
        }
    }
}
