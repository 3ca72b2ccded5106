//! Gaussian emissions with independent entries.

use std::f64::consts::TAU;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::binary_units::BinaryUnits;
use super::origin::{checked_origin, origin, pooled_mean, pooled_variance, written};
use super::{Emission, Guess, Learnable, Sample, ScorePart};
use crate::data_spread::check_variation;
use crate::error::check_finite;
use crate::hmm::clusters::{Clusters, drawn_rows};
use crate::hmm::emission_rows::{mixtures, nested, normal, reordered, row_length, width_of};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Coordinate, Error, Law, Moments, PredictedObservation, Predictive, Result, Sequence};

/// y ∈ ℝᴰ with p(y|s) = ∏_d N(y_d; μ_sd, v_sd). An observation is a row of D numbers.
///
/// ```text
/// ln p(y|s) = −½ Σ_d [(y_d − μ_sd)²/v_sd + ln 2π v_sd]
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{DiagonalGaussian, Emission};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let weather = DiagonalGaussian::new(vec![vec![0.0], vec![2.0]], vec![vec![1.0], vec![1.0]])?;
/// let mut l = [0.0; 2];
/// weather.log_likelihood(&[0.5], &mut l)?;
/// assert!((l[0] - l[1] - 0.5 * (1.5f64.powi(2) - 0.5f64.powi(2))).abs() < 1e-15);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct DiagonalGaussian {
    width: usize,
    /// μ `[K·D]`.
    means: Vec<f64>,
    /// v `[K·D]`.
    variances: Vec<f64>,
    /// 1/v `[K·D]`.
    precisions: Vec<f64>,
    /// −½ Σ_d ln 2πv `[K]`, v in the units.
    constants: Vec<f64>,
    units: BinaryUnits,
    /// c `[D]`, about which statistics are taken.
    origin: Vec<f64>,
}

impl DiagonalGaussian {
    /// From means μ and variances v, a row of D per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged, empty or different sizes, [`Error::Entry`] for a mean that is not
    /// finite or a variance that is not positive.
    pub fn new(means: Vec<Vec<f64>>, variances: Vec<Vec<f64>>) -> Result<Self> {
        let width = means.first().map_or(0, Vec::len);
        width_of("means", &means, width, "means[0]")?;
        width_of("variances", &variances, width, "means[0]")?;
        Self::from_flat(means.len(), means.concat(), variances.concat())
    }

    /// From μ and v `[K·D]`, row after row.
    ///
    /// # Errors
    /// As [`DiagonalGaussian::new`].
    pub fn from_flat(states: usize, means: Vec<f64>, variances: Vec<f64>) -> Result<Self> {
        let width = row_length("means", states, &means)?;
        if variances.len() != means.len() {
            let found = format!("{} entries", variances.len());
            return Err(Error::size(
                "variances",
                found,
                format!("{}, as the means", means.len()),
            ));
        }
        check_finite("means", width, &means)?;
        let precisions: Vec<f64> = variances.iter().map(|v| 1.0 / v).collect();
        let proper =
            |i: usize| variances[i] > 0.0 && variances[i].is_finite() && precisions[i].is_finite();
        if let Some(at) = (0..variances.len()).find(|&i| !proper(i)) {
            return Err(Error::entry(
                "variances",
                &[at / width, at % width],
                variances[at],
                "a positive variance",
            ));
        }
        let units = BinaryUnits::of(states, width, |s, d| variances[s * width + d]);
        let log_volume = |(d, v): (usize, &f64)| (TAU * units.variance(d, *v)).ln();
        let constants = variances
            .chunks(width)
            .map(|row| -0.5 * row.iter().enumerate().map(log_volume).sum::<f64>());
        Ok(Self {
            width,
            constants: constants.collect(),
            units,
            origin: origin(&means, width, |at| variances[at]),
            means,
            precisions,
            variances,
        })
    }

    /// μ `[K·D]`, row after row.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// v `[K·D]`, row after row.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// c `[D]`: the statistics of learning are (1, y − c, (y − c)²). Zero, unless the means lie so far from
    /// zero that second moments about it would lose the variances to rounding.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// ln p of the entries that are there, in the units.
    #[cold]
    fn marginal(&self, state: usize, observation: &[f64]) -> f64 {
        let from = state * self.width;
        let parameters = self.means[from..].iter().zip(&self.precisions[from..]);
        let entries = observation.iter().zip(parameters).enumerate();
        let seen = entries.filter(|(_, (y, _))| !y.is_nan());
        let each = seen
            .map(|(d, (y, (m, p)))| (y - m) * (y - m) * p + self.units.variance(d, TAU / p).ln());
        -0.5 * each.sum::<f64>()
    }

