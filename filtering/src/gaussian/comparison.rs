//! One factorisation of a linear-Gaussian model beside the exact posterior.

use std::time::Instant;

use super::{GaussianFactorisation, GaussianFilter, LinearGaussian};
use crate::comparison::{Compared, FactorisationRow, increments};
use crate::{Result, Sequence};

impl LinearGaussian {
    /// One row of the comparison of factorisations on a sequence.
    ///
    /// # Errors
    /// As [`LinearGaussian::smooth`] and [`LinearGaussian::posterior`].
    pub fn compare(
        &self,
        data: &Sequence,
        name: &str,
        factorisation: GaussianFactorisation,
    ) -> Result<Compared<GaussianFilter>> {
        let exact = self.smooth(data)?;
        let clock = Instant::now();
        let posterior = self.posterior(data, factorisation)?;
        let batch = clock.elapsed().as_secs_f64();
        let n = self.states();
        let (mut error, mut count) = (0.0, 0usize);
        for (q, p) in posterior.marginals().iter().zip(exact.smoothed()) {
            error += (q.mean() - p.mean()).abs().sum();
            count += n;
        }
        let row = FactorisationRow {
            factorisation: name.to_owned(),
            free_energy: posterior.free_energy(),
            gap: Some(posterior.gap()),
            marginal_error: (count > 0).then(|| error / count as f64),
            settled: true,
            micros: 1e6 * batch / data.len() as f64,
            bytes: 8 * data.len() * n * (1 + n),
            ..FactorisationRow::default()
        };
        match self.clone().online(factorisation) {
            Ok(filter) => Compared::online(row, filter, data, &increments(exact.cumulative())),
            Err(_) => Ok(Compared { row, filter: None }),
        }
    }
}
