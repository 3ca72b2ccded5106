//! Emissions of any kind as arrays: the fields of a model file, so that a new emission needs no line here.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::hmm::{AnyEmission, EmissionKind};
use serde_json::{Map, Value};

use crate::arrays::Parameter;
use crate::errors::{Failure, Result};

/// The emission of this kind with these fields.
///
/// # Errors
/// `ParameterError` for what cannot be, in the library's words.
pub fn of_fields(kind: EmissionKind, fields: &Bound<'_, PyDict>) -> Result<AnyEmission> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), kind.name().into());
    for (name, array) in fields {
        let name: String = name.extract()?;
        let array = array.cast::<PyArrayDyn<f64>>().map_err(PyErr::from)?;
        let (shape, values) = Parameter::read("emission", array).into_parts();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let found = values[at];
            let text = format!("{name}: entry {at} is {found}, expected a finite number");
            return Err(Failure::Parameter(text));
        }
        object.insert(name, nested(&shape, &values));
    }
    let read = serde_json::from_value(Value::Object(object));
    read.map_err(|error| Failure::Parameter(error.to_string()))
}

fn nested(shape: &[usize], values: &[f64]) -> Value {
    match shape {
        [] => values.first().copied().unwrap_or(f64::NAN).into(),
        [_] => values.iter().copied().map(Value::from).collect(),
        [_, rest @ ..] => {
            let size = rest.iter().product::<usize>().max(1);
            values.chunks(size).map(|part| nested(rest, part)).collect()
        }
    }
}

/// The kind of an emission, and its fields as arrays.
///
/// # Errors
/// `ParameterError` for an emission that is given columns, which have names.
pub fn fields_of<'py>(
    py: Python<'py>,
    emission: &AnyEmission,
) -> Result<(String, Bound<'py, PyDict>)> {
    let value = serde_json::to_value(emission);
    let value = value.map_err(|error| Failure::Parameter(error.to_string()))?;
    let fields = PyDict::new(py);
    let mut kind = String::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if name == "kind" => kind.clone_from(text),
            value if has_text(value) => {
                let text = format!(
                    "{name}: arrays hold no names: a model that is given columns is used by the program and the library"
                );
                return Err(Failure::Parameter(text));
            }
            value => {
                let (mut shape, mut values) = (Vec::new(), Vec::new());
                flat(value, 0, &mut shape, &mut values);
                fields.set_item(name, PyArray1::from_vec(py, values).reshape(shape)?)?;
            }
        }
    }
    Ok((kind, fields))
}

fn has_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().any(has_text),
        _ => false,
    }
}

fn flat(value: &Value, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<f64>) {
    let Some(items) = value.as_array() else {
        values.extend(value.as_f64());
        return;
    };
    if shape.len() == depth {
        shape.push(items.len());
    }
    items
        .iter()
        .for_each(|item| flat(item, depth + 1, shape, values));
}
