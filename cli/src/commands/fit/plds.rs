//! `scotopic fit` of Poisson and Bernoulli linear dynamical systems.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::plds::{CountLaw, Plds, PldsFit, PldsFitted};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use crate::filtering::places::from_one;

fn settings(args: &FitArgs) -> PldsFit {
    let default = PldsFit::default();
    PldsFit {
        max_iterations: args
            .max_iterations
            .map_or(default.max_iterations, |n| n as usize),
        tolerance: args.tolerance.unwrap_or(default.tolerance),
    }
}

/// A model of so many latents, from the moments of the data.
pub fn from_data(
    law: CountLaw,
    latents: usize,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let fit = Plds::fit_latents(law, latents, data, &settings(args)).map_err(from_one)?;
    Ok(told(fit, begun))
}

/// From a model of a file.
pub fn from_model(model: &Plds, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let fit = model.fit(data, &settings(args)).map_err(from_one)?;
    Ok(told(fit, begun))
}

fn told(fit: PldsFitted, begun: Instant) -> ModelFit {
    ModelFit {
        states: fit.model.states(),
        log_evidence: fit.elbo.last().copied().unwrap_or(f64::NAN),
        iterations: fit.iterations,
        converged: fit.converged,
        ranked: fit.converged,
        report: Report {
            bound: true,
            ..Report::default()
        },
        free: fit.model.free_parameters(),
        model: AnyModel::Plds(fit.model),
        seconds: begun.elapsed().as_secs_f64(),
    }
}
