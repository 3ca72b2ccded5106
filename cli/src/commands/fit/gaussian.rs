//! `scotopic fit` of linear-Gaussian models.

use std::time::Instant;

use anyhow::{Result, anyhow};
use scotopic_filtering::gaussian::{
    GaussianFit, GaussianFound, GaussianWarning, Learned, LinearGaussian,
};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::asked::Asked;
use super::fitted::{ModelFit, Report};
use super::fixed::{Numbers, held};
use crate::filtering::places::from_one;
use crate::usage::UsageError;

pub(super) fn settings(args: &FitArgs, learned: Learned, asked: &Asked) -> GaussianFit {
    GaussianFit {
        max_iterations: args.iterations(),
        // Its gradient decides.
        tolerance: 0.0,
        pseudo_count: args.pseudo_count(),
        learned,
        constraints: asked.constraints.clone(),
    }
}

/// What `--learn` or the `learned` of a file names.
///
/// # Errors
/// An unknown name.
pub(super) fn learned(names: &[String]) -> Result<Learned> {
    let mut learned = Learned::NOTHING;
    if names.iter().all(|name| name == "diagonal") {
        return Ok(Learned {
            diagonal: !names.is_empty(),
            ..Learned::default()
        });
    }
    for name in names {
        let flag = match name.as_str() {
            "F" | "transition" => &mut learned.transition,
            "b" | "bias" => &mut learned.bias,
            "Q" | "process_noise" => &mut learned.process_noise,
            "B" | "control" => &mut learned.control,
            "H" | "observation" => &mut learned.observation,
            "d" | "offset" => &mut learned.offset,
            "D" | "direct" => &mut learned.direct,
            "R" | "observation_noise" => &mut learned.observation_noise,
            "initial" => &mut learned.initial,
            "diagonal" => &mut learned.diagonal,
            _ => {
                return Err(anyhow!(
                    "there is no parameter {name} to learn; those of a linear-gaussian model are F, b, Q, H, d, R, \
                     initial and, with inputs, B and D; diagonal keeps Q, R and P0 diagonal"
                ));
            }
        };
        *flag = true;
    }
    Ok(learned)
}

/// The same of a model without inputs.
fn own(names: &[String]) -> Result<Learned> {
    let inputs = |name: &&String| matches!(name.as_str(), "B" | "control" | "D" | "direct");
    match names.iter().find(inputs) {
        Some(name) => Err(anyhow!("--learn {name}: the model has no inputs")),
        None => learned(names),
    }
}

/// From the data alone, from several starts.
///
/// # Errors
/// If no start can be fitted.
pub fn from_data(
    states: usize,
    asked: &Asked,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, own(&asked.learned).map_err(UsageError)?, asked);
    let starts = LinearGaussian::starts(states, data, args.restarts(), args.seed())?;
    let starts = each_held(starts, &args.structural.fix)?;
    let found = LinearGaussian::search(&starts, data, &settings, args.threads());
    Ok(told(found.map_err(from_one)?, &settings, begun))
}

/// The starts with the numbers of --fix in their places.
pub(super) fn each_held<M: Numbers>(starts: Vec<M>, fix: &[String]) -> Result<Vec<M>> {
    starts.into_iter().map(|start| held(start, fix)).collect()
}

/// From a model of a file.
///
/// # Errors
/// If it cannot be fitted.
pub fn from_model(
    model: LinearGaussian,
    asked: &Asked,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, own(&asked.learned).map_err(UsageError)?, asked);
    let model = held(model, &args.structural.fix)?;
    let found = model.search_from(data, &settings).map_err(from_one)?;
    Ok(told(found, &settings, begun))
}

fn told(found: GaussianFound<LinearGaussian>, settings: &GaussianFit, begun: Instant) -> ModelFit {
    let model = &found.model;
    let sizes = (
        model.states(),
        model.constrained_parameters(&settings.learned, &settings.constraints),
    );
    told_of(found, sizes, AnyModel::LinearGaussian, begun)
}

/// What a search found, with its states and the numbers that it chose.
pub(super) fn told_of<M>(
    found: GaussianFound<M>,
    (states, free): (usize, usize),
    of: impl FnOnce(M) -> AnyModel,
    begun: Instant,
) -> ModelFit {
    ModelFit {
        states,
        free,
        log_evidence: found.log_evidence,
        iterations: found.iterations,
        converged: found.converged,
        ranked: found.ranked,
        report: Report {
            found_by: found.found_by,
            kept: found.warnings.iter().any(GaussianWarning::is_of_a_prior),
            warnings: found.warnings.iter().map(ToString::to_string).collect(),
            ..Report::default()
        },
        model: of(found.model),
        seconds: begun.elapsed().as_secs_f64(),
    }
}
