//! Autoregressions: in each state a regression on the observations before, as in an AR-HMM.

mod coordinates;
mod file;
mod guess;
mod learn;
mod missing_entries;
mod statistics;

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use serde::{Deserialize, Serialize};

use self::file::Parts;
use super::binary_units::BinaryUnits;
use super::full_gaussian::factor::factor;
use super::regression::moments::packed_len;
use super::{Emission, Sample};
use crate::hmm::emission_rows::{mixtures, normal, reordered};
use crate::{Error, Law, Predictive, Result};

/// x_t ∈ ℝᴰ that depends on the p observations before, with a regression of its own in each state (eq. F93):
///
/// ```text
/// x_t | s_t = k  ~  N(b_k + Σ_{l=1..p} A_kl x_{t−l}, Σ_k)
/// ```
///
/// What the emission sees is the row (x_t, x_{t−1} … x_{t−p}) of D(1 + p) numbers, which
/// [`Sequence::with_lags`](crate::Sequence::with_lags) makes; what takes a whole sequence makes them itself. The likelihood is conditional: an observation of which a
/// lag is missing, as of the first p, says nothing of the state (its ln p is 0), because its density would be a mixture over all
/// states and values that the lag might have had. Of an x_t that is missing in part, with all lags there, the entries that are there
/// count, exactly; the rows after it have a missing lag.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::hmm::{Autoregression, Hmm};
/// # fn main() -> scotopic_filtering::Result<()> {
/// // D = 1, p = 1: a slow wave, and noise.
/// let emission = Autoregression::new(
///     vec![vec![0.0], vec![0.0]],
///     vec![vec![vec![vec![0.95]]], vec![vec![vec![0.0]]]],
///     vec![vec![vec![0.1]], vec![vec![0.1]]],
/// )?;
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], emission)?;
/// let smoothed = model.smooth(&Sequence::of_numbers([2.0, 1.9, 1.8, 1.7, 0.1])?)?;
/// assert!(smoothed.marginal(2)?[0] > 0.99);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Autoregression {
    /// D.
    width: usize,
    /// p.
    order: usize,
    /// Names of the lags, newest first.
    names: Vec<String>,
    /// (b, A_1 … A_p) `[K·D·M]`, M = 1 + pD.
    weights: Vec<f64>,
    /// Σ `[K·D·D]`.
    covariances: Vec<f64>,
    /// Whether every Σ is diagonal, and stays so.
    diagonal: bool,
    /// C⁻¹ `[K·D·D]`, Σ = C Cᵀ.
    whitening: Vec<f64>,
    /// −½ ln|2πΣ| `[K]`, Σ in the units.
    constants: Vec<f64>,
    units: BinaryUnits,
    /// c `[D]`: statistics are of x − c.
    origin: Vec<f64>,
    /// The observations that a sample goes on from, newest first `[p·D]`; none where they are not known.
    start: Vec<f64>,
    moments: LagMoments,
}

/// Σ g gᵀ for each observation of a state, g = (1, lags − c), `[K]` lower triangles; nothing before it was measured. It is a
/// property of the data, by which steps are scaled: a file keeps it, and two models that differ in it alone are equal.
#[derive(Debug, Clone, Default)]
struct LagMoments(Vec<f64>);

impl PartialEq for LagMoments {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What the noise of the states is.
enum Noise {
    /// Σ `[K·D·D]`.
    Full(Vec<f64>),
    /// The diagonals of Σ `[K·D]`.
    Diagonal(Vec<f64>),
}

impl Autoregression {
    /// From b `[K][D]`, A `[K][p][D][D]` and Σ `[K][D][D]`.
    ///
    /// # Errors
    /// [`Error::Size`] for sizes that do not go together, or no lag; [`Error::Entry`] for an entry that is not finite or a covariance
    /// that is not symmetric, [`Error::NotPositiveDefinite`] by its number.
    pub fn new(
        intercepts: Vec<Vec<f64>>,
        coefficients: Vec<Vec<Vec<Vec<f64>>>>,
        covariances: Vec<Vec<Vec<f64>>>,
    ) -> Result<Self> {
        Self::try_from(Parts::full(intercepts, coefficients, covariances))
    }

    /// The same with noise that is independent in each entry, of variances `[K][D]`. Learning keeps it so.
    ///
    /// # Errors
    /// As [`Autoregression::new`].
    pub fn diagonal(
        intercepts: Vec<Vec<f64>>,
        coefficients: Vec<Vec<Vec<Vec<f64>>>>,
        variances: Vec<Vec<f64>>,
    ) -> Result<Self> {
        Self::try_from(Parts::diagonal(intercepts, coefficients, variances))
    }

