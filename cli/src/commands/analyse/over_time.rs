//! Analyses over inference steps: representation, convergence, and views outside the training data.

use anyhow::Result;
use scotopic_datasets::OodSuite;
use scotopic_figures::{Panel, Series, chart};
use scotopic_measures::{Rows, sparsity};
use scotopic_train::analysis::convergence::{ConvergenceConfig, convergence as measured, spread};
use scotopic_train::analysis::ood::{ood as on_views, views};
use scotopic_train::analysis::representation::{
    Representation, RepresentationConfig, representations,
};
use scotopic_train::step_sums::StepMetrics;
use serde::Serialize;

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table, said};

/// One row of the table of representations.
#[derive(Debug, Serialize)]
struct Sparse {
    step: usize,
    mean: f64,
    population_sparsity: Option<f64>,
    lifetime_sparsity: Option<f64>,
    /// ‖r_t − r_T‖/‖r_T‖ over all images.
    to_go: f64,
}

pub(super) const REPRESENTATION: Analysis = Analysis {
    name: "representation",
    about: "Posterior means of images, and their sparsity",
    needs_data: true,
    excluded: |_| None,
    missing: |_| false,
    run: representation,
};

fn representation(request: &Request<'_>) -> Result<AnalysisReport> {
    let set = request.images()?;
    let last = request.steps();
    let settings = RepresentationConfig {
        steps: [1, last.div_ceil(4), last.div_ceil(2), last].to_vec(),
        count: request.count(1000),
        batch: request.batch,
    };
    let seen = representations(&request.model, set, &settings)?;
    let rows = seen
        .iter()
        .map(|at| sparse(at, seen.last()))
        .collect::<Result<Vec<_>>>()?;
    let images = seen.first().map_or(0, |at| at.images);
    let whole = serde_json::json!({ "set": set.name(), "images": images, "at": rows });
    let mut report = AnalysisReport::new(REPRESENTATION.name, &whole)?;
    report.table = Table::with("step,mean,population_sparsity,lifetime_sparsity,to_go");
    report
        .summary
        .push(format!("{images} images of {}", set.name()));
    for row in &rows {
        report.table.push([
            row.step.into(),
            row.mean.into(),
            row.population_sparsity.into(),
            row.lifetime_sparsity.into(),
            row.to_go.into(),
        ]);
        report.summary.push(format!(
            "step {:>5}  mean {:.4}, sparsity {} population, {} lifetime; {:.1} % away from that of the last step",
            row.step,
            row.mean,
            said(row.population_sparsity, 3),
            said(row.lifetime_sparsity, 3),
            100.0 * row.to_go
        ));
    }
    report.headline = serde_json::to_value(rows.last())?;
    if let Some(labels) = set.labels() {
        let labels = labels.iter().take(images).map(|&l| f32::from(l)).collect();
        report.arrays.push(("labels".into(), vec![images], labels));
    }
    for at in seen {
        let shape = vec![at.images, at.latents];
        report
            .arrays
            .push((format!("step_{}", at.step), shape, at.values));
    }
    Ok(report)
}

fn sparse(at: &Representation, last: Option<&Representation>) -> Result<Sparse> {
    let rows = Rows::new("representation", &at.values, [at.images, at.latents])?;
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let square = |v: f32| f64::from(v).powi(2);
    let last = last.map_or(&[][..], |last| &last.values);
    let apart: f64 = at.values.iter().zip(last).map(|(a, b)| square(a - b)).sum();
    let size: f64 = last.iter().map(|&v| square(v)).sum();
    Ok(Sparse {
        step: at.step,
        mean: mean(at.values.iter().map(|&v| f64::from(v)).collect()),
        // Undefined for a single neuron, and for a single image.
        population_sparsity: sparsity::population(rows).ok().map(mean),
        lifetime_sparsity: sparsity::lifetime(rows).ok().map(mean),
        to_go: if size > 0.0 {
            (apart / size).sqrt()
        } else {
            0.0
        },
    })
}

const STEP_COLUMNS: &str = "step,r2,r2_pooled,r2_rates,r2_rates_pooled,squared_error,squared_error_rates,mse,mse_rates,\
                            reconstruction,kl,objective,change,zeros,population_sparsity,lifetime_sparsity,\
                            lost,lost_rates,worst,worst_rates";

