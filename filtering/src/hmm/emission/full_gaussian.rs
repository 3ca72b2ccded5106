//! Gaussian emissions with full covariance.

mod draws;
pub(super) mod factor;
mod missing_entries;
mod whitened;

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use self::factor::factor;
use super::binary_units::BinaryUnits;
use super::origin::{checked_origin, origin, pooled_mean, pooled_variance, written};
use super::{Emission, Learnable, ScorePart};
use crate::data_spread::check_independence;
use crate::error::check_finite;
use crate::hmm::emission_rows::{mixtures, nested, reordered, row_length, width_of};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::math::square::symmetric_of_lower;
use crate::{Coordinate, Error, Law, Moments, PredictedObservation, Predictive, Result, Sequence};

/// y ∈ ℝᴰ with p(y|s) = N(y; μ_s, Σ_s). An observation is a row of D numbers.
///
/// ```text
/// ln p(y|s) = −½ ‖C_s⁻¹(y − μ_s)‖² − ½ ln|2πΣ_s|,    Σ_s = C_s C_sᵀ (Cholesky)
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{Emission, FullGaussian};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let tilted = FullGaussian::new(vec![vec![0.0, 0.0]], vec![vec![vec![2.0, 1.0], vec![1.0, 2.0]]])?;
/// let mut l = [0.0];
/// tilted.log_likelihood(&[1.0, 1.0], &mut l)?;
/// // yᵀΣ⁻¹y = 2/3, |Σ| = 3
/// assert!((l[0] + 1.0 / 3.0 + std::f64::consts::TAU.ln() + 0.5 * 3f64.ln()).abs() < 1e-14);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct FullGaussian {
    width: usize,
    /// μ `[K·D]`.
    means: Vec<f64>,
    /// Σ `[K·D·D]`.
    covariances: Vec<f64>,
    /// C⁻¹ `[K·D·D]`, lower triangular.
    whitening: Vec<f64>,
    /// −½ ln|2πΣ| `[K]`, Σ in the units.
    constants: Vec<f64>,
    units: BinaryUnits,
    /// c `[D]`, about which statistics are taken.
    origin: Vec<f64>,
}

impl FullGaussian {
    /// From means μ `[K][D]` and covariances Σ `[K][D][D]`.
    ///
    /// # Errors
    /// [`Error::Size`] for sizes that do not go together, [`Error::Entry`] for an entry that is not finite
    /// or a covariance that is not symmetric, [`Error::NotPositiveDefinite`] by its number.
    pub fn new(means: Vec<Vec<f64>>, covariances: Vec<Vec<Vec<f64>>>) -> Result<Self> {
        let width = means.first().map_or(0, Vec::len);
        width_of("means", &means, width, "means[0]")?;
        let square = |c: &Vec<Vec<f64>>| c.len() == width && c.iter().all(|row| row.len() == width);
        if let Some(s) = covariances.iter().position(|c| !square(c)) {
            let found = format!(
                "{} rows of {:?}",
                covariances[s].len(),
                covariances[s].iter().map(Vec::len).collect::<Vec<_>>()
            );
            return Err(Error::size(
                format!("covariances[{s}]"),
                found,
                format!("{width}×{width}"),
            ));
        }
        Self::from_flat(means.len(), means.concat(), covariances.concat().concat())
    }

    /// From μ `[K·D]` and Σ `[K·D·D]`, row after row.
    ///
    /// # Errors
    /// As [`FullGaussian::new`].
    pub fn from_flat(states: usize, means: Vec<f64>, covariances: Vec<f64>) -> Result<Self> {
        let d = row_length("means", states, &means)?;
        if covariances.len() != states * d * d {
            let found = format!("{} entries", covariances.len());
            return Err(Error::size(
                "covariances",
                found,
                format!("{states}×{d}×{d}"),
            ));
        }
        check_finite("means", d, &means)?;
        let units = BinaryUnits::of(states, d, |s, i| covariances[s * d * d + i * (d + 1)]);
        let (mut whitening, mut constants) = (Vec::new(), Vec::new());
        for (s, flat) in covariances.chunks(d * d).enumerate() {
            let (factor, log_det) = factor(&format!("covariances[{s}]"), d, flat, &units)?;
            whitening.extend(factor);
            constants.push(-0.5 * (d as f64 * TAU.ln() + log_det));
        }
        let origin = origin(&means, d, |at| {
            covariances[(at / d) * d * d + (at % d) * (d + 1)]
        });
        Ok(Self {
            width: d,
            origin,
            means,
            covariances,
            whitening,
            constants,
            units,
        })
    }

