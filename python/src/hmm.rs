//! Hidden Markov models.

use numpy::{PyArray1, PyArray2, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::hmm::{self, Emission, EmissionKind, Learnable};
use scotopic_filtering::{AnyModel, Sequence, hmm_factorisation};

use crate::arrays::{Parameter, matrix, vector};
use crate::emission;
use crate::errors::{Result, setting};
use crate::files::{Reduced, from_cbor, reduced, to_toml};
use crate::interrupt::drawing;
use crate::observations::Observations;
use crate::statistics::{HmmStatistics, different_models};

/// A hidden Markov model with fixed parameters.
#[pyclass(frozen, module = "scotopic._scotopic", from_py_object)]
#[derive(Clone)]
pub struct Hmm {
    pub(crate) model: hmm::Hmm,
}

/// γ `[T, K]` or q `[T, K]`, and nats.
pub type Posterior<'py> = (Bound<'py, PyArray2<f64>>, f64);
/// States `[T]`, from 0, and nats.
pub type Path<'py> = (Bound<'py, PyArray1<i64>>, f64);
/// Observations `[T, D]` and the states `[T]` that made them.
pub type Drawn<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<i64>>);

/// The rows `[K]` of all sequences, one array, and the sum of their nats.
pub(crate) fn rows<'py>(
    py: Python<'py>,
    data: &Observations,
    k: usize,
    mut each: impl FnMut(&Sequence, &mut Vec<f64>) -> scotopic_filtering::Result<f64> + Send,
) -> Result<Posterior<'py>> {
    let mut rows = Vec::with_capacity(data.rows() * k);
    let total = data.total(py, |sequence| each(sequence, &mut rows))?;
    Ok((matrix(py, rows, k)?, total))
}

/// The paths of all sequences, one array, and the sum of their nats.
pub(crate) fn paths<'py>(
    py: Python<'py>,
    data: &Observations,
    mut each: impl FnMut(&Sequence) -> scotopic_filtering::Result<(Vec<usize>, f64)> + Send,
) -> Result<Path<'py>> {
    let mut path: Vec<i64> = Vec::with_capacity(data.rows());
    let total = data.total(py, |sequence| {
        let (states, own) = each(sequence)?;
        path.extend(states.into_iter().map(|state| state as i64));
        Ok(own)
    })?;
    Ok((PyArray1::from_vec(py, path), total))
}

/// The first `outputs` entries of rows that were drawn, and their states.
pub(crate) fn drawn<'py>(
    py: Python<'py>,
    (states, sequence): (Vec<usize>, Sequence),
    outputs: usize,
) -> Result<Drawn<'py>> {
    let rows = sequence.iter().flatten();
    let rows: Vec<f64> = rows.flat_map(|row| &row[..outputs]).copied().collect();
    let states = states.into_iter().map(|state| state as i64).collect();
    Ok((matrix(py, rows, outputs)?, PyArray1::from_vec(py, states)))
}

/// The kind of emission of this name.
///
/// # Errors
/// [`Error::Setting`](scotopic_filtering::Error::Setting) for a name that is none.
pub fn emission_kind(name: &str) -> Result<EmissionKind> {
    let known = EmissionKind::ALL.iter().copied();
    known
        .clone()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = known.map(EmissionKind::name).collect();
            setting("emission", name, names.join(", "))
        })
}

impl From<hmm::Hmm> for Hmm {
    fn from(model: hmm::Hmm) -> Self {
        Self { model }
    }
}

impl Hmm {
    /// D: the entries of a row but for those that are given.
    fn outputs(&self) -> usize {
        self.model.width() - self.model.emission().inputs().len()
    }
}

#[pymethods]
impl Hmm {
    /// π `[K]`, A `[K, K]`, and the emission: its kind and its fields as in a model file, arrays and names.
    #[new]
    fn new(
        kind: &str,
        initial: &Bound<'_, PyArrayDyn<f64>>,
        transition: &Bound<'_, PyArrayDyn<f64>>,
        fields: &Bound<'_, PyDict>,
    ) -> Result<Self> {
        let initial = Parameter::read("startprob", initial).of_shape(&[0])?;
        let k = initial.len();
        let transition = Parameter::read("transmat", transition).of_shape(&[k, k])?;
        let emission = emission::of_fields(emission_kind(kind)?, fields)?;
        Ok(hmm::Hmm::from_flat(initial, transition, emission.recentred())?.into())
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

    /// The names of the inputs, and of the exposure if there is one.
    #[getter]
    fn given(&self) -> Result<(Vec<String>, Option<String>)> {
        emission::given_of(self.model.emission())
    }

    /// The numbers that can be chosen freely.
    #[getter]
    fn free_parameters(&self) -> usize {
        self.model.free_parameters()
    }

    /// The kind of the emission, and its fields as in a model file, arrays and names.
    #[getter]
    fn emission<'py>(&self, py: Python<'py>) -> Result<(String, Bound<'py, PyDict>)> {
        emission::fields_of(py, self.model.emission())
    }

