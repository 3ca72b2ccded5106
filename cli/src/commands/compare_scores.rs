//! What one of several models comes to on the series that they are compared on.

use std::path::Path;

use anyhow::{Context, Result};
use scotopic_filtering::{AnyFilter, AnyLearning, AnyModel, Filter as _, Sequence};
use serde::Serialize;

use super::compare_args::{CompareArgs, RankBy};
use super::smooth::score as called_score;
use crate::filtering::of_fit::OfFit;
use crate::filtering::recording::Recording;

/// What a model came to.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) model: String,
    pub(super) kind: &'static str,
    pub(super) score: &'static str,
    pub(super) parameters: Option<usize>,
    pub(super) log_evidence: f64,
    pub(super) per_observation: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prequential: Option<f64>,
    pub(super) aic: Option<f64>,
    pub(super) bic: Option<f64>,
    /// States without a prior, each of which takes an observation out of ln p (eq. F51).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) diffuse: Option<usize>,
    /// Observations that the next one depends on: a row whose lags are not all there adds nothing to ln p (eq. F93).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lags: Option<usize>,
    #[serde(skip)]
    pub(super) discrete: Option<bool>,
    /// L after each row, of one series after the other.
    #[serde(skip)]
    pub(super) path: Vec<f64>,
    /// L of each series.
    #[serde(skip)]
    pub(super) each: Vec<f64>,
}

/// What a model of a file comes to on its rows of each of the series, added up.
///
/// # Errors
/// If a row or the model cannot be used, by file and line.
pub(super) fn score(
    args: &CompareArgs,
    path: &Path,
    model: &AnyModel,
    (recordings, rows): (&[Recording], &[Sequence]),
) -> Result<Row> {
    let of_model = || format!("the model {}", path.display());
    let of_fit = OfFit::read(path)?;
    let k = of_fit.parameters(model)?;
    let rule = || -> Result<AnyLearning> { of_fit.restricted(AnyLearning::named(model, None)?) };
    let rule = match args.by {
        RankBy::Prequential => Some(rule().with_context(of_model)?),
        _ => None,
    };
    let fresh = AnyFilter::new(model.clone(), "reversed").with_context(of_model)?;
    let mut sums = Vec::new();
    let (mut before, mut count, mut learned, mut each) = (0.0, 0, 0.0, Vec::new());
    for (recording, data) in recordings.iter().zip(rows) {
        let mut filter = fresh.clone();
        for row in data.iter() {
            recording.named(filter.update(row)).with_context(of_model)?;
            sums.push(before + filter.elbo());
        }
        each.push(filter.elbo());
        before += filter.elbo();
        count += data.seen(model.inputs().len());
        if let Some(rule) = &rule {
            let score = prequential(model, rule, data, args.from());
            learned += recording.named(score).with_context(of_model)?;
        }
    }
    let log_evidence = before;
    let count = (count as f64).max(1.0);
    let parameters = k.map(|k| k as f64);
    Ok(Row {
        model: path.display().to_string(),
        kind: model.kind(),
        score: called_score(model),
        parameters: k,
        log_evidence,
        per_observation: log_evidence / count,
        prequential: rule.map(|_| learned),
        aic: parameters.map(|k| 2.0 * k - 2.0 * log_evidence),
        bic: parameters.map(|k| k * count.ln() - 2.0 * log_evidence),
        discrete: is_discrete(&fresh),
        path: sums,
        each,
        diffuse: match model {
            AnyModel::LinearGaussian(model) => Some(model.diffuse().iter().filter(|d| **d).count()),
            AnyModel::Driven(model) => Some(model.base().diffuse().iter().filter(|d| **d).count()),
            _ => None,
        }
        .filter(|states| *states > 0),
        lags: Some(model.lags()).filter(|lags| *lags > 0),
    })
}

/// Whether observations have probabilities, not densities; none where the model does not say.
fn is_discrete(filter: &AnyFilter) -> Option<bool> {
    if filter.lacks_lags() {
        return Some(false);
    }
    let laws = filter.predictive_given(1, &vec![1.0; filter.inputs().len()]);
    Some(laws.ok()?.first()?.is_discrete())
}

/// Σ ln p of the rows from number `from` on, each under parameters learned from those of the file and the rows before it.
fn prequential(
    model: &AnyModel,
    rule: &AnyLearning,
    data: &Sequence,
    from: u64,
) -> scotopic_filtering::Result<f64> {
    let mut filter = AnyFilter::learning(model.clone(), rule, "reversed")?;
    let mut sum = 0.0;
    for (t, row) in data.iter().enumerate() {
        let step = filter.update(row)?;
        if t as u64 + 1 >= from {
            sum += step.increment;
        }
    }
    Ok(sum)
}
