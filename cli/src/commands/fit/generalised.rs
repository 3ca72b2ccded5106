//! `scotopic fit` of a model of continuous time whose equations have names: passes of its learning rule.

use std::time::Instant;

use anyhow::{Result, bail, ensure};
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::{AnyFilter, AnyLearning, AnyModel, Filter as _, Sequence, many};

use super::args::FitArgs;
use super::fitted::{ModelFit, Report};
use crate::filtering::left_out::whole_rows;
use crate::filtering::names::LearnSpec;
use crate::table::number;

/// Learns over the sequences again and again, each pass from what the one before came to, and keeps a pass that raises the ELBO of the
/// filter with fixed parameters; the first that does not is the last, for the next would be the same.
///
/// # Errors
/// For a rule that such a model does not know, or one that has nothing to learn; as its filter.
pub fn from_model(start: &GeneralisedModel, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    // What is learned slowly: parameters with a prior variance, and log-precisions.
    let odem = start.odem(None)?;
    let free = odem.parameters().len() + odem.log_precisions().len();
    let start = AnyModel::Generalised(Box::new(start.clone()));
    let data = whole_rows(data, start.kind());
    let how = LearnSpec::given(args.rule.as_deref().unwrap_or_default())?.of(&start)?;
    let passes = args.passes();
    let (first, mut updates, mut made) = (elbo(&start, &data)?, 0, 0);
    let (mut best, mut model) = (first, start);
    let mut ended = false;
    while made < passes && !ended {
        let (learned, moved) = pass(&model, &how, &data)?;
        ensure!(
            moved > 0,
            "no observation is seen, so that nothing is learned"
        );
        (made, updates) = (made + 1, updates + moved);
        // What cannot be filtered is no model of the data.
        let now = elbo(&learned, &data).unwrap_or(f64::NEG_INFINITY);
        ended = now <= best;
        if !ended {
            (model, best) = (learned, now);
        }
    }
    let end = match ended {
        true => "the last pass would have lowered the ELBO, and was given up",
        false => "the last pass still raised it: more --passes may raise it further",
    };
    let AnyModel::Generalised(fitted) = &model else {
        bail!("a model of another kind");
    };
    Ok(ModelFit {
        states: fitted.sizes().0,
        log_evidence: best,
        iterations: made,
        converged: true,
        ranked: false,
        report: Report {
            bound: true,
            warnings: vec![format!(
                "{} of the parameters, passes: {made}, from an ELBO of {} nats; {end}",
                many(updates as usize, "update"),
                number(first, 3)
            )],
            ..Report::default()
        },
        free,
        model,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// Σ of the filter with these parameters.
fn elbo(model: &AnyModel, data: &[Sequence]) -> Result<f64> {
    let mut sum = 0.0;
    for sequence in data {
        let mut filter = AnyFilter::new(model.clone(), "reversed")?;
        for row in sequence.iter() {
            filter.update(row)?;
        }
        sum += filter.elbo();
    }
    Ok(sum)
}

/// What the rule comes to after the sequences, and how often it has moved the parameters.
fn pass(model: &AnyModel, how: &AnyLearning, data: &[Sequence]) -> Result<(AnyModel, u64)> {
    let (mut model, mut moved) = (model.clone(), 0);
    for sequence in data {
        let mut filter = AnyFilter::learning(model, how, "reversed")?;
        for row in sequence.iter() {
            filter.update(row)?;
        }
        moved += filter.parameter_updates().unwrap_or(0);
        model = filter.model();
    }
    Ok((model, moved))
}
