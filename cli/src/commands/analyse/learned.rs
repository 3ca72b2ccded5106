//! Analyses of what was learned: read-outs, atoms, weights.

use anyhow::Result;
use scotopic_figures::{Mark, Panel, Series, chart, heat};
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::NeighboursConfig;
use scotopic_train::analysis::classify::{ClassificationConfig, classify as classified};
use scotopic_train::analysis::filters::{Active, Filter, filters as fitted};
use scotopic_train::analysis::lateral::lateral as connected;
use scotopic_train::analysis::representation::RepresentationConfig;

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table, said};

/// A filter is active if it is longer than this part of the longest.
const ACTIVE: f64 = 0.1;
/// R² from which on a filter counts as a Gabor function.
const GABOR: f64 = 0.7;
/// Neurons that the map of lateral weights shows.
const SHOWN: usize = 200;

pub(super) const CLASSIFY: Analysis = Analysis {
    name: "classify",
    about: "Classification accuracy of a linear read-out and of nearest neighbours",
    needs_data: true,
    excluded: |traits| traits.labels,
    missing: |request| request.splits.is_some_and(|s| s.train.labels().is_none()),
    run: classify,
};

fn classify(request: &Request<'_>) -> Result<AnalysisReport> {
    let splits = request.splits()?;
    let test = splits.test.as_ref().unwrap_or(&splits.validation);
    let settings = ClassificationConfig {
        seen: RepresentationConfig {
            steps: vec![request.steps()],
            count: request.count(5000),
            batch: request.batch,
        },
        logistic: LogisticConfig::default(),
        neighbours: NeighboursConfig::default(),
    };
    let found = classified(&request.model, &splits.train, test, &settings)?;
    let mut report = AnalysisReport::new(CLASSIFY.name, &found)?;
    report.table = Table::with("step,logistic,logistic_train,converged,neighbours,chance");
    report.summary.push(format!(
        "{} classes; trained on {} images of {}, tested on {} of {}",
        found.classes, found.train_images, found.trained_on, found.test_images, found.tested_on
    ));
    for at in &found.at {
        report.table.push([
            at.step.into(),
            at.logistic.into(),
            at.logistic_train.into(),
            at.converged.into(),
            at.neighbours.into(),
            found.chance.into(),
        ]);
        report.summary.push(format!(
            "step {:>5}  logistic regression {:.2} % ({:.2} % in training{}), {} nearest neighbours {:.2} %, chance {:.2} %",
            at.step,
            100.0 * at.logistic,
            100.0 * at.logistic_train,
            if at.converged { "" } else { ", not converged" },
            settings.neighbours.k,
            100.0 * at.neighbours,
            100.0 * found.chance
        ));
    }
    report.headline = serde_json::to_value(&found)?;
    Ok(report)
}

pub(super) const FILTERS: Analysis = Analysis {
    name: "filters",
    about: "Gabor functions fitted to the atoms",
    needs_data: false,
    excluded: |traits| traits.linear.or(traits.image).or(traits.grey),
    missing: |_| false,
    run: filters,
};

fn filters(request: &Request<'_>) -> Result<AnalysisReport> {
    let found = fitted(
        &request.model,
        request.shape(),
        &Active::Norm(ACTIVE),
        GABOR,
    )?;
    let mut report = AnalysisReport::new(FILTERS.name, &found)?;
    report.table = Table::with(
        "unit,norm,active,r2,amplitude,x0,y0,sigma_x,sigma_y,theta_degrees,frequency,phase_degrees,nx,ny",
    );
    for filter in &found.filters {
        let mut cells = vec![filter.unit.into(), filter.norm.into(), filter.active.into()];
        cells.extend(parameters(filter).map(Into::into));
        report.table.push(cells);
    }
    let percent = found.fraction_gabor.map(|f| 100.0 * f);
    report.summary = vec![
        format!(
            "{} of {} filters active ({})",
            found.active,
            found.filters.len(),
            found.rule
        ),
        format!(
            "Gabor functions: {} % of the active ones have R² of {GABOR} or more, median R² {}",
            said(percent, 1),
            said(found.median_r2, 3)
        ),
    ];
    report.headline = serde_json::json!({
        "filters": found.filters.len(), "active": found.active, "rule": found.rule,
        "fraction_gabor": found.fraction_gabor, "median_r2": found.median_r2,
    });
    report.draw(chart::lines(&planes(&found.filters)))
}

/// R² and the parameters of a fit; nothing for a flat filter.
fn parameters(filter: &Filter) -> [Option<f64>; 11] {
    let Some(fit) = filter.fit else {
        return [None; 11];
    };
    let (g, [nx, ny]) = (fit.gabor, fit.gabor.shape());
    [
        fit.r2,
        g.amplitude,
        g.x0,
        g.y0,
        g.sigma_x,
        g.sigma_y,
        g.theta.to_degrees(),
        g.frequency,
        g.phase.to_degrees(),
        nx,
        ny,
    ]
    .map(Some)
}

