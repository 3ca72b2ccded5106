//! `scotopic fit` of linear-Gaussian models with inputs.

use std::time::Instant;

use anyhow::{Result, ensure};
use scotopic_filtering::gaussian::{DrivenFitted, DrivenGaussian, GaussianFit, Learned};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use super::gaussian::{PRIOR, collapsed, columns, learned, search, settings, short};
use crate::filtering::places::from_one;

/// From the data alone, from several starts: the best of short runs are pursued to the end.
///
/// # Errors
/// If no start can be fitted.
pub fn from_data(
    states: usize,
    inputs: &[String],
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, learned(&args.learn)?);
    ensure!(
        !settings.learned.diagonal,
        "diagonal: give a diagonal model with inputs by --model"
    );
    // Each number of states has its own random stream, independent of the other numbers.
    let mut rng =
        Xoshiro256PlusPlus::seed_from_u64(args.seed().wrapping_add((states as u64) << 32));
    let mut starts = vec![DrivenGaussian::initial_guess(states, data, inputs).map_err(from_one)?];
    for _ in 1..args.restarts() {
        starts.push(DrivenGaussian::random_guess(
            states, data, inputs, &mut rng,
        )?);
    }
    let (fit, found_by) = best_of(&starts, data, &settings)?;
    let mut report = Report {
        found_by: Some(found_by),
        ..Report::default()
    };
    let collapsed = collapsed(fit.model.base(), data);
    if settings.pseudo_count > 0.0 || collapsed.is_empty() {
        return Ok(told(fit, report, &settings.learned, begun));
    }
    let kept = GaussianFit {
        pseudo_count: PRIOR,
        ..settings.clone()
    };
    report.warnings.push(format!(
        "the noise of {} collapsed to less than a millionth of its variance (ln p {:.3}); fitted with {PRIOR} \
         pseudo-observations of a tenth of its variance (--pseudo-count), and not ranked",
        columns(&collapsed),
        fit.log_evidence[1]
    ));
    let (fit, found_by) = best_of(&starts, data, &kept)?;
    report.found_by = Some(found_by);
    let mut fit = told(fit, report, &settings.learned, begun);
    fit.ranked = false;
    Ok(fit)
}

/// The best of short runs goes on.
fn best_of(
    starts: &[DrivenGaussian],
    data: &[Sequence],
    settings: &GaussianFit,
) -> Result<(DrivenFitted, (usize, usize))> {
    let short = short(settings);
    let go_on = |_: &DrivenGaussian, run: DrivenFitted| {
        let mut end = run.model.maximum_likelihood(data, settings)?;
        end.iterations += run.iterations;
        Ok(end)
    };
    let evidence = |run: &DrivenFitted| run.log_evidence[1];
    search(
        starts,
        |start| start.maximum_likelihood(data, &short),
        go_on,
        evidence,
    )
}

/// From a model of a file.
///
/// # Errors
/// If it cannot be fitted.
pub fn from_model(
    model: DrivenGaussian,
    names: &[String],
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    let begun = Instant::now();
    let settings = settings(args, learned(names)?);
    let fit = model
        .maximum_likelihood(data, &settings)
        .map_err(from_one)?;
    let mut report = Report::default();
    let collapsed = collapsed(fit.model.base(), data);
    if settings.learned.observation_noise && !collapsed.is_empty() {
        report.warnings.push(format!(
            "the noise of {} collapsed to less than a millionth of its variance; --pseudo-count {PRIOR} keeps it from that",
            columns(&collapsed)
        ));
    }
    Ok(told(fit, report, &settings.learned, begun))
}

fn told(fit: DrivenFitted, report: Report, learned: &Learned, begun: Instant) -> ModelFit {
    ModelFit {
        states: fit.model.states(),
        log_evidence: fit.log_evidence[1],
        iterations: fit.iterations,
        converged: fit.converged,
        ranked: fit.converged,
        report,
        free: fit.model.learned_parameters(learned),
        model: AnyModel::Driven(Box::new(fit.model)),
        seconds: begun.elapsed().as_secs_f64(),
    }
}
