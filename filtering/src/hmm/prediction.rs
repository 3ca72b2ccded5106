//! What beliefs about the state say of observations.

use super::emission_rows::check_inputs;
use super::lag::through;
use super::products::product;
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

    /// q A: the belief `[K]` about the state after the one that `belief` is about.
    pub(crate) fn next_state(&self, belief: &[f64]) -> Vec<f64> {
        let mut ahead = vec![0.0; self.states()];
        product(belief, self.transition(), &mut ahead);
        ahead
    }

    /// The distribution of each entry of the observation of the state that `ahead` `[K]` is about, Σ_k q_k p(y|k). `given` are the
    /// inputs of that observation.
    pub(crate) fn predictive(&self, ahead: &[f64], given: &[f64]) -> Result<Vec<Predictive>> {
        if given.iter().any(|x| !x.is_finite()) {
            let names = self.emission().inputs().join(", ");
            let expected = format!("a finite number for each of {names}");
            return Err(Error::setting("inputs", format!("{given:?}"), expected));
        }
        check_inputs(self.emission(), self.states(), given)?;
        self.emission()
            .predictive_given(ahead, given)
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
