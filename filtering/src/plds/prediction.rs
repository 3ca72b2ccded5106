//! What a belief about the latents says of observations, and samples from the model.

use rand::Rng;

use super::law::CountLaw;
use super::model::Plds;
use crate::filter::Moments;
use crate::gaussian::Gaussian;
use crate::{Law, Predictive, Result, Sequence};

impl Plds {
    /// Means and variances of E\[y|x\] of each entry under N(mean, covariance), `[n]` and `[n, n]`.
    pub(crate) fn signal(&self, mean: &[f64], covariance: &[f64]) -> Moments {
        let shift = self.exposure().ln();
        let eta = self.predictor().signal(mean, covariance);
        let entries = eta.mean.iter().zip(&eta.variance);
        let rates = entries.map(|(m, v)| self.law().rate_moments(m + shift, *v));
        let (mean, variance) = rates.unzip();
        Moments { mean, variance }
    }

    /// Means and variances of the next observation after a belief about the newest state.
    pub(super) fn moments_ahead(&self, mean: &[f64], covariance: &[f64], seen: u64) -> Moments {
        let belief = Gaussian::from_flat(mean, covariance);
        let ahead = self.predictor().state_ahead(&belief, seen, 1);
        let mut moments = self.signal(ahead.mean().as_slice(), ahead.covariance().as_slice());
        for (v, m) in moments.variance.iter_mut().zip(&moments.mean) {
            *v += self.law().expected_variance(*m, *v);
        }
        moments
    }

    /// The distribution of each entry of the observation of the latents that `ahead` is about: a mixture of Poisson laws over its
    /// linear predictor, or a probability.
    pub(crate) fn predictive(&self, ahead: &Gaussian) -> Result<Vec<Predictive>> {
        let (mean, covariance) = (ahead.mean().as_slice(), ahead.covariance().as_slice());
        let eta = self.predictor().signal(mean, covariance);
        let shift = self.exposure().ln();
        let entries = eta.mean.iter().zip(&eta.variance);
        let law = |(m, v): (&f64, &f64)| match self.law() {
            CountLaw::Poisson => {
                Predictive::over_normal(*m + shift, *v, |eta| Law::Poisson { rate: eta.exp() })
            }
            CountLaw::Bernoulli => {
                let (p, _) = self.law().rate_moments(*m, *v);
                let p = p.clamp(0.0, 1.0);
                Predictive::symbols(&[1.0 - p, p])
            }
        };
        entries.map(law).collect()
    }

    /// The model that starts with the observation after those that `belief` is of.
    pub(crate) fn continued(&self, belief: &Gaussian, seen: u64) -> Result<Self> {
        let next = self.predictor().state_ahead(belief, seen, 1);
        self.clone().with_initial(next.mean, next.covariance)
    }

    /// `length` states `[n]` and their observations `[N]`, none missing.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) where an unstable model has left the range of numbers.
    pub fn sample<R: Rng>(&self, length: usize, rng: &mut R) -> Result<(Vec<Vec<f64>>, Sequence)> {
        // The predictors drawn with them are thrown away: the states are what is wanted.
        let (states, _) = self.predictor().sample(length, rng)?;
        let shift = self.exposure().ln();
        let mut observations = Sequence::new(self.width())?;
        for x in &states {
            let eta = self.loadings() * x + self.offset();
            let row: Vec<f64> = eta
                .iter()
                .map(|eta| self.law().draw(eta + shift, rng))
                .collect();
            observations.push(Some(&row))?;
        }
        let states = states.iter().map(|x| x.as_slice().to_vec()).collect();
        Ok((states, observations))
    }
}
