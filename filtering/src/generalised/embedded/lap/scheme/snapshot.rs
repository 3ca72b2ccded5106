//! Snapshots of generalised filtering.
//!
//! Nothing of a pass outlives [`GeneralisedFiltering::learn`], which leaves the scheme as it was, so this is the flow of
//! the states. To go on *learning*, start from what was learned ([`crate::generalised::lap::LapFit::as_prior`]).

use serde::{Deserialize, Serialize};

use super::{GeneralisedFiltering, diagonal};
use crate::generalised::embedded::dem::{Dem, DemSnapshot};
use crate::generalised::model::Equations;
use crate::{Error, Result};

/// The flow of the states. A scheme serialises as this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneralisedFilteringSnapshot<E> {
    /// The flow, and the model with the diagonals of its precisions.
    pub flow: DemSnapshot<E>,
}

impl<E: Equations> From<GeneralisedFiltering<E>> for GeneralisedFilteringSnapshot<E> {
    fn from(scheme: GeneralisedFiltering<E>) -> Self {
        Self {
            flow: scheme.dem.into(),
        }
    }
}

impl<E: Equations> TryFrom<GeneralisedFilteringSnapshot<E>> for GeneralisedFiltering<E> {
    type Error = Error;

    /// # Errors
    /// As for [`Dem`]; a precision that is not diagonal.
    fn try_from(kept: GeneralisedFilteringSnapshot<E>) -> Result<Self> {
        let model = &kept.flow.model;
        let levels = model.levels.iter().flat_map(|l| [&l.output, &l.motion]);
        for precision in levels.chain([&model.cause.precision]) {
            let mut only = precision.clone();
            diagonal(&mut only);
            if only != *precision {
                let expected =
                    "a diagonal one: generalised filtering counts precisions by their diagonals";
                return Err(Error::setting(
                    "snapshot: precision",
                    "a full matrix",
                    expected,
                ));
            }
        }
        Ok(Self {
            dem: Dem::try_from(kept.flow)?,
        })
    }
}
