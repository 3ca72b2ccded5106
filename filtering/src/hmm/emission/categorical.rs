//! Categorical emissions: symbols of an alphabet.

use std::sync::OnceLock;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::{Emission, Guess, Learnable, Sample, ScorePart};
use crate::error::check_distribution;
use crate::hmm::emission_rows::{draw, nested, reordered, row_length, width_of};
use crate::hmm::parameter_groups::ParameterGroup;
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::hmm::roots;
use crate::{Coordinate, Error, PredictedObservation, Predictive, Result};

/// o ∈ {0 … M − 1} with `p(o|s) = B[s][o]`. An observation is a row of one whole number.
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Emission};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.5, 0.5], vec![0.9, 0.1]])?;
/// let mut l = [0.0; 2];
/// coins.log_likelihood(&[1.0], &mut l)?;
/// assert!((l[0] - 0.5f64.ln()).abs() < 1e-15 && (l[1] - 0.1f64.ln()).abs() < 1e-15);
/// assert!(coins.log_likelihood(&[2.0], &mut l).is_err()); // no such symbol
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Categorical {
    states: usize,
    symbols: usize,
    /// B `[K·M]`.
    probabilities: Vec<f64>,
    /// Bᵀ `[M·K]`, each row divided by its largest entry: one observation reads one row.
    scaled: Vec<f64>,
    /// ln of that largest entry `[M]`.
    tops: Vec<f64>,
    logarithms: Logarithms,
}

/// ln Bᵀ `[M·K]`, made when it is first asked for: most tasks never do. It follows from B, and is no part of what is compared.
#[derive(Debug, Clone, Default)]
struct Logarithms(OnceLock<Vec<f64>>);

impl PartialEq for Logarithms {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Categorical {
    /// From B, a row of M probabilities per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged or empty rows, [`Error::Entry`] for a row that is no distribution.
    pub fn new(probabilities: Vec<Vec<f64>>) -> Result<Self> {
        let symbols = probabilities.first().map_or(0, Vec::len);
        width_of("probabilities", &probabilities, symbols, "row 0")?;
        Self::from_flat(probabilities.len(), probabilities.concat())
    }

    /// From B `[K·M]`, row after row.
    ///
    /// # Errors
    /// As [`Categorical::new`].
    pub fn from_flat(states: usize, mut probabilities: Vec<f64>) -> Result<Self> {
        let symbols = row_length("probabilities", states, &probabilities)?;
        for (s, row) in probabilities.chunks_mut(symbols).enumerate() {
            check_distribution("probabilities", &[s], row)?;
        }
        let mut scaled = vec![0.0; symbols * states];
        let mut tops = vec![f64::NEG_INFINITY; symbols];
        for (o, row) in scaled.chunks_mut(states).enumerate() {
            let column = || (0..states).map(|s| probabilities[s * symbols + o]);
            let top = column().fold(0.0, f64::max);
            if top > 0.0 {
                tops[o] = top.ln();
                row.iter_mut().zip(column()).for_each(|(x, p)| *x = p / top);
            }
        }
        Ok(Self {
            states,
            symbols,
            probabilities,
            scaled,
            tops,
            logarithms: Logarithms::default(),
        })
    }

    /// M.
    pub fn symbols(&self) -> usize {
        self.symbols
    }

    /// B `[K·M]`, row after row.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    fn symbol(&self, observation: &[f64]) -> Result<usize> {
        let o = observation[0];
        let symbol = o as usize; // a negative one becomes 0, and is not equal to it below
        if symbol < self.symbols && symbol as f64 == o {
            return Ok(symbol);
        }
        Err(Error::observation(
            0,
            o,
            format!("a symbol, a whole number from 0 to {}", self.symbols - 1),
        ))
    }
}

impl Emission for Categorical {
    fn states(&self) -> usize {
        self.states
    }

    fn width(&self) -> usize {
        1
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let o = self.symbol(observation)?;
        let table = self.logarithms.0.get_or_init(|| {
            let column = |o: usize| self.probabilities[o..].iter().step_by(self.symbols);
            (0..self.symbols)
                .flat_map(|o| column(o).map(|p| p.ln()))
                .collect()
        });
        into.copy_from_slice(&table[o * self.states..(o + 1) * self.states]);
        Ok(())
    }

    fn likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let o = self.symbol(observation)?;
        into.copy_from_slice(&self.scaled[o * self.states..(o + 1) * self.states]);
        Ok(self.tops[o])
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let rows = self.scaled.chunks_exact(self.states);
        Self {
            states: order.len(),
            symbols: self.symbols,
            probabilities: reordered(&self.probabilities, self.symbols, order),
            scaled: rows
                .flat_map(|row| order.iter().map(|&old| row[old]))
                .collect(),
            tops: self.tops.clone(),
            logarithms: Logarithms::default(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let rows = self.probabilities.chunks_exact(self.symbols());
        let mut symbols = vec![0.0; self.symbols()];
        for (w, row) in weights.iter().zip(rows) {
            symbols.iter_mut().zip(row).for_each(|(p, b)| *p += w * b);
        }
        Some(PredictedObservation::Symbol(symbols))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        match self.expected(weights) {
            Some(PredictedObservation::Symbol(symbols)) => {
                Some(vec![Predictive::symbols(&symbols).ok()?])
            }
            _ => None,
        }
    }
}

impl Learnable for Categorical {
    fn statistic_len(&self) -> usize {
        self.symbols
    }

    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        if let Some(count) = into.get_mut(observation[0] as usize) {
            *count = 1.0;
        }
    }

