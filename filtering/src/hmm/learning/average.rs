//! The running average of the parameters (B. Polyak, A. Juditsky, "Acceleration of stochastic approximation by
//! averaging", 1992).

use serde::{Deserialize, Serialize};

use super::super::pseudo_observations::PseudoObservations;
use super::running::{Running, rows_of};
use crate::Result;
use crate::hmm::{Hmm, Learnable};

/// The mean of A and of the expected statistics E[φ(o)|s] over the models since some observation.
///
/// Averaging expectations instead of parameters is the same for symbols and counts, and for normal
/// observations averages means and second moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Average {
    from: u64,
    models: u64,
    mean: Running,
}

impl Average {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, from: u64) -> Self {
        Self {
            from,
            models: 0,
            mean: Running::zero(model),
        }
    }

    /// Takes in the model after `observations`; `spare` is workspace of E[φ(o)|s] `[K, P]`.
    pub(super) fn take<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        observations: u64,
        spare: &mut [f64],
    ) {
        if observations <= self.from {
            return;
        }
        self.models += 1;
        let w = 1.0 / self.models as f64;
        let toward = |mean: &mut [f64], new: &[f64]| {
            mean.iter_mut()
                .zip(new)
                .for_each(|(m, x)| *m += w * (x - *m));
        };
        toward(&mut self.mean.transitions, model.transition());
        model.emission().expected_statistic(spare);
        toward(&mut self.mean.emission, spare);
    }

    /// The model with those means; `None` before there was any to take in.
    pub(super) fn model<E: Learnable>(&self, last: &Hmm<E>) -> Option<Hmm<E>> {
        if self.models == 0 {
            return None;
        }
        let k = last.states();
        let transition = rows_of(&self.mean.transitions, &self.mean.transitions, k, 0.0);
        let emission = last
            .emission()
            .maximise(&self.mean.emission, PseudoObservations::NONE)
            .ok()?;
        Hmm::from_flat(last.initial().to_vec(), transition, emission).ok()
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        self.mean.check(model)
    }
}
