//! One observation as Python writes it: a number, a row of numbers, or nothing.

use numpy::{PyArray1, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PySequence};

/// Reads an observation into `row` (its memory is used again); false for a missing one: `None`, or NaN in every entry.
///
/// # Errors
/// `TypeError` for what is no observation, `ValueError` for an array of several rows.
pub fn read(value: &Bound<'_, PyAny>, row: &mut Vec<f64>) -> PyResult<bool> {
    row.clear();
    if value.is_none() {
        return Ok(false);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        row.push(number.value());
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
            let message = format!(
                "one observation at a time: found an array of shape {shape:?} (extend takes rows)"
            );
            return Err(PyValueError::new_err(message));
        }
        row.extend(array.readonly().as_array().iter());
    } else if let Ok(number) = value.extract::<f64>() {
        row.push(number);
    } else {
        entries(value, row)?;
    }
    Ok(row.is_empty() || !row.iter().all(|v| v.is_nan()))
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
    if let Ok(array) = value.cast::<numpy::PyUntypedArray>() {
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
