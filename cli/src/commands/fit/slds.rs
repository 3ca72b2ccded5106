//! `scotopic fit` of switching linear dynamical systems.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::switching::{Slds, SldsFit, SldsFitted};
use scotopic_filtering::{AnyModel, Sequence, many};

use super::args::FitArgs;
use super::fitted::ModelFit;
use crate::filtering::places::from_one;

fn settings(args: &FitArgs) -> SldsFit {
    let default = SldsFit::default();
    SldsFit {
        max_iterations: args
            .max_iterations
            .map_or(default.max_iterations, |n| n as usize),
        tolerance: args.tolerance.unwrap_or(default.tolerance),
        restarts: args.restarts(),
        variance_floor: args.variance_floor.unwrap_or(default.variance_floor),
        seed: args.seed(),
        threads: args.threads.unwrap_or(default.threads),
    }
}

/// A model of so many regimes, with a state of --dimension numbers, as many as columns without it.
pub fn from_data(regimes: usize, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let columns = data.first().map_or(1, Sequence::width);
    let states = args.dimension.map_or(columns, |n| n as usize);
    let fit = Slds::fit_regimes(regimes, states, data, &settings(args)).map_err(from_one)?;
    Ok(told(fit, data, begun))
}

/// From a model of a file.
pub fn from_model(model: &Slds, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let fit = model.fit(data, &settings(args)).map_err(from_one)?;
    Ok(told(fit, data, begun))
}

fn told(fit: SldsFitted, data: &[Sequence], begun: Instant) -> ModelFit {
    let (degenerate, left_out) = (fit.degenerate, fit.left_out);
    let sizes = (fit.model.regimes_len(), fit.model.free_parameters());
    let elbo = fit.elbo.last().copied().unwrap_or(f64::NAN);
    let end = (fit.iterations, fit.converged);
    let mut fit = ModelFit::of_bound(AnyModel::Slds(Box::new(fit.model)), sizes, elbo, end, begun);
    let rows = data.iter().flat_map(|s| s.iter().flatten());
    let numbers = rows.flatten().filter(|y| !y.is_nan()).count();
    if fit.free >= numbers {
        fit.ranked = false;
        fit.report.warnings.push(format!(
            "it has {} for {}: not ranked; ask for fewer regimes, or a smaller --dimension",
            many(fit.free, "parameter"),
            many(numbers, "number")
        ));
    }
    if left_out > 0 {
        fit.report.warnings.push(format!(
            "{} collapsed onto values that a regime predicts without noise, of higher ELBO the lower --variance-floor, and left out",
            many(left_out, "run")
        ));
    }
    if degenerate {
        fit.ranked = false;
        fit.report.warnings.push(
            "a regime collapsed onto values that it predicts without noise: its variance is the least that --variance-floor allows, and ln p \
             rises without end as that falls: not ranked; ask for fewer regimes, or raise --variance-floor to what the data are rounded to"
                .to_owned(),
        );
    }
    fit
}
