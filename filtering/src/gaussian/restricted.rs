//! Online filters whose kernels are of a restricted family: the value recursion (eq. F3), a step at a time.

use serde::{Deserialize, Serialize};

use super::belief::Gaussian;
use super::family::GaussianFactorisation;
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use super::value::{Value, ValueRecursion};
use super::{diagonal, mean_field};
use crate::step::Step;
use crate::{Belief, Error, Moments, PredictedObservation, Result};

/// A filter with diagonal, decoupled or frozen kernels. Each step takes the best factors of its family with
/// the past frozen; the bound is a true one at every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct Restricted {
    recursion: ValueRecursion,
    factorisation: GaussianFactorisation,
    state: State,
}

/// What changes from one observation to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    belief: Gaussian,
    value: Option<Value>,
    kernel: Option<GaussianKernel>,
    observations: u64,
    elbo: f64,
}

impl Restricted {
    pub(super) fn new(model: LinearGaussian, kind: GaussianFactorisation) -> Result<Self> {
        let belief = Gaussian {
            mean: model.initial_mean().clone(),
            covariance: model.initial_covariance().clone(),
        };
        Ok(Self {
            recursion: ValueRecursion::new(&model)?,
            factorisation: kind,
            state: State {
                belief,
                value: None,
                kernel: None,
                observations: 0,
                elbo: 0.0,
            },
        })
    }

    /// Takes in the next observation `[m]`, `None` for a missing one.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of a wrong width or an entry that is not finite,
    /// [`Error::NotFinite`] or [`Error::NotPositiveDefinite`] where the value leaves the range of numbers.
    /// The filter is then as it was.
    pub fn update(&mut self, y: Option<&[f64]>) -> Result<Step> {
        let index = self.state.observations;
        let next = self.next(y).map_err(|e| e.at_observation(index))?;
        let step = Step {
            increment: next.elbo - self.state.elbo,
            elbo: next.elbo,
        };
        self.state = next;
        Ok(step)
    }

    fn next(&self, y: Option<&[f64]>) -> Result<State> {
        use GaussianFactorisation as Q;
        let (recursion, now) = (&self.recursion, &self.state);
        let (value, kernel) = match &now.value {
            None => (recursion.start(y)?, None),
            Some(past) => {
                let kernel = match self.factorisation {
                    Q::Diagonal => diagonal::newest(recursion, past, y)?,
                    Q::Decoupled => mean_field::decoupled(recursion, past, y)?,
                    _ => mean_field::frozen(&now.belief),
                };
                (recursion.advance(past, &kernel, y)?, Some(kernel))
            }
        };
        let belief = match self.factorisation {
            Q::Diagonal => diagonal::belief(&value)?,
            _ => value.optimum()?,
        };
        let elbo = value.elbo(&belief)?;
        if !elbo.is_finite() {
            return Err(Error::NotFinite {
                index: now.observations,
                what: "the bound",
                found: elbo,
            });
        }
        Ok(State {
            belief,
            value: Some(value),
            kernel,
            observations: now.observations + 1,
            elbo,
        })
    }

    /// The model.
    pub fn model(&self) -> &LinearGaussian {
        self.recursion.model()
    }

    /// Which family.
    pub fn factorisation(&self) -> GaussianFactorisation {
        self.factorisation
    }

    /// q_t(x_t).
    pub fn belief(&self) -> &Gaussian {
        &self.state.belief
    }

    /// W_t; none before the first observation.
    pub fn value(&self) -> Option<&Value> {
        self.state.value.as_ref()
    }

    /// The newest backward kernel; none before the second observation.
    pub fn kernel(&self) -> Option<&GaussianKernel> {
        self.state.kernel.as_ref()
    }

    /// L_t, in nats.
    pub fn elbo(&self) -> f64 {
        self.state.elbo
    }

    /// How many observations were taken in, missing ones included.
    pub fn observations(&self) -> u64 {
        self.state.observations
    }
}

impl crate::Filter for Restricted {
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::normal(
            self.state.belief.mean.as_slice(),
            self.state.belief.covariance.as_slice(),
        )
    }

    fn width(&self) -> usize {
        self.model().width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        Ok(self
            .model()
            .predicted_observation(&self.state.belief, Self::observations(self)))
    }

    fn signal(&self) -> Moments {
        self.model().signal(
            self.state.belief.mean.as_slice(),
            self.state.belief.covariance.as_slice(),
        )
    }
}

/// The form of a filter in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    model: LinearGaussian,
    factorisation: GaussianFactorisation,
    state: State,
}

impl From<Restricted> for Snapshot {
    fn from(filter: Restricted) -> Self {
        Self {
            model: filter.recursion.model,
            factorisation: filter.factorisation,
            state: filter.state,
        }
    }
}

impl TryFrom<Snapshot> for Restricted {
    type Error = Error;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        use GaussianFactorisation as Q;
        if !matches!(
            snapshot.factorisation,
            Q::Diagonal | Q::Decoupled | Q::FrozenMeanField
        ) {
            let found = format!("{:?}", snapshot.factorisation);
            let expected = "Diagonal, Decoupled or FrozenMeanField";
            return Err(Error::setting("factorisation", found, expected));
        }
        let mut filter = Self::new(snapshot.model, snapshot.factorisation)?;
        let (state, n) = (snapshot.state, filter.model().states());
        let sizes = [
            Some(state.belief.states()),
            state.value.as_ref().map(|v| v.linear.len()),
            state.kernel.as_ref().map(|k| k.offset.len()),
        ];
        if let Some(wrong) = sizes.into_iter().flatten().find(|&size| size != n) {
            return Err(Error::size("state", wrong, n));
        }
        if state.value.is_some() != (state.observations > 0) {
            let found = state.observations;
            return Err(Error::entry(
                "observations",
                &[],
                found,
                "0 without a value",
            ));
        }
        if !state.elbo.is_finite() {
            return Err(Error::entry("elbo", &[], state.elbo, "a finite number"));
        }
        filter.state = state;
        Ok(filter)
    }
}
