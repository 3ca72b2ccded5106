//! Student t emissions: numbers with heavy tails.

mod statistics;

use rand::Rng;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::binary_units::BinaryUnits;
use super::origin::{checked_origin, written};
use super::{Emission, Guess, Sample};
use crate::error::check_finite;
use crate::hmm::clusters::{Clusters, drawn_rows};
use crate::hmm::emission_rows::{mixtures, nested, normal, reordered, row_length, width_of};
use crate::{Error, Law, Moments, PredictedObservation, Predictive, Result};

/// y ∈ ℝᴰ with p(y|s) = ∏_d t(y_d; μ_sd, σ_sd, ν_sd). An observation is a row of D numbers. With few degrees of freedom ν an outlier
/// belongs to its state and moves no mean; as ν grows the law becomes normal.
///
/// ```text
/// ln p(y|s) = Σ_d ln Γ((ν + 1)/2) − ln Γ(ν/2) − ½ ln(πν σ²) − ½ (ν + 1) ln(1 + (y − μ)²/(ν σ²))
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{Emission, StudentT};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let returns = StudentT::new(vec![vec![0.0]], vec![vec![2.0]], vec![vec![1.0]])?; // ν = 1: Cauchy
/// let mut l = [0.0];
/// returns.log_likelihood(&[2.0], &mut l)?;
/// assert!((l[0] + (std::f64::consts::PI * 4.0).ln()).abs() < 1e-14);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct StudentT {
    width: usize,
    /// μ `[K·D]`.
    locations: Vec<f64>,
    /// σ `[K·D]`.
    scales: Vec<f64>,
    /// ν `[K·D]`.
    freedoms: Vec<f64>,
    /// ln Γ((ν + 1)/2) − ln Γ(ν/2) − ½ ln πν − ln σ `[K·D]`, σ in the units.
    constants: Vec<f64>,
    units: BinaryUnits,
    /// c `[D]`, about which statistics are taken.
    origin: Vec<f64>,
}

/// ln Γ(x + ½) − ln Γ(x), from the difference's own series where the two have lost its digits.
fn half_step(x: f64) -> f64 {
    /// Here the next term of the series is 1e-16.
    const SERIES: f64 = 300.0;
    match x < SERIES {
        true => libm::lgamma(x + 0.5) - libm::lgamma(x),
        false => {
            let i = 1.0 / x;
            0.5 * x.ln() - i / 8.0 + i.powi(3) / 192.0 - i.powi(5) / 640.0
        }
    }
}

impl StudentT {
    /// From locations μ, scales σ and degrees of freedom ν, a row of D per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged, empty or different sizes, [`Error::Entry`] for a location that is not finite, a scale or degrees of
    /// freedom that are not positive.
    pub fn new(
        locations: Vec<Vec<f64>>,
        scales: Vec<Vec<f64>>,
        freedoms: Vec<Vec<f64>>,
    ) -> Result<Self> {
        let width = locations.first().map_or(0, Vec::len);
        for (name, rows) in [
            ("locations", &locations),
            ("scales", &scales),
            ("freedoms", &freedoms),
        ] {
            width_of(name, rows, width, "locations[0]")?;
        }
        Self::from_flat(
            locations.len(),
            locations.concat(),
            scales.concat(),
            freedoms.concat(),
        )
    }

    fn from_flat(
        states: usize,
        locations: Vec<f64>,
        scales: Vec<f64>,
        freedoms: Vec<f64>,
    ) -> Result<Self> {
        let width = row_length("locations", states, &locations)?;
        check_finite("locations", width, &locations)?;
        for (name, values) in [("scales", &scales), ("freedoms", &freedoms)] {
            if values.len() != locations.len() {
                let found = format!("{} entries", values.len());
                return Err(Error::size(
                    name,
                    found,
                    format!("{}, as the locations", locations.len()),
                ));
            }
            let possible = |x: f64| x > 0.0 && x.is_finite() && (x * x).is_normal();
            if let Some(at) = values.iter().position(|x| !possible(*x)) {
                let place = [at / width, at % width];
                return Err(Error::entry(name, &place, values[at], "a positive number"));
            }
        }
        let squared = |s: usize, d: usize| scales[s * width + d] * scales[s * width + d];
        let units = BinaryUnits::of(states, width, squared);
        let constants = scales.iter().zip(&freedoms).enumerate();
        let constants = constants.map(|(at, (scale, v))| {
            let log_scale = units.scale(at % width, *scale).ln();
            half_step(0.5 * v) - 0.5 * (std::f64::consts::PI * v).ln() - log_scale
        });
        Ok(Self {
            constants: constants.collect(),
            units,
            origin: super::origin::origin(&locations, width, |at| scales[at] * scales[at]),
            width,
            locations,
            scales,
            freedoms,
        })
    }

