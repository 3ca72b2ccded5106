//! Queries of a filter.

use super::NonlinearFilter;
use crate::filter::unsupported;
use crate::math::square::{apply, cholesky};
use crate::nonlinear::{Kernel, NonlinearConfig, StateSpace, Value};
use crate::{Belief, Error, Filter, Moments, PredictedObservation, Predictive, Result};

impl<M: StateSpace> NonlinearFilter<M> {
    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What was chosen.
    pub fn config(&self) -> &NonlinearConfig {
        &self.config
    }

    /// How many observations have been taken in, missing ones included.
    pub fn observations(&self) -> u64 {
        self.state.time
    }

    /// μ_t `[n]`; m_0 before the first observation.
    pub fn mean(&self) -> &[f64] {
        &self.state.mean
    }

    /// Σ_t `[n, n]`; P_0 before the first observation.
    pub fn covariance(&self) -> &[f64] {
        &self.state.covariance
    }

    /// The newest kernel b_t; none before the second observation.
    pub fn kernel(&self) -> Option<&Kernel> {
        (self.state.time > 1).then_some(&self.state.kernel)
    }

    /// W_t(x) − L_t; none before the first observation.
    pub fn value(&self) -> Option<&Value> {
        (self.state.time > 0).then_some(&self.state.value)
    }

    /// L_t, in nats: see [`Representation`](crate::nonlinear::Representation) for how far it is to be trusted.
    pub fn elbo(&self) -> f64 {
        self.state.elbo.value()
    }

    /// The mean of Ŝ_t under q_t `[P]`, the estimate of ∇_θ ln p(y_1…y_t); none without [`NonlinearConfig::score`]. Of the
    /// one-step schemes, the slope of the newest increment alone.
    pub fn score(&self) -> Option<&[f64]> {
        self.state.score.as_ref().map(|s| &s.expected[..])
    }

    /// How often the bound was evaluated in the newest update.
    pub fn evaluations(&self) -> usize {
        self.state.evaluations
    }

    /// How many updates ended before they settled to [`NonlinearConfig::tolerance`].
    pub fn unsettled(&self) -> u64 {
        self.state.unsettled
    }

    /// The mean `[n]` and covariance `[n, n]` of x_{t+steps}, by moments on the points of the rule.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) where the moments leave the range of numbers.
    pub fn predict(&self, steps: usize) -> Result<(Vec<f64>, Vec<f64>)> {
        let mut now = (self.mean().to_vec(), self.covariance().to_vec());
        for _ in 0..steps {
            now = self.next_state(&now.0, &now.1)?;
        }
        Ok(now)
    }

    /// The mean `[n]` and covariance `[n, n]` of the state after one of N(mean, covariance).
    pub(crate) fn next_state(
        &self,
        mean: &[f64],
        covariance: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let n = self.model.dim();
        let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
        let mut root = covariance.to_vec();
        cholesky(&mut root, n)
            .map_err(|(_, v)| Error::not_finite(self.state.time, "a predicted variance", v))?;
        let (mut sum, mut square) = (vec![0.0; n], vec![0.0; n * n]);
        for (z, w) in self.work.bound.points.iter() {
            apply(&root, z, &mut x);
            x.iter_mut().zip(mean).for_each(|(x, m)| *x += m);
            self.model.mean(&x, &mut y);
            for i in 0..n {
                sum[i] += w * y[i];
                for j in 0..n {
                    square[i * n + j] += w * y[i] * y[j];
                }
            }
        }
        for i in 0..n {
            for j in 0..n {
                square[i * n + j] =
                    square[i * n + j] - sum[i] * sum[j] + self.model.noise()[i * n + j];
            }
        }
        Ok((sum, square))
    }

    /// The state of the next observation, `[n]` and `[n, n]`: x_1 before the first.
    pub(crate) fn state_of_next(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        self.predict(usize::from(self.state.time > 0))
    }

    /// The distribution of each entry of the observation of a state of N(mean, covariance). By its moments where the model says no
    /// more.
    pub(crate) fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Result<Vec<Predictive>> {
        if let Some(entries) = self.model.predictive(mean, covariance) {
            return Ok(entries);
        }
        let moments = self.observed_at(mean, covariance.to_vec())?;
        let entries = moments.mean.iter().zip(&moments.variance);
        entries.map(|(m, v)| Predictive::normal(*m, *v)).collect()
    }

    /// The moments of y over the points of N(mean, covariance).
    fn observed_at(&self, mean: &[f64], mut root: Vec<f64>) -> Result<Moments> {
        let (n, m) = (self.model.dim(), self.model.observed());
        cholesky(&mut root, n)
            .map_err(|(_, v)| Error::not_finite(self.state.time, "a predicted variance", v))?;
        let count = self.work.bound.points.len();
        let (mut weights, mut x) = (Vec::with_capacity(count), vec![0.0; n]);
        let (mut means, mut variances) = (vec![0.0; count * m], vec![0.0; count * m]);
        let rows = means.chunks_exact_mut(m).zip(variances.chunks_exact_mut(m));
        for ((z, w), (at, spread)) in self.work.bound.points.iter().zip(rows) {
            apply(&root, z, &mut x);
            x.iter_mut().zip(mean).for_each(|(x, m)| *x += m);
            if !self.model.observation_moments(&x, at, spread) {
                return Err(unsupported());
            }
            weights.push(w);
        }
        Ok(Moments::mixture(&weights, &means, &variances))
    }
}

impl<M: StateSpace> Filter for NonlinearFilter<M> {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::normal(&self.state.mean, &self.state.covariance)
    }

    fn width(&self) -> usize {
        self.model.observed()
    }

    /// The moments of y over the points of the predicted state.
    fn predicted_observation(&self) -> Result<PredictedObservation> {
        let (mean, covariance) = self.state_of_next()?;
        let moments = self.observed_at(&mean, covariance)?;
        Ok(PredictedObservation::Numbers(moments))
    }

    fn signal(&self) -> Moments {
        let signal = self.model.signal(&self.state.mean, &self.state.covariance);
        signal.unwrap_or_else(|| Moments::unknown(self.model.observed()))
    }
}
