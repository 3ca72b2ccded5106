//! Hidden Markov models with inputs of their transitions.

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayDyn};
use pyo3::prelude::*;
use scotopic_filtering::AnyModel;
use scotopic_filtering::hmm;

use crate::arrays::{Parameter, matrix, stack, vector};
use crate::errors::Result;
use crate::files::{Reduced, from_cbor, reduced, to_toml};
use crate::hmm::{Drawn, Hmm, Path, Posterior, drawn, paths, rows};
use crate::interrupt::drawing;
use crate::observations::Observations;

/// A hidden Markov model with inputs of its transitions (eq. F104) and fixed parameters.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct DrivenHmm {
    pub(crate) model: hmm::DrivenHmm,
}

impl From<hmm::DrivenHmm> for DrivenHmm {
    fn from(model: hmm::DrivenHmm) -> Self {
        Self { model }
    }
}

impl DrivenHmm {
    /// D: the entries of a row but for those that are given.
    fn outputs(&self) -> usize {
        self.model.width() - self.model.inputs().len()
    }
}

#[pymethods]
impl DrivenHmm {
    /// The model without inputs of its transitions, their names, w `[K, K, M]` and v₀ `[M]`.
    #[new]
    fn new(
        base: &Hmm,
        transition_inputs: Vec<String>,
        weights: &Bound<'_, PyArrayDyn<f64>>,
        origin: &Bound<'_, PyArrayDyn<f64>>,
    ) -> Result<Self> {
        let (k, m) = (base.model.states(), transition_inputs.len());
        let weights = Parameter::read("transition_weights", weights).of_shape(&[k, k, m])?;
        let origin = Parameter::read("transition_origin", origin).of_shape(&[m])?;
        let model = hmm::DrivenHmm::new(base.model.clone(), transition_inputs)?;
        let of_row =
            |row: &[f64]| -> Vec<Vec<f64>> { row.chunks(m).map(<[f64]>::to_vec).collect() };
        let weights = weights.chunks(k * m).map(of_row).collect();
        Ok(model.with_weights(weights)?.with_origin(origin)?.into())
    }

    /// K.
    #[getter]
    fn n_components(&self) -> usize {
        self.model.states()
    }

    /// The entries of one observation, without those that are given with it.
    #[getter]
    fn n_features(&self) -> usize {
        self.outputs()
    }

    /// The names of the inputs of the emission, and of its exposure if there is one.
    #[getter]
    fn given(&self) -> Result<(Vec<String>, Option<String>)> {
        crate::emission::given_of(self.model.base().emission())
    }

    /// The names of the inputs of the transitions.
    #[getter]
    fn transition_inputs(&self) -> Vec<String> {
        self.model.transition_inputs()
    }

    /// The numbers that can be chosen freely.
    #[getter]
    fn free_parameters(&self) -> usize {
        self.model.free_parameters()
    }

    /// The model without inputs of its transitions: A is that at v₀.
    #[getter]
    fn base(&self) -> Hmm {
        self.model.base().clone().into()
    }

    /// w `[K, K, M]`.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let (k, m) = (self.model.states(), self.model.origin().len());
        stack(py, self.model.weights().to_vec(), [k, m])
    }

    /// v₀ `[M]`.
    #[getter]
    fn origin<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.model.origin().to_vec())
    }

    /// p(s_t = j | s_{t−1} = i, v_t) `[K, K]` at inputs of the transitions `[M]`.
    fn transition_at<'py>(
        &self,
        py: Python<'py>,
        inputs: Vec<f64>,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        let transition = self.model.transition_at(&inputs)?;
        Ok(matrix(py, transition, self.model.states())?)
    }

    /// Σ ln p(o_1…o_T | v_1…v_T) over the sequences, nats.
    fn log_evidence(&self, py: Python<'_>, data: &Observations) -> Result<f64> {
        data.total(py, |sequence| self.model.log_evidence(sequence))
    }

    /// q_t = p(s_t|o_≤t) `[T, K]` and ln p(o_t|o_<t) `[T]`.
    #[allow(clippy::type_complexity)] // two arrays
    fn filter<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
    ) -> Result<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>)> {
        let mut predictive = Vec::with_capacity(data.rows());
        let (beliefs, _) = rows(py, data, self.model.states(), |sequence, rows| {
            let mut filter = hmm::DrivenHmmFilter::new(self.model.clone());
            for row in sequence.iter() {
                predictive.push(filter.update(row)?.increment);
                rows.extend_from_slice(filter.belief());
            }
            Ok(0.0)
        })?;
        Ok((beliefs, vector(py, predictive)))
    }

    /// γ_t = p(s_t|o_1…o_T) `[T, K]`, and Σ ln p(o_1…o_T).
    fn smooth<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Posterior<'py>> {
        rows(py, data, self.model.states(), |sequence, rows| {
            let smoothed = self.model.smooth(sequence)?;
            rows.extend_from_slice(smoothed.marginals());
            Ok(smoothed.log_evidence())
        })
    }

    /// The most probable paths `[T]`, states from 0, and Σ ln p(path, o).
    fn viterbi<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Path<'py>> {
        paths(py, data, |sequence| self.model.viterbi(sequence))
    }

    /// Observations `[T, D]` and the states `[T]` that made them, one for each row of `given`: the inputs and the exposure of the
    /// emission, and the inputs of the transitions that are none of these.
    fn sample<'py>(&self, py: Python<'py>, given: &Observations, seed: u64) -> Result<Drawn<'py>> {
        let given = given.one()?;
        let made = drawing(py, seed, |noise| self.model.sample_given(given, noise))?;
        drawn(py, made, self.outputs())
    }

    /// The model as the text of a model file of the program.
    fn to_toml(&self) -> PyResult<String> {
        to_toml(&AnyModel::DrivenHmm(Box::new(self.model.clone())))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        reduced(slf.as_any(), &slf.get().model)
    }

    #[staticmethod]
    fn _restored(bytes: &[u8]) -> PyResult<Self> {
        let what = "hidden Markov model with inputs of its transitions";
        Ok(from_cbor::<hmm::DrivenHmm>(bytes, what)?.into())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model == other.model
    }

    fn __repr__(&self) -> String {
        let (k, width) = (self.model.states(), self.outputs());
        let names = self.model.transition_inputs().join(", ");
        format!(
            "<DrivenHmm: {k} states, transitions given {names}, observations of {width} entries>"
        )
    }
}
