//! Snapshots.

use serde::{Deserialize, Serialize};

use super::NonlinearFilter;
use crate::nonlinear::state::State;
use crate::nonlinear::{NonlinearConfig, StateSpace, Value, root};
use crate::{Error, Result};

/// Two filters are equal that will do the same from here on.
impl<M: StateSpace + PartialEq> PartialEq for NonlinearFilter<M> {
    fn eq(&self, other: &Self) -> bool {
        self.model == other.model && self.config == other.config && self.state == other.state
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot<M> {
    model: M,
    #[serde(rename = "settings")]
    config: NonlinearConfig,
    state: State,
}

impl<M: StateSpace + Clone> From<NonlinearFilter<M>> for Snapshot<M> {
    fn from(filter: NonlinearFilter<M>) -> Self {
        Self {
            model: filter.model,
            config: filter.config,
            state: filter.state,
        }
    }
}

impl<M: StateSpace> TryFrom<Snapshot<M>> for NonlinearFilter<M> {
    type Error = Error;

    fn try_from(snapshot: Snapshot<M>) -> Result<Self> {
        let mut filter = NonlinearFilter::new(snapshot.model, snapshot.config)?;
        check_state(&snapshot.state, &filter.state)?;
        filter.state = snapshot.state;
        Ok(filter)
    }
}

/// Whether a state read from outside has the sizes of a fresh one, finite numbers, and a covariance.
fn check_state(state: &State, fresh: &State) -> Result<()> {
    let sizes = |s: &State| {
        let value = match &s.value {
            Value::Quadratic(w) => [w.centre.len(), w.slope.len(), w.curvature.len()],
            Value::Table(w) => [w.nodes().len(), w.values().len(), 0],
        };
        let score = s.score.as_ref().map_or([0; 4], |s| {
            [
                s.constant.len(),
                s.slope.len(),
                s.curvature.len(),
                s.expected.len(),
            ]
        });
        let kernel = &s.kernel;
        let kernel = [
            kernel.slope.len(),
            kernel.offset.len(),
            kernel.covariance.len(),
        ];
        (
            s.mean.len(),
            s.covariance.len(),
            s.precision.len(),
            value,
            score,
            kernel,
        )
    };
    if sizes(state) != sizes(fresh) {
        let (found, expected) = (format!("{:?}", sizes(state)), format!("{:?}", sizes(fresh)));
        return Err(Error::size("the state of a filter", found, expected));
    }
    let parts = [&state.mean, &state.covariance, &state.precision];
    for (name, values) in ["mean", "covariance", "precision"].into_iter().zip(parts) {
        crate::error::check_finite(name, state.mean.len(), values)?;
    }
    let n = state.mean.len();
    let value = match &state.value {
        Value::Quadratic(w) => vec![&w.centre, &w.slope, &w.curvature],
        Value::Table(_) => vec![],
    };
    let score = state.score.iter();
    let score = score.flat_map(|s| [&s.constant, &s.slope, &s.curvature, &s.expected]);
    let kernel = &state.kernel;
    let kernel = [&kernel.slope, &kernel.offset, &kernel.covariance];
    for values in value.into_iter().chain(score).chain(kernel) {
        crate::error::check_finite("the state of a filter", n, values)?;
    }
    crate::error::check_finite("the bound of a filter", 2, &[state.increment, state.owed])?;
    let mut factor = state.covariance.clone();
    root::factor("covariance", &mut factor, n)
}
