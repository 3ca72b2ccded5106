//! The exact filter in a file: the beliefs of its ring, oldest first.

use serde::{Deserialize, Serialize};

use super::Kalman;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::diffuse::{DiffuseBasis, DiffuseBelief};
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
    /// The columns of A, P∞ = A Aᵀ, of a belief that is diffuse; `beliefs` then has N(m, P*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diffuse: Vec<Vec<f64>>,
}

impl From<Kalman> for Snapshot {
    fn from(filter: Kalman) -> Self {
        Self {
            beliefs: match &filter.diffuse {
                Some(now) => vec![Gaussian {
                    mean: now.mean.clone(),
                    covariance: now.finite.clone(),
                }],
                None => filter.beliefs(),
            },
            diffuse: match &filter.diffuse {
                Some(now) => now.basis.columns().to_vec(),
                None => Vec::new(),
            },
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
        filter.diffuse = diffuse(&snapshot.beliefs, snapshot.diffuse)?;
        match &filter.diffuse {
            Some(now) => {
                let shown = now.shown();
                filter.fill(snapshot.lag, &[shown]);
            }
            None => filter.fill(snapshot.lag, &snapshot.beliefs),
        }
        Ok(filter)
    }
}

/// The diffuse belief of a file, if it has one.
fn diffuse(beliefs: &[Gaussian], columns: Vec<Vec<f64>>) -> Result<Option<DiffuseBelief>> {
    let ([belief], false) = (beliefs, columns.is_empty()) else {
        return match columns.is_empty() {
            true => Ok(None),
            false => Err(Error::size("beliefs", beliefs.len(), "1 beside `diffuse`")),
        };
    };
    let n = belief.states();
    let fits = |column: &Vec<f64>| column.len() == n && column.iter().all(|v| v.is_finite());
    if columns.len() > n || !columns.iter().all(fits) {
        let expected = format!("at most {n} columns of {n} finite numbers");
        return Err(Error::size("diffuse", columns.len(), expected));
    }
    Ok(Some(DiffuseBelief {
        mean: belief.mean.clone(),
        finite: belief.covariance.clone(),
        basis: DiffuseBasis::from_columns(n, columns),
    }))
}
