//! Linear-Gaussian models with inputs, and of rows that come at any times.

use numpy::{PyArray2, PyArray3, PyArrayDyn};
use pyo3::prelude::*;
use scotopic_filtering::AnyModel;
use scotopic_filtering::gaussian::{self, DrivenFilter};

use crate::arrays::{Drawn, drawn, matrix_of, read_matrix};
use crate::beliefs::{Beliefs, beliefs};
use crate::errors::Result;
use crate::files::{Reduced, from_cbor, reduced, to_toml};
use crate::gaussian::LinearGaussian;
use crate::interrupt::drawing;
use crate::observations::Observations;
use crate::rules::{Held, learned_of};

/// A linear-Gaussian model with inputs (eq. F100) and fixed parameters; with a time, of continuous time (eq. F102).
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct DrivenGaussian {
    pub(crate) model: gaussian::DrivenGaussian,
}

impl From<gaussian::DrivenGaussian> for DrivenGaussian {
    fn from(model: gaussian::DrivenGaussian) -> Self {
        Self { model }
    }
}

impl DrivenGaussian {
    /// The model of a row's inputs, which are its last entries; none where there is no row.
    fn inputs_of(&self, row: Option<&[f64]>) -> Vec<f64> {
        row.map_or(Vec::new(), |row| row[self.model.outputs()..].to_vec())
    }
}

#[pymethods]
impl DrivenGaussian {
    /// The model without inputs, their names, B `[n, M]`, D `[m, M]`, entries of H that are inputs (row, column, name), and the name of
    /// the column of times: F and Q are then the drift A and the diffusion Q_c.
    #[new]
    fn new(
        base: &LinearGaussian,
        inputs: Vec<String>,
        control: &Bound<'_, PyArrayDyn<f64>>,
        direct: &Bound<'_, PyArrayDyn<f64>>,
        regressors: Vec<(usize, usize, String)>,
        time: Option<&str>,
    ) -> Result<Self> {
        let base = base.model.clone();
        let mut model = match time {
            Some(time) => gaussian::DrivenGaussian::continuous(base, inputs, time)?,
            None => gaussian::DrivenGaussian::new(base, inputs)?,
        }
        .with_control(read_matrix("control", control)?)?
        .with_direct(read_matrix("direct", direct)?)?;
        for (row, state, input) in &regressors {
            model = model.with_regressor(*row, *state, input)?;
        }
        Ok(model.into())
    }

    /// n.
    #[getter]
    fn n_states(&self) -> usize {
        self.model.states()
    }

    /// m, without the inputs.
    #[getter]
    fn n_features(&self) -> usize {
        self.model.outputs()
    }

    /// The numbers that are free, entries that are 0 being structure.
    #[getter]
    fn free_parameters(&self) -> usize {
        let model = AnyModel::Driven(Box::new(self.model.clone()));
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

    /// The model without inputs; entries of H that are inputs are 0.
    #[getter]
    fn base(&self) -> LinearGaussian {
        self.model.base().clone().into()
    }

    /// The names of the inputs, the time last.
    #[getter]
    fn inputs(&self) -> Vec<String> {
        self.model.inputs().to_vec()
    }

    /// Whether the last input is the time.
    #[getter]
    fn is_continuous(&self) -> bool {
        self.model.is_continuous()
    }

    /// B `[n, M]`.
    #[getter]
    fn control<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.control())
    }

    /// D `[m, M]`.
    #[getter]
    fn direct<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix_of(py, self.model.direct())
    }

    /// Entries of H that are inputs: row, column, name.
    #[getter]
    fn regressors(&self) -> Vec<(usize, usize, String)> {
        let entries = self.model.regressors();
        entries
            .map(|(i, j, name)| (i, j, name.to_owned()))
            .collect()
    }

    /// Σ ln p(y_1…y_T | u_1…u_T) over the sequences, nats.
    fn log_evidence(&self, py: Python<'_>, data: &Observations) -> Result<f64> {
        data.total(py, |sequence| self.model.log_evidence(sequence))
    }

    /// m_t `[T, n]` and P_t `[T, n, n]` given the rows up to t, and Σ ln p.
    fn filter<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Beliefs<'py>> {
        beliefs(py, self.model.states(), data, |sequence, rows| {
            let mut filter = DrivenFilter::new(self.model.clone())?;
            for row in sequence.iter() {
                filter.update(row)?;
                rows.push_parts(filter.mean(), filter.covariance());
            }
            Ok(filter.elbo())
        })
    }

    /// m_t `[T, n]` and P_t `[T, n, n]` given all rows, and Σ ln p.
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

    /// E[y_t|y_<t, u_≤t] `[T, m]` and its covariance `[T, m, m]`: one step ahead.
    #[allow(clippy::type_complexity)] // two arrays
    fn predict<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
    ) -> Result<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray3<f64>>)> {
        let (means, covariances, _) = beliefs(py, self.model.outputs(), data, |sequence, rows| {
            let mut filter = DrivenFilter::new(self.model.clone())?;
            for row in sequence.iter() {
                let ahead = filter.predict_given(&[self.inputs_of(row)])?;
                rows.push(&ahead[0]);
                filter.update(row)?;
            }
            Ok(0.0)
        })?;
        Ok((means, covariances))
    }

    /// Observations `[T, m]` and the states `[T, n]` that made them, one for each row of `given`, their inputs.
    fn sample<'py>(&self, py: Python<'py>, given: &Observations, seed: u64) -> Result<Drawn<'py>> {
        let given = given.one()?;
        let (states, rows) = drawing(py, seed, |noise| self.model.sample_given(given, noise))?;
        let states = states.iter().flat_map(|x| x.iter().copied()).collect();
        let (m, n) = (self.model.outputs(), self.model.states());
        drawn(py, &rows, m, states, n)
    }

    /// The model as the text of a model file of the program.
    fn to_toml(&self) -> PyResult<String> {
        to_toml(&AnyModel::Driven(Box::new(self.model.clone())))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        reduced(slf.as_any(), &slf.get().model)
    }

    #[staticmethod]
    fn _restored(bytes: &[u8]) -> PyResult<Self> {
        let what = "linear-Gaussian model with inputs";
        Ok(from_cbor::<gaussian::DrivenGaussian>(bytes, what)?.into())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model == other.model
    }

    fn __repr__(&self) -> String {
        let (n, m) = (self.model.states(), self.model.outputs());
        let names = self.model.inputs().join(", ");
        format!("<DrivenGaussian: {n} states, observations of {m} entries given {names}>")
    }
}
