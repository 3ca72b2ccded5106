//! `scotopic fit` of linear-Gaussian models with inputs.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::gaussian::{DrivenGaussian, GaussianFit, GaussianFound};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::asked::Asked;
use super::fitted::ModelFit;
use super::fixed::held;
use super::gaussian::{each_held, learned, settings, told_of};
use crate::filtering::places::from_one;
use crate::usage::UsageError;

/// From the data alone, from several starts.
///
/// # Errors
/// If no start can be fitted.
pub fn from_data(
    states: usize,
    inputs: &[String],
    asked: &Asked,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, learned(&asked.learned).map_err(UsageError)?, asked);
    let starts = DrivenGaussian::starts(states, data, inputs, args.restarts(), args.seed());
    let starts = each_held(starts.map_err(from_one)?, &args.structural.fix)?;
    let found = DrivenGaussian::search(&starts, data, &settings, args.threads());
    Ok(told(found.map_err(from_one)?, &settings, begun))
}

/// From a model of a file.
///
/// # Errors
/// If it cannot be fitted.
pub fn from_model(
    model: DrivenGaussian,
    asked: &Asked,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, learned(&asked.learned).map_err(UsageError)?, asked);
    let model = held(model, &args.structural.fix)?;
    let found = model.search_from(data, &settings).map_err(from_one)?;
    Ok(told(found, &settings, begun))
}

fn told(found: GaussianFound<DrivenGaussian>, settings: &GaussianFit, begun: Instant) -> ModelFit {
    let model = &found.model;
    let sizes = (
        model.states(),
        model.constrained_parameters(&settings.learned, &settings.constraints),
    );
    told_of(
        found,
        sizes,
        |model| AnyModel::Driven(Box::new(model)),
        begun,
    )
}
