//! Factorisations beside each other on one free-energy scale.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use scotopic_filtering::comparison::FactorisationRow;
use scotopic_filtering::{gaussian_factorisation, hmm_factorisation};

use crate::errors::{Result, setting};
use crate::gaussian::LinearGaussian;
use crate::hmm::Hmm;
use crate::observations::Observations;

/// Columns by name, a row for each factorisation, for one sequence.
#[pyfunction]
pub fn compare<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    data: &Observations,
    names: Vec<String>,
) -> Result<Bound<'py, PyDict>> {
    let [sequence] = data.sequences() else {
        let expected = "one: factorisations are compared on one series";
        return Err(setting("sequences", data.sequences().len(), expected));
    };
    let mut rows: Vec<FactorisationRow> = Vec::new();
    if let Ok(hmm) = model.cast::<Hmm>() {
        let hmm = &hmm.get().model;
        for name in names {
            let factorisation = hmm_factorisation(&name)?;
            rows.push(
                py.detach(|| hmm.compare(sequence, &name, &factorisation, None))?
                    .row,
            );
            py.check_signals()?;
        }
    } else {
        let gaussian = model.cast::<LinearGaussian>().map_err(PyErr::from)?;
        let gaussian = &gaussian.get().model;
        for name in names {
            let factorisation = gaussian_factorisation(&name)?;
            rows.push(
                py.detach(|| gaussian.compare(sequence, &name, factorisation))?
                    .row,
            );
            py.check_signals()?;
        }
    }
    let table = PyDict::new(py);
    let number = |of: fn(&FactorisationRow) -> f64| {
        numpy::PyArray1::from_vec(py, rows.iter().map(of).collect::<Vec<f64>>())
    };
    let names: Vec<&str> = rows.iter().map(|row| row.factorisation.as_str()).collect();
    table.set_item("factorisation", PyList::new(py, names)?)?;
    let online: Vec<bool> = rows.iter().map(|row| row.online).collect();
    table.set_item("online", numpy::PyArray1::from_vec(py, online))?;
    table.set_item("free_energy", number(|row| row.free_energy))?;
    table.set_item("gap", number(|row| row.gap.unwrap_or(f64::NAN)))?;
    table.set_item(
        "marginal_error",
        number(|row| row.marginal_error.unwrap_or(f64::NAN)),
    )?;
    table.set_item("microseconds", number(|row| row.micros))?;
    Ok(table)
}
