//! One observation as Python writes it: a number, a row of numbers, or nothing.

use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PySequence};
use scotopic_filtering::Error;

use crate::errors::Failure;

/// Reads an observation into `row` (its memory is used again); false for a missing one: `None`, or NaN in every entry.
///
/// # Errors
/// `TypeError` for what is no observation, `SizeError` for an array of several rows.
pub fn read(value: &Bound<'_, PyAny>, row: &mut Vec<f64>) -> PyResult<bool> {
    row.clear();
    if value.is_none() {
        return Ok(false);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        row.push(number.value());
    } else if is_masked(value)? {
        // A masked array is an array of what lies under its mask.
        let array = value.call_method1("astype", ("float64",))?;
        return read(&array.call_method1("filled", (f64::NAN,))?, row);
    } else if let Ok(array) = value.cast::<PyArray1<f64>>() {
        let array = array.readonly();
        match array.as_slice() {
            Ok(values) => row.extend_from_slice(values),
            Err(_) => row.extend(array.as_array().iter()),
        }
    } else if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
        let rows = array.shape().iter().rev().skip(1).product::<usize>();
        if rows > 1 {
            let shape = array.shape();
            let error = Error::Size {
                name: "observation".to_owned(),
                found: format!("an array of shape {shape:?}"),
                expected: "one observation at a time (extend takes rows)".to_owned(),
            };
            return Err(Failure::Library(error).into());
        }
        row.extend(array.readonly().as_array().iter());
    } else if let Ok(number) = value.extract::<f64>() {
        row.push(number);
    } else {
        entries(value, row)?;
    }
    Ok(row.is_empty() || !row.iter().all(|v| v.is_nan()))
}

/// Whether it is a masked array of real numbers; a plain array is told by its type alone.
fn is_masked(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(array) = value.cast::<PyUntypedArray>() else {
        return Ok(false);
    };
    if value.is_exact_instance_of::<PyUntypedArray>() || !b"iub?f".contains(&array.dtype().kind()) {
        return Ok(false);
    }
    value.hasattr("filled")
}

/// A list, a tuple, an array of another type.
fn entries(value: &Bound<'_, PyAny>, row: &mut Vec<f64>) -> PyResult<()> {
    let wrong = |value: &Bound<'_, PyAny>| {
        let kind = value.get_type();
        let message = format!("an observation is a number, a row of numbers or None, not {kind}");
        PyTypeError::new_err(message)
    };
    let entry = |entry: &Bound<'_, PyAny>| match entry.is_none() {
        true => Ok(f64::NAN),
        false => entry.extract::<f64>().map_err(|_| wrong(entry)),
    };
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        // Signed and unsigned whole numbers, truth values, numbers of other sizes, objects that are numbers.
        if !b"iub?fO".contains(&array.dtype().kind()) {
            return Err(wrong(value));
        }
        let array = array.call_method1("astype", ("float64",))?;
        let array = array.cast::<PyArrayDyn<f64>>()?;
        return read(array, row).map(drop);
    }
    let Ok(sequence) = value.cast::<PySequence>() else {
        return Err(wrong(value));
    };
    if value.is_instance_of::<pyo3::types::PyString>()
        || value.is_instance_of::<pyo3::types::PyBytes>()
    {
        return Err(wrong(value));
    }
    for item in sequence.try_iter()? {
        row.push(entry(&item?)?);
    }
    Ok(())
}
