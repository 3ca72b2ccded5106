//! Poisson and Bernoulli linear dynamical systems.

use numpy::{PyArray1, PyArray2, PyArrayDyn};
use pyo3::prelude::*;
use scotopic_filtering::plds::{self, CountLaw, PldsFilter, PldsFit};
use scotopic_filtering::{AnyModel, Filter};

use crate::arrays::{Drawn, drawn, matrix, matrix_of, read_matrix, read_vector, vector_of};
use crate::beliefs::{Beliefs, beliefs};
use crate::errors::{Result, setting};
use crate::files::{Reduced, from_cbor, reduced, to_toml};
use crate::interrupt::{drawing, interruptible};
use crate::observations::Observations;
use crate::statistics::PldsStatistics;

/// A Poisson or Bernoulli linear dynamical system with fixed parameters (eq. F70).
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Plds {
    pub(crate) model: plds::Plds,
}

impl From<plds::Plds> for Plds {
    fn from(model: plds::Plds) -> Self {
        Self { model }
    }
}

/// The law of this name.
fn law_of(name: &str) -> Result<CountLaw> {
    match name {
        "poisson" => Ok(CountLaw::Poisson),
        "bernoulli" => Ok(CountLaw::Bernoulli),
        other => Err(setting("law", other, "poisson or bernoulli")),
    }
}

/// The same distribution of counts with rates per unit of ε: d less ln ε.
fn per_exposure(model: plds::Plds, exposure: f64) -> scotopic_filtering::Result<plds::Plds> {
    if exposure == 1.0 {
        return Ok(model);
    }
    let offset = model.offset().add_scalar(-exposure.ln());
    let model = model.with_exposure(exposure)?;
    model.with_loadings(model.loadings().clone(), offset)
}

#[pymethods]
impl Plds {
    /// The law ("poisson" or "bernoulli"), F `[n, n]`, Q `[n, n]`, C `[N, n]`, d `[N]`, b `[n]`, m0 `[n]`, P0 `[n, n]`, ε.
    #[new]
    #[allow(clippy::too_many_arguments)] // the arrays of the model
    fn new(
        law: &str,
        transition: &Bound<'_, PyArrayDyn<f64>>,
        process_noise: &Bound<'_, PyArrayDyn<f64>>,
        loadings: &Bound<'_, PyArrayDyn<f64>>,
        offset: &Bound<'_, PyArrayDyn<f64>>,
        bias: &Bound<'_, PyArrayDyn<f64>>,
        initial_mean: &Bound<'_, PyArrayDyn<f64>>,
        initial_covariance: &Bound<'_, PyArrayDyn<f64>>,
        exposure: f64,
    ) -> Result<Self> {
        let model = plds::Plds::new(
            law_of(law)?,
            read_matrix("transition", transition)?,
            read_matrix("process_noise", process_noise)?,
            read_matrix("loadings", loadings)?,
            read_vector("offset", offset)?,
        )?
        .with_bias(read_vector("bias", bias)?)?
        .with_initial(
            read_vector("initial_mean", initial_mean)?,
            read_matrix("initial_covariance", initial_covariance)?,
        )?
        .with_exposure(exposure)?;
        Ok(model.into())
    }