fn planes(filters: &[Filter]) -> Vec<Panel> {
    let active = || filters.iter().filter(|f| f.active).filter_map(|f| f.fit);
    let mut r2: Vec<f64> = active().map(|fit| fit.r2).collect();
    r2.sort_by(|a, b| b.total_cmp(a));
    let good = || active().filter(|fit| fit.r2 >= GABOR);
    let cloud = |x: &dyn Fn(&scotopic_measures::gabor::Gabor) -> f64,
                 y: &dyn Fn(&scotopic_measures::gabor::Gabor) -> f64| {
        let points = good().map(|fit| (x(&fit.gabor), y(&fit.gabor)));
        let (x, y) = points.unzip();
        Series::line("", x, y).marked(Mark::Dots)
    };
    let panel = |title: &str, x_label: &str, y_label: &str, series: Series| {
        Panel::new(title, x_label, y_label, vec![series])
    };
    let ranks = (1..=r2.len()).map(|rank| rank as f64).collect();
    let ranked = Series::line("", ranks, r2);
    let shape = cloud(&|g| g.shape()[0].min(2.0), &|g| g.shape()[1].min(2.0));
    let tuned = cloud(&|g| g.theta.to_degrees(), &|g| g.frequency);
    vec![
        panel(
            "Gabor fits of active filters",
            "filter (rank)",
            "R²",
            ranked,
        ),
        panel(
            &format!("Gabor envelope widths (R² ≥ {GABOR})"),
            "across the bars (cycles)",
            "along the bars (cycles)",
            shape,
        ),
        panel(
            &format!("Orientation and frequency (R² ≥ {GABOR})"),
            "orientation (°)",
            "frequency (cycles per pixel)",
            tuned,
        ),
    ]
}

pub(super) const LATERAL: Analysis = Analysis {
    name: "lateral",
    about: "Lateral and feedforward weights",
    needs_data: false,
    excluded: |traits| traits.linear.or(traits.neurons),
    missing: |_| false,
    run: lateral,
};

fn lateral(request: &Request<'_>) -> Result<AnalysisReport> {
    let found = connected(&request.model)?;
    let s = &found.statistics;
    let mut report = AnalysisReport::new(LATERAL.name, &found)?;
    report.table = Table::with("similarity_from,similarity_to,pairs,mean_weight");
    for bin in &s.by_similarity {
        report.table.push([
            bin.from.into(),
            bin.to.into(),
            bin.pairs.into(),
            bin.mean.into(),
        ]);
    }
    report.summary = vec![
        format!(
            "L is {}×{}: {:.3} onto itself, {:.4} between neurons (size {:.4})",
            found.latents,
            found.latents,
            s.diagonal_mean,
            s.off_diagonal_mean,
            s.off_diagonal_magnitude
        ),
        format!(
            "{:.1} % of pairs inhibit each other; correlation with the similarity of atoms {}",
            100.0 * found.inhibitory,
            said(s.correlation, 3)
        ),
    ];
    report.headline = serde_json::json!({
        "latents": found.latents, "diagonal_mean": s.diagonal_mean, "off_diagonal_mean": s.off_diagonal_mean,
        "off_diagonal_magnitude": s.off_diagonal_magnitude, "inhibitory": found.inhibitory,
        "correlation": s.correlation,
    });
    let k = found.latents;
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| found.lateral[b * k + b].total_cmp(&found.lateral[a * k + a]));
    order.truncate(SHOWN);
    let mut map = Vec::with_capacity(order.len() * order.len());
    for &row in &order {
        map.extend(order.iter().map(|&column| found.lateral[row * k + column]));
    }
    let between = map.iter().enumerate();
    let between = between.filter(|(i, _)| i % (order.len() + 1) != 0);
    let mut sizes: Vec<f32> = between.map(|(_, w)| w.abs()).collect();
    sizes.sort_by(f32::total_cmp);
    // Scaled to the 99th percentile: the few largest weights would leave the others invisible.
    let most = sizes.get(sizes.len() * 99 / 100).copied().unwrap_or(1.0);
    let title = format!("Lateral weights, {} neurons", order.len());
    let note = format!(
        "Inhibition of the row neuron by the column neuron, strongest first; beyond ±{most:.2} in full colour"
    );
    let names = heat::Names {
        rows: "neuron (rank)",
        columns: "neuron (rank)",
        values: "weight",
    };
    let picture = heat::map(
        &map,
        [order.len(); 2],
        heat::Scale::Signed(f64::from(most)),
        names,
    );
    let picture = picture.map(|figure| figure.titled(title, note));
    report.arrays = vec![
        ("lateral".into(), vec![k, k], found.lateral),
        (
            "feedforward".into(),
            vec![k, found.pixels],
            found.feedforward,
        ),
    ];
    report.draw(picture)
}
