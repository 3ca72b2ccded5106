//! One row of numbers as Python writes it: an observation, or what a function gives.

use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList, PySequence, PyTuple};
use scotopic_filtering::Error;

use crate::errors::Failure;

/// What a row is, for messages.
#[derive(Clone, Copy)]
pub struct Kind {
    /// In the message of an array of several rows.
    pub name: &'static str,
    /// What is expected of that.
    pub one_row: &'static str,
    /// At the beginning of the message of what is no row.
    pub is: &'static str,
}

/// An observation.
pub const OBSERVATION: Kind = Kind {
    name: "observation",
    one_row: "one observation at a time (extend takes rows)",
    is: "an observation is a number, a row of numbers or None",
};

/// Reads a row into `row` (its memory is used again); false for a missing one: `None`, `pandas.NA`, or NaN in every entry.
///
/// # Errors
/// `TypeError` for what is no row of numbers, `SizeError` for an array of several rows.
pub fn read(value: &Bound<'_, PyAny>, kind: Kind, row: &mut Vec<f64>) -> PyResult<bool> {
    row.clear();
    if is_nothing(value) {
        return Ok(false);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        row.push(number.value());
    } else if value.is_exact_instance_of::<PyList>() || value.is_exact_instance_of::<PyTuple>() {
        // What they are not is slower to ask than what they hold.
        for item in value.try_iter()? {
            row.push(entry(&item?, kind)?);
        }
    } else if is_masked(value)? {
        // A masked array is an array of what lies under its mask.
        let array = value.call_method1("astype", ("float64",))?;
        return read(&array.call_method1("filled", (f64::NAN,))?, kind, row);
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
                name: kind.name.to_owned(),
                found: format!("an array of shape {shape:?}"),
                expected: kind.one_row.to_owned(),
            };
            return Err(Failure::Library(error).into());
        }
        row.extend(array.readonly().as_array().iter());
    } else if let Ok(number) = value.extract::<f64>() {
        row.push(number);
    } else {
        entries(value, kind, row)?;
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

/// `None`, or what pandas has in its place.
fn is_nothing(value: &Bound<'_, PyAny>) -> bool {
    let name = || value.get_type().name().is_ok_and(|name| name == "NAType");
    value.is_none() || name()
}

fn wrong(value: &Bound<'_, PyAny>, kind: Kind) -> PyErr {
    PyTypeError::new_err(format!("{}, not {}", kind.is, value.get_type()))
}

/// One number of a row, NaN for a missing one.
fn entry(value: &Bound<'_, PyAny>, kind: Kind) -> PyResult<f64> {
    match is_nothing(value) {
        true => Ok(f64::NAN),
        false => value.extract::<f64>().map_err(|_| wrong(value, kind)),
    }
}

/// A sequence of another kind, an array of another type, a row of a table.
fn entries(value: &Bound<'_, PyAny>, kind: Kind, row: &mut Vec<f64>) -> PyResult<()> {
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        // Signed and unsigned whole numbers, truth values, numbers of other sizes, objects that are numbers.
        if !b"iub?fO".contains(&array.dtype().kind()) {
            return Err(wrong(value, kind));
        }
        let array = array.call_method1("astype", ("float64",))?;
        let array = array.cast::<PyArrayDyn<f64>>()?;
        return read(array, kind, row).map(drop);
    }
    // A tensor of another library, a table: the array of its numbers.
    if value.hasattr("__dlpack__")? {
        let numpy = value.py().import("numpy")?;
        let array = numpy.call_method1("from_dlpack", (value,))?;
        return read(&array, kind, row).map(drop);
    }
    if value.hasattr("to_numpy")? && !value.hasattr("tolist")? {
        return read(&value.call_method0("to_numpy")?, kind, row).map(drop);
    }
    // A series of pandas: its entries, whatever they are called.
    if value.hasattr("to_numpy")? {
        for item in value.call_method0("tolist")?.try_iter()? {
            row.push(entry(&item?, kind)?);
        }
        return Ok(());
    }
    let Ok(sequence) = value.cast::<PySequence>() else {
        return Err(wrong(value, kind));
    };
    if value.is_instance_of::<pyo3::types::PyString>()
        || value.is_instance_of::<pyo3::types::PyBytes>()
    {
        return Err(wrong(value, kind));
    }
    for item in sequence.try_iter()? {
        row.push(entry(&item?, kind)?);
    }
    Ok(())
}