    /// μ `[K·D]`, row after row.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Σ `[K·D·D]`, row after row.
    pub fn covariances(&self) -> &[f64] {
        &self.covariances
    }

    /// c `[D]`: the statistics of learning are (1, y − c, (y − c)(y − c)ᵀ). Zero, unless the means lie so far
    /// from zero that second moments about it would lose the covariances to rounding.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// The same with statistics about c `[D]`; zero for none.
    fn about(mut self, origin: Vec<f64>) -> Result<Self> {
        self.origin = checked_origin(origin, self.width)?;
        Ok(self)
    }

    /// Σ_s⁻¹ = C⁻ᵀC⁻¹.
    fn precision(&self, state: usize) -> DMatrix<f64> {
        let c = self.whitened(state);
        c.transpose() * c
    }
}

impl Emission for FullGaussian {
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
            let mean = &self.means[s * d..(s + 1) * d];
            let whitening = &self.whitening[s * d * d..(s + 1) * d * d];
            let mut square = 0.0;
            for i in 0..d {
                let row = &whitening[i * d..i * d + i + 1];
                let e: f64 = row
                    .iter()
                    .zip(observation)
                    .zip(mean)
                    .map(|((c, y), m)| c * (y - m))
                    .sum();
                square += e * e;
            }
            partial |= square.is_nan();
            *l = match square.is_nan() {
                false => self.constants[s] - 0.5 * square,
                true => self.marginal(s, observation)?,
            };
        }
        Ok(self.units.log_density(partial.then_some(observation)))
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let pick = |values: &[f64], n: usize| reordered(values, n, order);
        let d = self.width;
        Self {
            width: d,
            means: pick(&self.means, d),
            covariances: pick(&self.covariances, d * d),
            whitening: pick(&self.whitening, d * d),
            constants: pick(&self.constants, 1),
            units: self.units.clone(),
            origin: self.origin.clone(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let d = self.width();
        let diagonal = |c: &[f64]| (0..d).map(|i| c[i * (d + 1)]).collect::<Vec<_>>();
        let variances: Vec<f64> = self
            .covariances
            .chunks_exact(d * d)
            .flat_map(diagonal)
            .collect();
        let moments = Moments::mixture(weights, &self.means, &variances);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        let d = self.width;
        mixtures(weights, d, |at| Law::Normal {
            mean: self.means[at],
            variance: self.covariances[(at / d) * d * d + (at % d) * (d + 1)],
        })
    }
}

