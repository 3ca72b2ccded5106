//! Inference over a thousand steps, for models trained with sixteen.

use anyhow::Result;
use scotopic_figures::{Panel, Series, chart};
use scotopic_train::analysis::convergence::{ConvergenceConfig, convergence, spread};

use super::published::FIGURE3;
use super::{Context, ModelSpec, Report, Size, load_or_train};
use crate::table::{Cell, Table};

/// The iterative models on natural patches; β as published.
pub(super) fn specs() -> Vec<ModelSpec> {
    let gaussian = |spec: ModelSpec| {
        spec.set("model.family=gaussian")
            .set("inference.potential_ceiling=7.0")
            .set("inference.step_ceiling=7.0")
            .set("inference.initial_ceiling=1.0")
            .set("objective.beta=8.0")
            .set("objective.kl=exact")
    };
    let (small, full) = ("natural-patches", "published/natural-patches");
    vec![
        ModelSpec::new("natural-iP", small, full).patient(3),
        gaussian(ModelSpec::new(
            "natural-iG_relu",
            small,
            "published/natural-patches-gaussian-relu",
        ))
        .patient(3)
        .set("model.activation=relu"),
        gaussian(ModelSpec::new(
            "natural-iG",
            small,
            "published/natural-patches-gaussian",
        ))
        .patient(3),
    ]
}

/// Curves of R², zeros and |Δu| over inference steps.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Report> {
    let (last, count) = match context.size {
        Size::Quick => (200, 100),
        _ => (1000, 500),
    };
    let steps = spread(last);
    let mut table = Table::new(&[
        "model",
        "R², 16 steps",
        &format!("R², {last} steps"),
        "R² of means, 16",
        &format!("R² of means, {last}"),
        "zeros at the end",
        "seconds",
        "published R², 16",
        "published R², 1000",
        "published zeros",
    ]);
    let (mut r2, mut zeros, mut change) = (Vec::new(), Vec::new(), Vec::new());
    for spec in specs() {
        let trained = load_or_train(context, &spec)?;
        let splits = context.load(&trained.config.data)?;
        let analysed = trained.analysed(context);
        let settings = ConvergenceConfig {
            steps: steps.clone(),
            count,
            batch: 250,
        };
        let curve = convergence(&analysed, &splits.validation, &settings)?;
        let at = |step: usize| curve.at.iter().find(|v| v.step == step);
        let number = |step, of: fn(&scotopic_train::step_sums::StepMetrics) -> f64| -> Cell {
            at(step).map(|v| Cell::Number(of(v), 3)).into()
        };
        let name = trained.name.trim_start_matches("natural-").to_string() + "-VAE";
        let published = FIGURE3.iter().find(|row| row.name == name);
        table.push(vec![
            name.clone().into(),
            number(16, |v| v.r2),
            number(last, |v| v.r2),
            number(16, |v| v.r2_rates),
            number(last, |v| v.r2_rates),
            at(last).map(|v| Cell::Percent(v.zeros)).into(),
            Cell::Number(trained.seconds, 0),
            published.map(|p| Cell::Number(p.at_16, 3)).into(),
            published.map(|p| Cell::Number(p.at_1000, 3)).into(),
            published.map(|p| Cell::Percent(p.zeros)).into(),
        ]);
        let series = |of: fn(&scotopic_train::step_sums::StepMetrics) -> f64| {
            let (x, y) = curve.at.iter().map(|v| (v.step as f64, of(v))).unzip();
            Series::line(name.clone(), x, y)
        };
        r2.push(series(|v| v.r2.max(-0.2)));
        zeros.push(series(|v| v.zeros));
        change.push(series(|v| v.change.max(1e-6)));
    }
    let panel = |title: &str, y: &str, series, log_y| {
        Panel::new(title, "inference step", y, series).logarithmic(true, log_y)
    };
    let mut report = Report::new("Convergence of inference (Figure 3)");
    report.text(format!(
        "Models trained with 16 steps on whitened patches, inference continued to {last} steps on {count} validation \
         patches. R² per patch of one sample of the latents. Published: van Hateren patches, 300 epochs; here: {}.",
        match context.size.iterations() {
            Some(n) => format!("BSDS500 patches of 12×12 with local contrast normalisation, 256 neurons, {} iterations", if context.size == Size::Quick { 3 * n } else { n }),
            None => "BSDS500 patches, as many epochs".into(),
        }
    ));
    report.table("table", table);
    report.picture(
        "figure",
        "R², zeros and change over inference steps, whitened patches",
        chart::lines(&[
            panel("Reconstruction", "R²", r2, false),
            panel("Sparsity", "fraction of zeros", zeros, false),
            panel("Change of the state", "‖Δu‖", change, true),
        ])?,
    );
    Ok(report)
}
