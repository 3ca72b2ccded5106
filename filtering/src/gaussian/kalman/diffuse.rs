//! The exact filter while its belief is diffuse.

use super::Kalman;
use crate::gaussian::diffuse::DiffuseBelief;
use crate::{Error, Result, Step};

impl Kalman {
    /// Goes on with a belief that was diffuse before an observation.
    pub(super) fn take_diffuse(&mut self, next: DiffuseBelief, increment: f64) -> Result<Step> {
        let size = next.mean.amax() + next.finite.amax() + increment.abs();
        if !size.is_finite() {
            return Err(Error::NotFinite {
                index: self.observations,
                what: "the size of the belief",
                found: size,
            });
        }
        self.observations += 1;
        self.evidence = self.evidence.plus(increment);
        let shown = next.shown();
        self.diffuse = Some(next).filter(|next| !next.is_proper());
        self.fill(self.lag, &[shown]);
        Ok(Step {
            increment,
            elbo: self.elbo(),
        })
    }

    /// The belief so many steps later.
    pub(super) fn diffuse_after(&self, now: &DiffuseBelief, steps: usize) -> DiffuseBelief {
        (0..steps).fold(now.clone(), |now, _| now.moved(&self.model))
    }
}
