//! `scotopic fit` of linear-Gaussian models.

use std::time::Instant;

use anyhow::{Result, anyhow};
use scotopic_filtering::gaussian::{GaussianFit, GaussianFitted, Learned, LinearGaussian};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Error, Sequence, divided};

use super::args::FitArgs;
use super::asked::Asked;
use super::collapse::{collapsed, columns, untold_start};
use super::fitted::{ModelFit, Report};
use super::fixed::{Numbers, held};
use super::gaussian_end::End;
use crate::filtering::places::from_one;
use crate::usage::UsageError;

/// EM steps of each start before the best are pursued to the end.
const SHORT: usize = 15;
/// So many starts are pursued to the end.
const PURSUED: usize = 3;
/// Two ends are one maximum where ln p differs by less, nats.
const SAME: f64 = 1e-2;
/// Pseudo-observations of the noise begun with, a tenth of each column's variance, that keep it from that.
const PRIOR: f64 = 0.01;

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
    let mut learned = Learned {
        transition: false,
        bias: false,
        process_noise: false,
        control: false,
        observation: false,
        offset: false,
        direct: false,
        observation_noise: false,
        initial: false,
        diagonal: false,
    };
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

/// Each number of states has its own random stream, independent of the other numbers.
pub(super) fn stream(args: &FitArgs, states: usize) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(args.seed().wrapping_add((states as u64) << 32))
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
    let mut rng = stream(args, states);
    let first = LinearGaussian::initial_guess(states, data)?;
    let mut starts = vec![first];
    for _ in 1..args.restarts() {
        starts.push(LinearGaussian::random_guess(states, data, &mut rng)?);
    }
    let starts = each_held(starts, &args.structural.fix)?;
    let by_em = settings.constraints.is_empty();
    // EM chooses the starts, or short runs where entries are held, and each of them is pursued anew: pseudo-observations have its noise.
    of_starts(data, &settings, begun, |settings| {
        search(
            &starts,
            args.threads(),
            |start| match by_em {
                true => start.fit(data, &short(settings)),
                false => start.maximum_likelihood(data, &short(settings)),
            },
            |start, _| start.maximum_likelihood(data, settings),
        )
    })
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
    let fit = model.maximum_likelihood(data, &settings);
    Ok(of_file(fit.map_err(from_one)?, data, &settings, begun))
}

impl End for GaussianFitted {
    fn log_evidence(&self) -> f64 {
        self.log_evidence.last().copied().unwrap_or(f64::NAN)
    }

    fn base(&self) -> &LinearGaussian {
        &self.model
    }

    fn told(self, report: Report, settings: &GaussianFit, begun: Instant) -> ModelFit {
        ModelFit {
            states: self.model.states(),
            log_evidence: End::log_evidence(&self),
            iterations: self.iterations,
            converged: self.converged,
            ranked: self.converged,
            report,
            free: self
                .model
                .constrained_parameters(&settings.learned, &settings.constraints),
            model: AnyModel::LinearGaussian(self.model),
            seconds: begun.elapsed().as_secs_f64(),
        }
    }
}

