//! Out-of-distribution reconstruction of models trained on MNIST.

use anyhow::{Context as _, Result};
use scotopic_datasets::ImageShape;
use scotopic_figures::{Panel, Series, chart};
use scotopic_models::Method;
use scotopic_train::analysis::convergence::{Convergence, ConvergenceConfig};
use scotopic_train::analysis::ood::{ood, views};

use super::{Context, Report, Size, load_or_train, table2_mnist};
use crate::table::{Cell, Table};

/// Steps at test time: as trained, and eight times as many.
const STEPS: [usize; 2] = [16, 128];

/// The same decoder under different ways to infer.
const MODELS: [&str; 5] = ["iP-VAE", "P-VAE", "G-VAE", "ia-VAE", "sa-VAE"];

/// Squared error of every model on every view, at 16 and 128 test steps.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Report> {
    let count = match context.size {
        Size::Quick => 200,
        _ => 1000,
    };
    let mut columns = vec!["view".to_string()];
    let mut measured: Vec<(String, Vec<Convergence>, usize)> = Vec::new();
    let mut skipped = Vec::new();
    let specs = table2_mnist::specs();
    for spec in specs.iter().filter(|o| MODELS.contains(&o.name)) {
        let trained = load_or_train(context, spec)?;
        let shape = ImageShape {
            channels: 1,
            height: 28,
            width: 28,
        };
        let config = views(shape, count)?;
        let suite = config.load(&context.data, trained.checkpoint.image.standardisation)?;
        let analysed = trained.analysed(context);
        // The output of an encoder does not change with more steps.
        let steps: &[usize] = match trained.config.inference.method {
            Method::Amortized => &[1],
            _ => &STEPS,
        };
        let settings = ConvergenceConfig {
            steps: steps.to_vec(),
            count,
            batch: 200,
        };
        let found = ood(&analysed, &suite, &settings)?;
        skipped = found.skipped;
        for (at, step) in steps.iter().enumerate() {
            let name = match steps.len() {
                1 => trained.name.to_string(),
                _ => format!("{}, {step}", trained.name),
            };
            columns.push(name.clone());
            measured.push((name, found.views.clone(), at));
        }
    }
    let headings: Vec<&str> = columns.iter().map(String::as_str).collect();
    let (mut by_sample, mut by_mean) = (Table::new(&headings), Table::new(&headings));
    let names: Vec<String> = measured
        .first()
        .context("there are models")?
        .1
        .iter()
        .map(|view| view.set.clone())
        .collect();
    for (row, name) in names.iter().enumerate() {
        let line = |of: fn(&scotopic_train::step_sums::StepMetrics) -> f64| {
            let values = measured
                .iter()
                .map(|(_, views, at)| Cell::Number(of(&views[row].at[*at]), 2));
            std::iter::once(name.as_str().into())
                .chain(values)
                .collect()
        };
        by_sample.push(line(|v| v.squared_error));
        by_mean.push(line(|v| v.squared_error_rates));
    }
    let series = measured
        .iter()
        .map(|(label, views, at)| {
            let turned = views.iter().filter_map(|view| {
                let angle: f64 = view.set.strip_prefix("rotated-")?.parse().ok()?;
                Some((angle, view.at[*at].squared_error_rates))
            });
            let (x, y) = turned.unzip();
            Series::line(label.clone(), x, y)
        })
        .collect();
    let mut report = Report::new("Out of distribution");
    report.text(format!(
        "Models trained on upright MNIST digits, one linear decoder of 512 atoms each, shown other images. Squared error \
         per image (784 pixels, {count} images a view) after 16 and 128 test steps; an amortized model answers at once. \
         {}",
        match context.size.iterations() {
            Some(n) => format!("Every model had {n} iterations of 100 images."),
            None => "Trained with the published settings.".into(),
        }
    ));
    report.text("One sample of the latents decoded:");
    report.table("sample", by_sample);
    report.text("Their mean decoded:");
    report.table("mean", by_mean);
    report.picture(
        "rotated",
        "squared error against rotation, models trained on upright MNIST digits",
        chart::lines(&[Panel::new(
            "Rotated digits",
            "rotation (°)",
            "squared error of means",
            series,
        )])?,
    );
    if !skipped.is_empty() {
        let missing: Vec<String> = skipped
            .iter()
            .map(|(name, file)| format!("{name} ({file})"))
            .collect();
        report.text(format!("Missing data sets: {}.", missing.join(", ")));
    }
    Ok(report)
}