fn step_cells(v: &StepMetrics) -> Vec<super::report::Cell> {
    let numbers = [
        v.r2,
        v.r2_pooled,
        v.r2_rates,
        v.r2_rates_pooled,
        v.squared_error,
        v.squared_error_rates,
        v.mse,
        v.mse_rates,
        v.reconstruction,
        v.kl,
        v.objective,
        v.change,
        v.zeros,
    ];
    let mut cells = vec![v.step.into()];
    cells.extend(numbers.map(Into::into));
    cells.extend([v.population_sparsity, v.lifetime_sparsity].map(Into::into));
    cells.extend([v.lost, v.lost_rates, v.worst, v.worst_rates].map(Into::into));
    cells
}

pub(super) const CONVERGENCE: Analysis = Analysis {
    name: "convergence",
    about: "R², error, free energy, |Δu| and sparsity over inference",
    needs_data: true,
    excluded: |_| None,
    missing: |_| false,
    run: convergence,
};

fn convergence(request: &Request<'_>) -> Result<AnalysisReport> {
    let last = request.asked_steps.unwrap_or(128);
    let settings = ConvergenceConfig {
        steps: spread(last),
        count: request.count(500),
        batch: request.batch,
    };
    let found = measured(&request.model, request.images()?, &settings)?;
    let mut report = AnalysisReport::new(CONVERGENCE.name, &found)?;
    report.table = Table::with(STEP_COLUMNS);
    found
        .at
        .iter()
        .for_each(|at| report.table.push(step_cells(at)));
    report
        .summary
        .push(format!("{} images of {}", found.images, found.set));
    let trained = request.checkpoint.config.steps_per_image();
    let told = |at: &&StepMetrics| at.step == 1 || at.step == trained || at.step == last;
    for at in found.at.iter().filter(told) {
        report.summary.push(format!(
            "step {:>5}  R² {:.3} by one sample, {:.3} by rates; F {:.1}, |Δu| {:.3}, zeros {:.1} %",
            at.step,
            at.r2,
            at.r2_rates,
            at.objective,
            at.change,
            100.0 * at.zeros
        ));
    }
    if let Some(at) = found.at.last() {
        report.summary.push(format!(
            "sparsity at the end {} population, {} lifetime; images with an error above 1.5 |x|²: {:.2} % by one sample (worst {:.2} |x|²), {:.2} % by rates ({:.2})",
            said(at.population_sparsity, 3),
            said(at.lifetime_sparsity, 3),
            100.0 * at.lost,
            at.worst,
            100.0 * at.lost_rates,
            at.worst_rates
        ));
    }
    let settled = found.settled.map_or("does not converge".into(), |t| {
        format!("is within 1 % of its end from step {t} on")
    });
    report.summary.push(format!("R² by rates {settled}"));
    report.headline = serde_json::json!({ "images": found.images, "settled": found.settled, "last": found.at.last() });
    report.draw(chart::lines(&panels(&found.at)))
}

fn panels(at: &[StepMetrics]) -> Vec<Panel> {
    let series = |label: &str, of: &dyn Fn(&StepMetrics) -> f64| {
        let (x, y) = at.iter().map(|v| (v.step as f64, of(v))).unzip();
        Series::line(label, x, y)
    };
    let panel = |title: &str, y_label: &str, series: Vec<Series>, log_y: bool| {
        Panel::new(title, "inference step", y_label, series).logarithmic(true, log_y)
    };
    // Clipped at −1: an unstable model must not flatten the curve.
    let clipped = |v: f64| v.max(-1.0);
    let none = f64::NAN;
    vec![
        panel(
            "Reconstruction",
            "R²",
            vec![
                series("one sample", &|v| clipped(v.r2)),
                series("rates", &|v| clipped(v.r2_rates)),
            ],
            false,
        ),
        panel(
            "Error",
            "squared error per image",
            vec![
                series("one sample", &|v| v.squared_error),
                series("rates", &|v| v.squared_error_rates),
            ],
            true,
        ),
        panel(
            "Free energy",
            "free energy (nats per image)",
            vec![
                series("F", &|v| v.objective),
                series("−ln p(x|z)", &|v| v.reconstruction),
            ],
            false,
        ),
        panel(
            "Divergence",
            "KL (nats per image)",
            vec![series("KL of the step", &|v| v.kl)],
            true,
        ),
        panel(
            "Change of the potentials",
            "‖Δu‖",
            vec![series("‖Δu‖", &|v| v.change)],
            true,
        ),
        panel(
            "Sparsity",
            "fraction, or index from 0 to 1",
            vec![
                series("zeros", &|v| v.zeros),
                series("population", &move |v| {
                    v.population_sparsity.unwrap_or(none)
                }),
                series("lifetime", &move |v| v.lifetime_sparsity.unwrap_or(none)),
            ],
            false,
        ),
    ]
}

