//! Negative binomial emissions: counts whose rate varies.

mod statistics;

use rand::Rng;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::covariates::{Covariates, Unit, check_exposure, check_names, seen_with};
use super::{Emission, Guess, Poisson, Sample};
use crate::hmm::emission_rows::{draw_count, mixtures, nested, reordered, row_length, width_of};
use crate::{Error, Law, Moments, PredictedObservation, Predictive, Result};

/// y ∈ ℕᴰ with y_d ~ Poisson(e λ), λ ~ Gamma of mean μ_sd and shape r_sd: the mean is e μ, the variance e μ + (e μ)²/r. As r grows it
/// becomes [`Poisson`]. An observation is a row of D counts, and their exposure e where there is one.
///
/// ```text
/// p(y|s) = Γ(y + r)/(Γ(r) y!) · (r/(r + m))^r (m/(r + m))^y,   m = e μ
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{Emission, NegativeBinomial};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let counts = NegativeBinomial::new(vec![vec![3.0]], vec![vec![1.0]])?; // shape 1: geometric
/// let mut l = [0.0];
/// counts.log_likelihood(&[2.0], &mut l)?;
/// assert!((l[0] - (0.25 * 0.75f64.powi(2)).ln()).abs() < 1e-14);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct NegativeBinomial {
    width: usize,
    /// μ `[K·D]`.
    means: Vec<f64>,
    /// r `[K·D]`.
    shapes: Vec<f64>,
    /// The name of the exposure, or none.
    exposure: Vec<String>,
    unit: Unit,
}

/// ln p(y) for a mean m.
fn log_probability(y: f64, m: f64, r: f64) -> f64 {
    /// Γ(y + r)/Γ(r) as a product keeps its digits at large r.
    const PRODUCT: f64 = 64.0;
    /// From here on three terms of Stirling's series are exact to 1e-13.
    const STIRLING: f64 = 32.0;
    let series = |x: f64| (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * x * x)) / (x * x)) / x;
    let rising = if y <= PRODUCT {
        (0..y as usize).map(|i| (i as f64 / r).ln_1p()).sum()
    } else if r >= STIRLING {
        // The difference of two lgammas would have none of its digits left at r = 1e8, close to a Poisson law.
        (y + r - 0.5) * (y / r).ln_1p() - y + series(y + r) - series(r)
    } else {
        libm::lgamma(y + r) - libm::lgamma(r) - y * r.ln()
    };
    let mean = if y == 0.0 { 0.0 } else { y * m.ln() };
    rising + mean - (y + r) * (m / r).ln_1p() - libm::lgamma(y + 1.0)
}

impl NegativeBinomial {
    /// From means μ and shapes r, a row of D per state.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged, empty or different sizes, [`Error::Entry`] for a number that is not positive and finite.
    pub fn new(means: Vec<Vec<f64>>, shapes: Vec<Vec<f64>>) -> Result<Self> {
        let width = means.first().map_or(0, Vec::len);
        width_of("means", &means, width, "means[0]")?;
        width_of("shapes", &shapes, width, "means[0]")?;
        Self::from_flat(means.len(), means.concat(), shapes.concat())
    }

    fn from_flat(states: usize, means: Vec<f64>, shapes: Vec<f64>) -> Result<Self> {
        let width = row_length("means", states, &means)?;
        if shapes.len() != means.len() {
            let found = format!("{} entries", shapes.len());
            return Err(Error::size(
                "shapes",
                found,
                format!("{}, as the means", means.len()),
            ));
        }
        for (name, values) in [("means", &means), ("shapes", &shapes)] {
            if let Some(at) = values.iter().position(|x| !(*x > 0.0 && x.is_finite())) {
                let place = [at / width, at % width];
                return Err(Error::entry(name, &place, values[at], "a positive number"));
            }
        }
        Ok(Self {
            width,
            means,
            shapes,
            exposure: Vec::new(),
            unit: Unit(1.0),
        })
    }

    /// Other values of the same sizes.
    fn with_values(&self, means: Vec<f64>, shapes: Vec<f64>) -> Result<Self> {
        let new = Self::from_flat(self.states(), means, shapes)?;
        Ok(Self {
            exposure: self.exposure.clone(),
            unit: self.unit.clone(),
            ..new
        })
    }

    /// The same for counts of an exposure, the last entry of a row.
    ///
    /// # Errors
    /// [`Error::Entry`] for a name of nothing.
    pub fn with_exposure(mut self, name: &str) -> Result<Self> {
        self.exposure = check_names(&[], Some(name))?;
        Ok(self)
    }