/// The `best` end of several starts; where its noise collapses, that with pseudo-observations.
///
/// # Errors
/// If no start can be fitted.
pub(super) fn of_starts<F: End>(
    data: &[Sequence],
    settings: &GaussianFit,
    begun: Instant,
    best: impl Fn(&GaussianFit) -> Result<(F, (usize, usize))>,
) -> Result<ModelFit> {
    let mut report = Report::default();
    let free = settings.pseudo_count == 0.0 && settings.learned.observation_noise;
    let said = match best(settings) {
        Ok((fit, found_by)) => {
            let collapsed = if free {
                collapsed(&fit, data, settings)
            } else {
                Vec::new()
            };
            if collapsed.is_empty() {
                report.warnings.extend(untold_start(&fit, data, settings));
                report.found_by = Some(found_by);
                return Ok(fit.told(report, settings, begun));
            }
            format!(
                "the noise of {} collapsed to less than a millionth of its variance (ln p {:.3})",
                columns(&collapsed),
                fit.log_evidence()
            )
        }
        // Some collapse so far that no number is left.
        Err(error) if free && has_diverged(&error) => {
            format!("the noise collapsed from every start ({error})")
        }
        Err(error) => return Err(error),
    };
    let kept = GaussianFit {
        pseudo_count: PRIOR,
        ..settings.clone()
    };
    report.warnings.push(format!(
        "{said}; fitted with {PRIOR} pseudo-observations of a tenth of each column's variance (--pseudo-count), and not ranked"
    ));
    let (fit, found_by) = best(&kept)?;
    report.warnings.extend(untold_start(&fit, data, settings));
    report.found_by = Some(found_by);
    let mut fit = fit.told(report, settings, begun);
    fit.ranked = false;
    Ok(fit)
}

/// Whether an error is of numbers that a covariance without a direction leads to.
fn has_diverged(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(Error::NotFinite { .. } | Error::NotPositiveDefinite { .. })
    )
}

/// The end from a model of a file.
pub(super) fn of_file<F: End>(
    fit: F,
    data: &[Sequence],
    settings: &GaussianFit,
    begun: Instant,
) -> ModelFit {
    let mut report = Report::default();
    let collapsed = collapsed(&fit, data, settings);
    if settings.learned.observation_noise && !collapsed.is_empty() {
        report.warnings.push(format!(
            "the noise of {} collapsed to less than a millionth of its variance; --pseudo-count {PRIOR} keeps it from that",
            columns(&collapsed)
        ));
    }
    report.warnings.extend(untold_start(&fit, data, settings));
    fit.told(report, settings, begun)
}

/// The best of short runs from all starts, pursued to the end; how many of those pursued reached it, of how many. On any number of
/// threads the same.
///
/// # Errors
/// The first one, if none comes to its end.
pub(super) fn search<M: Sync, F: End>(
    starts: &[M],
    threads: usize,
    short: impl Fn(&M) -> scotopic_filtering::Result<F> + Sync,
    pursue: impl Fn(&M, F) -> scotopic_filtering::Result<F> + Sync,
) -> Result<(F, (usize, usize))> {
    let mut wrong = None;
    let mut kept = |outcome: scotopic_filtering::Result<F>| match outcome {
        Ok(run) => Some(run),
        Err(error) => {
            wrong.get_or_insert(error);
            None
        }
    };
    let runs = divided(starts.iter().collect(), threads, |start| {
        (short(start), start)
    });
    let runs = runs
        .into_iter()
        .filter_map(|(run, start)| Some((kept(run)?, start)));
    let mut runs: Vec<(F, &M)> = runs.collect();
    runs.sort_by(|(a, _), (b, _)| b.log_evidence().total_cmp(&a.log_evidence()));
    runs.truncate(PURSUED);
    let ends = divided(runs, threads, |(run, start)| pursue(start, run));
    let mut ends: Vec<F> = ends.into_iter().filter_map(kept).collect();
    ends.sort_by(|a, b| b.log_evidence().total_cmp(&a.log_evidence()));
    let same = |end: &&F| {
        ends.first()
            .is_some_and(|best| best.log_evidence() - end.log_evidence() < SAME)
    };
    let found_by = (ends.iter().filter(same).count(), ends.len());
    match (ends.into_iter().next(), wrong) {
        (Some(best), _) => Ok((best, found_by)),
        (None, Some(error)) => Err(from_one(error).into()),
        (None, None) => Err(anyhow!("there is nothing to fit")),
    }
}

/// Settings of the short run of each start.
pub(super) fn short(settings: &GaussianFit) -> GaussianFit {
    GaussianFit {
        max_iterations: SHORT.min(settings.max_iterations),
        ..settings.clone()
    }
}
