//! `scotopic fit` of linear-Gaussian models with inputs.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::gaussian::{DrivenFitted, DrivenGaussian, GaussianFit, LinearGaussian};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::asked::Asked;
use super::fitted::{ModelFit, Report};
use super::fixed::held;
use super::gaussian::{each_held, learned, of_file, of_starts, search, settings, short, stream};
use super::gaussian_end::End;
use crate::filtering::places::from_one;
use crate::usage::UsageError;

/// From the data alone, from several starts: the best of short runs are pursued to the end.
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
    let mut rng = stream(args, states);
    let mut starts = vec![DrivenGaussian::initial_guess(states, data, inputs).map_err(from_one)?];
    for _ in 1..args.restarts() {
        starts.push(DrivenGaussian::random_guess(
            states, data, inputs, &mut rng,
        )?);
    }
    let starts = each_held(starts, &args.structural.fix)?;
    of_starts(data, &settings, begun, |settings| {
        let go_on = |_: &DrivenGaussian, run: DrivenFitted| {
            let mut end = run.model.maximum_likelihood(data, settings)?;
            end.iterations += run.iterations;
            Ok(end)
        };
        let short = short(settings);
        search(
            &starts,
            args.threads(),
            |start| start.maximum_likelihood(data, &short),
            go_on,
        )
    })
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
    let fit = model.maximum_likelihood(data, &settings);
    Ok(of_file(fit.map_err(from_one)?, data, &settings, begun))
}

impl End for DrivenFitted {
    fn log_evidence(&self) -> f64 {
        self.log_evidence[1]
    }

    fn base(&self) -> &LinearGaussian {
        self.model.base()
    }

    fn weighs_inputs(&self) -> bool {
        self.model.regressors().next().is_some()
    }

    fn without_inputs(&self, row: &[f64], d: usize) -> f64 {
        let given = &row[self.model.outputs()..];
        let effects = self.model.direct().row(d);
        row[d] - effects.iter().zip(given).map(|(e, u)| e * u).sum::<f64>()
    }

    fn told(self, report: Report, settings: &GaussianFit, begun: Instant) -> ModelFit {
        ModelFit {
            states: self.model.states(),
            log_evidence: self.log_evidence[1],
            iterations: self.iterations,
            converged: self.converged,
            ranked: self.converged,
            report,
            free: self
                .model
                .constrained_parameters(&settings.learned, &settings.constraints),
            model: AnyModel::Driven(Box::new(self.model)),
            seconds: begun.elapsed().as_secs_f64(),
        }
    }
}
