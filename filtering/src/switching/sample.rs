//! Regimes, states and observations drawn from the model.

use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::filter::SldsFilter;
use super::model::Slds;
use crate::math::cholesky::{cholesky, semidefinite_root};
use crate::{Result, Sequence};

/// What [`Slds::sample`] draws.
#[derive(Debug, Clone, PartialEq)]
pub struct SldsSample {
    /// s_1 … s_T, numbers from 0.
    pub regimes: Vec<usize>,
    /// x_1 … x_T, `[n]` each.
    pub states: Vec<DVector<f64>>,
    /// y_1 … y_T, none missing.
    pub observations: Sequence,
}

/// The first of the numbers whose sum of probabilities is above a uniform one.
fn drawn<R: Rng + ?Sized>(probabilities: &[f64], rng: &mut R) -> usize {
    let mut left: f64 = rng.random();
    let last = probabilities.len().saturating_sub(1);
    for (k, p) in probabilities.iter().enumerate() {
        left -= p;
        if left < 0.0 {
            return k;
        }
    }
    // The sum is 1 to rounding: the last regime that can be.
    let can = probabilities.iter().rposition(|p| *p > 0.0);
    can.unwrap_or(last)
}

fn normal<R: Rng + ?Sized>(root: &DMatrix<f64>, rng: &mut R) -> DVector<f64> {
    root * DVector::from_fn(root.ncols(), |_, _| StandardNormal.sample(rng))
}

impl Slds {
    /// `length` regimes and states and their observations. The same generator in the same state gives the same draws.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) where an unstable model has left the range of numbers.
    pub fn sample<R: Rng + ?Sized>(&self, length: usize, rng: &mut R) -> Result<SldsSample> {
        self.drawn_after(None, length, rng)
    }

    /// After a regime and a state, or from the beginning.
    fn drawn_after<R: Rng + ?Sized>(
        &self,
        before: Option<(usize, DVector<f64>)>,
        length: usize,
        rng: &mut R,
    ) -> Result<SldsSample> {
        let k = self.regimes_len();
        let roots = |what: &str, of: fn(&crate::gaussian::LinearGaussian) -> &DMatrix<f64>| {
            let each = self.regimes().iter();
            each.map(|regime| Ok(cholesky(what, of(regime))?.unpack()))
                .collect::<Result<Vec<_>>>()
        };
        let process = roots("process_noise", |regime| regime.process_noise())?;
        let noise = roots("observation_noise", |regime| regime.observation_noise())?;
        let start = self.start();
        let first = semidefinite_root("initial_covariance", start.initial_covariance())?;
        let mut made = SldsSample {
            regimes: Vec::with_capacity(length),
            states: Vec::with_capacity(length),
            observations: Sequence::new(self.width())?,
        };
        let mut last = before;
        for _ in 0..length {
            let (s, x) = match &last {
                None => {
                    let s = drawn(self.initial(), rng);
                    (s, start.initial_mean() + normal(&first, rng))
                }
                Some((s, x)) => {
                    let s = drawn(&self.transition()[s * k..(s + 1) * k], rng);
                    let regime = &self.regimes()[s];
                    let moved = regime.transition() * x + regime.bias();
                    (s, moved + normal(&process[s], rng))
                }
            };
            let regime = &self.regimes()[s];
            let y = regime.observation() * &x + regime.offset() + normal(&noise[s], rng);
            made.observations.push(Some(y.as_slice()))?;
            made.regimes.push(s);
            made.states.push(x.clone());
            last = Some((s, x));
        }
        Ok(made)
    }
}

impl SldsFilter {
    /// The next `ahead` observations, drawn jointly: a regime and a state of the belief, then the model.
    pub(crate) fn simulate<R: Rng + ?Sized>(&self, ahead: usize, rng: &mut R) -> Result<Sequence> {
        let before = match self.observations() {
            0 => None,
            _ => {
                let s = drawn(self.regimes(), rng);
                let belief = self.component(s)?;
                let root = semidefinite_root("covariance", belief.covariance())?;
                Some((s, belief.mean() + normal(&root, rng)))
            }
        };
        Ok(self.model().drawn_after(before, ahead, rng)?.observations)
    }
}
