//! Analyses with stimuli in time: direction, latency, receptive fields.

use anyhow::Result;
use scotopic_figures::{Panel, Series, Tile, chart, tiles};
use scotopic_train::analysis::direction::{DirectionConfig, UnitDirection, direction as directed};
use scotopic_train::analysis::latency::{LatencyConfig, latency as timed};
use scotopic_train::analysis::receptive_field::{WhiteNoiseConfig, receptive_fields};

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Cell, Table, said};

/// Averages shown in the figure.
const SHOWN: usize = 100;
/// Bins of the histogram of direction indices.
const BINS: usize = 20;

pub(super) const DIRECTION: Analysis = Analysis {
    name: "direction",
    about: "Selectivity for the direction of motion",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.image),
    missing: |_| false,
    run: direction,
};

fn direction(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = DirectionConfig::default();
    let found = directed(&request.model, request.shape(), &settings)?;
    let mut report = AnalysisReport::new(DIRECTION.name, &found)?;
    report.table = Table::with("unit,responsive,peak,preferred_degrees,index,shuffled");
    for unit in &found.units {
        report.table.push([
            unit.unit.into(),
            unit.responsive.into(),
            unit.peak.into(),
            unit.preferred.into(),
            unit.index.into(),
            unit.shuffled.into(),
        ]);
    }
    report.summary = vec![
        format!(
            "{} of {} neurons respond to gratings that drift by {} pixel per step",
            found.responsive,
            found.units.len(),
            settings.speed
        ),
        format!(
            "direction index {}, {} with frames in random order (means)",
            said(found.index, 3),
            said(found.shuffled, 3)
        ),
    ];
    report.headline = serde_json::json!({
        "responsive": found.responsive, "index": found.index, "shuffled": found.shuffled,
    });
    let histogram = |label: &str, of: fn(&UnitDirection) -> Option<f64>| {
        let responsive = found.units.iter().filter(|unit| unit.responsive);
        let mut counts = [0.0; BINS];
        for index in responsive.filter_map(of) {
            // Indices are between −1 and 1.
            let bin = ((index + 1.0) / 2.0 * BINS as f64) as usize;
            counts[bin.min(BINS - 1)] += 1.0;
        }
        let middle = |i: usize| -1.0 + (2 * i + 1) as f64 / BINS as f64;
        Series::line(label, (0..BINS).map(middle).collect(), counts.to_vec())
    };
    report.draw(chart::lines(&[Panel::new(
        "Direction selectivity",
        "direction index",
        "responsive neurons",
        vec![
            histogram("gratings that drift", |unit| unit.index),
            histogram("the same frames in random order", |unit| unit.shuffled),
        ],
    )]))
}

pub(super) const LATENCY: Analysis = Analysis {
    name: "latency",
    about: "Response latency against contrast",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.image),
    missing: |_| false,
    run: latency,
};

fn latency(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = LatencyConfig::default();
    let found = timed(&request.model, request.shape(), &settings)?;
    let mut report = AnalysisReport::new(LATENCY.name, &found)?;
    report.table = Table::with("unit,contrast,latency");
    report.summary.push(format!(
        "the {} most responsive neurons, each with its preferred grating, from the resting potential",
        found.units.len()
    ));
    for at in &found.at {
        for (&unit, &latency) in found.units.iter().zip(&at.latencies) {
            report
                .table
                .push([unit.into(), at.contrast.into(), Cell::from(latency)]);
        }
        let median = at.median.map_or("undefined".to_owned(), |median| {
            format!("{median:.2} steps (median)")
        });
        report.summary.push(format!(
            "contrast {:<6} {:>3} respond, half-peak latency {median}",
            at.contrast, at.responding,
        ));
    }
    let medians = found.at.iter().map(|at| {
        serde_json::json!({ "contrast": at.contrast, "responding": at.responding, "median": at.median })
    });
    report.headline = medians.collect();
    let points = found.at.iter();
    let (x, y) = points
        .map(|at| (at.contrast, at.median.unwrap_or(f64::NAN)))
        .unzip();
    let courses = found.at.iter().map(|at| {
        let time = (0..at.course.len()).map(|t| t as f64).collect();
        Series::line(format!("contrast {}", at.contrast), time, at.course.clone())
    });
    let panels = [
        Panel::new(
            "Latency",
            "contrast (standardised units)",
            "half-peak latency (steps)",
            vec![Series::line("", x, y)],
        )
        .logarithmic(true, false),
        Panel::new(
            "Mean response",
            "inference step",
            "spikes per step",
            courses.collect(),
        ),
    ];
    report.draw(chart::lines(&panels))
}

pub(super) const RECEPTIVE_FIELD: Analysis = Analysis {
    name: "receptive-field",
    about: "Spike-triggered averages of white noise",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.linear),
    missing: |_| false,
    run: receptive_field,
};

fn receptive_field(request: &Request<'_>) -> Result<AnalysisReport> {
    let shape = request.shape();
    let found = receptive_fields(&request.model, shape, &WhiteNoiseConfig::default())?;
    let mut report = AnalysisReport::new(RECEPTIVE_FIELD.name, &found)?;
    report.table = Table::with("unit,spikes,lag,signal_to_noise,correlation");
    for unit in &found.units {
        report.table.push([
            unit.unit.into(),
            unit.spikes.into(),
            Cell::from(unit.lag.map(|lag| lag as f64)),
            unit.signal_to_noise.into(),
            unit.correlation.into(),
        ]);
    }
    report.summary = vec![
        format!(
            "{} of {} neurons fired {} spikes or more in {} frames of white noise",
            found.measured,
            found.units.len(),
            found.settings.least,
            found.settings.steps * found.settings.sequences
        ),
        format!(
            "correlation of their average with their atom {} (median), at lag {} steps",
            said(found.correlation, 3),
            said(found.lag, 0)
        ),
    ];
    if found.measured == 0 {
        report.summary.truncate(1);
    }
    report.headline = serde_json::json!({
        "neurons": found.units.len(), "measured": found.measured,
        "correlation": found.correlation, "lag": found.lag,
    });
    let enough = found.settings.least;
    let mut order: Vec<_> = found.units.iter().filter(|u| u.spikes >= enough).collect();
    let energy = |signal: Option<f64>| signal.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| energy(b.signal_to_noise).total_cmp(&energy(a.signal_to_noise)));
    order.truncate(SHOWN);
    let pixels = shape.pixels();
    let each = order
        .iter()
        .flat_map(|u| &found.averages[u.unit * pixels..(u.unit + 1) * pixels]);
    let averages: Vec<f32> = each.copied().collect();
    let tile = Tile {
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    };
    let title = format!("Spike-triggered averages, {} neurons", order.len());
    let picture = tiles::dictionary(&averages, tile, &title);
    let latents = found.units.len();
    report.arrays = vec![("averages".into(), vec![latents, pixels], found.averages)];
    report.draw(picture)
}
