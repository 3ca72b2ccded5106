//! Comparison of factorisations on one free-energy scale.

use anyhow::{Result, bail};
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Panel, Series};
use scotopic_filtering::comparison::{Compared, FactorisationRow};
use scotopic_filtering::hmm::{AnyEmission, Factorisation, LearnUnder};
use scotopic_filtering::{
    AnyFilter, AnyModel, Sequence, elbo_kind, gaussian_factorisation, hmm_factorisation, nonlinear,
};

use super::snapshot;

/// The factorisations that are compared by default.
pub fn all(model: &AnyModel) -> Vec<&'static str> {
    match model {
        AnyModel::Hmm(_) => Factorisation::COMPARED.to_vec(),
        AnyModel::LinearGaussian(_) => vec![
            "reversed",
            "temporal-mean-field",
            "diagonal",
            "decoupled",
            "frozen-mean-field",
            "jelbo",
        ],
        AnyModel::Nonlinear(_) => vec!["reversed", "jelbo", "vjf"],
        AnyModel::DrivenHmm(_) | AnyModel::Driven(_) | AnyModel::Plds(_) | AnyModel::Slds(_) => {
            vec!["reversed"]
        }
        AnyModel::Generalised(_) => Vec::new(),
    }
}

/// One row of the comparison.
///
/// # Errors
/// If the name is none, or the posterior does not exist.
pub fn row(
    model: &AnyModel,
    data: &Sequence,
    name: &str,
    learn: Option<&LearnUnder<AnyEmission>>,
) -> Result<FactorisationRow> {
    match model {
        AnyModel::Hmm(model) => {
            let compared = model.compare(data, name, &hmm_factorisation(name)?, learn)?;
            sized(compared, AnyFilter::Hmm)
        }
        AnyModel::LinearGaussian(model) => {
            let compared = model.compare(data, name, gaussian_factorisation(name)?)?;
            sized(compared, AnyFilter::Gaussian)
        }
        AnyModel::Nonlinear(model) => {
            let compared = nonlinear::compare(model, data, name, elbo_kind(name)?)?;
            sized(compared, AnyFilter::Nonlinear)
        }
        AnyModel::DrivenHmm(_) => bail!(
            "an hmm with inputs in its transitions has one factorisation, which is exact; give several models to compare them"
        ),
        AnyModel::Driven(_) => bail!(
            "a linear-gaussian model with inputs has one factorisation, which is exact; give several models to compare them"
        ),
        AnyModel::Plds(_) => bail!(
            "a Poisson or Bernoulli linear dynamical system has one factorisation; give several models to compare them"
        ),
        AnyModel::Slds(_) => bail!(
            "a switching linear dynamical system has one factorisation; give several models to compare them"
        ),
        AnyModel::Generalised(_) => bail!("models in continuous time are compared by order"),
    }
}

/// The row with the bytes that an online filter carries.
fn sized<F>(
    compared: Compared<F>,
    running: impl FnOnce(F) -> AnyFilter,
) -> Result<FactorisationRow> {
    let mut row = compared.row;
    if let Some(filter) = compared.filter {
        row.bytes = snapshot::bytes(&running(filter))?.len();
    }
    Ok(row)
}

/// The gap over time of what runs online, and the bound over learning.
///
/// # Errors
/// If there is nothing to draw.
pub fn picture(rows: &[FactorisationRow]) -> Result<Option<Figure>> {
    let series = |values: &dyn Fn(&FactorisationRow) -> &Vec<f64>, first: usize| -> Vec<Series> {
        rows.iter()
            .filter(|row| !values(row).is_empty())
            .map(|row| {
                let y = values(row).clone();
                let x = (first..).take(y.len()).map(|t| t as f64).collect();
                Series::line(row.factorisation.clone(), x, y)
            })
            .collect()
    };
    let panels = [
        Panel::new(
            "Evidence gap over time",
            "observation",
            "gap to ln p (nats)",
            series(&|row| &row.gaps, 1),
        ),
        Panel::new(
            "ELBO during learning",
            "update",
            "ELBO per observation (nats)",
            series(&|row| &row.trace, 0),
        ),
    ];
    Ok(chart::lines_if_any(panels)?)
}
