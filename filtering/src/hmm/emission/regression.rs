//! Regressions on inputs: a generalised linear model in each state.

mod centre;
mod family;
mod file;
mod guess;
mod learn;
pub(super) mod moments;
mod statistics;

use std::marker::PhantomData;

use rand::Rng;
use serde::{Deserialize, Serialize};

use self::centre::Centre;
use self::family::{Family, Linear, LogLinear, Logistic};
use self::file::Parts;
use self::moments::packed_len;
use super::binary_units::BinaryUnits;
use super::covariates::{check_exposure, check_names, seen_with};
use super::{Emission, Sample};
use crate::error::check_finite;
use crate::hmm::emission_rows::{reordered, width_of};
use crate::{Error, Predictive, Result};

/// y ∈ {0, 1} with p(y = 1|s, x) = 1/(1 + e^−η): choices, as in a GLM-HMM.
pub type LogisticRegression = Regression<Logistic>;
/// y ∈ ℕ with the rate e^η for each unit of exposure.
pub type PoissonRegression = Regression<LogLinear>;
/// y ∈ ℝ, y ~ N(η, v).
pub type LinearRegression = Regression<Linear>;

/// One output y given inputs x `[M]`, with weights of their own in each state: η = β_s0 + Σ_m β_sm x_m. An observation is the row
/// (y, x_1 … x_M), followed by the exposure where counts have one; y that is missing (NaN) says nothing of the state.
///
/// ```text
/// logistic   p(y = 1) = 1/(1 + e^−η)       Poisson   y ~ Poisson(e e^η)       linear   y ~ N(η, v_s)
/// ```
///
/// ```
/// use scotopic_filtering::hmm::{Emission, LogisticRegression};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let names = vec!["stimulus".to_owned()];
/// let engaged = LogisticRegression::new(names, vec![vec![0.0, 4.0], vec![1.0, 0.0]])?;
/// let mut l = [0.0; 2];
/// engaged.log_likelihood(&[1.0, 0.5], &mut l)?; // a choice of 1 at a stimulus of 0.5
/// assert!((l[0] - l[1] - ((1.0 + (-1.0f64).exp()) / (1.0 + (-2.0f64).exp())).ln()).abs() < 1e-15);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts", bound = "F: Family")]
pub struct Regression<F: Family> {
    /// Names of the inputs, the exposure last.
    names: Vec<String>,
    has_exposure: bool,
    /// β `[K·(1 + M)]`, the constant first.
    weights: Vec<f64>,
    /// v `[K]`; 1 where the family has none.
    variances: Vec<f64>,
    /// Of y; 1 where the family has no variance.
    units: BinaryUnits,
    /// v in the units `[K]`.
    unit_variances: Vec<f64>,
    /// c `[1 + M]`: statistics are of y − c·x.
    origin: Vec<f64>,
    information: Information,
    centre: Centre,
    family: PhantomData<F>,
}

/// Σ ω x xᵀ for each observation of a state, `[K]` lower triangles; nothing before it was measured. It is a property of the data,
/// by which steps are scaled and starting averages made: a file keeps it, so that what is read learns as what was fitted, and two
/// models that differ in it alone are equal.
#[derive(Debug, Clone, Default)]
struct Information(Vec<f64>);

impl PartialEq for Information {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F: Family> Regression<F> {
    /// From the names of the inputs and β, a row of 1 + M weights per state, the constant first; variances are 1.
    ///
    /// # Errors
    /// [`Error::Size`] for ragged or empty rows, or another number of names; [`Error::Entry`] for a weight that is not finite or a
    /// name twice.
    pub fn new(inputs: Vec<String>, weights: Vec<Vec<f64>>) -> Result<Self> {
        let width = 1 + inputs.len();
        width_of("weights", &weights, width, "a constant and the inputs")?;
        let states = weights.len();
        Self::from_flat(
            check_names(&inputs, None)?,
            false,
            weights.concat(),
            vec![1.0; states],
        )
    }

    /// The same with the variance of each state, `[K]`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a family without variances; [`Error::Size`] and [`Error::Entry`] as for weights.
    pub fn with_variances(self, variances: Vec<f64>) -> Result<Self> {
        if !F::VARIANCE {
            return Err(unsupported(
                "have variances",
                "that of its law follows from the mean",
            ));
        }
        Self::from_flat(self.names, self.has_exposure, self.weights, variances)
    }

    /// The same with an exposure, the last entry of a row.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what is no count.
    pub fn with_exposure(mut self, name: &str) -> Result<Self> {
        if !F::EXPOSURE {
            return Err(unsupported(
                "have an exposure",
                "only counts are of a time or an area",
            ));
        }
        self.names.truncate(self.inputs_len());
        self.names = check_names(&self.names, Some(name))?;
        self.has_exposure = true;
        Ok(self)
    }

    fn from_flat(
        names: Vec<String>,
        has_exposure: bool,
        weights: Vec<f64>,
        variances: Vec<f64>,
    ) -> Result<Self> {
        let m = 1 + names.len() - usize::from(has_exposure);
        if weights.is_empty() {
            return Err(Error::size("weights", "no state", "a row for each state"));
        }
        if variances.len() * m != weights.len() {
            let (found, expected) = (format!("{} entries", variances.len()), weights.len() / m);
            return Err(Error::size("variances", found, expected));
        }
        check_finite("weights", m, &weights)?;
        if let Some(at) = variances.iter().position(|v| !(*v > 0.0 && v.is_finite())) {
            return Err(Error::entry(
                "variances",
                &[at],
                variances[at],
                "a positive variance",
            ));
        }
        let units = BinaryUnits::of(variances.len(), 1, |k, _| variances[k]);
        let unit_variances = variances.iter().map(|v| units.variance(0, *v));
        Ok(Self {
            unit_variances: unit_variances.collect(),
            units,
            origin: vec![0.0; m],
            information: Information::default(),
            centre: Centre::none(m - 1),
            family: PhantomData,
            names,
            has_exposure,
            weights,
            variances,
        })
    }

