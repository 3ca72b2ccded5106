//! Bernoulli emissions: several columns of 0 or 1, independent given the state.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::{Emission, Guess, Learnable, Sample, ScorePart};
use crate::hmm::clusters::Clusters;
use crate::hmm::emission_rows::{nested, reordered, row_length, width_of};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Coordinate, Error, Moments, PredictedObservation, Predictive, Result};

/// y ∈ {0, 1}ᴰ with p(y|s) = ∏_d p_sd^y_d (1 − p_sd)^(1 − y_d). An observation is a row of D numbers 0 or 1.
///
/// ```
/// use scotopic_filtering::hmm::{Bernoulli, Emission};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let answers = Bernoulli::new(vec![vec![0.9, 0.8], vec![0.25, 0.5]])?;
/// let mut l = [0.0; 2];
/// answers.log_likelihood(&[1.0, 0.0], &mut l)?;
/// assert!((l[0] - (0.9f64 * 0.2).ln()).abs() < 1e-15 && (l[1] - 0.125f64.ln()).abs() < 1e-15);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Bernoulli {
    width: usize,
    /// p `[K·D]`.
    probabilities: Vec<f64>,
}

impl Bernoulli {
    /// From p(y_d = 1|s), a row of D probabilities per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged or empty rows, [`Error::Entry`] for what is no probability.
    pub fn new(probabilities: Vec<Vec<f64>>) -> Result<Self> {
        let width = probabilities.first().map_or(0, Vec::len);
        width_of("probabilities", &probabilities, width, "row 0")?;
        Self::from_flat(probabilities.len(), probabilities.concat())
    }

    /// From p `[K·D]`, row after row.
    ///
    /// # Errors
    /// As [`Bernoulli::new`].
    pub fn from_flat(states: usize, probabilities: Vec<f64>) -> Result<Self> {
        let width = row_length("probabilities", states, &probabilities)?;
        match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            None => Ok(Self {
                width,
                probabilities,
            }),
            Some(at) => Err(Error::entry(
                "probabilities",
                &[at / width, at % width],
                probabilities[at],
                "a probability from 0 to 1",
            )),
        }
    }

    /// p `[K·D]`, row after row.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// n, then Σy of each column, of each state, with the probabilities there.
    fn rows<'a>(
        &'a self,
        statistics: &'a [f64],
    ) -> impl Iterator<Item = (f64, impl Iterator<Item = (f64, f64)> + 'a)> + 'a {
        let rows = statistics.chunks(1 + self.width);
        rows.zip(self.probabilities.chunks(self.width))
            .map(|(row, p)| {
                let each = row[1..].iter().copied().zip(p.iter().copied());
                (row[0], each)
            })
    }
}

