//! Independent state-space models in one: a state with independent coordinates.

use serde::{Deserialize, Serialize};

use super::{NonlinearFilter, StateSpace};
use crate::{Error, Filter, Result, Step};

/// Something that takes observations one at a time in two halves, so that several can go together or not at all.
pub trait TwoPhaseUpdate: Filter {
    /// Works out what `observation` would change, and changes nothing that can be seen.
    ///
    /// # Errors
    /// Those of an update.
    fn propose(&mut self, observation: Option<&[f64]>) -> Result<()>;

    /// Makes the newest proposal the state, if it went well; otherwise nothing changes.
    fn commit(&mut self) -> Step;
}

impl<M: StateSpace> TwoPhaseUpdate for NonlinearFilter<M> {
    fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        NonlinearFilter::propose(self, observation)
    }

    fn commit(&mut self) -> Step {
        NonlinearFilter::commit(self)
    }
}

/// Independent filters or learners, each with its part of every observation: bounds add up (identity 16).
///
/// ```
/// use scotopic_filtering::nonlinear::{LearningConfig, NonlinearLearning, IndependentCoordinates, NonlinearConfig, models::DiagonalLinear};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = DiagonalLinear::new(vec![0.9, 0.5], vec![1.0, 1.0], vec![0.01; 2], vec![0.06; 2])?;
/// let learners = model.coordinates().into_iter()
///     .map(|one| NonlinearLearning::new(one, NonlinearConfig::default(), LearningConfig::default()))
///     .collect::<Result<Vec<_>, _>>()?;
/// let mut learning = IndependentCoordinates::new(learners)?;
/// let step = learning.update(Some(&[0.3, -0.1]))?;
/// assert_eq!(step.elbo, learning.elbo());
/// assert_eq!(learning.parts()[0].parameters(), &[0.9, 1.0]); // the first observation moves nothing
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Parts<T>",
    into = "Parts<T>",
    bound(
        serialize = "T: TwoPhaseUpdate + Clone + Serialize",
        deserialize = "T: TwoPhaseUpdate + Deserialize<'de>"
    )
)]
pub struct IndependentCoordinates<T: TwoPhaseUpdate> {
    parts: Vec<T>,
    elbo: f64,
}

impl<T: TwoPhaseUpdate> IndependentCoordinates<T> {
    /// The product of `parts`, none of which has seen an observation yet.
    ///
    /// # Errors
    /// [`Error::Size`] for no part, [`Error::Setting`] for one that has seen observations.
    pub fn new(parts: Vec<T>) -> Result<Self> {
        if let Some(part) = parts.iter().position(|p| p.observations() > 0) {
            let found = format!("part {part}, which has seen observations");
            return Err(Error::setting("parts", found, "fresh filters"));
        }
        Self::of(parts, 0.0)
    }

    fn of(parts: Vec<T>, elbo: f64) -> Result<Self> {
        match parts.first().map(Filter::observations) {
            None => Err(Error::size("parts", 0, "at least one")),
            Some(time) if parts.iter().any(|p| p.observations() != time) => Err(Error::setting(
                "parts",
                "different times",
                "one time for all",
            )),
            Some(_) => Ok(Self { parts, elbo }),
        }
    }

    /// Takes the next observation in, the parts' observations one after another, `None` for a missing one.
    ///
    /// # Errors
    /// [`Error::Observation`] for a wrong width, and those of the parts. No part has then changed.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let width: usize = self.parts.iter().map(Filter::width).sum();
        if let Some(row) = observation.filter(|row| row.len() != width) {
            let number = self.parts.first().map_or(0, Filter::observations);
            let (found, expected) = (
                format!("a row of {}", row.len()),
                format!("{width} entries"),
            );
            let error = Error::observation(row.len().min(width), found, expected);
            return Err(error.at_observation(number));
        }
        let mut rest = observation;
        for part in &mut self.parts {
            let (mine, others) = match rest.and_then(|row| row.split_at_checked(part.width())) {
                Some((mine, others)) => (Some(mine), Some(others)),
                None => (None, None),
            };
            part.propose(mine)
                .map_err(|e| moved(e, width - rest.map_or(width, <[f64]>::len)))?;
            rest = others;
        }
        let mut step = Step {
            increment: 0.0,
            elbo: 0.0,
        };
        for part in &mut self.parts {
            let one = part.commit();
            step.increment += one.increment;
            step.elbo += one.elbo;
        }
        self.elbo = step.elbo;
        Ok(step)
    }

    /// The parts.
    pub fn parts(&self) -> &[T] {
        &self.parts
    }

    /// Σ L_t over the parts, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }
}

/// The same error, its entry counted from the start of the whole observation.
fn moved(mut error: Error, by: usize) -> Error {
    if let Error::Observation { entry, .. } = &mut error {
        *entry += by;
    }
    error
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<T> {
    parts: Vec<T>,
    elbo: f64,
}

impl<T: TwoPhaseUpdate> TryFrom<Parts<T>> for IndependentCoordinates<T> {
    type Error = Error;
    fn try_from(p: Parts<T>) -> Result<Self> {
        Self::of(p.parts, p.elbo)
    }
}

impl<T: TwoPhaseUpdate> From<IndependentCoordinates<T>> for Parts<T> {
    fn from(p: IndependentCoordinates<T>) -> Self {
        Self {
            parts: p.parts,
            elbo: p.elbo,
        }
    }
}
