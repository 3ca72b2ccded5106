//! Reconstruction against sparsity, over β and T.

use anyhow::Result;
use scotopic_figures::{Mark, Panel, Series, chart};
use scotopic_measures::rate_distortion::{Point, distance, pareto_front};
use scotopic_train::evaluate::validation;
use scotopic_train::evaluate::{EvaluationConfig, evaluate};

use super::{Context, ModelSpec, Report, Size, load_or_train};
use crate::table::{Cell, Table};

/// The grid: few points where minutes count, the published one at full size.
fn grid(size: Size) -> (&'static [f64], &'static [usize]) {
    match size {
        Size::Quick => (&[8.0, 24.0], &[8, 16]),
        Size::Standard => (&[4.0, 8.0, 16.0, 24.0, 32.0], &[8, 16]),
        Size::Full => (&[4.0, 8.0, 16.0, 24.0, 32.0, 64.0], &[8, 16, 32]),
    }
}

/// Trains the iP-VAE at every point of the grid and reports reconstruction against sparsity.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Report> {
    let (betas, lengths) = grid(context.size);
    let mut table = Table::new(&[
        "T",
        "β",
        "R², spikes",
        "R², rates",
        "zeros",
        "distance",
        "on the front",
        "seconds",
    ]);
    let mut points = Vec::new();
    let mut rows = Vec::new();
    for &steps in lengths {
        for &beta in betas {
            // A name lives as long as the program: there are few of them.
            let name: &'static str = format!("natural-iP-T{steps}-beta{beta}").leak();
            let spec = ModelSpec::new(name, "natural-patches", "published/natural-patches")
                .patient(3)
                .set(format!("inference.steps={steps}"))
                .set(format!("objective.beta={beta:?}"));
            let trained = load_or_train(context, &spec)?;
            let splits = context.load(&trained.config.data)?;
            let how = EvaluationConfig {
                count: context.size.images(),
                ..validation(&trained.config)
            };
            let m = evaluate(
                &trained.network,
                &splits.validation,
                &how,
                &context.device.device,
            )?;
            points.push(Point {
                beta,
                steps,
                r2: m.r2_pooled,
                zeros: m.zeros,
            });
            rows.push((steps, beta, m, trained.seconds));
        }
    }
    let front = pareto_front(&points)?;
    for (i, (steps, beta, m, seconds)) in rows.iter().enumerate() {
        table.push(vec![
            Cell::Number(*steps as f64, 0),
            Cell::Number(*beta, 0),
            Cell::Number(m.r2_pooled, 3),
            Cell::Number(m.r2_rates_pooled, 3),
            Cell::Percent(m.zeros),
            Cell::Number(distance(m.r2_pooled, m.zeros), 3),
            if front.contains(&i) { "yes" } else { "" }.into(),
            Cell::Number(*seconds, 0),
        ]);
    }
    let series = lengths
        .iter()
        .map(|&steps| {
            let of: Vec<&Point> = points.iter().filter(|p| p.steps == steps).collect();
            let (x, y) = of.iter().map(|p| (p.zeros, p.r2)).unzip();
            Series::line(format!("T = {steps}"), x, y).marked(Mark::Dots)
        })
        .collect();
    let mut report = Report::new("Reconstruction against sparsity (Figure 4)");
    report.text(
        "The iP-VAE on whitened natural patches. Each point is a model; the best corner is up right: R² 1 with all \
         neurons silent, which nothing reaches. Distance is √((1 − R²)² + (1 − zeros)²), R² pooled over patches.",
    );
    report.table("table", table);
    report.picture(
        "figure",
        "R² against the fraction of zeros, iP-VAE on whitened natural patches",
        chart::lines(&[Panel::new(
            "Reconstruction against sparsity",
            "fraction of zeros",
            "R², one spike sample",
            series,
        )])?,
    );
    Ok(report)
}