    /// μ `[K·D]`, row after row.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// r `[K·D]`, row after row.
    pub fn shapes(&self) -> &[f64] {
        &self.shapes
    }

    /// The counts of a row, and their exposure: 1 where there is none.
    fn parts<'a>(&self, row: &'a [f64]) -> (&'a [f64], f64) {
        let (counts, rest) = row.split_at(self.width);
        (counts, rest.first().copied().unwrap_or(1.0))
    }

    fn law(&self, at: usize, exposure: f64) -> Law {
        Law::NegativeBinomial {
            mean: exposure * self.means[at],
            shape: self.shapes[at],
        }
    }
}

impl Emission for NegativeBinomial {
    fn states(&self) -> usize {
        self.means.len() / self.width
    }

    fn width(&self) -> usize {
        self.width + self.exposure.len()
    }

    fn inputs(&self) -> &[String] {
        &self.exposure
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let (counts, exposure) = self.parts(observation);
        Self::check(counts)?;
        check_exposure(self.width, exposure)?;
        into.fill(0.0);
        if !seen_with(counts, &observation[self.width..])? {
            return Ok(());
        }
        for (s, l) in into.iter_mut().enumerate() {
            for (d, y) in counts.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                let at = s * self.width + d;
                *l += log_probability(*y, exposure * self.means[at], self.shapes[at]);
            }
        }
        Ok(())
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        Self {
            width: self.width,
            means: reordered(&self.means, self.width, order),
            shapes: reordered(&self.shapes, self.width, order),
            exposure: self.exposure.clone(),
            unit: self.unit.clone(),
        }
    }

    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        if !self.exposure.is_empty() {
            return None;
        }
        let each = self.means.iter().zip(&self.shapes);
        let variances: Vec<f64> = each.map(|(m, r)| m + m * m / r).collect();
        let moments = Moments::mixture(weights, &self.means, &variances);
        Some(PredictedObservation::Numbers(moments))
    }

    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        match self.exposure.is_empty() {
            true => mixtures(weights, self.width, |at| self.law(at, 1.0)),
            false => None,
        }
    }

    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        match (given, self.exposure.is_empty()) {
            ([], true) => self.predictive(weights),
            ([e], false) => mixtures(weights, self.width, |at| self.law(at, *e)),
            _ => None,
        }
    }
}

impl Guess for NegativeBinomial {
    fn check(row: &[f64]) -> Result<()> {
        Poisson::check(row)
    }

    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        Self::guess_given(states, rows, &Covariates::default(), rng)
    }

    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        Self::scattered_given(states, rows, &Covariates::default(), rng)
    }

    fn guess_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        spread(&Poisson::guess_given(states, rows, covariates, rng)?)
    }

    fn scattered_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        spread(&Poisson::scattered_given(states, rows, covariates, rng)?)
    }
}

/// The same means, and twice the variance of a count at the mean of one.
fn spread(counts: &Poisson) -> Result<NegativeBinomial> {
    let shapes = vec![1.0; counts.rates().len()];
    let new = NegativeBinomial::from_flat(counts.states(), counts.rates().to_vec(), shapes)?;
    match counts.inputs() {
        [name] => new.with_exposure(name),
        _ => Ok(new),
    }
}

impl Sample for NegativeBinomial {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let (_, exposure) = self.parts(into);
        for (d, y) in into[..self.width].iter_mut().enumerate() {
            let at = state * self.width + d;
            let (mean, shape) = (exposure * self.means[at], self.shapes[at]);
            let rate = rand_distr::Gamma::new(shape, mean / shape).map_or(mean, |g| g.sample(rng));
            *y = draw_count(rate.max(f64::MIN_POSITIVE), rng);
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    means: Vec<Vec<f64>>,
    shapes: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exposure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_exposure: Option<f64>,
}

impl TryFrom<Parts> for NegativeBinomial {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let new = Self::new(parts.means, parts.shapes)?;
        let mut new = match parts.exposure {
            Some(name) => new.with_exposure(&name)?,
            None => new,
        };
        new.unit = Unit::read(parts.mean_exposure)?;
        Ok(new)
    }
}

impl From<NegativeBinomial> for Parts {
    fn from(n: NegativeBinomial) -> Self {
        Self {
            means: nested(&n.means, n.width),
            shapes: nested(&n.shapes, n.width),
            mean_exposure: n.unit.written(),
            exposure: n.exposure.first().cloned(),
        }
    }
}
