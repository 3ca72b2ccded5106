//! Models and filters as bytes.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use scotopic_cli::usage::with_causes;
use scotopic_filtering::AnyModel;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::Failure;

/// A value in CBOR, which keeps every bit of a number.
///
/// # Errors
/// None that a value can cause.
pub fn to_cbor(value: &impl Serialize) -> PyResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|e| Failure::Parameter(e.to_string()))?;
    Ok(bytes)
}

/// The value again.
///
/// # Errors
/// For bytes that are no such value.
pub fn from_cbor<T: DeserializeOwned>(bytes: &[u8], what: &str) -> PyResult<T> {
    ciborium::from_reader(bytes).map_err(|error| {
        let text = match error {
            ciborium::de::Error::Semantic(_, text) => text,
            ciborium::de::Error::Io(_) => "they were cut short".to_owned(),
            other => other.to_string(),
        };
        let text = format!("these bytes hold no {what} of this version: {text}");
        Failure::Parameter(text).into()
    })
}

/// What pickle makes a value again with: the `_restored` of its class, and bytes for it.
pub type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>,));

/// Of the value in an object of Python.
///
/// # Errors
/// None that a value can cause.
pub fn reduced<'py>(object: &Bound<'py, PyAny>, value: &impl Serialize) -> PyResult<Reduced<'py>> {
    let restore = object.get_type().getattr("_restored")?;
    let bytes = PyBytes::new(object.py(), &to_cbor(value)?);
    Ok((restore, (bytes,)))
}

/// The text of a model file of the program.
///
/// # Errors
/// None that a checked model can cause.
pub fn to_toml(model: &AnyModel) -> PyResult<String> {
    scotopic_cli::filtering::model::to_toml(model)
        .map_err(|error| Failure::Parameter(with_causes(&error)).into())
}