    /// Other values of the same sizes, with statistics about the same origin.
    fn with_values(
        &self,
        locations: Vec<f64>,
        scales: Vec<f64>,
        freedoms: Vec<f64>,
    ) -> Result<Self> {
        let new = Self::from_flat(self.states(), locations, scales, freedoms)?;
        Ok(Self {
            origin: self.origin.clone(),
            ..new
        })
    }

    /// μ `[K·D]`, row after row.
    pub fn locations(&self) -> &[f64] {
        &self.locations
    }

    /// σ `[K·D]`, row after row.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// ν `[K·D]`, row after row.
    pub fn freedoms(&self) -> &[f64] {
        &self.freedoms
    }
}

impl Emission for StudentT {
    fn states(&self) -> usize {
        self.locations.len() / self.width
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
        into.fill(0.0);
        for (s, l) in into.iter_mut().enumerate() {
            for (d, y) in observation.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                let at = s * self.width + d;
                let (z, v) = (
                    (y - self.locations[at]) / self.scales[at],
                    self.freedoms[at],
                );
                *l += self.constants[at] - 0.5 * (v + 1.0) * (z * z / v).ln_1p();
            }
        }
        let partial = observation.iter().any(|y| y.is_nan());
        Ok(self.units.log_density(partial.then_some(observation)))
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let pick = |values: &[f64]| reordered(values, self.width, order);
        Self {
            width: self.width,
            locations: pick(&self.locations),
            scales: pick(&self.scales),
            freedoms: pick(&self.freedoms),
            constants: pick(&self.constants),
            units: self.units.clone(),
            origin: self.origin.clone(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        let variance = |(scale, v): (&f64, &f64)| match *v > 2.0 {
            true => scale * scale * v / (v - 2.0),
            false => f64::INFINITY,
        };
        let variances: Vec<f64> = self
            .scales
            .iter()
            .zip(&self.freedoms)
            .map(variance)
            .collect();
        let mut moments = Moments::mixture(weights, &self.locations, &variances);
        // With ν ≤ 1 there is no mean.
        let without = |at: usize| weights[at / self.width] > 0.0 && self.freedoms[at] <= 1.0;
        for at in (0..self.freedoms.len()).filter(|&at| without(at)) {
            moments.mean[at % self.width] = f64::NAN;
        }
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        mixtures(weights, self.width, |at| Law::StudentT {
            location: self.locations[at],
            scale: self.scales[at],
            freedom: self.freedoms[at],
        })
    }
}

/// The degrees of freedom of a start: tails that an outlier fits into, and of finite variance.
const START: f64 = 5.0;

/// These locations, and scales of these variances.
fn heavy_tailed(means: Vec<f64>, variances: &[f64], states: usize) -> Result<StudentT> {
    let shrink = (START - 2.0) / START;
    let scales: Vec<f64> = variances.iter().map(|v| (v * shrink).sqrt()).collect();
    let freedoms = vec![START; scales.len()];
    StudentT::from_flat(states, means, scales, freedoms)
}

impl Guess for StudentT {
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let clusters = Clusters::new(states, rows, rng);
        heavy_tailed(clusters.means, &clusters.variances, states)
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        let variances = Clusters::new(1, rows, rng).variances.repeat(states);
        heavy_tailed(drawn_rows(states, rows, rng), &variances, states)
    }
}

impl Sample for StudentT {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        for (d, y) in into.iter_mut().enumerate() {
            let at = state * self.width + d;
            let v = self.freedoms[at];
            let precision = rand_distr::ChiSquared::new(v).map_or(1.0, |c| c.sample(rng) / v);
            *y = self.locations[at]
                + self.scales[at] * normal(rng) / precision.max(f64::MIN_POSITIVE).sqrt();
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    locations: Vec<Vec<f64>>,
    scales: Vec<Vec<f64>>,
    freedoms: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origin: Vec<f64>,
}

impl TryFrom<Parts> for StudentT {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let mut new = Self::new(parts.locations, parts.scales, parts.freedoms)?;
        new.origin = checked_origin(parts.origin, new.width)?;
        Ok(new)
    }
}

impl From<StudentT> for Parts {
    fn from(t: StudentT) -> Self {
        Self {
            locations: nested(&t.locations, t.width),
            scales: nested(&t.scales, t.width),
            freedoms: nested(&t.freedoms, t.width),
            origin: written(t.origin),
        }
    }
}
