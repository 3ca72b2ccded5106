//! What beliefs about the state say of observations.

use super::belief::Gaussian;
use super::matrices::rows;
use super::model::LinearGaussian;
use crate::filter::{Moments, PredictedObservation};
use crate::math::cholesky::symmetric;
use crate::{Predictive, Result};

impl LinearGaussian {
    /// N(F m + b, F P Fᵀ + Q) for the belief N(m, P).
    pub(crate) fn next_state(&self, belief: &Gaussian) -> Gaussian {
        let f = self.transition();
        Gaussian {
            mean: f * &belief.mean + self.bias(),
            covariance: symmetric(f * &belief.covariance * f.transpose() + self.process_noise()),
        }
    }

    /// The moments of H x + d under N(mean, covariance), the noise of y left out.
    pub(crate) fn signal(&self, mean: &[f64], covariance: &[f64]) -> Moments {
        let rows: Vec<Vec<f64>> = rows(self.observation());
        let rows = rows.iter().map(Vec::as_slice);
        Moments::linear(rows.zip(self.offset().iter().copied()), mean, covariance)
    }

    /// The belief about the state `steps` after the newest one, which `belief` is about; before the first observation
    /// `belief` is about x_1, and `steps` = 1 is x_1.
    pub(crate) fn state_ahead(
        &self,
        belief: &Gaussian,
        observations: u64,
        steps: usize,
    ) -> Gaussian {
        let steps = steps - usize::from(observations == 0 && steps > 0);
        (0..steps).fold(belief.clone(), |now, _| self.next_state(&now))
    }

    /// The distribution of each entry of the observation of the state that `ahead` is about: N(H m + d, H P Hᵀ + R).
    pub(crate) fn predictive(&self, ahead: &Gaussian) -> Result<Vec<Predictive>> {
        let signal = self.signal(ahead.mean.as_slice(), ahead.covariance.as_slice());
        let noise = self.observation_noise().diagonal();
        let entries = signal.mean.iter().zip(&signal.variance).zip(noise.iter());
        entries
            .map(|((m, v), r)| Predictive::normal(*m, v + r))
            .collect()
    }

    /// The next observation after `belief` about the newest state; where nothing was seen yet, the belief is about
    /// the state that it is of.
    pub(super) fn predicted_observation(
        &self,
        belief: &Gaussian,
        observations: u64,
    ) -> PredictedObservation {
        let ahead = match observations {
            0 => belief.clone(),
            _ => self.next_state(belief),
        };
        let mut moments = self.signal(ahead.mean.as_slice(), ahead.covariance.as_slice());
        let noise = self.observation_noise().diagonal();
        for (v, r) in moments.variance.iter_mut().zip(noise.iter()) {
            *v += r;
        }
        PredictedObservation::Numbers(moments)
    }
}