fn suite(request: &Request<'_>) -> Result<OodSuite> {
    let config = views(request.shape(), request.count(1000))?;
    let scale = request.checkpoint.image.standardisation;
    Ok(config.load(request.data, scale)?)
}

/// Whether the files of all views are missing.
fn no_views(request: &Request<'_>) -> bool {
    suite(request).is_ok_and(|suite| suite.views.is_empty())
}

pub(super) const OOD: Analysis = Analysis {
    name: "ood",
    about: "Convergence on images outside the training distribution",
    needs_data: false,
    excluded: |traits| traits.small_grey,
    missing: no_views,
    run: ood,
};

fn ood(request: &Request<'_>) -> Result<AnalysisReport> {
    let steps = match request.asked_steps {
        Some(steps) => vec![steps],
        None => vec![request.steps(), 128],
    };
    let settings = ConvergenceConfig {
        steps,
        count: usize::MAX,
        batch: request.batch,
    };
    let found = on_views(&request.model, &suite(request)?, &settings)?;
    let mut report = AnalysisReport::new(OOD.name, &found)?;
    report.table = Table::with(&format!("view,images,{STEP_COLUMNS}"));
    for view in &found.views {
        let mut line = format!("{:<15} {:>5} images", view.set, view.images);
        for at in &view.at {
            let mut cells = vec![view.set.as_str().into(), view.images.into()];
            cells.extend(step_cells(at));
            report.table.push(cells);
            line += &format!(
                "   t={}: R² {:.3}, error {:.1}, by rates {:.3}, {:.1}; zeros {:.1} %",
                at.step,
                at.r2,
                at.squared_error,
                at.r2_rates,
                at.squared_error_rates,
                100.0 * at.zeros
            );
        }
        report.summary.push(line);
    }
    for (name, missing) in &found.skipped {
        report
            .summary
            .push(format!("{name:<15} missing ({missing})"));
    }
    let each = found
        .views
        .iter()
        .map(|view| serde_json::json!({ "view": view.set, "images": view.images, "at": view.at }));
    report.headline =
        serde_json::json!({ "views": each.collect::<Vec<_>>(), "skipped": found.skipped });
    report.draw(chart::lines(&turned(&found.views)))
}

/// R² and zeros against the angle by which digits are turned, one curve for each number of steps.
///
/// Relative to the variance of the images: turning by other than right angles blurs, which alone makes
/// errors smaller.
fn turned(views: &[scotopic_train::analysis::convergence::Convergence]) -> Vec<Panel> {
    let angled: Vec<(f64, &[StepMetrics])> = views
        .iter()
        .filter_map(|view| {
            Some((
                view.set.strip_prefix("rotated-")?.parse().ok()?,
                &view.at[..],
            ))
        })
        .collect();
    let steps: Vec<usize> = views
        .first()
        .map_or(vec![], |v| v.at.iter().map(|at| at.step).collect());
    let panel = |title: &str, y_label: &str, of: &dyn Fn(&StepMetrics) -> f64| {
        let series = steps.iter().enumerate().map(|(i, step)| {
            let (x, y) = angled
                .iter()
                .map(|(angle, at)| (*angle, of(&at[i])))
                .unzip();
            Series::line(format!("{step} steps"), x, y)
        });
        Panel::new(title, "rotation (°)", y_label, series.collect())
    };
    vec![
        panel("Reconstruction by rates", "R²", &|v| v.r2_rates.max(-1.0)),
        panel("Unexplained variance of one sample", "SSE/SST", &|v| {
            1.0 - v.r2_pooled.max(-1.0)
        }),
        panel("Sparsity", "fraction of zeros", &|v| v.zeros),
    ]
}
