//! Physiology of the trained network: receptive fields, rates, lateral weights.

use anyhow::Result;
use scotopic_train::analysis::filters::{Active, filters};
use scotopic_train::analysis::lateral::lateral;
use scotopic_train::analysis::rates::rates;
use scotopic_train::analysis::representation::RepresentationConfig;

use super::{Context, Report, convergence, load_or_train};
use crate::pictures;
use crate::table::{Cell, Table};

/// R² from which on a filter counts as a Gabor function.
const GOOD: f64 = 0.7;

/// Receptive fields, firing rates and lateral connections of the iP-VAE on natural patches.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Report> {
    let spec = convergence::specs().remove(0);
    let trained = load_or_train(context, &spec)?;
    let splits = context.load(&trained.config.data)?;
    let analysed = trained.analysed(context);
    let shape = trained.checkpoint.image.shape;
    let settings = RepresentationConfig {
        steps: vec![trained.config.inference.steps],
        count: context.size.images().min(2000),
        batch: 250,
    };
    let firing = rates(&analysed, &splits.validation, &settings)?;
    let fitted = filters(&analysed, shape, &Active::Norm(0.1), GOOD)?;
    let weights = lateral(&analysed)?;

    let mut table = Table::new(&["what", "value"]);
    let mut row = |what: &str, cell: Cell| table.push(vec![what.into(), cell]);
    row("active filters", Cell::Number(fitted.active as f64, 0));
    row(
        "fraction fitted by a Gabor function (R² ≥ 0.7)",
        fitted.fraction_gabor.map(Cell::Percent).into(),
    );
    row(
        "median R² of the fit",
        fitted.median_r2.map(|r| Cell::Number(r, 3)).into(),
    );
    row("mean rate, spikes per step", Cell::Number(firing.mean, 4));
    row("median rate", Cell::Number(firing.median, 4));
    row(
        "spike share of the most active 10 %",
        Cell::Percent(firing.top_tenth),
    );
    row(
        "distance of the rates from log-normal (Kolmogorov–Smirnov)",
        firing.distance.map(|d| Cell::Number(d, 3)).into(),
    );
    row(
        "inhibitory lateral weights",
        Cell::Percent(weights.inhibitory),
    );
    row(
        "lateral weight against similarity of filters, correlation",
        weights
            .statistics
            .correlation
            .map(|c| Cell::Number(c, 3))
            .into(),
    );
    let mut report = Report::new("Physiology of the trained network");
    report.text(format!(
        "The iP-VAE on whitened natural patches, {} neurons. A filter is active \
         if its norm exceeds a tenth of the largest.",
        trained.config.model.latents
    ));
    report.table("table", table);
    report.picture(
        "dictionary",
        "the dictionary",
        pictures::dictionary(&trained.network, &trained.config, shape)?,
    );
    Ok(report)
}
