//! Linear-Gaussian state-space models.

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayDyn};
use pyo3::prelude::*;
use scotopic_filtering::gaussian::{self, Kalman};
use scotopic_filtering::{AnyModel, gaussian_factorisation};

use crate::arrays::{Drawn, drawn, matrix_of, read_matrix, read_vector, vector_of};
use crate::beliefs::{Beliefs, Rows, beliefs};
use crate::errors::{Result, setting};
use crate::files::{Reduced, from_cbor, reduced, to_toml};
use crate::interrupt::drawing;
use crate::observations::Observations;
use crate::rules::{Held, learned_of};
use crate::statistics::{GaussianStatistics, different_models};

/// A linear-Gaussian state-space model with fixed parameters.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct LinearGaussian {
    pub(crate) model: gaussian::LinearGaussian,
}

impl From<gaussian::LinearGaussian> for LinearGaussian {
    fn from(model: gaussian::LinearGaussian) -> Self {
        Self { model }
    }
}

#[pymethods]
impl LinearGaussian {
    /// F `[n, n]`, Q `[n, n]`, H `[m, n]`, R `[m, m]`, b `[n]`, d `[m]`, m0 `[n]`, P0 `[n, n]`, and which entries of x_1 are
    /// diffuse, `[n]`.
    #[new]
    #[allow(clippy::too_many_arguments)] // the nine arrays of the model
    fn new(
        transition: &Bound<'_, PyArrayDyn<f64>>,
        process_noise: &Bound<'_, PyArrayDyn<f64>>,
        observation: &Bound<'_, PyArrayDyn<f64>>,
        observation_noise: &Bound<'_, PyArrayDyn<f64>>,
        bias: &Bound<'_, PyArrayDyn<f64>>,
        offset: &Bound<'_, PyArrayDyn<f64>>,
        initial_mean: &Bound<'_, PyArrayDyn<f64>>,
        initial_covariance: &Bound<'_, PyArrayDyn<f64>>,
        diffuse: Vec<bool>,
    ) -> Result<Self> {
        let model = gaussian::LinearGaussian::new(
            read_matrix("transition", transition)?,
            read_matrix("process_noise", process_noise)?,
            read_matrix("observation", observation)?,
            read_matrix("observation_noise", observation_noise)?,
        )?
        .with_bias(read_vector("bias", bias)?, read_vector("offset", offset)?)?
        .with_initial(
            read_vector("initial_mean", initial_mean)?,
            read_matrix("initial_covariance", initial_covariance)?,
        )?
        .with_diffuse(&diffuse)?;
        Ok(model.into())
    }

    /// A model of n `states` to start a fit from.
    #[staticmethod]
    fn guess(py: Python<'_>, states: usize, data: &Observations) -> Result<Self> {
        let guess =
            py.detach(|| gaussian::LinearGaussian::initial_guess(states, data.sequences()))?;
        Ok(guess.into())
    }

    /// n.
    #[getter]
    fn n_states(&self) -> usize {
        self.model.states()
    }

    /// m.
    #[getter]
    fn n_features(&self) -> usize {
        self.model.width()
    }

    /// The numbers that the evidence of observations can tell.
    #[getter]
    fn free_parameters(&self) -> usize {
        let model = AnyModel::LinearGaussian(self.model.clone());
        model.free_parameters(&[]).ok().flatten().unwrap_or(0)
    }

    /// The numbers that a fit chooses which learns these parameters and holds these entries.
    fn constrained_parameters(
        &self,
        learned: Option<Vec<String>>,
        diagonal: bool,
        held: Held,
    ) -> Result<usize> {
        let learned = learned_of(learned, diagonal)?;
        Ok(self
            .model
            .constrained_parameters(&learned, &held.constraints()?))
    }

