//! Gaussian emissions with full covariance.

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::origin::{checked_origin, origin, pooled_mean, pooled_variance, written};
use super::{Emission, Guess, Learnable, Sample};
use crate::data_spread::check_independence;
use crate::error::check_finite;
use crate::hmm::clusters::Clusters;
use crate::hmm::emission_rows::{nested, normal, reordered, row_length, width_of};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::math::cholesky::cholesky;
use crate::{Error, Moments, PredictedObservation, Result, Sequence};

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
    /// −½ ln|2πΣ| `[K]`.
    constants: Vec<f64>,
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
        let (mut whitening, mut constants) = (Vec::new(), Vec::new());
        for (s, flat) in covariances.chunks(d * d).enumerate() {
            let (factor, log_det) = factor(&format!("covariances[{s}]"), d, flat)?;
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

    /// μ_s + C_s z, for z in `into` `[D]`: C⁻¹ e = z, solved from the first row down.
    fn coloured(&self, state: usize, into: &mut [f64]) {
        let d = self.width;
        let whitening = &self.whitening[state * d * d..(state + 1) * d * d];
        for (i, row) in whitening.chunks_exact(d).enumerate() {
            let inner: f64 = row[..i].iter().zip(into.iter()).map(|(c, e)| c * e).sum();
            into[i] = (into[i] - inner) / row[i];
        }
        let mean = &self.means[state * d..(state + 1) * d];
        into.iter_mut().zip(mean).for_each(|(y, m)| *y += m);
    }

    /// Σ_s⁻¹ = C⁻ᵀC⁻¹.
    fn precision(&self, state: usize) -> DMatrix<f64> {
        let d = self.width;
        let c = DMatrix::from_row_slice(d, d, &self.whitening[state * d * d..(state + 1) * d * d]);
        c.transpose() * c
    }
}

/// C⁻¹ `[D·D]` and ln|Σ| of one covariance.
fn factor(name: &str, d: usize, covariance: &[f64]) -> Result<(Vec<f64>, f64)> {
    check_finite(name, d, covariance)?;
    let scale = covariance.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for i in 0..d {
        for j in 0..i {
            let (a, b) = (covariance[i * d + j], covariance[j * d + i]);
            // Rounding of a file with seven digits, no more.
            if (a - b).abs() > 1e-6 * scale {
                return Err(Error::entry(
                    name,
                    &[i, j],
                    a,
                    format!("{b}, as its mirror entry [{j}][{i}]"),
                ));
            }
        }
    }
    let c = cholesky(name, &DMatrix::from_row_slice(d, d, covariance))?.unpack();
    // From the pivots themselves, not their roots: ln √p and ½ ln p differ in the last bit.
    let pivot =
        |i: usize| covariance[i * (d + 1)] - (0..i).map(|k| c[(i, k)] * c[(i, k)]).sum::<f64>();
    let log_det = (0..d).fold(0.0, |sum, i| sum + pivot(i).ln());
    let mut whitening = vec![0.0; d * d];
    for column in 0..d {
        for i in column..d {
            let unit = if i == column { 1.0 } else { 0.0 };
            let inner: f64 = (column..i)
                .map(|k| c[(i, k)] * whitening[k * d + column])
                .sum();
            whitening[i * d + column] = (unit - inner) / c[(i, i)];
        }
    }
    Ok((whitening, log_det))
}

impl Emission for FullGaussian {
    fn states(&self) -> usize {
        self.constants.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let d = self.width;
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
            *l = self.constants[s] - 0.5 * square;
        }
        Ok(())
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

    fn state_parameters(&self) -> Vec<f64> {
        self.means.clone()
    }
}

impl Guess for FullGaussian {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let clusters = Clusters::new(states, rows, rng);
        let d = clusters.width;
        let mut covariances = vec![0.0; states * d * d];
        for (at, v) in clusters.variances.iter().enumerate() {
            covariances[(at / d) * d * d + (at % d) * (d + 1)] = *v;
        }
        Self::from_flat(states, clusters.means, covariances)
    }
}

impl Sample for FullGaussian {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        into.iter_mut().for_each(|z| *z = normal(rng));
        self.coloured(state, into);
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
