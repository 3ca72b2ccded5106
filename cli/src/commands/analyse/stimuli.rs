//! Questions asked with stimuli in time: latency, receptive fields.

use anyhow::Result;
use scotopic_figures::{Mark, Panel, Series, Tile, chart, tiles};
use scotopic_train::analysis::latency::{LatencyConfig, latency as timed};
use scotopic_train::analysis::receptive_field::{WhiteNoiseConfig, receptive_fields};

use super::Request;
use super::report::{AnalysisReport, Cell, Table, said};

/// Averages that the picture shows.
const SHOWN: usize = 100;

pub(super) fn latency(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = LatencyConfig::default();
    let found = timed(&request.subject, request.shape(), &settings)?;
    let mut answer = AnalysisReport::new("latency", &found)?;
    answer.table = Table::with("unit,contrast,latency");
    answer.summary.push(format!(
        "the {} most responsive neurons, each with its preferred grating, from the resting potential",
        found.units.len()
    ));
    for at in &found.at {
        for (&unit, &latency) in found.units.iter().zip(&at.latencies) {
            answer
                .table
                .push([unit.into(), at.contrast.into(), Cell::from(latency)]);
        }
        answer.summary.push(format!(
            "contrast {:<6} {:>3} respond, half-peak latency {} steps (median)",
            at.contrast,
            at.responding,
            said(at.median, 2)
        ));
    }
    let medians = found.at.iter().map(|at| {
        serde_json::json!({ "contrast": at.contrast, "responding": at.responding, "median": at.median })
    });
    answer.headline = medians.collect();
    let against = Series {
        x: found.at.iter().map(|at| at.contrast).collect(),
        y: found
            .at
            .iter()
            .map(|at| at.median.unwrap_or(f64::NAN))
            .collect(),
        ..Series::default()
    };
    let courses = found.at.iter().map(|at| Series {
        label: format!("contrast {}", at.contrast),
        x: (0..at.course.len()).map(|t| t as f64).collect(),
        y: at.course.clone(),
        mark: Mark::Line,
    });
    let panels = [
        Panel {
            title: "Latency".into(),
            x_label: "contrast, standardised units".into(),
            y_label: "half-peak latency (steps)".into(),
            series: vec![against],
            log_x: true,
            ..Panel::default()
        },
        Panel {
            title: "Mean response".into(),
            x_label: "inference step".into(),
            y_label: "spikes per step".into(),
            series: courses.collect(),
            ..Panel::default()
        },
    ];
    answer.draw(chart::lines(&panels))
}

pub(super) fn receptive_field(request: &Request<'_>) -> Result<AnalysisReport> {
    let shape = request.shape();
    let found = receptive_fields(&request.subject, shape, &WhiteNoiseConfig::default())?;
    let mut answer = AnalysisReport::new("receptive-field", &found)?;
    answer.table = Table::with("unit,spikes,lag,signal_to_noise,correlation");
    for unit in &found.units {
        answer.table.push([
            unit.unit.into(),
            unit.spikes.into(),
            Cell::from(unit.lag.map(|lag| lag as f64)),
            unit.signal_to_noise.into(),
            unit.correlation.into(),
        ]);
    }
    answer.summary = vec![
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
        answer.summary.truncate(1);
    }
    answer.headline = serde_json::json!({
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
    answer.arrays = vec![("averages".into(), vec![latents, pixels], found.averages)];
    answer.draw(picture)
}