    /// F `[n, n]`.
    #[getter]
    fn transition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.transition())
    }

    /// Q `[n, n]`.
    #[getter]
    fn process_noise<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.process_noise())
    }

    /// H `[m, n]`.
    #[getter]
    fn observation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.observation())
    }

    /// R `[m, m]`.
    #[getter]
    fn observation_noise<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.observation_noise())
    }

    /// b `[n]`.
    #[getter]
    fn bias<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector_of(py, self.model.bias())
    }

    /// d `[m]`.
    #[getter]
    fn offset<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector_of(py, self.model.offset())
    }

    /// m0 `[n]`.
    #[getter]
    fn initial_mean<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector_of(py, self.model.initial_mean())
    }

    /// P0 `[n, n]`.
    #[getter]
    fn initial_covariance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.initial_covariance())
    }

    /// Which entries of x_1 are diffuse, `[n]`.
    #[getter]
    fn diffuse(&self) -> Vec<bool> {
        let all = self.model.diffuse();
        (0..self.model.states())
            .map(|i| all.get(i) == Some(&true))
            .collect()
    }

    /// Σ ln p(y_1…y_T) over the sequences, nats.
    fn log_evidence(&self, py: Python<'_>, data: &Observations) -> Result<f64> {
        data.total(py, |sequence| self.model.log_evidence(sequence))
    }

    /// m_t `[T, n]` and P_t `[T, n, n]` given the observations up to t, and Σ ln p.
    fn filter<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Beliefs<'py>> {
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let mut filter = Kalman::new(self.model.clone())?;
            for y in sequence.iter() {
                filter.update(y)?;
                rows.push_parts(filter.mean(), filter.covariance());
            }
            Ok(filter.elbo())
        })
    }

    /// m_t `[T, n]` and P_t `[T, n, n]` given all observations, and Σ ln p.
    fn smooth<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Beliefs<'py>> {
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let smoothed = self.model.smooth(sequence)?;
            smoothed
                .smoothed()
                .iter()
                .for_each(|belief| rows.push(belief));
            Ok(smoothed.log_evidence())
        })
    }

    /// The marginals under a factorisation, and its bound.
    fn posterior<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
        factorisation: &str,
    ) -> Result<Beliefs<'py>> {
        let factorisation = gaussian_factorisation(factorisation)?;
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let posterior = self.model.posterior(sequence, factorisation)?;
            posterior
                .marginals()
                .iter()
                .for_each(|belief| rows.push(belief));
            Ok(posterior.elbo())
        })
    }

    /// E[y_t|y_<t] `[T, m]` and its covariance `[T, m, m]`: one step ahead.
    #[allow(clippy::type_complexity)] // two arrays
    fn predict<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
    ) -> Result<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray3<f64>>)> {
        let mut rows = Rows::new(self.model.width(), data.rows())?;
        for sequence in data.sequences() {
            py.detach(|| -> scotopic_filtering::Result<()> {
                let mut filter = Kalman::new(self.model.clone())?;
                for y in sequence.iter() {
                    let steps = usize::from(filter.observations() > 0);
                    rows.push(&filter.predict_observation(steps));
                    filter.update(y)?;
                }
                Ok(())
            })?;
            py.check_signals()?;
        }
        let (means, covariances, _) = rows.arrays(py, 0.0)?;
        Ok((means, covariances))
    }

    /// Observations `[length, m]` and the states `[length, n]` that made them.
    fn sample<'py>(&self, py: Python<'py>, length: usize, seed: u64) -> Result<Drawn<'py>> {
        let (states, sequence) = drawing(py, seed, |noise| self.model.sample(length, noise))?;
        let states: Vec<f64> = states.iter().flat_map(|x| x.iter().copied()).collect();
        let (m, n) = (self.model.width(), self.model.states());
        drawn(py, &sequence, m, states, n)
    }

    /// The E-step.
    fn statistics(&self, py: Python<'_>, data: &Observations) -> Result<GaussianStatistics> {
        let mut total: Option<GaussianStatistics> = None;
        for sequence in data.sequences() {
            let (own, log_evidence) = py.detach(|| self.model.statistics(sequence))?;
            match &mut total {
                Some(total) => {
                    total.expected.add(1.0, &own);
                    total.log_evidence += log_evidence;
                    total.observations += sequence.len() as u64;
                }
                None => {
                    total = Some(GaussianStatistics {
                        sizes: [self.model.states(), self.model.width()],
                        expected: own,
                        log_evidence,
                        observations: sequence.len() as u64,
                    });
                }
            }
            py.check_signals()?;
        }
        total.ok_or_else(|| setting("X", "no sequence", "at least one"))
    }

    /// The M-step.
    fn maximise(
        &self,
        statistics: &GaussianStatistics,
        pseudo_count: f64,
        diagonal: bool,
        learned: Option<Vec<String>>,
    ) -> Result<Self> {
        if statistics.sizes != [self.model.states(), self.model.width()] {
            return Err(different_models().into());
        }
        let learned = learned_of(learned, diagonal)?;
        Ok(self
            .model
            .maximised(&statistics.expected, &learned, pseudo_count)?
            .into())
    }

    /// The model as the text of a model file of the program.
    fn to_toml(&self) -> PyResult<String> {
        to_toml(&AnyModel::LinearGaussian(self.model.clone()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        reduced(slf.as_any(), &slf.get().model)
    }

    #[staticmethod]
    fn _restored(bytes: &[u8]) -> PyResult<Self> {
        Ok(from_cbor::<gaussian::LinearGaussian>(bytes, "linear-Gaussian model")?.into())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model == other.model
    }

    fn __repr__(&self) -> String {
        let (n, m) = (self.model.states(), self.model.width());
        format!("<LinearGaussian: {n} states, observations of {m} entries>")
    }
}