impl Emission for Bernoulli {
    fn states(&self) -> usize {
        self.probabilities.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        Self::check(observation)?;
        for (l, p) in into.iter_mut().zip(self.probabilities.chunks(self.width)) {
            let seen = observation.iter().zip(p).filter(|(y, _)| !y.is_nan());
            let each = seen.map(|(y, p)| if *y == 1.0 { p.ln() } else { (-p).ln_1p() });
            *l = each.sum();
        }
        Ok(())
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        Self {
            width: self.width,
            probabilities: reordered(&self.probabilities, self.width, order),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let variances: Vec<f64> = self.probabilities.iter().map(|p| p * (1.0 - p)).collect();
        let moments = Moments::mixture(weights, &self.probabilities, &variances);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        let of = |d: usize| {
            let p = weights
                .iter()
                .zip(self.probabilities[d..].iter().step_by(self.width));
            let p = p.map(|(w, p)| w * p).sum::<f64>().clamp(0.0, 1.0);
            Predictive::symbols(&[1.0 - p, p]).ok()
        };
        (0..self.width).map(of).collect()
    }
}

impl Learnable for Bernoulli {
    fn statistic_len(&self) -> usize {
        1 + self.width
    }

    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        into[0] = 1.0;
        into[1..].copy_from_slice(observation);
    }

    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        let rows = into.chunks_exact_mut(1 + self.width);
        for (row, p) in rows.zip(self.probabilities.chunks(self.width)) {
            self.statistic(observation, row);
            let missing = row[1..].iter_mut().zip(p).filter(|(y, _)| y.is_nan());
            missing.for_each(|(y, p)| *y = *p);
        }
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        let rows = into.chunks_mut(1 + self.width);
        for (into, p) in rows.zip(self.probabilities.chunks(self.width)) {
            into[0] = 1.0;
            into[1..].copy_from_slice(p);
        }
    }

    /// p = (Σy + ε)/(n + 2ε): ε pseudo-observations of either symbol.
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let mut new = Vec::with_capacity(self.probabilities.len());
        for (n, each) in self.rows(statistics) {
            let all = n + 2.0 * pseudo.count;
            new.extend(each.map(|(y, p)| match all > 0.0 {
                // Rounding of sums can leave more ones than observations.
                true => ((y + pseudo.count) / all).min(1.0),
                false => p,
            }));
        }
        Self::from_flat(self.states(), new)
    }

    fn parameters_len(&self) -> usize {
        self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![ScorePart::new(
            "probabilities",
            Coordinate::Logit,
            &[self.width],
        )]
    }

    /// θ are logits.
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let rows = into.chunks_mut(self.width).zip(self.rows(statistics));
        for (into, (n, each)) in rows {
            into.iter_mut()
                .zip(each)
                .for_each(|(g, (y, p))| *g = y - n * p);
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let moved = self.probabilities.iter().zip(step);
        let p = moved.map(|(p, d)| {
            let up = p * d.exp();
            match up.is_finite() {
                true => up / (up + 1.0 - p),
                false => 1.0,
            }
        });
        Self::from_flat(self.states(), p.collect())
    }

    /// p = sin²(φ + z) with sin² φ the probability here.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let moved = self.probabilities.iter().zip(z);
        let p = moved.map(|(p, z)| (p.sqrt().asin() + z).sin().powi(2).min(1.0));
        Self::from_flat(self.states(), p.collect())
    }

    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        let angles = base
            .probabilities
            .iter()
            .zip(z)
            .map(|(p, z)| p.sqrt().asin() + z);
        for ((at, g), angle) in into.iter_mut().enumerate().zip(angles) {
            let row = &statistics[at / d * (1 + d)..];
            let (ones, zeros) = (row[1 + at % d], row[0] - row[1 + at % d]);
            // 2 (ones cot φ − zeros tan φ); a symbol that was never seen pulls nowhere.
            let part = |count: f64, slope: f64| if count == 0.0 { 0.0 } else { count * slope };
            *g = 2.0 * (part(ones, 1.0 / angle.tan()) - part(zeros, angle.tan()));
        }
    }

    fn information(&self, into: &mut [f64]) {
        into.fill(4.0);
    }

    fn structural_zeros(&self) -> usize {
        let certain = |p: &&f64| **p == 0.0 || **p == 1.0;
        self.probabilities.iter().filter(certain).count()
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let group = |(at, p): (usize, &f64)| ParameterGroup::Probability {
            name: entry_name("probabilities", at / d, at % d),
            value: *p,
        };
        self.probabilities.iter().enumerate().map(group).collect()
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        Self::from_flat(self.states(), values.to_vec())
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.probabilities.clone()
    }
}

impl Guess for Bernoulli {
    fn check(row: &[f64]) -> Result<()> {
        match row
            .iter()
            .position(|y| !(y.is_nan() || *y == 0.0 || *y == 1.0))
        {
            Some(entry) => Err(Error::observation(entry, row[entry], "0 or 1")),
            None => Ok(()),
        }
    }

    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let means = Clusters::new(states, rows, rng).means;
        softened(states, rows, &means)
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let drawn = (0..states).flat_map(|_| rows[rng.random_range(0..rows.len())].to_vec());
        softened(states, rows, &drawn.collect::<Vec<_>>())
    }
}

/// Half of each of these rows and half of all data: every state can have made anything, and can be left while it is learned.
fn softened(states: usize, rows: &[&[f64]], means: &[f64]) -> Result<Bernoulli> {
    for (n, row) in rows.iter().enumerate() {
        // Entries that are missing are filled in by probabilities.
        if let Some(entry) = row.iter().position(|y| !(0.0..=1.0).contains(y)) {
            let error = Error::observation(entry, row[entry], "0 or 1");
            return Err(error.at_observation(n as u64));
        }
    }
    let width = means.len() / states;
    let n = rows.len() as f64;
    let overall: Vec<f64> = (0..width)
        .map(|d| (rows.iter().map(|row| row[d]).sum::<f64>() + 0.5) / (n + 1.0))
        .collect();
    let mixed = means.iter().enumerate();
    let p = mixed.map(|(at, m)| 0.5 * (m + overall[at % width]));
    Bernoulli::from_flat(states, p.collect())
}

impl Sample for Bernoulli {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let p = &self.probabilities[state * self.width..];
        for (y, p) in into.iter_mut().zip(p) {
            *y = f64::from(u8::from(rng.random::<f64>() < *p));
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    probabilities: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for Bernoulli {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.probabilities)
    }
}

impl From<Bernoulli> for Parts {
    fn from(b: Bernoulli) -> Self {
        Self {
            probabilities: nested(&b.probabilities, b.width),
        }
    }
}
