//! `scotopic fit`

mod args;
mod asked;
mod driven;
mod driven_hmm;
mod ending;
mod fitted;
mod fixed;
mod gaussian;
mod generalised;
mod hmm;
mod kinds;
mod network;
mod nonlinear;
mod plds;
mod slds;
mod structural;
mod structural_args;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use scotopic_filtering::hmm::{Emission as _, EmissionKind, FitSearch, FitSettings};
use scotopic_filtering::plds::CountLaw;
use scotopic_filtering::{AnyModel, Sequence, many};

pub use args::FitArgs;
use asked::Asked;
use fitted::ModelFit;
use kinds::{FitOf, ModelKind};

use super::print;
use crate::filtering::dependence::{by_name, input_warning};
use crate::filtering::model;
use crate::filtering::of_fit::OfFit;
use crate::filtering::places::{among, impossible};
use crate::outputs::{check_apart, check_writable};
use crate::progress::Reporter;
use crate::progress_bar::Heartbeat;
use crate::table::duration;
use crate::usage::UsageError;

/// Fits models to whole sequences by expectation–maximisation.
///
/// # Errors
/// If data or model cannot be used, or EM failed from every initialisation.
pub fn run(args: &FitArgs) -> Result<ExitCode> {
    args.ensure_numbers().map_err(UsageError)?;
    if args.kind.is_none() && args.model.is_none() && args.structural.component.is_empty() {
        let error = anyhow::anyhow!(
            "give --kind to start from the data (--component for a structural model), or --model to start from a model"
        );
        return Err(UsageError(error).into());
    }
    let read: Vec<&Path> = args.data.iter().map(PathBuf::as_path).collect();
    // A model may be replaced by its own refit; data may not.
    if args.model.as_ref() != Some(&args.out) {
        args.force.check([args.out.as_path()]).map_err(UsageError)?;
    }
    check_apart(&[&args.out], &read).map_err(UsageError)?;
    check_writable(&args.out).map_err(UsageError)?;
    let args = &args.with_names()?;
    let exposures = usize::from(args.exposure.is_some());
    let driving = args.transition_inputs_alone();
    if !args.inputs.is_empty() && args.kind.is_none() && args.structural.component.is_empty() {
        let error = anyhow::anyhow!(
            "--inputs is for a fit from the data (--kind, --component regression): a model of a file names its own"
        );
        return Err(UsageError(error).into());
    }
    let file = match &args.model {
        Some(path) => model::structural(path)?,
        None => None,
    };
    let structural = args
        .structural
        .model(file, &args.learn, &args.inputs)
        .map_err(UsageError)?;
    let start = match (&args.model, &structural) {
        (Some(path), None) => Some((model::read(path)?, OfFit::read(path)?)),
        _ => None,
    };
    if start.is_some() || structural.is_some() {
        for (option, given) in [
            ("--transition-inputs", !args.transition_inputs.is_empty()),
            ("--exposure", args.exposure.is_some()),
            ("--lags", args.lags.is_some()),
        ] {
            if given {
                let error = anyhow::anyhow!(
                    "{option} is for a fit of hidden states from the data (--kind): a model of a file has its own, a structural one none"
                );
                return Err(UsageError(error).into());
            }
        }
    }
    let of = match (&start, &structural, args.kind) {
        (Some((model, _)), _, _) => Some(FitOf::file(model, args.rule.is_some())),
        (None, Some(_), _) => Some(FitOf::Structural),
        (None, None, kind) => {
            kind.map(|kind| FitOf::data(kind, !args.transition_inputs.is_empty()))
        }
    };
    if let Some(of) = of {
        args.check_for(of).map_err(UsageError)?;
    }
    let given: Vec<String> = match (&start, &structural) {
        (Some((model, _)), _) => model.inputs().to_vec(),
        (_, Some(model)) => model.inputs().to_vec(),
        (None, None) => {
            let of_emission = args.inputs.iter().chain(&args.exposure).cloned();
            of_emission.chain(driving.iter().cloned()).collect()
        }
    };
    if let Some(kind) = args.kind {
        kind.check_given(
            !args.inputs.is_empty(),
            args.exposure.is_some(),
            args.lags.is_some(),
            !args.transition_inputs.is_empty(),
        )
        .map_err(UsageError)?;
    }
    let check = |row: &[f64]| match (args.kind, &start) {
        (Some(kind), _) => kind.check(&row[..row.len().saturating_sub(exposures + driving.len())]),
        (None, Some((model, _))) => check_row(model, row),
        (None, None) => Ok(()),
    };
    let source = match &args.model {
        Some(file) => OfFit::source_of(file, &args.source).map_err(UsageError)?,
        None => args.source.clone(),
    };
    let (data, names, read) = source.given(&given).read_all(&args.data, &check)?;
    if let (Some(file), Some(data)) = (&args.model, args.data.first()) {
        OfFit::check_data(file, data, &names, &args.source)?;
    }
    let observations: usize = data.iter().map(|s| s.seen(given.len())).sum();
    ensure!(
        observations > 0,
        "there is no observation: every row is missing"
    );
    let most = args.n_states.iter().flat_map(|range| range.0.clone()).max();
    if let (Some(_), Some(most)) = (args.kind, most.filter(|n| *n as usize > observations)) {
        let error = anyhow::anyhow!(
            "--n-states is {most}, and there {}: ask for at most as many states",
            match observations {
                1 => "is 1 observation".to_owned(),
                n => format!("are {n} observations"),
            }
        );
        return Err(UsageError(error).into());
    }
    let first = names.len() - given.len();
    let inputs = match &start {
        // The last one is the time.
        Some((AnyModel::Driven(model), _)) => {
            first..names.len() - usize::from(model.is_continuous())
        }
        Some(_) => first..names.len(),
        None => first..names.len() - exposures - driving.len(),
    };
    let with_constant = match (&start, args.kind, &structural) {
        // Fits of hidden states refuse such inputs, but for pseudo-observations.
        (Some((AnyModel::Hmm(_), _)), _, _) => false,
        (_, Some(ModelKind::Hmm(_)), _) => args.pseudo_count() > 0.0,
        // Those of structural models refuse them beside a level.
        (_, _, Some(_)) => false,
        _ => true,
    };
    if with_constant && let Some(warning) = input_warning(&data, &names, &inputs)? {
        tell!("scotopic: {warning}");
    }
    if let Some(model) = &structural {
        return structural::run(model, &data, &names, args)
            .map_err(|e| among(e, &data, &read, &names));
    }
    let prior = of.is_some_and(|of| FitOf::WITH_PSEUDO_COUNT.contains(&of));
    let told = |error| among(by_name(error, &names, &inputs, prior), &data, &read, &names);
    let of_file = start.as_ref().map(|(_, of_file)| of_file);
    let asked = Asked::new(of_file, args, !inputs.is_empty()).map_err(UsageError)?;
    let (mut fits, mut failed) = (Vec::new(), Vec::new());
    let reporter = Reporter::new(args.progress);
    match (start, args.kind) {
        (Some((model, _)), _) => {
            let _beat = Heartbeat::start(reporter, format!("fitting a {}", model.described()));
            let fit = from_model(model.clone(), &asked, &data, args);
            let placed = |error| told(impossible(error, &model, &data, &read, &names));
            fits.push(fit.map_err(placed)?);
        }
        (None, Some(kind)) => {
            // In increasing order: each number of states is also started from the one before it.
            let mut numbers: Vec<u32> = args
                .n_states
                .iter()
                .flat_map(|range| range.0.clone())
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            let settings = hmm::settings(args);
            let beat = Heartbeat::start(reporter, "looking at the data".to_owned());
            let mut fitter = Fitter::new(kind, &data, &settings, args).map_err(told)?;
            drop(beat);
            for states in numbers {
                let _beat = Heartbeat::start(
                    reporter,
                    format!("fitting {}", many(states as usize, "state")),
                );
                match fitter.fit(states as usize, &asked, args) {
                    Ok(fitted) => {
                        if fitted.seconds > 1.0 {
                            let seconds = duration(fitted.seconds);
                            let states = many(states as usize, "state");
                            reporter.say(&format!("fitted {states} in {seconds}"));
                        }
                        fits.push(fitted);
                    }
                    Err(error) => failed.push((states, told(error))),
                }
            }
        }
        (None, None) => {
            bail!(
                "give --kind to start from the data (--component for a structural model), or --model to start from a model"
            )
        }
    }
    let limit = args.iterations();
    for fit in &mut fits {
        fit.say_whether_it_ended(limit);
    }
    let best = fits
        .iter()
        .filter(|fit| fit.ranked || fits.len() == 1)
        .min_by(|a, b| a.bic(observations).total_cmp(&b.bic(observations)));
    let sizes = (observations, data.len());
    let Some(best) = best else {
        if fits.is_empty() {
            return Err(ending::nothing_fitted(failed, prior));
        }
        match args.json {
            true => ending::json(&fits, &failed, sizes, None)?,
            false => ending::told(&fits, &failed, observations)?,
        }
        let prior = prior && args.pseudo_count() == 0.0;
        return Err(ending::unranked(&fits, limit, prior));
    };
    let of_fit = OfFit {
        learned: asked.learned,
        fixed: asked.fixed,
        tied: asked.tied,
        free_parameters: Some(best.free),
        columns: OfFit::of_columns(&names[..names.len() - given.len()]),
        alphabet: source.symbols().to_vec(),
    };
    model::write_fitted(&best.model, &of_fit, "", &args.out)?;
    if args.json {
        let out = args.out.to_string_lossy();
        ending::json(&fits, &failed, sizes, Some((best.states, &*out)))?;
        return Ok(ExitCode::SUCCESS);
    }
    ending::told(&fits, &failed, observations)?;
    print::line(format!(
        "{} ({}): {}",
        best.model.described(),
        many(observations, "observation"),
        args.out.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a row can be one of `model`, as far as a single one can tell.
fn check_row(model: &AnyModel, row: &[f64]) -> scotopic_filtering::Result<()> {
    match model {
        _ if row.len() != model.width() => Ok(()),
        AnyModel::Plds(model) => model.law().check(row),
        AnyModel::Hmm(model) if model.emission().lags() == 0 => {
            let mut each = vec![0.0; model.states()];
            model.emission().log_likelihood(row, &mut each)
        }
        _ => Ok(()),
    }
}

/// What fits are made from the data with: for each number of states anew, or each from the one before.
enum Fitter<'a> {
    Hmm(Box<FitSearch<'a>>),
    DrivenHmm(EmissionKind, &'a [Sequence], &'a FitSettings),
    LinearGaussian(&'a [Sequence]),
    Driven(&'a [String], &'a [Sequence]),
    Plds(CountLaw, &'a [Sequence]),
    Slds(&'a [Sequence]),
}

impl<'a> Fitter<'a> {
    fn new(
        kind: ModelKind,
        data: &'a [Sequence],
        settings: &'a FitSettings,
        args: &'a FitArgs,
    ) -> Result<Self> {
        let inputs = &args.inputs;
        Ok(match kind {
            ModelKind::Hmm(emission) if !args.transition_inputs.is_empty() => {
                Self::DrivenHmm(emission, data, settings)
            }
            ModelKind::Hmm(emission) => Self::Hmm(Box::new(hmm::search(emission, data, settings)?)),
            ModelKind::LinearGaussian if !inputs.is_empty() => Self::Driven(inputs, data),
            ModelKind::LinearGaussian => Self::LinearGaussian(data),
            ModelKind::Plds(law) => Self::Plds(law, data),
            ModelKind::Slds => Self::Slds(data),
        })
    }

    fn fit(&mut self, states: usize, asked: &Asked, args: &FitArgs) -> Result<ModelFit> {
        match self {
            Self::Hmm(search) => hmm::from_data(search, states),
            Self::DrivenHmm(emission, data, settings) => {
                driven_hmm::from_data(*emission, states, data, settings, args)
            }
            Self::LinearGaussian(data) => gaussian::from_data(states, asked, data, args),
            Self::Driven(inputs, data) => driven::from_data(states, inputs, asked, data, args),
            Self::Plds(law, data) => plds::from_data(*law, states, data, args),
            Self::Slds(data) => slds::from_data(states, data, args),
        }
    }
}

fn from_model(
    model: AnyModel,
    asked: &Asked,
    data: &[Sequence],
    args: &FitArgs,
) -> Result<ModelFit> {
    match model {
        AnyModel::Hmm(model) => hmm::from_model(model, data, args),
        AnyModel::DrivenHmm(model) => driven_hmm::from_model(*model, data, args),
        AnyModel::LinearGaussian(model) => gaussian::from_model(model, asked, data, args),
        AnyModel::Driven(model) => driven::from_model(*model, asked, data, args),
        AnyModel::Plds(model) => plds::from_model(&model, data, args),
        AnyModel::Slds(model) => slds::from_model(&model, data, args),
        AnyModel::Generalised(model) if model.network().is_some() => {
            network::from_model(&model, data, args)
        }
        AnyModel::Nonlinear(model) => nonlinear::from_model(&model, data, args),
        AnyModel::Generalised(model) => generalised::from_model(&model, data, args),
    }
}
