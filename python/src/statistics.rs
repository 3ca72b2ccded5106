//! Expected statistics: values that add up, wherever the sequences were seen.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use scotopic_filtering::Error;
use scotopic_filtering::gaussian::Statistics;
use scotopic_filtering::hmm::{AnyEmission, Expectations};
use scotopic_filtering::plds;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::errors::Result;
use crate::files::{from_cbor, to_cbor};

/// What the E-step of a hidden Markov model expects of sequences; sums of them are those of all sequences together.
#[pyclass(frozen, module = "scotopic._scotopic")]
#[derive(Clone, Serialize, Deserialize)]
pub struct HmmStatistics {
    /// The emission that the statistics are of: sums of other emissions' statistics would mean nothing.
    pub(crate) emission: AnyEmission,
    pub(crate) expected: Expectations,
}

/// What the E-step of a linear-Gaussian model expects of sequences, likewise.
#[pyclass(frozen, module = "scotopic._scotopic")]
#[derive(Clone, Serialize, Deserialize)]
pub struct GaussianStatistics {
    pub(crate) sizes: [usize; 2],
    pub(crate) expected: Statistics,
    pub(crate) log_evidence: f64,
    pub(crate) observations: u64,
}

/// What the E-step of a Poisson or Bernoulli linear dynamical system expects of sequences, likewise. It keeps the rows that were seen and the
/// beliefs about their states: loadings are found by Newton's method, from no sum.
#[pyclass(frozen, module = "scotopic._scotopic")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PldsStatistics {
    pub(crate) expected: plds::PldsStatistics,
}

/// What statistics of different models are told.
pub fn different_models() -> Error {
    Error::Size {
        name: "statistics".to_owned(),
        found: "statistics of a model with other parameters".to_owned(),
        expected: "those of one model: take the E-step of all parts with the same one".to_owned(),
    }
}

fn pickled<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &to_cbor(value)?))
}

fn unpickled<T: DeserializeOwned>(bytes: &[u8]) -> PyResult<T> {
    from_cbor(bytes, "statistics")
}

#[pymethods]
impl HmmStatistics {
    #[new]
    fn new(bytes: &[u8]) -> PyResult<Self> {
        unpickled(bytes)
    }

    /// Σ ln p(o_1…o_T) over the sequences, nats.
    #[getter]
    fn log_evidence(&self) -> f64 {
        self.expected.log_evidence
    }

    /// Σ T over the sequences.
    #[getter]
    fn observations(&self) -> u64 {
        self.expected.observations
    }

    /// Σ γ_1 `[K]`.
    #[getter]
    fn initial<'py>(&self, py: Python<'py>) -> Bound<'py, numpy::PyArray1<f64>> {
        crate::arrays::vector(py, self.expected.initial.clone())
    }

    /// Σ_t ξ_t `[K, K]`.
    #[getter]
    fn transitions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArray2<f64>>> {
        crate::arrays::matrix(
            py,
            self.expected.transitions.clone(),
            self.expected.initial.len(),
        )
    }

    /// Σ_t γ_t(j) φ(o_t) `[K, P]`.
    #[getter]
    fn emission<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArray2<f64>>> {
        let columns = self.expected.emission.len() / self.expected.initial.len();
        crate::arrays::matrix(py, self.expected.emission.clone(), columns)
    }

    fn __add__(&self, other: &Self) -> Result<Self> {
        if self.emission != other.emission {
            return Err(different_models().into());
        }
        let mut sum = self.clone();
        sum.expected.add(&other.expected)?;
        Ok(sum)
    }

    /// So that `sum` of any number of them works: it starts from 0.
    fn __radd__(&self, zero: &Bound<'_, PyAny>) -> PyResult<Self> {
        nothing(zero)?;
        Ok(self.clone())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class = slf.get_type().into_any();
        Ok((class, (pickled(slf.py(), slf.get())?,)))
    }

    fn __repr__(&self) -> String {
        repr(
            "HmmStatistics",
            self.expected.observations,
            self.expected.log_evidence,
        )
    }
}

#[pymethods]
impl GaussianStatistics {
    #[new]
    fn new(bytes: &[u8]) -> PyResult<Self> {
        unpickled(bytes)
    }

    /// Σ ln p(y_1…y_T) over the sequences, nats.
    #[getter]
    fn log_evidence(&self) -> f64 {
        self.log_evidence
    }

    /// Σ T over the sequences.
    #[getter]
    fn observations(&self) -> u64 {
        self.observations
    }

    fn __add__(&self, other: &Self) -> Result<Self> {
        if self.sizes != other.sizes {
            return Err(different_models().into());
        }
        let mut sum = self.clone();
        // Each is about its own model; the sum is about the first one's.
        sum.expected.add(1.0, &other.expected);
        sum.log_evidence += other.log_evidence;
        sum.observations += other.observations;
        Ok(sum)
    }

    /// So that `sum` of any number of them works: it starts from 0.
    fn __radd__(&self, zero: &Bound<'_, PyAny>) -> PyResult<Self> {
        nothing(zero)?;
        Ok(self.clone())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class = slf.get_type().into_any();
        Ok((class, (pickled(slf.py(), slf.get())?,)))
    }

    fn __repr__(&self) -> String {
        repr("GaussianStatistics", self.observations, self.log_evidence)
    }
}

#[pymethods]
impl PldsStatistics {
    #[new]
    fn new(bytes: &[u8]) -> PyResult<Self> {
        unpickled(bytes)
    }

    /// Σ of the smoother's bounds of ln p over the sequences, nats.
    #[getter]
    fn elbo(&self) -> f64 {
        self.expected.elbo()
    }

    /// Σ T over the sequences.
    #[getter]
    fn observations(&self) -> u64 {
        self.expected.observations()
    }

    fn __add__(&self, other: &Self) -> Result<Self> {
        let mut sum = self.clone();
        sum.expected.add(&other.expected)?;
        Ok(sum)
    }

    /// So that `sum` of any number of them works: it starts from 0.
    fn __radd__(&self, zero: &Bound<'_, PyAny>) -> PyResult<Self> {
        nothing(zero)?;
        Ok(self.clone())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class = slf.get_type().into_any();
        Ok((class, (pickled(slf.py(), slf.get())?,)))
    }

    fn __repr__(&self) -> String {
        let (t, elbo) = (self.observations(), self.elbo());
        format!("<PldsStatistics of {t} observations, elbo {elbo:.6}>")
    }
}

fn nothing(zero: &Bound<'_, PyAny>) -> PyResult<()> {
    if zero.eq(0)? {
        return Ok(());
    }
    let message = format!(
        "statistics are added to statistics of the same kind, not to {}",
        zero.get_type()
    );
    Err(pyo3::exceptions::PyTypeError::new_err(message))
}

fn repr(name: &str, observations: u64, log_evidence: f64) -> String {
    format!("<{name} of {observations} observations, log evidence {log_evidence:.6}>")
}
