//! `scotopic fit` of hidden Markov models.

use std::time::Instant;

use anyhow::{Result, bail};
use scotopic_filtering::hmm::{
    AnyEmission, Covariates, EmissionKind, FitSearch, FitSettings, Fitted, Hmm,
};
use scotopic_filtering::{AnyLearning, AnyModel, Sequence, many};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use super::kinds::ModelKind;
use crate::filtering::names::LearnSpec;
use crate::filtering::places::from_one;
use crate::table::number;

/// Nats of the last pass from which on another is worth its time.
const GOES_ON: f64 = 1.0;

/// The settings that the options ask for.
pub fn settings(args: &FitArgs) -> FitSettings {
    let default = FitSettings::default();
    FitSettings {
        restarts: args.restarts(),
        max_iterations: args.iterations(),
        tolerance: args.tolerance.unwrap_or(default.tolerance),
        pseudo_count: args.pseudo_count(),
        variance_floor: args.variance_floor.unwrap_or(default.variance_floor),
        seed: args.seed(),
        threads: args.threads.unwrap_or(default.threads),
        covariates: Covariates {
            inputs: args.inputs.clone(),
            exposure: args.exposure.clone(),
            lags: match args.kind {
                Some(ModelKind::Hmm(EmissionKind::Autoregression)) => {
                    args.lags.unwrap_or(1) as usize
                }
                _ => 0,
            },
        },
    }
}

/// What makes fits from the data alone.
pub fn search<'a>(
    emission: EmissionKind,
    data: &'a [Sequence],
    settings: &'a FitSettings,
) -> Result<FitSearch<'a>> {
    Ok(FitSearch::new(emission, data, settings).map_err(from_one)?)
}

/// The best model of so many states.
pub fn from_data(search: &mut FitSearch<'_>, states: usize) -> Result<ModelFit> {
    let begun = Instant::now();
    let fit = search.fit(states).map_err(from_one)?;
    Ok(model_fit(fit, begun))
}

/// From a model of a file.
pub fn from_model(model: Hmm, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    if let Some(rule) = &args.rule {
        return by_passes(model, data, rule, args);
    }
    let fit = model.fit_from(data, &settings(args)).map_err(from_one)?;
    Ok(model_fit(fit, begun))
}

/// Passes of a learning rule.
fn by_passes(model: Hmm, data: &[Sequence], rule: &str, args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let model = AnyModel::Hmm(model);
    let (AnyLearning::Hmm(learn), AnyModel::Hmm(start)) =
        (LearnSpec::given(rule)?.of(&model)?, model)
    else {
        bail!("{rule} is no rule of a hidden Markov model");
    };
    let free = start.free_parameters();
    let passes = args.passes();
    let learned = start.learn_passes(data, &learn, passes).map_err(from_one)?;
    let mut warnings = vec![format!(
        "{} of the parameters, passes: {passes}; not ranked: passes of a learning rule come near an optimum at best, not to it; a fit \
         without --rule finds it",
        many(learned.updates as usize, "update")
    )];
    if learned.updates == 0 {
        warnings.push(
            "the parameters were never updated: the rule needs more observations than these"
                .to_owned(),
        );
    }
    if learned.last_gain > GOES_ON {
        warnings.push(format!(
            "the last pass gained {} nats: more --passes would gain more",
            number(learned.last_gain, 3)
        ));
    }
    if learned.given_up > 0 {
        warnings.push(format!(
            "passes that would have lowered ln p, and were given up: {}",
            learned.given_up
        ));
    }
    Ok(ModelFit {
        states: learned.model.states(),
        log_evidence: learned.trace.last().copied().unwrap_or(f64::NAN),
        iterations: passes,
        converged: true,
        ranked: false,
        report: Report {
            warnings,
            ..Report::default()
        },
        free,
        model: AnyModel::Hmm(learned.model),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn model_fit(fit: Fitted<AnyEmission>, begun: Instant) -> ModelFit {
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
        model: AnyModel::Hmm(fit.model),
        seconds: begun.elapsed().as_secs_f64(),
    }
}
