//! What beliefs about the state say of observations.

use super::lag::through;
use super::{Emission, Hmm};
use crate::filter::{Moments, PredictedObservation, unsupported};
use crate::{Error, Predictive, Result};

impl<E: Emission> Hmm<E> {
    /// The next observation after a belief `[K]` about the newest state; where nothing was seen yet, the belief is
    /// about the state that it is of.
    pub(crate) fn predicted_observation(
        &self,
        belief: &[f64],
        observations: u64,
    ) -> Result<PredictedObservation> {
        let mut ahead = vec![0.0; self.states()];
        let steps = usize::from(observations > 0);
        through(belief, (0..steps).map(|_| self.transition()), &mut ahead);
        self.emission().expected(&ahead).ok_or_else(unsupported)
    }

    /// The distribution of each entry of the observation `steps` after the newest one, given a belief `[K]` about the
    /// state there: Σ_k (q A^steps)_k p(y|k). Before the first observation the belief is about s_1, and `steps` = 1 is y_1. `given` are the inputs
    /// of that observation.
    pub(crate) fn predictive(
        &self,
        belief: &[f64],
        observations: u64,
        steps: usize,
        given: &[f64],
    ) -> Result<Vec<Predictive>> {
        let mut ahead = vec![0.0; self.states()];
        let steps = steps - usize::from(observations == 0 && steps > 0);
        through(belief, (0..steps).map(|_| self.transition()), &mut ahead);
        if given.iter().any(|x| !x.is_finite()) {
            let names = self.emission().inputs().join(", ");
            let expected = format!("a finite number for each of {names}");
            return Err(Error::setting("inputs", format!("{given:?}"), expected));
        }
        self.emission()
            .predictive_given(&ahead, given)
            .ok_or_else(unsupported)
    }

    /// The mean of each entry under a belief `[K]`. It has no variance that a normal band could be drawn with, and
    /// symbols have no mean.
    pub(crate) fn signal(&self, belief: &[f64]) -> Moments {
        let unknown = Moments::unknown(self.width());
        match self.emission().expected(belief) {
            Some(PredictedObservation::Numbers(Moments { mean, .. })) => {
                Moments { mean, ..unknown }
            }
            _ => unknown,
        }
    }
}