    /// σ times the entries of μ in a vector `[K, 2 D]`.
    fn in_deviations(&self, vector: &mut [f64]) {
        let d = self.width;
        for (at, variance) in self.variances.iter().enumerate() {
            vector[at / d * 2 * d + at % d] *= variance.sqrt();
        }
    }

    /// The same with statistics about c `[D]`; zero for none.
    fn about(mut self, origin: Vec<f64>) -> Result<Self> {
        self.origin = checked_origin(origin, self.width)?;
        Ok(self)
    }
}

impl Emission for DiagonalGaussian {
    fn states(&self) -> usize {
        self.constants.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let common = self.relative_log_likelihood(observation, into)?;
        into.iter_mut().for_each(|l| *l += common);
        Ok(())
    }

    fn relative_log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let d = self.width;
        let mut partial = false;
        for (s, l) in into.iter_mut().enumerate() {
            let (m, p) = (
                &self.means[s * d..(s + 1) * d],
                &self.precisions[s * d..(s + 1) * d],
            );
            let square: f64 = observation
                .iter()
                .zip(m)
                .zip(p)
                .map(|((y, m), p)| (y - m) * (y - m) * p)
                .sum();
            partial |= square.is_nan();
            *l = match square.is_nan() {
                false => self.constants[s] - 0.5 * square,
                true => self.marginal(s, observation),
            };
        }
        Ok(self.units.log_density(partial.then_some(observation)))
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let pick = |values: &[f64]| reordered(values, self.width, order);
        Self {
            width: self.width,
            means: pick(&self.means),
            variances: pick(&self.variances),
            precisions: pick(&self.precisions),
            constants: order.iter().map(|&s| self.constants[s]).collect(),
            units: self.units.clone(),
            origin: self.origin.clone(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let moments = Moments::mixture(weights, &self.means, &self.variances);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        mixtures(weights, self.width, |at| Law::Normal {
            mean: self.means[at],
            variance: self.variances[at],
        })
    }
}

impl Learnable for DiagonalGaussian {
    fn statistic_len(&self) -> usize {
        1 + 2 * self.width
    }

    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        let d = self.width;
        into[0] = 1.0;
        let (first, second) = into[1..].split_at_mut(d);
        let pairs = first.iter_mut().zip(second).zip(observation);
        for ((first, second), (y, c)) in pairs.zip(&self.origin).map(|((r, y), c)| (r, (y, c))) {
            *first = y - c;
            *second = *first * *first;
        }
    }

    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        let (d, p) = (self.width, self.statistic_len());
        let mut filled = observation.to_vec();
        for (s, row) in into.chunks_exact_mut(p).enumerate() {
            let parameters = self.means[s * d..].iter().zip(&self.variances[s * d..]);
            let entries = filled.iter_mut().zip(observation).zip(parameters.clone());
            entries.for_each(|((f, y), (m, _))| *f = if y.is_nan() { *m } else { *y });
            self.statistic(&filled, row);
            let second = row[1 + d..].iter_mut().zip(observation).zip(parameters);
            second
                .filter(|((_, y), _)| y.is_nan())
                .for_each(|((yy, _), (_, v))| *yy += v);
        }
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        let d = self.width;
        let parameters = self.means.chunks(d).zip(self.variances.chunks(d));
        for (row, (m, v)) in into.chunks_mut(1 + 2 * d).zip(parameters) {
            self.statistic(m, row);
            row[1 + d..].iter_mut().zip(v).for_each(|(s, v)| *s += v);
        }
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (p, d) = (self.statistic_len(), self.width);
        let pooled = pooled_mean(statistics, p, d);
        let square = |i| 1 + d + i;
        let spread = pooled_variance(
            statistics,
            p,
            &pooled,
            &self.origin,
            pseudo.variance,
            square,
        );
        let (mut means, mut variances) = (self.means.clone(), self.variances.clone());
        for (s, row) in statistics.chunks(p).enumerate() {
            let n = row[0] + pseudo.count;
            if n <= 0.0 {
                continue;
            }
            for i in 0..d {
                let mean = (row[1 + i] + pseudo.count * pooled[i]) / n;
                let square =
                    (row[1 + d + i] + pseudo.count * (pooled[i] * pooled[i] + spread[i])) / n;
                means[s * d + i] = self.origin[i] + mean;
                variances[s * d + i] = square - mean * mean;
            }
        }
        Self::from_flat(self.states(), means, variances)?.about(self.origin.clone())
    }

    fn parameters_len(&self) -> usize {
        2 * self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![
            ScorePart::new("means", Coordinate::Value, &[self.width]),
            ScorePart::new("variances", Coordinate::Log, &[self.width]),
        ]
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        for (s, (into, row)) in into
            .chunks_mut(2 * d)
            .zip(statistics.chunks(1 + 2 * d))
            .enumerate()
        {
            let n = row[0];
            for i in 0..d {
                let (m, p) = (
                    self.means[s * d + i] - self.origin[i],
                    self.precisions[s * d + i],
                );
                let (y, yy) = (row[1 + i], row[1 + d + i]);
                into[i] = p * (y - n * m);
                into[d + i] = 0.5 * (p * (yy - 2.0 * m * y + n * m * m) - n);
            }
        }
    }

    fn units(&self, into: &mut [f64]) {
        let d = self.width;
        for (into, precisions) in into.chunks_mut(2 * d).zip(self.precisions.chunks(d)) {
            into[..d].copy_from_slice(precisions);
            into[d..].fill(1.0);
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let d = self.width;
        let (mut means, mut variances) = (self.means.clone(), self.variances.clone());
        for (s, step) in step.chunks(2 * d).enumerate() {
            for i in 0..d {
                means[s * d + i] += step[i];
                variances[s * d + i] *= step[d + i].exp();
            }
        }
        Self::from_flat(self.states(), means, variances)?.about(self.origin.clone())
    }

    /// μ = μ₀ + σ₀ z: without units, as ln v is.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let mut step = z.to_vec();
        self.in_deviations(&mut step);
        self.ascended(&step)
    }

    fn score_about(&self, base: &Self, _: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score(statistics, into);
        base.in_deviations(into);
    }

    fn information(&self, into: &mut [f64]) {
        let d = self.width;
        for into in into.chunks_mut(2 * d) {
            into[..d].fill(1.0);
            into[d..].fill(0.5);
        }
    }

    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        let least = |row: &[f64]| {
            let ratios = row.iter().zip(&pooled.variances).map(|(v, all)| v / all);
            ratios.fold(f64::INFINITY, f64::min)
        };
        self.variances.chunks(self.width).map(least).collect()
    }

    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        check_variation(sequences)
    }

    fn recentred(mut self) -> Self {
        self.origin = origin(&self.means, self.width, |at| self.variances[at]);
        self
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let mean = |(at, mean): (usize, &f64)| ParameterGroup::Number {
            name: entry_name("means", at / d, at % d),
            value: *mean,
            unit: self.variances[at].sqrt(),
        };
        let variance = |(at, variance): (usize, &f64)| ParameterGroup::Positive {
            name: entry_name("variances", at / d, at % d),
            value: *variance,
        };
        let means = self.means.iter().enumerate().map(mean);
        means
            .chain(self.variances.iter().enumerate().map(variance))
            .collect()
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let (means, variances) = values.split_at(self.means.len().min(values.len()));
        Self::from_flat(self.states(), means.to_vec(), variances.to_vec())
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.means.clone()
    }
}

impl Guess for DiagonalGaussian {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let clusters = Clusters::new(states, rows, rng);
        Self::from_flat(states, clusters.means, clusters.variances)
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let variances = Clusters::new(1, rows, rng).variances.repeat(states);
        Self::from_flat(states, drawn_rows(states, rows, rng), variances)
    }
}

impl Sample for DiagonalGaussian {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let from = state * into.len();
        let parameters = self.means()[from..].iter().zip(&self.variances()[from..]);
        for (y, (mean, variance)) in into.iter_mut().zip(parameters) {
            *y = mean + variance.sqrt() * normal(rng);
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    means: Vec<Vec<f64>>,
    variances: Vec<Vec<f64>>,
    /// None where it is zero, and in files written before there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origin: Vec<f64>,
}

impl TryFrom<Parts> for DiagonalGaussian {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.means, parts.variances)?.about(parts.origin)
    }
}

impl From<DiagonalGaussian> for Parts {
    fn from(g: DiagonalGaussian) -> Self {
        let rows = |values: &[f64]| nested(values, g.width);
        Self {
            means: rows(&g.means),
            variances: rows(&g.variances),
            origin: written(g.origin),
        }
    }
}
