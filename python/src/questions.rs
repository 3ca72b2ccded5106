//! What a fitted model says of itself and of its data: estimates with their errors, residuals with their tests.

use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::{
    Diagnostics, DiscreteResidual, SummarySettings, TestResult, autocorrelations,
};

use crate::arrays::matrix;
use crate::errors::{Result, setting};
use crate::filter::any_model;
use crate::interrupt::interruptible;
use crate::observations::Observations;
use crate::rules::Held;

/// Estimates, standard errors and intervals of the parameters (eq. F63), and criteria, by name. `held` are the entries that a fit of a
/// linear-Gaussian model held, and `free` is how many numbers it chose, if that is known.
#[pyfunction]
#[pyo3(signature = (model, data, level, hold, held=Held::default(), free=None))]
pub fn summary<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    data: &Observations,
    level: f64,
    hold: Vec<String>,
    held: Held,
    free: Option<usize>,
) -> Result<Bound<'py, PyDict>> {
    let model = any_model(model)?;
    let (not_learned, tied) = model.names_of(&held.constraints()?);
    let settings = SummarySettings {
        level,
        hold,
        not_learned,
        tied,
        free_parameters: free,
    };
    let found = interruptible(py, &data.source(), |sequences| {
        model.summary(sequences, &settings)
    })?;
    let told = PyDict::new(py);
    let each = || found.estimates.iter();
    told.set_item("names", each().map(|e| &e.name[..]).collect::<Vec<_>>())?;
    told.set_item("estimates", each().map(|e| e.value).collect::<Vec<_>>())?;
    let errors: Vec<_> = each().map(|e| e.standard_error).collect();
    told.set_item("standard_errors", errors)?;
    told.set_item("intervals", each().map(|e| e.interval).collect::<Vec<_>>())?;
    let remarks: Vec<_> = each().map(|e| e.remark.unwrap_or_default()).collect();
    told.set_item("remarks", remarks)?;
    told.set_item("level", found.level)?;
    told.set_item("observations", found.observations)?;
    told.set_item("log_evidence", found.log_evidence)?;
    told.set_item("aic", found.aic)?;
    told.set_item("bic", found.bic)?;
    told.set_item("shortfall", found.shortfall)?;
    Ok(told)
}

/// Standardised one-step residuals (eq. F61) `[T, D]` of one sequence, and tests of each column (eq. F62). Of counts and
/// symbols a number within the jump, drawn by `seed`, or the middle of the jump without a seed.
#[pyfunction]
#[allow(clippy::type_complexity)] // an array and a dictionary per column
pub fn residuals<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    data: &Observations,
    seed: Option<u64>,
    lags: Option<usize>,
) -> Result<(Bound<'py, PyArray2<f64>>, Vec<Bound<'py, PyDict>>)> {
    let count = data.sequences().len();
    if count != 1 {
        return Err(setting("sequences", count, "one series"));
    }
    let model = any_model(model)?;
    let discrete = seed.map_or(DiscreteResidual::MidQuantile, DiscreteResidual::Randomised);
    let found = interruptible(py, &data.source(), |sequences| match sequences {
        [sequence] => model.residuals(sequence, discrete, lags),
        _ => Err(scotopic_filtering::Error::Size {
            name: "X".to_owned(),
            found: "no sequence".to_owned(),
            expected: "one series".to_owned(),
        }),
    })?;
    let columns = found.standardised;
    let rows = columns.first().map_or(0, Vec::len);
    let values = (0..rows).flat_map(|t| columns.iter().map(move |z| z[t]));
    let array = matrix(py, values.collect(), columns.len())?;
    let tests = found.diagnostics.iter().map(|d| diagnostics(py, d));
    Ok((array, tests.collect::<PyResult<_>>()?))
}

fn diagnostics<'py>(py: Python<'py>, d: &Diagnostics) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("count", d.count)?;
    told.set_item("mean", d.mean)?;
    told.set_item("variance", d.variance)?;
    told.set_item("skewness", d.skewness)?;
    told.set_item("kurtosis", d.kurtosis)?;
    told.set_item("lags", d.lags)?;
    let pair = |test: TestResult| (test.statistic, test.p_value);
    told.set_item("independence", pair(d.independence))?;
    told.set_item("normality", pair(d.normality))?;
    told.set_item("heteroscedasticity", pair(d.heteroscedasticity))?;
    Ok(told)
}

/// ρ_1 … ρ_lags of a series of residuals; NaN are left out.
#[pyfunction]
pub fn residual_autocorrelations(residuals: Vec<f64>, lags: usize) -> Vec<f64> {
    autocorrelations(&residuals, lags).split_off(1)
}
