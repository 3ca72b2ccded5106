//! `scotopic fit` of hidden Markov models with inputs in their transitions.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::hmm::{DrivenHmm, DrivenHmmFitted, EmissionKind, FitSettings};
use scotopic_filtering::{AnyModel, Sequence, many};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use super::hmm::settings;
use crate::filtering::places::from_one;

/// The best model of so many states.
///
/// # Errors
/// As [`DrivenHmm::fit_states`].
pub fn from_data(
    emission: EmissionKind,
    states: usize,
    data: &[Sequence],
    settings: &FitSettings,
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let inputs = &args.transition_inputs;
    let fit = DrivenHmm::fit_states(emission, states, inputs, data, settings).map_err(from_one)?;
    let mut told = told(&fit, begun);
    let without = fit.free_parameters - fit.model.free_weights();
    told.report.warnings.push(format!(
        "without inputs in its transitions ln p {:.3}, {}",
        fit.before,
        many(without, "parameter")
    ));
    Ok(told)
}

/// From a model of a file.
///
/// # Errors
/// As [`DrivenHmm::fit_from`].
pub fn from_model(model: DrivenHmm, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let fit = model.fit_from(data, &settings(args)).map_err(from_one)?;
    Ok(told(&fit, begun))
}

fn told(fit: &DrivenHmmFitted, begun: Instant) -> ModelFit {
    ModelFit {
        states: fit.model.states(),
        log_evidence: fit.log_evidence,
        iterations: fit.iterations,
        converged: fit.converged,
        ranked: fit.is_ranked(),
        report: Report {
            found_by: Some(fit.found_by),
            promised: Some(fit.promised),
            warnings: fit.warnings.iter().map(ToString::to_string).collect(),
            ..Report::default()
        },
        free: fit.free_parameters,
        model: AnyModel::DrivenHmm(Box::new(fit.model.clone())),
        seconds: begun.elapsed().as_secs_f64(),
    }
}
