//! Trained on MNIST, shown what it has not learned from.

use anyhow::{Context as _, Result};
use scotopic_datasets::ImageShape;
use scotopic_figures::{Mark, Panel, Series, chart};
use scotopic_models::Method;
use scotopic_train::analysis::AnalysedModel;
use scotopic_train::analysis::convergence::{Convergence, ConvergenceConfig};
use scotopic_train::analysis::ood::{ood, views};

use super::{Context, Page, Size, load_or_train, table2_mnist};
use crate::table::{Cell, Table};

/// Steps at test time: as trained, and eight times as many.
const STEPS: [usize; 2] = [16, 128];

/// The same decoder under different ways to infer.
const MODELS: [&str; 5] = ["iP-VAE", "P-VAE", "G-VAE", "ia-VAE", "sa-VAE"];

/// Squared error of every model on every view, at 16 and 128 test steps.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Page> {
    let count = match context.size {
        Size::Quick => 200,
        _ => 1000,
    };
    let mut columns = vec!["view".to_string()];
    let mut measured: Vec<(String, Vec<Convergence>, usize)> = Vec::new();
    let mut skipped = Vec::new();
    let orders = table2_mnist::orders();
    for order in orders.iter().filter(|o| MODELS.contains(&o.name)) {
        let trained = load_or_train(context, order)?;
        let shape = ImageShape {
            channels: 1,
            height: 28,
            width: 28,
        };
        let config = views(shape, count)?;
        let suite = config.load(&context.data, trained.checkpoint.image.standardisation)?;
        let subject = AnalysedModel {
            model: &trained.network,
            config: &trained.config,
            device: &context.device.device,
        };
        // An encoder's answer does not change with more steps.
        let steps: &[usize] = match trained.config.inference.method {
            Method::Amortized => &[1],
            _ => &STEPS,
        };
        let settings = ConvergenceConfig {
            steps: steps.to_vec(),
            count,
            batch: 200,
        };
        let found = ood(&subject, &suite, &settings)?;
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
            Series {
                label: label.clone(),
                x,
                y,
                mark: Mark::Line,
            }
        })
        .collect();
    let mut page = Page::new("Out of distribution");
    page.text(format!(
        "Models trained on upright MNIST digits, one linear decoder of 512 atoms each, shown other images. Squared error \
         per image (784 pixels, {count} images a view) after 16 and 128 test steps; an amortized model answers at once. \
         {}",
        match context.size.iterations() {
            Some(n) => format!("Every model had {n} iterations of 100 images."),
            None => "Trained with the published settings.".into(),
        }
    ));
    page.text("One sample of the latents decoded:");
    page.table("sample", by_sample);
    page.text("Their mean decoded:");
    page.table("mean", by_mean);
    page.picture(
        "rotated",
        "squared error against rotation",
        chart::lines(&[Panel {
            title: "Rotated digits".into(),
            x_label: "degrees".into(),
            y_label: "squared error of means".into(),
            series,
            log_x: false,
            log_y: false,
        }])?,
    );
    if !skipped.is_empty() {
        let missing: Vec<String> = skipped
            .iter()
            .map(|(name, file)| format!("{name} ({file})"))
            .collect();
        page.text(format!("Not there, so not shown: {}.", missing.join(", ")));
    }
    Ok(page)
}
