//! `scotopic fit` of Poisson and Bernoulli linear dynamical systems.

use std::time::Instant;

use anyhow::{Result, ensure};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFit, PldsFitted};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::fitted::ModelFit;
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
    let neurons = data.first().map_or(0, Sequence::width);
    ensure!(
        latents <= neurons,
        "--n-states is {latents}, and there {}: ask for at most as many as there are neurons, one a column",
        match neurons {
            1 => "is 1 column".to_owned(),
            n => format!("are {n} columns"),
        }
    );
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
    let sizes = (fit.model.states(), fit.model.free_parameters());
    let elbo = fit.elbo.last().copied().unwrap_or(f64::NAN);
    let end = (fit.iterations, fit.converged);
    ModelFit::of_bound(AnyModel::Plds(fit.model), sizes, elbo, end, begun)
}