impl Learnable for FullGaussian {
    fn statistic_len(&self) -> usize {
        1 + self.width + self.width * self.width
    }

    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        let d = self.width;
        into[0] = 1.0;
        let (first, second) = into[1..].split_at_mut(d);
        for ((first, y), c) in first.iter_mut().zip(observation).zip(&self.origin) {
            *first = y - c;
        }
        for (row, y) in second.chunks_mut(d).zip(&*first) {
            row.iter_mut().zip(&*first).for_each(|(s, z)| *s = y * z);
        }
    }

    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        self.complete(observation, into);
    }

    fn expected_statistic(&self, into: &mut [f64]) {
        let d = self.width;
        for (s, into) in into.chunks_mut(1 + d + d * d).enumerate() {
            let mean = &self.means[s * d..(s + 1) * d];
            self.statistic(mean, into);
            let covariance = &self.covariances[s * d * d..(s + 1) * d * d];
            into[1 + d..]
                .iter_mut()
                .zip(covariance)
                .for_each(|(x, c)| *x += c);
        }
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (p, d) = (self.statistic_len(), self.width);
        let pooled = pooled_mean(statistics, p, d);
        let square = |i| 1 + d + i * d + i;
        let spread = pooled_variance(
            statistics,
            p,
            &pooled,
            &self.origin,
            pseudo.variance,
            square,
        );
        let (mut means, mut covariances) = (self.means.clone(), self.covariances.clone());
        for (s, row) in statistics.chunks(p).enumerate() {
            let n = row[0] + pseudo.count;
            if n <= 0.0 {
                continue;
            }
            let mean = &mut means[s * d..(s + 1) * d];
            for i in 0..d {
                mean[i] = (row[1 + i] + pseudo.count * pooled[i]) / n;
            }
            for i in 0..d {
                for j in 0..d {
                    let own = if i == j { spread[i] } else { 0.0 };
                    let square =
                        row[1 + d + i * d + j] + pseudo.count * (pooled[i] * pooled[j] + own);
                    covariances[s * d * d + i * d + j] = square / n - mean[i] * mean[j];
                }
            }
            mean.iter_mut().zip(&self.origin).for_each(|(m, c)| *m += c);
        }
        Self::from_flat(self.states(), means, covariances)?.about(self.origin.clone())
    }

    fn parameters_len(&self) -> usize {
        self.width + self.width * self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        let d = self.width;
        vec![
            ScorePart::new("means", Coordinate::Value, &[d]),
            ScorePart::new("covariances", Coordinate::Value, &[d, d]),
        ]
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        let rows = statistics.chunks(1 + d + d * d);
        for (s, (into, row)) in into.chunks_mut(d + d * d).zip(rows).enumerate() {
            let (n, y) = (row[0], DVector::from_row_slice(&row[1..=d]));
            let m = DVector::from_row_slice(&self.means[s * d..(s + 1) * d])
                - DVector::from_row_slice(&self.origin);
            let p = self.precision(s);
            // C = Σ_t q_t (y − μ)(y − μ)ᵀ
            let cross = &y * m.transpose();
            let c = DMatrix::from_row_slice(d, d, &row[1 + d..]) - &cross - cross.transpose()
                + n * &m * m.transpose();
            let mean = &p * (y - n * m);
            let covariance = 0.5 * (&p * c * &p - n * &p);
            into[..d].copy_from_slice(mean.as_slice());
            into[d..].copy_from_slice(covariance.transpose().as_slice());
        }
    }

    fn steps_whitened(&self) -> bool {
        true
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let d = self.width;
        let mut means = self.means.clone();
        for (mean, step) in means.chunks_mut(d).zip(step.chunks(d + d * d)) {
            mean.iter_mut().zip(step).for_each(|(m, s)| *m += s);
        }
        check_finite("means", d, &means)?;
        Ok(Self {
            means,
            ..self.clone()
        })
    }

    fn coordinates_len(&self) -> usize {
        self.width + self.width * (self.width + 1) / 2
    }

    fn displaced(&self, z: &[f64]) -> Result<Self> {
        self.displaced_whitened(z)
    }

    fn score_about(&self, base: &Self, _: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score_whitened(base, statistics, into);
    }

    fn information(&self, into: &mut [f64]) {
        self.information_whitened(into);
    }

    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        self.least_eigenvalues(pooled)
    }

    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        check_independence(sequences)
    }

    fn recentred(mut self) -> Self {
        let d = self.width;
        let variance = |at: usize| self.covariances[(at / d) * d * d + (at % d) * (d + 1)];
        self.origin = origin(&self.means, d, variance);
        self
    }

    fn free_parameters(&self) -> usize {
        self.width * (self.width + 3) / 2
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let c = |s: usize, i: usize, j: usize| self.covariances[s * d * d + i * d + j];
        let mean = |(at, mean): (usize, &f64)| ParameterGroup::Number {
            name: entry_name("means", at / d, at % d),
            value: *mean,
            unit: c(at / d, at % d, at % d).sqrt(),
        };
        let mut groups: Vec<ParameterGroup> = self.means.iter().enumerate().map(mean).collect();
        for s in 0..self.states() {
            for i in 0..d {
                for j in 0..=i {
                    let name = format!("covariances[{},{},{}]", s + 1, i + 1, j + 1);
                    let (value, unit) = (c(s, i, j), (c(s, i, i) * c(s, j, j)).sqrt());
                    groups.push(match i == j {
                        true => ParameterGroup::Positive { name, value },
                        false => ParameterGroup::Number { name, value, unit },
                    });
                }
            }
        }
        groups
    }

    /// Means, and the lower triangles of the covariances.
    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let d = self.width;
        let (means, lower) = values.split_at(self.means.len().min(values.len()));
        let triangles = lower.chunks_exact(d * (d + 1) / 2);
        let all = triangles.flat_map(|lower| symmetric_of_lower(d, lower));
        Self::from_flat(self.states(), means.to_vec(), all.collect())
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.means.clone()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    means: Vec<Vec<f64>>,
    covariances: Vec<Vec<Vec<f64>>>,
    /// None where it is zero, and in files written before there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origin: Vec<f64>,
}

impl TryFrom<Parts> for FullGaussian {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.means, parts.covariances)?.about(parts.origin)
    }
}

impl From<FullGaussian> for Parts {
    fn from(g: FullGaussian) -> Self {
        let d = g.width;
        let rows = |values: &[f64]| nested(values, d);
        Self {
            means: rows(&g.means),
            covariances: g.covariances.chunks(d * d).map(rows).collect(),
            origin: written(g.origin),
        }
    }
}