    fn from_flat(width: usize, order: usize, weights: Vec<f64>, noise: Noise) -> Result<Self> {
        let (d, m) = (width, 1 + order * width);
        let states = weights.len() / (d * m);
        let (diagonal, covariances) = match noise {
            Noise::Full(covariances) => (false, covariances),
            Noise::Diagonal(variances) => {
                let mut covariances = vec![0.0; states * d * d];
                for (at, v) in variances.iter().enumerate() {
                    covariances[(at / d) * d * d + (at % d) * (d + 1)] = *v;
                }
                (true, covariances)
            }
        };
        check_weights(d, m, &weights)?;
        let units = BinaryUnits::of(states, d, |k, i| covariances[k * d * d + i * (d + 1)]);
        let (mut whitening, mut constants) = (Vec::new(), Vec::new());
        for (k, flat) in covariances.chunks(d * d).enumerate() {
            let name = if diagonal { "variances" } else { "covariances" };
            let (factor, log_det) = factor(&format!("{name}[{k}]"), d, flat, &units)?;
            whitening.extend(factor);
            constants.push(-0.5 * (d as f64 * std::f64::consts::TAU.ln() + log_det));
        }
        let name = |i: usize| match width {
            1 => format!("lag {}", 1 + i),
            _ => format!("lag {} of column {}", 1 + i / width, 1 + i % width),
        };
        Ok(Self {
            width,
            order,
            names: (0..m - 1).map(name).collect(),
            weights,
            covariances,
            diagonal,
            whitening,
            constants,
            units,
            origin: vec![0.0; width],
            start: Vec::new(),
            moments: LagMoments::default(),
        })
    }

    /// Other values of the same sizes, with statistics about the same origin.
    fn with_values(&self, weights: Vec<f64>, covariances: Vec<f64>) -> Result<Self> {
        let d = self.width;
        let diagonal = |c: &[f64]| (0..d).map(|i| c[i * (d + 1)]).collect::<Vec<f64>>();
        let noise = match self.diagonal {
            false => Noise::Full(covariances),
            true => Noise::Diagonal(covariances.chunks(d * d).flat_map(diagonal).collect()),
        };
        let new = Self::from_flat(d, self.order, weights, noise)?;
        Ok(Self {
            origin: self.origin.clone(),
            start: self.start.clone(),
            moments: self.moments.clone(),
            ..new
        })
    }

    /// p, the number of observations before that one depends on.
    pub fn order(&self) -> usize {
        self.order
    }

    /// D, the entries of x.
    pub fn outputs(&self) -> usize {
        self.width
    }

    /// (b_k, A_k1 … A_kp) of state `k`, `[D, 1 + pD]`.
    pub fn regression(&self, k: usize) -> DMatrix<f64> {
        let (d, m) = (self.width, self.weights_len());
        DMatrix::from_row_slice(d, m, &self.weights[k * d * m..(k + 1) * d * m])
    }

    /// Σ_k `[D, D]`.
    pub fn covariance(&self, k: usize) -> DMatrix<f64> {
        let d = self.width;
        DMatrix::from_row_slice(d, d, &self.covariances[k * d * d..(k + 1) * d * d])
    }

    /// M = 1 + pD.
    fn weights_len(&self) -> usize {
        1 + self.order * self.width
    }

    /// b_k + Σ_l A_kl x_{t−l}, entry `i`.
    fn mean(&self, k: usize, i: usize, lags: &[f64]) -> f64 {
        let m = self.weights_len();
        let row = &self.weights[(k * self.width + i) * m..][..m];
        let sum: f64 = row[1..].iter().zip(lags).map(|(a, x)| a * x).sum();
        row[0] + sum
    }

    /// C_k⁻¹.
    fn whitened(&self, k: usize) -> DMatrix<f64> {
        let d = self.width;
        DMatrix::from_row_slice(d, d, &self.whitening[k * d * d..(k + 1) * d * d])
    }

    /// C_k.
    fn factor_of(&self, k: usize) -> DMatrix<f64> {
        let unit = DMatrix::identity(self.width, self.width);
        let solved = self.whitened(k).solve_lower_triangular(&unit);
        solved.unwrap_or(unit)
    }

    /// The triangle of state `k`, if it was measured.
    fn moments_of(&self, k: usize) -> Option<&[f64]> {
        let len = packed_len(self.weights_len());
        self.moments.0.get(k * len..(k + 1) * len)
    }
}

/// Whether a row says something of the state: an entry of x is there, and every lag.
fn says(outputs: &[f64], lags: &[f64]) -> bool {
    outputs.iter().any(|x| !x.is_nan()) && lags.iter().all(|x| !x.is_nan())
}

impl Emission for Autoregression {
    fn states(&self) -> usize {
        self.constants.len()
    }

    fn width(&self) -> usize {
        self.width * (1 + self.order)
    }

    fn inputs(&self) -> &[String] {
        &self.names
    }

