//! The exact filter in a file: the beliefs of its ring, oldest first.

use serde::{Deserialize, Serialize};

use super::Kalman;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::model::LinearGaussian;
use crate::step::Sum;
use crate::{Error, Result};

impl PartialEq for Kalman {
    fn eq(&self, other: &Self) -> bool {
        Snapshot::from(self.clone()) == Snapshot::from(other.clone())
    }
}

/// The form of a filter in a file.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    model: LinearGaussian,
    lag: usize,
    observations: u64,
    evidence: Sum,
    beliefs: Vec<Gaussian>,
}

impl From<Kalman> for Snapshot {
    fn from(filter: Kalman) -> Self {
        Self {
            beliefs: filter.beliefs(),
            model: filter.model,
            lag: filter.lag,
            observations: filter.observations,
            evidence: filter.evidence,
        }
    }
}

impl TryFrom<Snapshot> for Kalman {
    type Error = Error;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        let held = snapshot.beliefs.len();
        let expected = snapshot
            .observations
            .clamp(1, (snapshot.lag as u64).saturating_add(1));
        if held == 0 || held as u64 > expected {
            return Err(Error::size(
                "beliefs",
                held,
                format!("from 1 to {expected}"),
            ));
        }
        let n = snapshot.model.states();
        if let Some(wrong) = snapshot.beliefs.iter().find(|b| b.states() != n) {
            return Err(Error::size("beliefs", wrong.states(), n));
        }
        let mut filter = Self::new(snapshot.model)?.with_lag(snapshot.lag)?;
        filter.observations = snapshot.observations;
        filter.evidence = snapshot.evidence;
        filter.fill(snapshot.lag, &snapshot.beliefs);
        Ok(filter)
    }
}
