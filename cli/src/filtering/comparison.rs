//! Comparison of factorisations on one free-energy scale.

use anyhow::{Result, bail};
use scotopic_figures::RgbImage;
use scotopic_figures::chart::{self, Panel, Series};
use scotopic_filtering::Sequence;
use scotopic_filtering::comparison::{Compared, FactorisationRow};
use scotopic_filtering::hmm::{AnyEmission, Factorisation, LearnUnder};
use scotopic_filtering::nonlinear;

use super::{Model, Running, names, snapshot};

/// The factorisations that are compared by default.
pub fn all(model: &Model) -> Vec<&'static str> {
    match model {
        Model::Hmm(_) => Factorisation::COMPARED.to_vec(),
        Model::LinearGaussian(_) => vec![
            "reversed",
            "temporal-mean-field",
            "diagonal",
            "decoupled",
            "frozen-mean-field",
            "jelbo",
        ],
        Model::Nonlinear(_) => vec!["reversed", "jelbo", "vjf"],
        Model::Generalised(_) => Vec::new(),
    }
}

/// One row of the comparison.
///
/// # Errors
/// If the name is none, or the posterior does not exist.
pub fn row(
    model: &Model,
    data: &Sequence,
    name: &str,
    learn: Option<&LearnUnder<AnyEmission>>,
) -> Result<FactorisationRow> {
    match model {
        Model::Hmm(model) => {
            let compared = model.compare(data, name, &names::discrete(name)?, learn)?;
            sized(compared, Running::Discrete)
        }
        Model::LinearGaussian(linear) => {
            let compared = linear.compare(data, name, names::gaussian(name)?)?;
            sized(compared, |filter| Running::Gaussian(filter, model.clone()))
        }
        Model::Nonlinear(model) => {
            let compared = nonlinear::compare(model, data, name, names::scheme(name)?)?;
            sized(compared, Running::Nonlinear)
        }
        Model::Generalised(_) => bail!("models in continuous time are compared by order"),
    }
}

/// The row with the bytes that an online filter carries.
fn sized<F>(compared: Compared<F>, running: impl FnOnce(F) -> Running) -> Result<FactorisationRow> {
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
pub fn picture(rows: &[FactorisationRow]) -> Result<Option<RgbImage>> {
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
    let panels: Vec<Panel> = [
        Panel::new(
            "Evidence gap over time",
            "observation",
            "gap to ln p, nats",
            series(&|row| &row.gaps, 1),
        ),
        Panel::new(
            "ELBO during learning",
            "update",
            "ELBO per observation (nats)",
            series(&|row| &row.trace, 0),
        ),
    ]
    .into_iter()
    .filter(|panel| !panel.series.is_empty())
    .collect();
    Ok(if panels.is_empty() {
        None
    } else {
        Some(chart::lines(&panels)?)
    })
}
