//! Structural models: components by name, fitted by maximum likelihood.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::AnyModel;
use scotopic_filtering::gaussian::{StructuralModel, StructuralSettings};

use crate::driven::DrivenGaussian;
use crate::errors::Result;
use crate::gaussian::LinearGaussian;
use crate::interrupt::interruptible;
use crate::observations::Observations;

/// The model of highest likelihood, as a linear-Gaussian one (with the inputs that a regression is on), and what there is to say of it, by name. `components` is a
/// list between commas, `fixed` are parameters that are not estimated, `tied` variances that are one parameter.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn fit_structural<'py>(
    py: Python<'py>,
    data: &Observations,
    components: &str,
    fixed: BTreeMap<String, f64>,
    tied: Vec<Vec<String>>,
    initial_variance: Option<f64>,
    restarts: usize,
    seed: u64,
    max_iterations: usize,
    tolerance: f64,
    inputs: Vec<String>,
) -> Result<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let mut model = StructuralModel::new(components)?;
    if !inputs.is_empty() {
        model = model.with_inputs(&inputs)?;
    }
    for (name, value) in &fixed {
        model = model.with_fixed(name, *value)?;
    }
    for names in &tied {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        model = model.with_tied(&names)?;
    }
    if let Some(variance) = initial_variance {
        model = model.with_initial_variance(variance)?;
    }
    let settings = StructuralSettings {
        restarts,
        seed,
        max_iterations,
        tolerance,
        ..StructuralSettings::default()
    };
    let fit = interruptible(py, &data.source(), |sequences| {
        model.fit(sequences, &settings)
    })?;
    let told = PyDict::new(py);
    let parts = model.components().iter();
    let parts: Vec<(String, usize)> = parts.map(|c| (c.to_string(), c.states())).collect();
    told.set_item("components", parts)?;
    told.set_item("names", model.parameter_names())?;
    told.set_item("estimates", &fit.estimates)?;
    told.set_item("standard_errors", &fit.standard_errors)?;
    told.set_item("at_boundary", &fit.at_boundary)?;
    told.set_item("log_likelihood", fit.log_likelihood)?;
    told.set_item("diffuse", fit.diffuse)?;
    told.set_item("observations", fit.observations)?;
    told.set_item("free_parameters", fit.free_parameters)?;
    told.set_item("converged", fit.converged)?;
    told.set_item("gradient", fit.gradient)?;
    told.set_item("iterations", fit.iterations)?;
    told.set_item("starts", &fit.starts)?;
    let fitted = match AnyModel::of_structural(&model, &fit.estimates)? {
        AnyModel::Driven(model) => Bound::new(py, DrivenGaussian::from(*model))?.into_any(),
        _ => {
            let model = model.linear_gaussian(&fit.estimates)?;
            Bound::new(py, LinearGaussian::from(model))?.into_any()
        }
    };
    Ok((fitted, told))
}
