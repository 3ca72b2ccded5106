//! What beliefs say of observations.

use super::filter::SldsFilter;
use super::model::Slds;
use crate::filter::Moments;
use crate::gaussian::Gaussian;
use crate::{Law, Predictive, Result};

impl Slds {
    /// Moments of H_k x + d_k for a regime of these probabilities `[K]`, in each a belief about x of its own.
    pub(super) fn signal_of<'a>(
        &self,
        weights: &[f64],
        parts: impl Iterator<Item = (&'a [f64], &'a [f64])>,
    ) -> Moments {
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for (regime, (mean, covariance)) in self.regimes().iter().zip(parts) {
            let own = regime.signal(mean, covariance);
            means.extend(own.mean);
            variances.extend(own.variance);
        }
        Moments::mixture(weights, &means, &variances)
    }

    /// The same where x does not depend on the regime.
    pub(crate) fn signal(&self, weights: &[f64], mean: &[f64], covariance: &[f64]) -> Moments {
        let parts = std::iter::repeat_n((mean, covariance), self.regimes_len());
        self.signal_of(weights, parts)
    }
}

impl SldsFilter {
    /// The distribution of each entry of the next observation, that of the score: a mixture over the last two regimes. After updates
    /// in which nothing is seen it is that of an observation farther ahead: means and variances are exact given the belief, and so is each
    /// regime's probability, while paths that end in the same regime have become one Gaussian.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) where the prediction leaves the range of numbers.
    pub(crate) fn predictive(&self) -> Result<Vec<Predictive>> {
        let (model, now) = (self.model(), self.components());
        let k = model.regimes_len();
        let mut entries: Vec<Vec<(f64, Law)>> = vec![Vec::new(); model.width()];
        for i in 0..k {
            let (mean, covariance) = now.part(i);
            let belief = Gaussian::from_flat(mean, covariance);
            for (j, regime) in model.regimes().iter().enumerate() {
                let weight = match self.observations() {
                    0 if i == j => now.weights[i],
                    0 => 0.0,
                    _ => now.weights[i] * model.transition()[i * k + j],
                };
                if weight == 0.0 {
                    continue;
                }
                let ahead = regime.state_ahead(&belief, self.observations(), 1);
                let signal = regime.signal(ahead.mean().as_slice(), ahead.covariance().as_slice());
                let noise = regime.observation_noise().diagonal();
                let laws = signal.mean.iter().zip(&signal.variance).zip(noise.iter());
                for (entry, ((mean, variance), noise)) in entries.iter_mut().zip(laws) {
                    let (mean, variance) = (*mean, variance + noise);
                    entry.push((weight, Law::Normal { mean, variance }));
                }
            }
        }
        entries.into_iter().map(Predictive::new).collect()
    }
}