    /// π `[K]`.
    #[getter]
    fn initial<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.model.initial().to_vec())
    }

    /// A `[K, K]`.
    #[getter]
    fn transition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix(py, self.model.transition().to_vec(), self.model.states())
    }

    /// Σ ln p(o_1…o_T) over the sequences, nats.
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
            let filtered = self.model.filter(sequence)?;
            rows.extend_from_slice(filtered.beliefs());
            predictive.extend_from_slice(filtered.log_predictive());
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

    /// The marginals `[T, K]` of the posterior under a factorisation, and its bound.
    fn posterior<'py>(
        &self,
        py: Python<'py>,
        data: &Observations,
        factorisation: &str,
    ) -> Result<Posterior<'py>> {
        let factorisation = hmm_factorisation(factorisation)?;
        rows(py, data, self.model.states(), |sequence, rows| {
            let posterior = self.model.posterior(sequence, &factorisation)?;
            rows.extend_from_slice(posterior.marginals());
            Ok(posterior.elbo())
        })
    }

    /// The most probable paths `[T]`, states from 0, and Σ ln p(path, o).
    fn viterbi<'py>(&self, py: Python<'py>, data: &Observations) -> Result<Path<'py>> {
        paths(py, data, |sequence| self.model.viterbi(sequence))
    }

    /// Observations `[length, D]` and the states `[length]` that made them; of a model with inputs one for each row of `given`, the
    /// inputs and the exposure `[length, inputs]`.
    #[pyo3(signature = (length, seed, given=None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        length: usize,
        seed: u64,
        given: Option<&Observations>,
    ) -> Result<Drawn<'py>> {
        let given = given.map(Observations::one).transpose()?;
        let made = drawing(py, seed, |noise| match given {
            Some(given) => self.model.sample_given(given, noise),
            None => self.model.sample(length, noise),
        })?;
        drawn(py, made, self.outputs())
    }

    /// The E-step.
    fn statistics(&self, py: Python<'_>, data: &Observations) -> Result<HmmStatistics> {
        let mut total = None;
        for sequence in data.sequences() {
            let one = std::slice::from_ref(sequence);
            let own = py.detach(|| self.model.expectations(one))?;
            match &mut total {
                None => total = Some(own),
                Some(total) => total.add(&own)?,
            }
            py.check_signals()?;
        }
        let expected = match total {
            Some(total) => total,
            None => self.model.expectations(&[])?,
        };
        Ok(HmmStatistics {
            emission: self.model.emission().clone(),
            expected,
        })
    }

    /// The M-step.
    fn maximise(&self, statistics: &HmmStatistics, pseudo_count: f64) -> Result<Self> {
        if *self.model.emission() != statistics.emission {
            return Err(different_models().into());
        }
        Ok(self
            .model
            .maximised(&statistics.expected, pseudo_count)?
            .into())
    }

    /// The same states in another order: new state k is old state `order[k]`.
    fn relabelled(&self, order: Vec<usize>) -> Result<Self> {
        Ok(self.model.relabelled(&order)?.into())
    }

    /// The model as the text of a model file of the program.
    fn to_toml(&self) -> PyResult<String> {
        to_toml(&AnyModel::Hmm(self.model.clone()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        reduced(slf.as_any(), &slf.get().model)
    }

    #[staticmethod]
    fn _restored(bytes: &[u8]) -> PyResult<Self> {
        Ok(from_cbor::<hmm::Hmm>(bytes, "hidden Markov model")?.into())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model == other.model
    }

    fn __repr__(&self) -> String {
        let (k, width) = (self.model.states(), self.outputs());
        format!("<Hmm: {k} states, observations of {width} entries>")
    }
}
