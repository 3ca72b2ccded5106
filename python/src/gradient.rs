//! The gradient of ln p by the parameters of a model.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use scotopic_filtering::Slope;

use crate::errors::Result;
use crate::filter::any_model;
use crate::interrupt::interruptible;
use crate::observations::Observations;

/// The parameter, what its slope is taken by, and the slope in the shape of the parameter.
type Named<'py> = (&'static str, &'static str, Bound<'py, PyArrayDyn<f64>>);

fn named(py: Python<'_>, slope: Slope) -> PyResult<Named<'_>> {
    let array = PyArray1::from_vec(py, slope.values).reshape(slope.shape)?;
    Ok((slope.parameter, slope.by.name(), array))
}

/// ∂ ln p by each parameter, named as in a model file, and ln p of the sequences, nats.
#[pyfunction]
pub fn gradient<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    data: &Observations,
) -> Result<(Vec<Named<'py>>, f64)> {
    let model = any_model(model)?;
    let found = interruptible(py, &data.source(), |sequences| model.slopes(sequences))?;
    let each = found.each.into_iter().map(|slope| named(py, slope));
    Ok((each.collect::<PyResult<_>>()?, found.log_evidence))
}
