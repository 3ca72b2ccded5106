//! Emissions of any kind as arrays and names: the fields of a model file, so that a new emission needs no line here.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::hmm::{AnyEmission, Emission, EmissionKind};
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
        if let Some(words) = words(&array) {
            object.insert(name, words);
            continue;
        }
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

/// A name, or a list of names: of inputs and of an exposure.
fn words(value: &Bound<'_, PyAny>) -> Option<Value> {
    let one = value.extract::<String>().map(Value::from);
    one.or_else(|_| value.extract::<Vec<String>>().map(Value::from))
        .ok()
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

/// Its fields as in a model file.
fn written(emission: &AnyEmission) -> Result<Map<String, Value>> {
    match serde_json::to_value(emission) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(Failure::Parameter(other.to_string())),
        Err(error) => Err(Failure::Parameter(error.to_string())),
    }
}

/// The columns that an emission is given with each observation: the names of its inputs, and of its exposure. Lags are made of the
/// observations, and not given.
///
/// # Errors
/// None that a checked emission can cause.
pub fn given_of(emission: &AnyEmission) -> Result<(Vec<String>, Option<String>)> {
    if emission.lags() > 0 {
        return Ok((Vec::new(), None));
    }
    let mut names = emission.inputs().to_vec();
    // Most have none, and filters are made often.
    let exposure = !names.is_empty() && written(emission)?.contains_key("exposure");
    let exposure = if exposure { names.pop() } else { None };
    Ok((names, exposure))
}

/// The kind of an emission, and its fields: arrays, names of inputs as lists, the name of an exposure.
///
/// # Errors
/// None that a checked emission can cause.
pub fn fields_of<'py>(
    py: Python<'py>,
    emission: &AnyEmission,
) -> Result<(String, Bound<'py, PyDict>)> {
    let fields = PyDict::new(py);
    let mut kind = String::new();
    for (name, value) in written(emission)? {
        match value {
            Value::String(text) if name == "kind" => kind = text,
            Value::String(text) => fields.set_item(name, text)?,
            value if name == "inputs" => {
                let names = value.as_array().into_iter().flatten();
                let names: Vec<&str> = names.filter_map(Value::as_str).collect();
                fields.set_item(name, names)?;
            }
            // A table is of learning, and no parameter.
            Value::Object(_) => {}
            value => {
                let (mut shape, mut values) = (Vec::new(), Vec::new());
                flat(&value, 0, &mut shape, &mut values);
                fields.set_item(name, PyArray1::from_vec(py, values).reshape(shape)?)?;
            }
        }
    }
    Ok((kind, fields))
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
