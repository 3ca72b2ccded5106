//! States and observations drawn from the model, given inputs.

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::elapsed::Clock;
use super::model::DrivenGaussian;
use crate::math::cholesky::{cholesky, semidefinite_root};
use crate::{Result, Sequence};

impl DrivenGaussian {
    /// States `[n]` and rows (y_t, u_t), one for each row u_t `[M]` of `inputs`, none missing.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a start that is diffuse;
    /// [`Error::Observation`](crate::Error::Observation) for an input that is missing, or where an unstable model has left the
    /// range of numbers.
    pub fn sample_given(
        &self,
        inputs: &Sequence,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<(Vec<DVector<f64>>, Sequence)> {
        self.base
            .check_proper("a model with inputs", "be drawn from")?;
        let start = semidefinite_root("initial_covariance", self.base.initial_covariance())?;
        // Of a model of continuous time it is made anew for each row.
        let mut process = semidefinite_root("process_noise", self.base.process_noise())?;
        let mut clock = Clock::default();
        let noise = cholesky("observation_noise", self.base.observation_noise())?.unpack();
        let mut normal = |root: &DMatrix<f64>| {
            root * DVector::from_fn(root.ncols(), |_, _| StandardNormal.sample(rng))
        };
        let none = vec![f64::NAN; self.names.len()];
        let mut states: Vec<DVector<f64>> = Vec::with_capacity(inputs.len());
        let mut rows = Sequence::new(self.width())?;
        for (t, u) in inputs.iter().enumerate() {
            let u = u.unwrap_or(&none);
            self.check_inputs(u, 0)
                .map_err(|e| e.at_observation(t as u64))?;
            let system = self.system(u, &mut clock);
            let system = system.map_err(|e| e.at_observation(t as u64))?;
            if self.timed {
                process = semidefinite_root("process_noise", system.process_noise())?;
            }
            let state = match states.last() {
                None => system.initial_mean() + normal(&start),
                Some(before) => system.transition() * before + system.bias() + normal(&process),
            };
            let y = system.observation() * &state + system.offset() + normal(&noise);
            let row: Vec<f64> = y.iter().chain(u).copied().collect();
            rows.push(Some(&row))?;
            states.push(state);
        }
        Ok((states, rows))
    }
}