    /// "poisson" or "bernoulli".
    #[getter]
    fn law(&self) -> &'static str {
        match self.model.law() {
            CountLaw::Poisson => "poisson",
            CountLaw::Bernoulli => "bernoulli",
        }
    }

    /// n.
    #[getter]
    fn n_states(&self) -> usize {
        self.model.states()
    }

    /// N.
    #[getter]
    fn n_features(&self) -> usize {
        self.model.width()
    }

    /// The numbers that the evidence of observations can tell.
    #[getter]
    fn free_parameters(&self) -> usize {
        self.model.free_parameters()
    }

    /// ε.
    #[getter]
    fn exposure(&self) -> f64 {
        self.model.exposure()
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

    /// C `[N, n]`.
    #[getter]
    fn loadings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.loadings())
    }

    /// d `[N]`.
    #[getter]
    fn offset<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector_of(py, self.model.offset())
    }

    /// b `[n]`.
    #[getter]
    fn bias<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector_of(py, self.model.bias())
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

    /// μ_t `[T, n]` and Σ_t `[T, n, n]` given the observations up to t, and the prequential score (eq. F73), nats.
    fn filter<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Beliefs<'py>> {
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let mut filter = PldsFilter::new(self.model.clone())?;
            for y in sequence.iter() {
                filter.update(y)?;
                rows.push_parts(filter.mean(), filter.covariance());
            }
            Ok(filter.elbo())
        })
    }

    /// Means `[T, n]` and covariances `[T, n, n]` given all observations, and the evidence lower bound (eq. F74), nats.
    fn smooth<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Beliefs<'py>> {
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let smoothed = self.model.smooth(sequence)?;
            smoothed
                .beliefs()
                .iter()
                .for_each(|belief| rows.push(belief));
            Ok(smoothed.elbo())
        })
    }

    /// Σ of the prequential scores of the sequences, nats.
    fn score(&self, py: Python<'_>, data: &Observations) -> Result<f64> {
        data.total(py, |sequence| {
            let mut filter = PldsFilter::new(self.model.clone())?;
            for y in sequence.iter() {
                filter.update(y)?;
            }
            Ok(filter.elbo())
        })
    }

    /// E[y_t|y_<t] and Var[y_t|y_<t] `[T, N]`: one step ahead.
    #[allow(clippy::type_complexity)] // two arrays
    fn predict<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
    ) -> Result<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>)> {
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for sequence in data.sequences() {
            py.detach(|| -> scotopic_filtering::Result<()> {
                let mut filter = PldsFilter::new(self.model.clone())?;
                for y in sequence.iter() {
                    let moments = filter.predicted_observation()?.moments();
                    means.extend(moments.mean);
                    variances.extend(moments.variance);
                    filter.update(y)?;
                }
                Ok(())
            })?;
            py.check_signals()?;
        }
        let width = self.model.width();
        Ok((matrix(py, means, width)?, matrix(py, variances, width)?))
    }

    /// The gain of the predictions of the neurons `held_out` from the others over their mean rates, nats, and their spikes
    /// (eq. F77); of all neurons in `folds`, if none are named.
    fn co_smoothing(
        &self,
        py: Python<'_>,
        data: &Observations,
        folds: usize,
        held_out: Option<Vec<usize>>,
    ) -> Result<(f64, f64)> {
        let score = interruptible(py, &data.source(), |sequences| match &held_out {
            Some(neurons) => self.model.co_smoothing(sequences, neurons),
            None => self.model.co_smoothing_of_folds(sequences, folds),
        })?;
        Ok((score.gain, score.spikes))
    }

    /// Observations `[length, N]` and the states `[length, n]` that made them.
    fn sample<'py>(&self, py: Python<'py>, length: usize, seed: u64) -> Result<Drawn<'py>> {
        let (states, sequence) = drawing(py, seed, |noise| self.model.sample(length, noise))?;
        let states: Vec<f64> = states.concat();
        let (m, n) = (self.model.width(), self.model.states());
        drawn(py, &sequence, m, states, n)
    }

    /// The E-step.
    fn statistics(&self, py: Python<'_>, data: &Observations) -> Result<PldsStatistics> {
        let found = interruptible(py, &data.source(), |sequences| {
            self.model.expectations(sequences)
        })?;
        Ok(PldsStatistics { expected: found })
    }

    /// The M-step.
    fn maximise(&self, py: Python<'_>, statistics: &PldsStatistics) -> Result<Self> {
        let new = py.detach(|| self.model.maximised(&statistics.expected))?;
        Ok(new.into())
    }

    /// The model as the text of a model file of the program.
    fn to_toml(&self) -> PyResult<String> {
        to_toml(&AnyModel::Plds(self.model.clone()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        reduced(slf.as_any(), &slf.get().model)
    }

    #[staticmethod]
    fn _restored(bytes: &[u8]) -> PyResult<Self> {
        Ok(from_cbor::<plds::Plds>(bytes, "linear dynamical system of counts")?.into())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model == other.model
    }

    fn __repr__(&self) -> String {
        let (law, n, m) = (self.law(), self.model.states(), self.model.width());
        format!("<Plds: {law}, {n} states, observations of {m} entries>")
    }
}

/// Variational EM from `start`, or from the moments of the counts (eqs. F74–F76): the model, the bound before each iteration and at
/// the end, nats, and whether it converged.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn fit_plds(
    py: Python<'_>,
    data: &Observations,
    law: &str,
    states: usize,
    exposure: f64,
    max_iterations: usize,
    tolerance: f64,
    start: Option<&Plds>,
) -> Result<(Plds, Vec<f64>, bool)> {
    let law = law_of(law)?;
    let fit = PldsFit {
        max_iterations,
        tolerance,
    };
    let fitted = interruptible(py, &data.source(), |sequences| match start {
        Some(start) => start.model.fit(sequences, &fit),
        None => {
            let mut fitted = plds::Plds::fit_latents(law, states, sequences, &fit)?;
            fitted.model = per_exposure(fitted.model, exposure)?;
            Ok(fitted)
        }
    })?;
    Ok((fitted.model.into(), fitted.elbo, fitted.converged))
}
