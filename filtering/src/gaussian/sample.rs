//! States and observations drawn from the model.

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::model::LinearGaussian;
use crate::math::cholesky::{cholesky, semidefinite_root};
use crate::{Result, Sequence};

impl LinearGaussian {
    /// `len` states `[n]` and their observations `[m]`, none missing.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) where an unstable model has left the range of
    /// numbers.
    pub fn sample(
        &self,
        len: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<(Vec<DVector<f64>>, Sequence)> {
        let start = semidefinite_root("initial_covariance", self.initial_covariance())?;
        let process = semidefinite_root("process_noise", self.process_noise())?;
        let noise = cholesky("observation_noise", self.observation_noise())?.unpack();
        let mut normal = |root: &DMatrix<f64>| {
            root * DVector::from_fn(root.ncols(), |_, _| StandardNormal.sample(rng))
        };
        let mut states: Vec<DVector<f64>> = Vec::with_capacity(len);
        let mut observations = Sequence::new(self.width())?;
        for _ in 0..len {
            let state = match states.last() {
                None => self.initial_mean() + normal(&start),
                Some(before) => self.transition() * before + self.bias() + normal(&process),
            };
            let y = self.observation() * &state + self.offset() + normal(&noise);
            observations.push(Some(y.as_slice()))?;
            states.push(state);
        }
        Ok((states, observations))
    }
}