    /// Other values of the same sizes.
    fn with_values(&self, weights: Vec<f64>, variances: Vec<f64>) -> Result<Self> {
        let new = Self::from_flat(self.names.clone(), self.has_exposure, weights, variances)?;
        Ok(Self {
            origin: self.origin.clone(),
            information: self.information.clone(),
            centre: self.centre.clone(),
            ..new
        })
    }

    /// β `[K·(1 + M)]`, row after row, the constant first.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// v `[K]` of a linear regression.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// 1 + M.
    fn weights_len(&self) -> usize {
        1 + self.inputs_len()
    }

    /// M.
    fn inputs_len(&self) -> usize {
        self.names.len() - usize::from(self.has_exposure)
    }

    /// The inputs and the exposure, 1 if there is none, of what follows y in a row.
    fn given<'a>(&self, given: &'a [f64]) -> (&'a [f64], f64) {
        match (self.has_exposure, given) {
            (true, [inputs @ .., exposure]) => (inputs, *exposure),
            _ => (given, 1.0),
        }
    }

    /// η of state `j`.
    fn predictor(&self, j: usize, inputs: &[f64]) -> f64 {
        let m = self.weights_len();
        predictor(&self.weights[j * m..(j + 1) * m], inputs)
    }

    /// η of each state into `[K]`, and the exposure; none where y is missing.
    ///
    /// # Errors
    /// As [`Emission::log_likelihood`].
    fn predictors(&self, observation: &[f64], into: &mut [f64]) -> Result<Option<f64>> {
        let (y, given) = (observation[0], &observation[1..]);
        let (inputs, exposure) = self.given(given);
        if self.has_exposure {
            check_exposure(observation.len() - 1, exposure)?;
        }
        if !seen_with(&observation[..1], given)? {
            return Ok(None);
        }
        if !F::is_possible(y) {
            return Err(Error::observation(0, y, F::EXPECTED));
        }
        let rows = self.weights.chunks_exact(self.weights_len());
        for (eta, weights) in into.iter_mut().zip(rows) {
            *eta = predictor(weights, inputs);
        }
        Ok(Some(exposure))
    }

    /// The triangle of state `j`, if it was measured.
    fn information_of(&self, j: usize) -> Option<&[f64]> {
        let len = packed_len(self.weights_len());
        self.information.0.get(j * len..(j + 1) * len)
    }
}

/// β·(1, x).
fn predictor(weights: &[f64], inputs: &[f64]) -> f64 {
    weights[0] + moments::dot(&weights[1..], inputs)
}

fn unsupported(asked: &'static str, why: &'static str) -> Error {
    Error::Unsupported {
        what: "this regression".to_owned(),
        asked,
        why,
    }
}

impl<F: Family> Emission for Regression<F> {
    fn states(&self) -> usize {
        self.variances.len()
    }

    fn width(&self) -> usize {
        1 + self.names.len()
    }

    fn inputs(&self) -> &[String] {
        &self.names
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let common = self.relative_log_likelihood(observation, into)?;
        into.iter_mut().for_each(|l| *l += common);
        Ok(())
    }

    fn relative_log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let Some(exposure) = self.predictors(observation, into)? else {
            into.fill(0.0);
            return Ok(0.0);
        };
        let in_unit = |y: f64| self.units.scale(0, y);
        let y = in_unit(observation[0]);
        for (l, variance) in into.iter_mut().zip(&self.unit_variances) {
            *l = F::log_likelihood(y, in_unit(*l), exposure, *variance);
        }
        Ok(self.units.log_density(None))
    }

    fn likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let Some(exposure) = self.predictors(observation, into)? else {
            into.fill(1.0);
            return Ok(0.0);
        };
        let in_unit = |y: f64| self.units.scale(0, y);
        into.iter_mut().for_each(|eta| *eta = in_unit(*eta));
        let y = in_unit(observation[0]);
        let top = F::likelihoods(y, exposure, &self.unit_variances, into);
        Ok(top + self.units.log_density(None))
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        let len = packed_len(self.weights_len());
        let information = match self.information.0.is_empty() {
            true => Vec::new(),
            false => reordered(&self.information.0, len, order),
        };
        Self {
            weights: reordered(&self.weights, self.weights_len(), order),
            variances: reordered(&self.variances, 1, order),
            unit_variances: reordered(&self.unit_variances, 1, order),
            information: Information(information),
            ..self.clone()
        }
    }

    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        if given.len() != self.names.len() || given.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let (inputs, exposure) = self.given(given);
        let mut parts = Vec::new();
        for (j, w) in weights.iter().enumerate() {
            let law = F::law(self.predictor(j, inputs), exposure, self.variances[j]);
            parts.extend(law.into_iter().map(|(p, law)| (w * p, law)));
        }
        Some(vec![Predictive::new(parts).ok()?.merged()])
    }
}

impl<F: Family> Sample for Regression<F> {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let (inputs, exposure) = self.given(&into[1..]);
        let eta = self.predictor(state, inputs);
        into[0] = F::draw(eta, exposure, self.variances[state], rng);
    }
}