    fn lags(&self) -> usize {
        self.order
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let common = self.relative_log_likelihood(observation, into)?;
        into.iter_mut().for_each(|l| *l += common);
        Ok(())
    }

    fn relative_log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let d = self.width;
        let (x, lags) = observation.split_at(d);
        if !says(x, lags) {
            into.fill(0.0);
            return Ok(0.0);
        }
        let mut e = vec![0.0; d];
        let mut partial = false;
        for (k, l) in into.iter_mut().enumerate() {
            for (i, e) in e.iter_mut().enumerate() {
                *e = x[i] - self.mean(k, i, lags);
            }
            let whitening = self.whitening[k * d * d..(k + 1) * d * d].chunks_exact(d);
            let whitened = whitening.enumerate().map(|(i, row)| {
                let z: f64 = row[..=i].iter().zip(&e).map(|(c, e)| c * e).sum();
                z * z
            });
            let square: f64 = whitened.sum();
            partial |= square.is_nan();
            *l = match square.is_nan() {
                false => self.constants[k] - 0.5 * square,
                true => self.marginal(k, &e)?,
            };
        }
        Ok(self.units.log_density(partial.then_some(x)))
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let (d, m) = (self.width, self.weights_len());
        let pick = |values: &[f64], n: usize| reordered(values, n, order);
        let moments = match self.moments.0.is_empty() {
            true => Vec::new(),
            false => pick(&self.moments.0, packed_len(m)),
        };
        Self {
            weights: pick(&self.weights, d * m),
            covariances: pick(&self.covariances, d * d),
            whitening: pick(&self.whitening, d * d),
            constants: pick(&self.constants, 1),
            moments: LagMoments(moments),
            ..self.clone()
        }
    }

    /// Given the lags.
    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        if given.len() != self.names.len() || given.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let d = self.width;
        mixtures(weights, d, |at| {
            let (k, i) = (at / d, at % d);
            Law::Normal {
                mean: self.mean(k, i, given),
                variance: self.covariances[k * d * d + i * (d + 1)],
            }
        })
    }
}

impl Sample for Autoregression {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let (x, lags) = into.split_at_mut(self.width);
        let z = DVector::from_fn(self.width, |_, _| normal(rng));
        let noise = self.factor_of(state) * z;
        for (i, x) in x.iter_mut().enumerate() {
            *x = self.mean(state, i, lags) + noise[i];
        }
    }

    /// The newest observations that the model was fitted to. A model that knows none of them starts where the regression of state `k`
    /// stays where it is, x = b + Σ_l A_l x (eq. F93); at a unit root, or near one, that is nowhere or anywhere, and the start is then c
    /// in the directions that hardly return.
    fn resting_lags(&self, k: usize) -> Vec<f64> {
        /// Less than this part of a distance, in deviations of the noise, is taken back by a step: no series tells to where.
        const RETURN: f64 = 1e-3;
        if !self.start.is_empty() {
            return self.start.clone();
        }
        let (d, all) = (self.width, self.regression(k));
        let mut left = DMatrix::identity(d, d);
        for l in 0..self.order {
            left -= all.columns(1 + l * d, d);
        }
        let origin = DVector::from_column_slice(&self.origin);
        let off = all.column(0) - &left * &origin;
        let deviation = |i: usize| self.covariances[k * d * d + i * (d + 1)].sqrt();
        // Without units: in deviations of the noise.
        let left = DMatrix::from_fn(d, d, |i, j| left[(i, j)] * deviation(j) / deviation(i));
        let off = DVector::from_fn(d, |i, _| off[i] / deviation(i));
        let away = left.svd(true, true).solve(&off, RETURN);
        let away = away.unwrap_or_else(|_| DVector::zeros(d));
        let at: Vec<f64> = (0..d).map(|i| origin[i] + away[i] * deviation(i)).collect();
        match at.iter().all(|x| x.is_finite()) {
            true => at.repeat(self.order),
            false => self.origin.repeat(self.order),
        }
    }
}

/// Refuses an entry of (b, A_1 … A_p) `[K·D·M]` that is not finite, by its key in a file.
fn check_weights(d: usize, m: usize, weights: &[f64]) -> Result<()> {
    let Some(at) = weights.iter().position(|w| !w.is_finite()) else {
        return Ok(());
    };
    let (k, i, place) = (at / (d * m), at / m % d, at % m);
    let (name, entry) = match place {
        0 => ("intercepts", vec![k, i]),
        _ => ("coefficients", vec![k, (place - 1) / d, i, (place - 1) % d]),
    };
    Err(Error::entry(name, &entry, weights[at], "a finite number"))
}

/// Refuses an order of no lag.
fn check_order(order: usize) -> Result<()> {
    match order {
        0 => Err(Error::setting(
            "lags",
            order,
            "at least 1, of an autoregression",
        )),
        _ => Ok(()),
    }
}
