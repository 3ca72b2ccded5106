//! Fitting linear-Gaussian models: the library's search among starts, and EM one iteration after another.

use pyo3::prelude::*;
use scotopic_filtering::gaussian::{self, GaussianFit, GaussianFound, GaussianWarning, Learned};

use crate::driven::DrivenGaussian;
use crate::errors::Result;
use crate::fit::Watch;
use crate::gaussian::LinearGaussian;
use crate::interrupt::interruptible;
use crate::observations::Observations;
use crate::rules::{Held, learned_of};

/// EM of a linear-Gaussian model from `start`; a callback hears of each iteration.
#[pyfunction]
#[pyo3(signature = (data, start, max_iterations, tolerance, pseudo_count, diagonal=false, callback=None, learned=None))]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn fit_linear_gaussian(
    py: Python<'_>,
    data: &Observations,
    start: &LinearGaussian,
    max_iterations: usize,
    tolerance: f64,
    pseudo_count: f64,
    diagonal: bool,
    callback: Option<&Bound<'_, PyAny>>,
    learned: Option<Vec<String>>,
) -> Result<(LinearGaussian, Vec<f64>, bool)> {
    let sequences = data.sequences();
    let watch = Watch {
        py,
        callback,
        run: 0,
    };
    let fit = GaussianFit {
        max_iterations: 0,
        tolerance,
        learned: learned_of(learned, diagonal)?,
        pseudo_count,
        ..GaussianFit::default()
    };
    let mut model = start.model.clone();
    // No iteration: the library's checks of data and settings, and the evidence of the start.
    let checked = py.detach(|| model.fit(sequences, &fit))?;
    let room = tolerance * data.rows() as f64;
    let mut trace = checked.log_evidence;
    let mut converged = false;
    for iteration in 0..max_iterations {
        let (next, before) = py.detach(|| model.em_step(sequences, &fit))?;
        if iteration > 0 {
            trace.push(before);
        }
        watch.told(iteration, before)?;
        converged = matches!(trace[..], [.., last, now] if (now - last).abs() <= room);
        if converged {
            break;
        }
        model = next;
    }
    if !converged && max_iterations > 0 {
        let evidence = |model: &gaussian::LinearGaussian| -> scotopic_filtering::Result<f64> {
            sequences.iter().map(|s| model.log_evidence(s)).sum()
        };
        trace.push(py.detach(|| evidence(&model))?);
    }
    Ok((model.into(), trace, converged))
}

/// What a search of linear-Gaussian models found: the model, ln p, steps, whether it converged, by how many of the runs that were
/// pursued it was found (none from a model that was given), the pseudo-count, and what there is to say.
type Found<M> = (
    M,
    f64,
    usize,
    bool,
    Option<(usize, usize)>,
    f64,
    Vec<String>,
);

fn told<M, P: From<M>>(found: GaussianFound<M>) -> Found<P> {
    // Every fit of one series could be told that it has one start.
    let doubts = found.warnings.iter();
    let doubts = doubts.filter(|w| !matches!(w, GaussianWarning::StartCollapsed));
    (
        found.model.into(),
        found.log_evidence,
        found.iterations,
        found.converged,
        found.found_by,
        found.pseudo_count,
        doubts.map(ToString::to_string).collect(),
    )
}

/// Settings of a search.
fn of_search(
    max_iterations: usize,
    pseudo_count: f64,
    learned: Learned,
    held: &Held,
) -> Result<GaussianFit> {
    Ok(GaussianFit {
        max_iterations,
        // The gradient decides.
        tolerance: 0.0,
        pseudo_count,
        learned,
        constraints: held.constraints()?,
    })
}

/// The linear-Gaussian model of `states` dimensions of the highest ln p that a search finds from `runs` starts, or that is above
/// `start`. `held` are the entries that stay, and the groups of entries that are one number.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn search_linear_gaussian(
    py: Python<'_>,
    data: &Observations,
    states: usize,
    start: Option<&LinearGaussian>,
    runs: usize,
    seed: u64,
    max_iterations: usize,
    pseudo_count: f64,
    threads: usize,
    diagonal: bool,
    learned: Option<Vec<String>>,
    held: Held,
) -> Result<Found<LinearGaussian>> {
    let learned = learned_of(learned, diagonal)?;
    let fit = of_search(max_iterations, pseudo_count, learned, &held)?;
    let start = start.map(|start| &start.model);
    let found = interruptible(py, &data.source(), |sequences| match start {
        Some(start) => start.search_from(sequences, &fit),
        None => {
            let starts = gaussian::LinearGaussian::starts(states, sequences, runs, seed)?;
            gaussian::LinearGaussian::search(&starts, sequences, &fit, threads)
        }
    })?;
    Ok(told(found))
}

/// The same with named inputs, which are the last entries of a row.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn search_driven_gaussian(
    py: Python<'_>,
    data: &Observations,
    states: usize,
    inputs: Vec<String>,
    start: Option<&DrivenGaussian>,
    runs: usize,
    seed: u64,
    max_iterations: usize,
    pseudo_count: f64,
    threads: usize,
    diagonal: bool,
    learned: Option<Vec<String>>,
    held: Held,
) -> Result<Found<DrivenGaussian>> {
    let learned = learned_of(learned, diagonal)?;
    let fit = of_search(max_iterations, pseudo_count, learned, &held)?;
    let start = start.map(|start| &start.model);
    let found = interruptible(py, &data.source(), |sequences| match start {
        Some(start) => start.search_from(sequences, &fit),
        None => {
            let starts = gaussian::DrivenGaussian::starts(states, sequences, &inputs, runs, seed)?;
            gaussian::DrivenGaussian::search(&starts, sequences, &fit, threads)
        }
    })?;
    Ok(told(found))
}
