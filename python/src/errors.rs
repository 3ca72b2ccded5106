//! Errors of the library as exceptions of `scotopic.errors`, with the library's words.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use scotopic_filtering::Error;

/// What can go wrong here: an error of the library, or one of Python's own.
pub enum Failure {
    /// Of the library.
    Library(Error),
    /// Of parameters, in the library's words.
    Parameter(String),
    /// Of how an object is used.
    Misuse(String),
    /// Of Python: wrong types, an interrupt.
    Python(PyErr),
}

/// The result of what calls the library.
pub type Result<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Library(error) => Python::attach(|py| exception(py, &error)),
            Failure::Parameter(text) => said(&PARAMETER, "ParameterError", text),
            Failure::Misuse(text) => said(&OTHER, "ScotopicError", text),
        }
    }
}

/// A setting that makes no sense, in the library's words.
pub fn setting(field: &'static str, found: impl ToString, expected: impl ToString) -> Failure {
    Failure::Library(Error::Setting {
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

static PARAMETER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static OTHER: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// An exception of the class `name` that says `text`.
fn said(class: &'static PyOnceLock<Py<PyType>>, name: &str, text: String) -> PyErr {
    Python::attach(|py| {
        let class = class.import(py, "scotopic.errors", name);
        let made = class.and_then(|class| class.call1((text,)));
        made.map_or_else(|error| error, PyErr::from_value)
    })
}

fn exception(py: Python<'_>, error: &Error) -> PyErr {
    static SIZE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static COVARIANCE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static DEPENDENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static OBSERVATION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static IMPOSSIBLE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static NOT_FINITE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static SETTING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static UNSUPPORTED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let (class, name) = match error {
        Error::Size { .. } => (&SIZE, "SizeError"),
        Error::Entry { .. } => (&PARAMETER, "ParameterError"),
        Error::NotPositiveDefinite { .. } => (&COVARIANCE, "NotPositiveDefiniteError"),
        Error::Dependent { .. } => (&DEPENDENT, "DependentColumnsError"),
        Error::Observation { .. } => (&OBSERVATION, "ObservationError"),
        Error::Impossible { .. } => (&IMPOSSIBLE, "ImpossibleObservationError"),
        Error::NotFinite { .. } => (&NOT_FINITE, "NotFiniteError"),
        Error::Setting { .. } => (&SETTING, "SettingError"),
        Error::Unsupported { .. } => (&UNSUPPORTED, "UnsupportedError"),
        _ => (&OTHER, "ScotopicError"),
    };
    let made = || -> PyResult<Bound<'_, PyAny>> {
        let class = class.import(py, "scotopic.errors", name)?;
        let made = class.call1((error.to_string(),))?;
        let facts = facts(py, error)?;
        made.getattr("__dict__")?
            .cast_into::<PyDict>()?
            .update(facts.as_mapping())?;
        Ok(made)
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

/// What a program may want to know of an error, as attributes of the exception.
fn facts<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    match error {
        Error::Size { name, .. } | Error::NotPositiveDefinite { name, .. } => {
            facts.set_item("name", name)?;
        }
        Error::Entry { name, at, .. } => {
            facts.set_item("name", name)?;
            facts.set_item("at", at)?;
        }
        Error::Dependent { columns } => facts.set_item("columns", columns)?,
        Error::Observation { index, entry, .. } => {
            facts.set_item("index", index)?;
            facts.set_item("entry", entry)?;
        }
        Error::Impossible { index } | Error::NotFinite { index, .. } => {
            facts.set_item("index", index)?;
        }
        Error::Setting { field, .. } => facts.set_item("field", field)?,
        _ => {}
    }
    Ok(facts)
}