    fn accumulate(
        &self,
        observation: &[f64],
        weights: &[f64],
        _statistic: &mut [f64],
        into: &mut [f64],
    ) {
        let symbol = observation[0] as usize;
        for (row, w) in into.chunks_mut(self.symbols).zip(weights) {
            if let Some(count) = row.get_mut(symbol) {
                *count += w;
            }
        }
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        into.copy_from_slice(&self.probabilities);
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let mut probabilities = statistics.to_vec();
        for (s, row) in probabilities.chunks_mut(self.symbols).enumerate() {
            row.iter_mut().for_each(|n| *n += pseudo.count);
            let total: f64 = row.iter().sum();
            if total > 0.0 {
                row.iter_mut().for_each(|n| *n /= total);
            } else {
                row.copy_from_slice(&self.probabilities[s * self.symbols..(s + 1) * self.symbols]);
            }
        }
        Self::from_flat(self.states, probabilities)
    }

    fn parameters_len(&self) -> usize {
        self.symbols
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![ScorePart::new(
            "probabilities",
            Coordinate::Logit,
            &[self.symbols],
        )]
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let rows = statistics
            .chunks(self.symbols)
            .zip(self.probabilities.chunks(self.symbols));
        for (into, (n, b)) in into.chunks_mut(self.symbols).zip(rows) {
            let total: f64 = n.iter().sum();
            for ((g, n), b) in into.iter_mut().zip(n).zip(b) {
                *g = n - b * total;
            }
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        // softmax(ln B + d) = B e^d, normalised; d relative to its largest, so that nothing overflows.
        let mut probabilities = self.probabilities.clone();
        let rows = probabilities
            .chunks_mut(self.symbols)
            .zip(step.chunks(self.symbols));
        for (row, step) in rows {
            let top = step.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut total = 0.0;
            for (p, d) in row.iter_mut().zip(step) {
                *p *= (d - top).exp();
                total += *p;
            }
            row.iter_mut().for_each(|p| *p /= total);
        }
        Self::from_flat(self.states, probabilities)
    }

    /// √B + z, squared and normalised.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let table = roots::displaced(&self.probabilities, z, self.symbols);
        Self::from_flat(self.states, table)
    }

    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score(statistics, into);
        roots::from_logits(&base.probabilities, z, into);
    }

    fn information(&self, into: &mut [f64]) {
        into.fill(4.0);
    }

    fn free_parameters(&self) -> usize {
        self.symbols - 1
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let rows = self.probabilities.chunks_exact(self.symbols).enumerate();
        let group = |(state, row): (usize, &[f64])| ParameterGroup::Distribution {
            name: "probabilities",
            state,
            row: row.to_vec(),
        };
        rows.map(group).collect()
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        Self::from_flat(self.states, values.to_vec())
    }

    fn structural_zeros(&self) -> usize {
        self.probabilities.iter().filter(|p| **p == 0.0).count()
    }
}

impl Guess for Categorical {
    fn check(row: &[f64]) -> Result<()> {
        /// An alphabet above this is a mistake: the data are no symbols.
        const LARGEST: f64 = 1e6;
        let symbol = row[0];
        let expected = match symbol {
            _ if row.len() != 1 => {
                return Err(Error::size("observation", row.len(), "1, a symbol"));
            }
            s if s >= 0.0 && s.fract() == 0.0 && s >= LARGEST => {
                "a symbol below a million (number the different ones from 0)"
            }
            s if s >= 0.0 && s.fract() == 0.0 => return Ok(()),
            _ => "one symbol, a whole number from 0",
        };
        Err(Error::observation(0, symbol, expected))
    }

    /// B_k ∝ (f + 1/n) ⊙ w with w ~ Exponential(1), over symbols as many as the largest seen.
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let mut counts: Vec<f64> = Vec::new();
        for (n, row) in rows.iter().enumerate() {
            Self::check(row).map_err(|e| e.at_observation(n as u64))?;
            let symbol = row[0] as usize;
            if counts.len() <= symbol {
                counts.resize(symbol + 1, 1.0);
            }
            counts[symbol] += 1.0;
        }
        let mut table = Vec::with_capacity(states * counts.len());
        for _ in 0..states {
            let mut weight = |n: &f64| -n * (1.0 - rng.random::<f64>()).ln();
            let row: Vec<f64> = counts
                .iter()
                .map(|n| weight(n).max(f64::MIN_POSITIVE))
                .collect();
            let total: f64 = row.iter().sum();
            table.extend(row.iter().map(|w| w / total));
        }
        Self::from_flat(states, table)
    }
}

impl Sample for Categorical {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let m = self.symbols();
        let row = &self.probabilities()[state * m..(state + 1) * m];
        into.fill(draw(row.iter().copied(), rng) as f64);
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    probabilities: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for Categorical {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.probabilities)
    }
}

impl From<Categorical> for Parts {
    fn from(c: Categorical) -> Self {
        Self {
            probabilities: nested(&c.probabilities, c.symbols),
        }
    }
}
